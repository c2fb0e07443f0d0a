package io.bywash.engine.wait;

import io.bywash.engine.internal.Role;
import io.bywash.engine.internal.SegmentCore;
import io.bywash.engine.internal.WaitPoint;
import io.bywash.engine.internal.WaitRoom;
import io.bywash.engine.internal.linux.Futex;
import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.internal.memory.Region;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;

/**
 * The one thread of a process that waits for many roles, in many segments: nobody else needs a thread to wait. It sleeps in
 * the kernel on the doorbells of all segments at once; where that is not possible (no native access, Linux before 5.16,
 * a peer that cannot ring, more than 127 segments) it looks once a millisecond.
 *
 * <p>The thread exists while somebody waits, and a second longer. Any thread may call any method.
 */
public final class WaitHub {
  private static final WaitHub SHARED = new WaitHub();
  private static final long LOOK_NANOS = 1_000_000;
  private static final long IDLE_NANOS = 1_000_000_000;

  private final Queue<Wait> arrivals = new ConcurrentLinkedQueue<>();
  private final Region ownDoorbell = Region.allocate(Integer.BYTES);
  private final Object threadLock = new Object();
  private Thread thread;

  private record Wait(WaitPoint point, CompletableFuture<Void> future) {}

  private WaitHub() {}

  /** The hub of this process. */
  public static WaitHub shared() {
    return SHARED;
  }

  /**
   * A future that completes when the role has something to do, or may not be used any more. It completes in the hub's
   * thread: what depends on it must not block, or go to an executor ({@code thenRunAsync}). Cancelling the future ends the
   * wait; nothing is taken from the queue by waiting, so nothing can be lost. While it waits, the role is not used.
   *
   * @throws IllegalArgumentException when {@code role} is no role of this engine
   */
  public CompletableFuture<Void> whenReady(Waitable role) {
    if (!(role instanceof Role own)) {
      throw new IllegalArgumentException("role=" + role + " is not a role of this engine");
    }
    WaitPoint point = Role.waitPoint(own);
    if (point.isWaitOver()) {
      return CompletableFuture.completedFuture(null);
    }
    CompletableFuture<Void> future = new CompletableFuture<>();
    arrivals.add(new Wait(point, future));
    synchronized (threadLock) {
      if (thread == null) {
        Thread starting = new Thread(this::run, "bywash-wait-hub");
        starting.setDaemon(true);
        starting.start();
        thread = starting;
      }
    }
    ownDoorbell.getAndAddInt(0, 1);
    if (NativeAccess.ENABLED) {
      Futex.wakeAll(ownDoorbell, 0);
    }
    LockSupport.unpark(thread);
    return future;
  }

  private void run() {
    List<Wait> waits = new ArrayList<>();
    try {
      work(waits);
    } catch (Throwable failure) { // whoever waits has to know, and the next wait gets a new thread
      synchronized (threadLock) {
        thread = null;
        for (Wait arrival = arrivals.poll(); arrival != null; arrival = arrivals.poll()) {
          waits.add(arrival);
        }
      }
      waits.forEach(wait -> wait.future.completeExceptionally(failure));
    }
  }

  private void work(List<Wait> waits) {
    Futex.Words words = NativeAccess.ENABLED ? new Futex.Words() : null;
    while (true) {
      int ownSeen = ownDoorbell.getIntAcquire(0);
      for (Wait arrival = arrivals.poll(); arrival != null; arrival = arrivals.poll()) {
        waits.add(arrival);
      }
      finishReady(waits);
      if (waits.isEmpty()) {
        if (words != null) {
          words.clear(); // or the last segments could not be unmapped
        }
        if (isUnused()) {
          return;
        }
      } else if (words == null || !sleepOnDoorbells(waits, words, ownSeen)) {
        LockSupport.parkNanos(LOOK_NANOS);
      }
    }
  }

  /** Waits for an arrival; true when there was none for a second, and this thread is not the hub's any more. */
  private boolean isUnused() {
    long start = System.nanoTime();
    while (arrivals.isEmpty() && System.nanoTime() - start < IDLE_NANOS) {
      LockSupport.parkNanos(IDLE_NANOS);
    }
    synchronized (threadLock) {
      if (!arrivals.isEmpty()) {
        return false;
      }
      thread = null;
      return true;
    }
  }

  private static boolean finishReady(List<Wait> waits) {
    return waits.removeIf(wait -> {
      try {
        if (!wait.future.isDone() && wait.point.isWaitOver()) {
          wait.future.complete(null);
        }
      } catch (RuntimeException | InternalError failure) { // this wait's segment, not the others'
        wait.future.completeExceptionally(failure);
      }
      return wait.future.isDone();
    });
  }

  /** Announces all waits and sleeps; false when it could not sleep in the kernel. */
  private boolean sleepOnDoorbells(List<Wait> waits, Futex.Words words, int ownSeen) {
    Map<SegmentCore, Boolean> segments = new IdentityHashMap<>();
    waits.forEach(wait -> segments.put(wait.point.core(), true));
    if (!Futex.WAIT_ANY || segments.size() >= Futex.MAX_WORDS) {
      return false;
    }
    words.clear();
    words.add(ownDoorbell, 0, ownSeen);
    for (SegmentCore segment : segments.keySet()) {
      if (!segment.waitRoom().canBlock()) {
        return false;
      }
      words.add(segment.region(), segment.waitRoom().doorbell(), segment.waitRoom().doorbellValue());
    }
    waits.forEach(wait -> wait.point.core().waitRoom().announce(wait.point.waitingBitmap()));
    if (!WaitRoom.fence()) {
      return false;
    }
    return finishReady(waits) || words.await(WaitRoom.PROBE_NANOS);
  }
}
