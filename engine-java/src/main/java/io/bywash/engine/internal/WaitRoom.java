package io.bywash.engine.internal;

import static io.bywash.engine.internal.SegmentLayout.*;

import io.bywash.engine.internal.linux.Futex;
import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.wait.WaitPolicy;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;

/**
 * Waiting in one segment: sleepers announce themselves in a bitmap of the queue and sleep on their participant's doorbell;
 * whoever changes the queue looks at the bitmap and rings those doorbells.
 *
 * <p>No wake-up is lost, because the two sides' steps cannot both come first [waiting]:
 * <pre>
 *   sleeper: remember doorbell; set bit; FENCE; look at the queue; sleep while the doorbell is unchanged
 *   waker:   change the queue;           fence; look at the bitmap; clear bits; change doorbells; wake
 * </pre>
 * Where every process is registered for it, the sleeper's FENCE is a membarrier that makes all running wakers pass a full
 * fence, and the waker's own fence is left out: it then costs a sleeper about a microsecond, and a publisher nothing but a
 * load. Beyond that, a sleeper looks again every 50 ms, since a waker may die between its two steps.
 */
public final class WaitRoom {
  /** The longest time between two looks at a peer. */
  public static final long PROBE_NANOS = 50_000_000;

  static final int SPINS = 1_000;
  private static final long PATIENCE_NANOS = 200_000;
  /** A wait without sleep that took so long ended late: others ran on this core meanwhile. */
  static final long LONG_YIELD_NANOS = 2 * PATIENCE_NANOS;
  private static final int CLOCK_EVERY_SPINS = 64;
  private static final long PARK_NANOS = 50_000;

  private final SegmentCore core;
  private final Region region;
  private final int bitmapWords;

  WaitRoom(SegmentCore core) {
    this.core = core;
    this.region = core.region();
    this.bitmapWords = (core.geometry().slotCount() + 63) >>> 6;
  }

  // ---- the waker's side

  /** Wakes the participants that wait in the bitmap; called after each change of the queue that they may wait for. */
  public void signal(long bitmap) {
    if (!NativeAccess.ENABLED) {
      return; // sleepers know that this process cannot wake them, and park with a time limit
    }
    if (!Futex.ASYMMETRIC) {
      VarHandle.fullFence(); // [waiting]
    }
    if (region.getLongOpaque(bitmap) != 0 || bitmapWords > 1) { // [waiting]
      ring(bitmap);
    }
  }

  private void ring(long bitmap) {
    for (int word = 0; word < bitmapWords; word++) {
      if (region.getLongOpaque(bitmap + word * 8L) != 0) { // [waiting]
        ring(bitmap + word * 8L, word << 6);
      }
    }
  }

  private void ring(long bitmapWord, int firstId) {
    long waiting = region.getAndBitwiseAndLong(bitmapWord, 0);
    for (long bits = waiting; bits != 0; bits &= bits - 1) {
      int id = firstId + Long.numberOfTrailingZeros(bits);
      if (id < core.geometry().slotCount()) {
        ringDoorbell(id);
      }
    }
  }

  private void ringDoorbell(int id) {
    long doorbell = core.participants().doorbell(id);
    region.getAndAddInt(doorbell, 1); // the word changes before the wake: who reads it later does not sleep
    try {
      Futex.wakeAll(region, doorbell);
    } catch (OutOfMemoryError | StackOverflowError shortage) {
      // what the sleeper waits for has happened, and must not look failed to the caller; the sleeper looks again by itself
    }
  }

  /** Wakes everybody of this process who sleeps in this segment. */
  void wakeOwn() {
    if (NativeAccess.ENABLED && core.participants().self() != 0) {
      ringDoorbell(Owner.slotId(core.participants().self()));
    }
  }

  // ---- the sleeper's side

  /** The doorbell of this participant, to be read before {@link #announce}. */
  public int doorbellValue() {
    return region.getIntAcquire(doorbell());
  }

  /** Where this participant's doorbell is. */
  public long doorbell() {
    return core.participants().doorbell(Owner.slotId(core.participants().self()));
  }

  /** Announces this participant in the bitmap; {@link #fence} and another look at the queue must follow. */
  public void announce(long bitmap) {
    int id = Owner.slotId(core.participants().self());
    region.getAndBitwiseOrLong(bitmap + (id >>> 6) * 8L, 1L << (id & 63)); // [waiting], a full fence of our own
  }

  /** The sleeper's fence; false when it could not be made, and one must not sleep. */
  public static boolean fence() {
    VarHandle.fullFence(); // [waiting]
    return !Futex.ASYMMETRIC || Futex.barrierOnOthers(); // [waiting]
  }

  /** Whether every possible waker can wake this process out of the kernel. */
  public boolean canBlock() {
    return NativeAccess.ENABLED && !core.isReadOnly() && core.participants().everybodyCanWake();
  }

  /**
   * Waits until {@code point} is ready, but no longer than {@code timeoutNanos}, and no longer than {@link #PROBE_NANOS}
   * once it sleeps: the caller then looks after its peers and calls again. An interrupt ends it, and stays set.
   *
   * @param lively what the last call returned
   * @return whether {@code BACKOFF} may yield before it sleeps the next time: it did not have to sleep, nor to wait long
   */
  public boolean await(WaitPoint point, WaitPolicy policy, long timeoutNanos, boolean lively) {
    long start = System.nanoTime();
    if (Thread.currentThread().isVirtual()) {
      awaitOnVirtualThread(point, policy, start, Math.min(timeoutNanos, PROBE_NANOS));
      return false;
    }
    if (policy == WaitPolicy.BACKOFF) {
      return backOff(point, start, timeoutNanos, lively);
    }
    switch (policy) {
      case SPIN -> spin(point, start, Math.min(timeoutNanos, PROBE_NANOS));
      case YIELD -> yieldUntil(point, start, Math.min(timeoutNanos, PROBE_NANOS));
      case PARK -> park(point, start, Math.min(timeoutNanos, PROBE_NANOS));
      default -> block(point, start, timeoutNanos);
    }
    return false;
  }

  /**
   * Where messages follow each other closely, a pause is mostly the other side's being interrupted. Whoever sleeps then is often
   * woken on the other side's core, and waits for its time slice of milliseconds.
   *
   * <p>Whoever yields on the core that the other side runs on waits for such a slice as well, and does so many times, since the
   * kernel leaves a thread that yields where it is; one that wakes up is placed on an idle core. So after a long yield the next
   * wait sleeps without yielding.
   */
  private boolean backOff(WaitPoint point, long start, long timeoutNanos, boolean lively) {
    for (int i = 0; i < SPINS; i++) {
      if (point.isWaitOver()) {
        return true; // at once: each look more is a part of every round trip
      }
      Thread.onSpinWait();
    }
    if (lively) {
      yieldUntil(point, start, Math.min(timeoutNanos, PATIENCE_NANOS));
    }
    if (point.isWaitOver()) {
      return System.nanoTime() - start <= LONG_YIELD_NANOS;
    }
    block(point, start, timeoutNanos);
    return false;
  }

  /**
   * A virtual thread gives its carrier away while it waits: a sleep in the kernel, or endless spinning, would keep the carrier
   * from all other virtual threads.
   */
  private void awaitOnVirtualThread(WaitPoint point, WaitPolicy policy, long start, long timeoutNanos) {
    for (int i = 0; i < SPINS; i++) {
      if (point.isWaitOver()) {
        return;
      }
      Thread.onSpinWait();
    }
    Thread.yield(); // perhaps the other side is a virtual thread as well
    if (policy == WaitPolicy.PARK || !canBlock()) {
      park(point, start, timeoutNanos);
    } else if (!point.isWaitOver()) {
      Hub.shared().park(point, timeoutNanos - (System.nanoTime() - start));
    }
  }

  private static void spin(WaitPoint point, long start, long timeoutNanos) {
    for (int spins = 1; !point.isWaitOver(); spins++) {
      Thread.onSpinWait();
      if (spins % CLOCK_EVERY_SPINS == 0 && (System.nanoTime() - start > timeoutNanos || isInterrupted())) {
        return;
      }
    }
  }

  private static void yieldUntil(WaitPoint point, long start, long timeoutNanos) {
    while (!point.isWaitOver() && System.nanoTime() - start <= timeoutNanos && !isInterrupted()) {
      Thread.yield();
    }
  }

  private static void park(WaitPoint point, long start, long timeoutNanos) {
    while (!point.isWaitOver()) {
      long left = timeoutNanos - (System.nanoTime() - start);
      if (left <= 0 || isInterrupted()) {
        return;
      }
      LockSupport.parkNanos(Math.min(left, PARK_NANOS));
    }
  }

  private void block(WaitPoint point, long start, long timeoutNanos) {
    if (point.isWaitOver() || isInterrupted()) {
      return;
    }
    if (!canBlock()) {
      park(point, start, Math.min(timeoutNanos, PROBE_NANOS));
      return;
    }
    int seen = doorbellValue();
    announce(point.waitingBitmap());
    boolean mayBlock = fence();
    if (point.isWaitOver()) {
      return;
    }
    long left = timeoutNanos - (System.nanoTime() - start);
    if (left > 0 && mayBlock) {
      core.participants().heartbeat();
      Futex.await(region, doorbell(), seen, Math.min(left, PROBE_NANOS));
    }
  }

  private static boolean isInterrupted() {
    return Thread.currentThread().isInterrupted();
  }
}
