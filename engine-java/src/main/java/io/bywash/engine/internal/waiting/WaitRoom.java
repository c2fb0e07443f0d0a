package io.bywash.engine.internal.waiting;

import io.bywash.engine.internal.attachment.Attachment;
import io.bywash.engine.internal.attachment.Row;
import io.bywash.engine.internal.events.EngineEvents;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.linux.Futex;
import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.internal.segment.Participants;
import io.bywash.engine.internal.segment.PeerProbe;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;

/**
 * Waiting in one segment: how a thread waits, and the doorbells of participants, on which it sleeps. The
 * {@link Waiters} of each structure know who sleeps, and who is to be woken.
 *
 * <p>A participant has one doorbell for all its roles. Each thread sleeps on it with only the bit of its role, so that
 * not all of them wake for each message. Roles with the same bit wake together.
 */
public final class WaitRoom {
  /** The longest time between two probes of a peer. */
  public static final long PROBE_NANOS = PeerProbe.INTERVAL_NANOS;

  static final int SPINS = 1_000;
  private static final long PATIENCE_NANOS = 200_000;
  /** A wait without sleep that took this long ended late, because other threads ran on this core meanwhile. */
  static final long LONG_YIELD_NANOS = 2 * PATIENCE_NANOS;
  private static final int CLOCK_EVERY_SPINS = 64;
  private static final long PARK_NANOS = 50_000;
  /** How long those park at a time who use no wakes: they wait for something that is rare, and takes long. */
  private static final long UNWOKEN_PARK_NANOS = 5_000_000;

  private final Attachment core;
  private final Region region;

  public WaitRoom(Attachment core) {
    this.core = core;
    this.region = core.region();
  }

  /** The value of this participant's doorbell, to be read before {@link Waiters#announce}. */
  public int doorbellValue() {
    return region.getIntAcquire(doorbell());
  }

  /** Where this participant's doorbell is. */
  public long doorbell() {
    return core.participants().doorbell(Owner.slotId(core.participants().self()));
  }

  /** The sleeper's fence; false when it failed, and the caller must not sleep. */
  public static boolean fence() {
    VarHandle.fullFence(); // [waiting]
    return !Futex.ASYMMETRIC || Futex.barrierOnOthers(); // [waiting]
  }

  /** Whether every possible waker can wake this process from a sleep in the kernel. */
  public boolean canBlock() {
    return NativeAccess.ENABLED && !core.isReadOnly() && core.participants().everybodyCanWake();
  }

  /**
   * Waits until {@code point} is ready, but no longer than {@code timeoutNanos}, and once it sleeps, no longer than
   * {@link #PROBE_NANOS}: the caller then probes its peers and calls this again. The hub does that for a virtual
   * thread, which may wait longer. An interrupt ends the wait, and stays set. The caller must check the structure after
   * each call, even after an interrupt, since a wake that was meant for one of many must be used.
   *
   * @param lastWasBrief what the last call returned
   * @return whether {@code BACKOFF} may yield before it sleeps the next time: this wait was short, and did not sleep
   */
  public boolean await(WaitPoint point, WaitStrategy strategy, long timeoutNanos, boolean lastWasBrief) {
    long start = System.nanoTime();
    if (Thread.currentThread().isVirtual()) {
      awaitOnVirtualThread(point, strategy, start, timeoutNanos);
      return false;
    }
    if (strategy == WaitStrategy.BACKOFF) {
      return backOff(point, start, timeoutNanos, lastWasBrief);
    }
    switch (strategy) {
      case SPIN -> spin(point, start, Math.min(timeoutNanos, PROBE_NANOS));
      case YIELD -> yieldUntil(point, start, Math.min(timeoutNanos, PROBE_NANOS));
      case PARK -> park(point, start, Math.min(timeoutNanos, PROBE_NANOS));
      default -> block(point, start, timeoutNanos);
    }
    return false;
  }

  /**
   * When messages follow each other closely, a pause mostly means that the other side was interrupted. A thread that
   * sleeps then is often woken on the other side's core, and waits for a time slice of milliseconds.
   *
   * <p>A thread that yields on the other side's core waits for such a slice as well, and does so many times, since the
   * kernel leaves a yielding thread on its core. It places a thread that wakes up on an idle core. So after a long
   * yield the next wait sleeps without yielding.
   */
  private boolean backOff(WaitPoint point, long start, long timeoutNanos, boolean lastWasBrief) {
    for (int i = 0; i < SPINS; i++) {
      if (point.isWaitOver()) {
        return true; // at once: each further check would add to every round trip
      }
      Thread.onSpinWait();
    }
    if (lastWasBrief) {
      yieldUntil(point, start, Math.min(timeoutNanos, PATIENCE_NANOS));
    }
    if (point.isWaitOver()) {
      long took = System.nanoTime() - start;
      tellWake(point, took - PATIENCE_NANOS);
      return took <= LONG_YIELD_NANOS;
    }
    block(point, start, timeoutNanos);
    return false;
  }

  /**
   * A virtual thread releases its carrier while it waits. A sleep in the kernel, or endless spinning, would keep the
   * carrier from all other virtual threads.
   */
  private void awaitOnVirtualThread(WaitPoint point, WaitStrategy strategy, long start, long timeoutNanos) {
    for (int i = 0; i < SPINS; i++) {
      if (point.isWaitOver()) {
        return;
      }
      Thread.onSpinWait();
    }
    Thread.yield(); // perhaps the other side is a virtual thread as well
    if (strategy == WaitStrategy.PARK || !canBlock() || !point.usesWakes()) {
      park(point, start, Math.min(timeoutNanos, PROBE_NANOS));
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

  private void park(WaitPoint point, long start, long timeoutNanos) {
    while (!point.isWaitOver()) {
      long left = timeoutNanos - (System.nanoTime() - start);
      if (left <= 0 || isInterrupted()) {
        return;
      }
      long nanos = Math.min(left, point.usesWakes() ? PARK_NANOS : UNWOKEN_PARK_NANOS);
      boolean told = EngineEvents.areSlowWakesTold();
      long before = told ? System.nanoTime() : 0;
      LockSupport.parkNanos(nanos);
      if (told) {
        tellWake(point, System.nanoTime() - before - nanos);
      }
    }
  }

  private void block(WaitPoint point, long start, long timeoutNanos) {
    if (point.isWaitOver() || isInterrupted()) {
      return;
    }
    if (!canBlock() || !point.usesWakes()) {
      park(point, start, Math.min(timeoutNanos, PROBE_NANOS));
      return;
    }
    Row entry = point.waiters().row();
    if (!entry.tryBeginWait()) {
      return;
    }
    int role = point.role();
    try {
      int seen = doorbellValue();
      point.waiters().announce(role);
      boolean mayBlock = fence();
      if (point.isWaitOver()) {
        return;
      }
      long left = timeoutNanos - (System.nanoTime() - start);
      if (left > 0 && mayBlock) {
        core.participants().heartbeat();
        sleep(point, seen, Math.min(left, PROBE_NANOS));
      }
    } finally {
      point.waiters().endAnnouncement(role); // if a waker took the bit, the caller checks before it waits again
      entry.endWait();
    }
  }

  private void sleep(WaitPoint point, int seen, long nanos) {
    boolean told = EngineEvents.areSlowWakesTold();
    long before = told ? System.nanoTime() : 0;
    Futex.await(region, doorbell(), seen, Participants.doorbellBit(point.role()), nanos);
    if (told) {
      long took = System.nanoTime() - before;
      boolean inVain = took >= nanos && point.waiters().isAnnounced(point.role()) && point.isWakeDue();
      tellWake(point, inVain ? took : took - nanos); // nobody rang, perhaps since the waker died; or it slept too long
    }
  }

  private void tellWake(WaitPoint point, long lateNanos) {
    if (lateNanos >= EngineEvents.LATE_NANOS) {
      EngineEvents.slowWake(core.path(), point.waiters().row().name(), point.role(), lateNanos);
    }
  }

  private static boolean isInterrupted() {
    return Thread.currentThread().isInterrupted();
  }
}
