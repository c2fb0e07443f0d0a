package io.bywash.engine.internal;

import io.bywash.engine.internal.linux.EngineThread;
import io.bywash.engine.internal.linux.Futex;
import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.internal.memory.Region;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;

/**
 * The one thread of a process that waits for many roles, in many segments. It sleeps in the kernel on the doorbells of all
 * segments at once; where that is not possible (no native access, Linux before 5.16, a peer that cannot ring, more than
 * {@value Futex#MAX_WORDS} words) it looks once a millisecond.
 *
 * <p>The thread exists while somebody waits, and a second longer. Nothing ends a wait but its own end: a failure of the
 * thread, such as a shortage of heap, is logged once, and the thread goes on.
 */
public final class Hub {
  private static final Hub SHARED = new Hub();
  private static final long LOOK_NANOS = 1_000_000;
  private static final long IDLE_NANOS = 1_000_000_000;

  private final Queue<Wait> arrivals = new ConcurrentLinkedQueue<>();
  private final Region ownDoorbell = Region.allocate(Integer.BYTES);
  private final Object threadLock = new Object();
  private volatile Thread thread;

  // ---- used by the hub's thread alone
  private final ArrayList<Wait> waits = new ArrayList<>();
  private Futex.Words words;
  private boolean failureLogged;

  /** Somebody who waits for a role. */
  public abstract static class Wait {
    private final WaitPoint point;

    protected Wait(WaitPoint point) {
      this.point = point;
    }

    /** Whether nobody waits any more. */
    protected abstract boolean isOver();

    /**
     * Tells whoever waits that the wait is over, from then on {@link #isOver} holds. Runs in the hub's thread: it hands over,
     * does not block, and runs no code of the user's. What it throws leaves the wait as it was, and it is called again.
     *
     * @param failure why the role cannot be waited for; null when it is ready
     */
    protected abstract void end(Throwable failure);
  }

  private Hub() {}

  /** The hub of this process. */
  public static Hub shared() {
    return SHARED;
  }

  /** Whether the calling thread is the hub's. */
  public boolean isCaller() {
    return Thread.currentThread() == thread;
  }

  /** Adds a wait, which ends at once if its role is ready. */
  public void add(Wait wait) {
    arrivals.add(wait);
    try {
      synchronized (threadLock) {
        if (thread == null) {
          Thread starting = EngineThread.unstarted("bywash-wait-hub", this::run);
          thread = starting;
          try {
            starting.start();
          } catch (Throwable failure) {
            thread = null;
            throw failure;
          }
        }
      }
    } catch (Throwable failure) {
      arrivals.remove(wait);
      throw failure;
    }
    ownDoorbell.getAndAddInt(0, 1);
    if (NativeAccess.ENABLED) {
      Futex.wakeAll(ownDoorbell, 0);
    }
    LockSupport.unpark(thread);
  }

  /** Parks the calling thread until the role is ready, for at most {@code timeoutNanos}; an interrupt ends it. */
  void park(WaitPoint point, long timeoutNanos) {
    ParkedThread parked = new ParkedThread(point, Thread.currentThread());
    add(parked);
    try {
      long start = System.nanoTime();
      long left = timeoutNanos;
      while (!parked.isOver() && left > 0 && !Thread.currentThread().isInterrupted()) {
        LockSupport.parkNanos(left);
        left = timeoutNanos - (System.nanoTime() - start);
      }
    } finally {
      parked.over = true;
    }
  }

  private static final class ParkedThread extends Wait {
    private final Thread parked;
    private volatile boolean over;

    ParkedThread(WaitPoint point, Thread parked) {
      super(point);
      this.parked = parked;
    }

    @Override
    protected boolean isOver() {
      return over;
    }

    @Override
    protected void end(Throwable failure) { // the thread looks for itself, and meets the failure
      over = true;
      LockSupport.unpark(parked);
    }
  }

  private void run() {
    while (true) {
      try {
        if (isWorkDone()) {
          return;
        }
      } catch (Throwable failure) { // nobody who waits may notice: the waits stand as they were
        logOnce(failure);
        LockSupport.parkNanos(LOOK_NANOS);
      }
    }
  }

  private void logOnce(Throwable failure) {
    if (!failureLogged) {
      try {
        failureLogged = EngineLog.log(System.Logger.Level.ERROR, "The thread that waits for roles met a failure. It goes on.", failure);
      } catch (Throwable noHeap) {
        // the first use of a class needs heap: the next failure is logged
      }
    }
  }

  /** One look at all waits, and a sleep; true when nobody waited for a second, and this thread is not the hub's any more. */
  private boolean isWorkDone() {
    if (words == null && NativeAccess.ENABLED) {
      words = new Futex.Words();
    }
    int ownSeen = ownDoorbell.getIntAcquire(0);
    takeArrivals();
    endReady();
    if (waits.isEmpty()) {
      if (words != null) {
        words.clear(); // or the last segments could not be unmapped
      }
      return isUnused();
    }
    if (words == null || !sleepOnDoorbells(ownSeen)) {
      LockSupport.parkNanos(LOOK_NANOS);
    }
    return false;
  }

  private void takeArrivals() {
    for (Wait arrival = arrivals.peek(); arrival != null; arrival = arrivals.peek()) {
      waits.ensureCapacity(waits.size() + 1); // what may fail comes first
      waits.add(arrival);
      arrivals.remove();
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
      waits.trimToSize();
      words = null;
      thread = null;
      return true;
    }
  }

  /** Ends the waits whose roles are ready; whether there were any. A wait that cannot be ended now stays. */
  private boolean endReady() {
    int kept = 0;
    int count = waits.size();
    for (int i = 0; i < count; i++) {
      Wait wait = waits.get(i);
      waits.set(kept, wait);
      if (!hasEnded(wait)) {
        kept++;
      }
    }
    while (waits.size() > kept) {
      waits.removeLast();
    }
    return kept < count;
  }

  private boolean hasEnded(Wait wait) {
    try {
      if (!wait.isOver() && isReady(wait)) {
        wait.end(null);
      }
      return wait.isOver();
    } catch (Throwable failure) { // it is tried again at the next look
      logOnce(failure);
      return false;
    }
  }

  /** Whether the role is ready; a failure of its segment, which is not the others', ends the wait with that. */
  private static boolean isReady(Wait wait) {
    try {
      return wait.point.isWaitOver();
    } catch (RuntimeException | InternalError failure) {
      wait.end(failure instanceof InternalError fault ? cut(wait, fault) : failure);
      return false;
    }
  }

  private static Throwable cut(Wait wait, InternalError fault) {
    try {
      return CutFile.told(wait.point.core(), fault);
    } catch (InternalError other) {
      return other;
    }
  }

  /** Announces all waits and sleeps; false when it could not sleep in the kernel. */
  private boolean sleepOnDoorbells(int ownSeen) {
    Map<SegmentCore, Boolean> segments = new IdentityHashMap<>();
    for (Wait wait : waits) {
      segments.put(wait.point.core(), true);
    }
    if (!Futex.WAIT_ANY || segments.size() >= Futex.MAX_WORDS) {
      return false;
    }
    words.clear();
    words.add(ownDoorbell, 0, ownSeen);
    for (SegmentCore segment : segments.keySet()) {
      segment.probeName();
      if (!segment.waitRoom().canBlock()) {
        return false;
      }
      words.add(segment.region(), segment.waitRoom().doorbell(), segment.waitRoom().doorbellValue());
    }
    for (Wait wait : waits) {
      wait.point.core().waitRoom().announce(wait.point.waitingBitmap());
    }
    if (!WaitRoom.fence()) {
      return false;
    }
    return endReady() || words.await(WaitRoom.PROBE_NANOS);
  }
}
