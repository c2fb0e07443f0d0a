package io.bywash.engine.internal.waiting;

import io.bywash.engine.internal.attachment.Attachment;
import io.bywash.engine.internal.linux.EngineLog;
import io.bywash.engine.internal.linux.EngineThread;
import io.bywash.engine.internal.linux.Futex;
import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.internal.memory.Region;
import java.lang.invoke.MethodHandles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * The one thread of a process that waits for many roles in many segments, and for segments to come. It sleeps in the
 * kernel on the doorbells of all segments at once. Where it cannot sleep (no native access, Linux before 5.16, a peer
 * that cannot wake it, more than {@value Futex#MAX_WORDS} words) it checks once a millisecond.
 *
 * <p>After a wake it checks the waits whose bits were taken, and those that were added, revoked or cancelled in this
 * process. Every 50 ms it checks each structure, and all waits in it if it has changed. So waits that are not woken
 * cost next to nothing.
 *
 * <p>The thread exists while somebody waits, and one second longer. A failure of the thread, such as a shortage of
 * heap, ends no wait: it is logged once, and the thread goes on.
 */
public final class Hub {
  private static final Hub SHARED = new Hub();
  private static final long LOOK_NANOS = 1_000_000;
  private static final long IDLE_NANOS = 1_000_000_000;
  /** After so many rounds all waits are checked, whatever is known of them. */
  private static final int ROUNDS_OF_ALL = 20;

  private final Queue<Wait> arrivals = new ConcurrentLinkedQueue<>();
  private final Queue<Wait> over = new ConcurrentLinkedQueue<>();
  private final AwaitedFiles files = new AwaitedFiles();
  private final Region ownDoorbell = Region.allocate(Integer.BYTES);
  private final Object threadLock = new Object();
  private volatile Thread thread;

  // ---- used only by the hub's thread
  private final List<WaitSegment> segments = new ArrayList<>();
  private final Map<Attachment, WaitSegment> byCore = new IdentityHashMap<>();
  private long roundNanos = System.nanoTime();
  private int rounds;
  private boolean failed;
  private Futex.Words words;
  private boolean failureLogged;

  /** A wait for a role, or for a file. */
  public abstract static class Wait {
    final WaitPoint point;
    /** The next wait of the same role. Only the hub uses this and {@link #group}. */
    Wait next;
    WaitGroup group;

    /**
     * @param point what to wait for; null when it is a file
     */
    protected Wait(WaitPoint point) {
      this.point = point;
    }

    private Attachment core() {
      return point.waiters().row().core();
    }

    /** Passes a wake on to another waiter: this wait was cancelled after its role was ready. */
    protected final void passOn() {
      if (point == null) {
        return;
      }
      try {
        point.waiters().passOn();
      } catch (InternalError fault) {
        // the file was truncated, so there is nothing to wake for
      }
    }

    /** Whether the wait has ended. */
    protected abstract boolean isOver();

    /**
     * Ends the wait, and tells whoever waits; {@link #isOver} is true from then on. Runs in the hub's thread, so it
     * must not block or run user code. If it throws, the wait stays as it was, and this is called again.
     *
     * @param failure why it is impossible to wait for the role; null when the role is ready
     */
    protected abstract void end(Throwable failure);
  }

  /** The result of checking a wait. */
  enum Look { WAITS, READY, OVER, FAILED }

  static {
    load(Look.class, WaitSegment.class, WaitGroup.class, WaitRoom.class, Futex.Words.class, EngineLog.class);
  }

  private Hub() {}

  /**
   * Loads what the thread needs, before it starts. A bundle of OSGi that was refreshed loads nothing any more; a thread
   * that lacked a class then would never end, and would keep the class loaders of all who waited.
   */
  private static void load(Class<?>... types) {
    for (Class<?> type : types) {
      try {
        MethodHandles.lookup().ensureInitialized(type);
      } catch (IllegalAccessException impossible) {
        throw new AssertionError(impossible);
      }
    }
  }

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
    attend(() -> arrivals.remove(wait));
  }

  /** Adds a wait that ends when the file exists, {@value AwaitedFiles#LOOK_NANOS} ns from now at the earliest. */
  public void add(Path file, Wait wait) {
    AwaitedFiles.Arrival arrival = files.add(file, wait);
    attend(() -> files.remove(arrival));
  }

  /** Has the thread take in what was added, or undoes that if there can be no thread. */
  private void attend(Runnable undo) {
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
      undo.run();
      throw failure;
    }
    ownDoorbell.getAndAddInt(0, 1);
    if (NativeAccess.ENABLED) {
      Futex.wakeAll(ownDoorbell, 0, Futex.ALL_BITS);
    }
    LockSupport.unpark(thread);
  }

  /** Removes a wait that has ended, so that the hub need not find that out for itself. Any thread may call this. */
  public void forget(Wait wait) {
    try {
      over.add(wait);
    } catch (OutOfMemoryError | StackOverflowError shortage) {
      // the hub finds out within a second
    }
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
      if (!parked.over) {
        parked.over = true;
        forget(parked);
      }
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
    protected void end(Throwable failure) { // the thread checks for itself, and meets the failure
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
      } catch (Throwable failure) { // nobody who waits may notice: the waits stay as they were
        logOnce(failure);
        LockSupport.parkNanos(LOOK_NANOS);
      }
    }
  }

  private void logOnce(Throwable failure) {
    if (!failureLogged) {
      try {
        failureLogged = EngineLog.log(System.Logger.Level.ERROR, "The thread that waits for roles met a failure. It"
            + " goes on.", failure);
      } catch (Throwable noHeap) {
        // the first use of a class needs heap: the next failure is logged
      }
    }
  }

  /**
   * Checks what has changed, then sleeps. Returns true when nobody has waited for a second, and this thread is no
   * longer the hub's.
   */
  private boolean isWorkDone() {
    if (words == null && NativeAccess.ENABLED) {
      words = new Futex.Words();
    }
    failed = false;
    int ownSeen = ownDoorbell.getIntAcquire(0);
    boolean isRound = System.nanoTime() - roundNanos >= WaitRoom.PROBE_NANOS;
    takeArrivals();
    takeOver();
    if (isRound) {
      beginRound();
    }
    files.look();
    boolean mayBlock = look(isRound);
    if (segments.isEmpty() && files.isEmpty()) {
      if (words != null) {
        words.clear(); // or the last segments could not be unmapped
      }
      return isUnused();
    }
    if (failed || !mayBlock || !sleepOnDoorbells(ownSeen)) {
      LockSupport.parkNanos(segments.isEmpty() ? AwaitedFiles.LOOK_NANOS : LOOK_NANOS);
      if (!mayBlock) {
        roundNanos -= WaitRoom.PROBE_NANOS; // begin a round next, since no announcement can be relied on
      }
    }
    return false;
  }

  private void takeArrivals() {
    for (Wait arrival = arrivals.peek(); arrival != null; arrival = arrivals.peek()) {
      try {
        segment(arrival.core()).add(arrival); // first, since it may fail
      } catch (RuntimeException | InternalError failure) {
        fail(arrival, failure); // or all that come behind it would wait for ever
      }
      arrivals.remove();
    }
  }

  private WaitSegment segment(Attachment core) {
    WaitSegment segment = byCore.get(core);
    if (segment == null) {
      segment = new WaitSegment(this, core);
      segments.add(segment);
      try {
        byCore.put(core, segment);
      } catch (Throwable failure) {
        segments.removeLast();
        throw failure;
      }
      guarded(segment, one -> one.checkBlind(segments.size() < Futex.MAX_WORDS));
    }
    return segment;
  }

  private void takeOver() {
    for (Wait wait = over.peek(); wait != null; wait = over.peek()) {
      if (wait.group != null) {
        try {
          wait.group.lookAt(wait);
        } catch (InternalError fault) {
          // the segment's next look meets it
        }
      }
      over.remove();
    }
  }

  private void beginRound() {
    roundNanos = System.nanoTime();
    boolean all = ++rounds % ROUNDS_OF_ALL == 0;
    int known = segments.size();
    for (int i = 0; i < known; i++) {
      boolean mayBlock = i + 1 < Futex.MAX_WORDS;
      guarded(segments.get(i), segment -> {
        segment.tend(mayBlock);
        if (all) {
          segment.lookAtAll();
        }
      });
    }
    for (int i = segments.size() - 1; i >= 0; i--) {
      WaitSegment segment = segments.get(i);
      segment.forgetEmpty();
      if (segment.isEmpty()) {
        segments.remove(i);
        byCore.values().remove(segment);
      }
    }
  }

  /** Checks what was woken and what is new; false when no announcement can be relied on. */
  private boolean look(boolean everything) {
    boolean announced = false;
    for (int i = 0; i < segments.size(); i++) {
      WaitSegment segment = segments.get(i);
      try {
        announced |= segment.look(everything);
      } catch (InternalError fault) {
        segment.breakDown();
      }
    }
    boolean mayBlock = !announced || WaitRoom.fence();
    for (int i = 0; i < segments.size(); i++) {
      WaitSegment segment = segments.get(i);
      try {
        segment.lookAtNew(everything);
      } catch (InternalError fault) {
        segment.breakDown();
      }
    }
    return mayBlock;
  }

  private static void guarded(WaitSegment segment, Consumer<WaitSegment> action) {
    try {
      action.accept(segment);
    } catch (InternalError fault) {
      segment.breakDown();
    }
  }

  /** Waits for an arrival; true when there was none for a second, and this thread is no longer the hub's. */
  private boolean isUnused() {
    long start = System.nanoTime();
    while (isWithoutArrivals() && System.nanoTime() - start < IDLE_NANOS) {
      LockSupport.parkNanos(IDLE_NANOS);
    }
    synchronized (threadLock) {
      if (!isWithoutArrivals()) {
        return false;
      }
      over.clear();
      words = null;
      thread = null;
      return true;
    }
  }

  private boolean isWithoutArrivals() {
    return arrivals.isEmpty() && !files.hasArrivals();
  }

  /** Checks a wait, and ends it if its role is ready. A wait that cannot be ended now stays. */
  Look look(Wait wait) {
    try {
      if (wait.isOver()) {
        return Look.OVER;
      }
      if (!isReady(wait)) {
        return wait.isOver() ? Look.OVER : Look.WAITS;
      }
      wait.end(null);
      return wait.isOver() ? Look.READY : Look.WAITS;
    } catch (Throwable failure) { // the next look tries again
      failed = true;
      logOnce(failure);
      return Look.FAILED;
    }
  }

  /** Whether the role is ready. A failure of its segment, which does not concern others, ends the wait with it. */
  private static boolean isReady(Wait wait) {
    try {
      return wait.point.isWaitOver();
    } catch (RuntimeException | InternalError failure) {
      fail(wait, failure);
      return false;
    }
  }

  private static void fail(Wait wait, Throwable failure) {
    wait.end(failure instanceof InternalError fault ? cut(wait, fault) : failure);
  }

  private static Throwable cut(Wait wait, InternalError fault) {
    try {
      return wait.core().truncated(fault);
    } catch (InternalError other) {
      return other;
    }
  }

  /** Sleeps until the next round, or the next check of segments that are blind; false when it could not sleep. */
  private boolean sleepOnDoorbells(int ownSeen) {
    if (words == null || !Futex.WAIT_ANY) {
      return false;
    }
    words.clear();
    words.add(ownDoorbell, 0, ownSeen);
    boolean anyBlind = false;
    for (int i = 0; i < segments.size(); i++) {
      WaitSegment segment = segments.get(i);
      if (segment.isBlind()) {
        anyBlind = true;
      } else {
        segment.addTo(words);
      }
    }
    long untilRound = WaitRoom.PROBE_NANOS - (System.nanoTime() - roundNanos);
    long mostNanos = anyBlind ? LOOK_NANOS : files.isEmpty() ? untilRound : AwaitedFiles.LOOK_NANOS;
    return words.await(Math.min(untilRound, mostNanos));
  }
}
