package io.bywash.osgi.internal.queue;

import io.bywash.engine.wait.WaitHub;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongConsumer;

/**
 * Hands what one role receives to one listener, from joining the queue to leaving it. No thread waits: the hub starts
 * a virtual thread when there is something to receive, so a slow listener delays nobody else.
 *
 * <p>A listener that keeps its processor keeps the carrier of its virtual thread too. So each run is short, and hands
 * the rest to a new virtual thread; and one that has not begun {@link #LATE_NANOS} after it was handed over, since
 * there is no carrier, is begun by discovery on a thread of its own. The end of a feeding needs no carrier either.
 *
 * <pre>
 *  IDLE &lt;----&gt; RUNNING
 *    |           |
 *    +-&gt; LEAVING &lt;+      whoever changes it from IDLE, or the run that finds it, closes the role, since only
 *           |            one thread at a time may use it
 *           v
 *         LEFT
 * </pre>
 *
 * <p>Each run hands the next one to the hub. A shortage, of heap for example, may break this chain anywhere. All that
 * is done then is to note the failure, which cannot fail itself; discovery comes by, starts a broken chain again and
 * logs what was noted. Any other failure ends the feeding and gives the role back at once.
 *
 * <p>When the feeding ends, a call of the listener that has begun has {@link #GRACE_NANOS} to return; then its thread
 * is interrupted; after as long again the role is revoked, so that the listener holds nobody back, and the thread is
 * left alone.
 */
public final class Feeding implements FeedingRole.Calls {
  private enum Phase { IDLE, RUNNING, LEAVING, LEFT }

  /** The link of a chain that is running. */
  private static final Object RUN = new Object();

  private static final Runnable NOTHING = () -> {};

  /** How long the user of a role whose end has come may take to finish its operation. */
  static final long GRACE_NANOS = 1_000_000_000L;
  /** More than it takes, from the end of a feeding, until the listener holds nobody back, whatever it does. */
  public static final long LAST_CALL_NANOS = 3 * GRACE_NANOS;

  /** The most messages of one poll. */
  private static final int BATCH = 256;
  /** After so long a run makes way for others, when the call that is under way has returned. */
  private static final long SLICE_NANOS = 1_000_000;
  /** A run that has not begun after so long finds no carrier. */
  private static final long LATE_NANOS = 250_000_000;

  private final FeedingRole role;
  private final ClassLoader loader;
  private final String label;
  private final Executor executor;
  private final Executor threads;
  private final Log log;
  private final AtomicReference<Phase> phase = new AtomicReference<>(Phase.IDLE);
  private final CountDownLatch left = new CountDownLatch(1);
  private final AtomicBoolean ended = new AtomicBoolean();
  private volatile Thread runner;
  /** What keeps the chain going: {@link #RUN}, or the {@link Next} that is to come; null when it is broken. */
  private final AtomicReference<Object> link = new AtomicReference<>();
  private volatile Throwable failure;
  /** The last shortage. */
  private volatile Throwable shortage;
  /** Used by whoever calls {@link #tend}. */
  private boolean shortageLogged;

  /** Where the listener goes on: behind the last message or loss that it was told of. Written by the current run. */
  private final AtomicLong nextSequence;
  /** The most messages of the next poll: what the listener is called with in a slice. Used by the runs. */
  private int batch = 1;
  /** Messages that were lost before this began. Used by the runs. */
  private long missedCount;
  private final Counts counts;
  private final LongConsumer end;

  /** What a listener got, whichever feeding it came from. Written by the current run, read by the listing. */
  static final class Counts {
    private final AtomicLong received = new AtomicLong();
    private final AtomicLong lost = new AtomicLong();
    private final AtomicLong thrown = new AtomicLong();

    long received() {
      return received.get();
    }

    long lost() {
      return lost.get();
    }

    /** How often the listener has thrown. */
    long thrown() {
      return thrown.get();
    }
  }

  /**
   * A feeding that has not begun.
   *
   * @param end called once when the listener is not called any more, with the sequence where it would go on
   */
  Feeding(FeedingRole role, Object consumer, String label, Counts counts, LongConsumer end, Environment environment) {
    this.role = role;
    this.loader = consumer.getClass().getClassLoader();
    this.label = label;
    this.counts = counts;
    this.end = end;
    this.executor = environment.executor();
    this.threads = environment.threads();
    this.log = environment.log();
    this.missedCount = role.missedCount();
    this.nextSequence = new AtomicLong(role.nextSequence());
  }

  /** Called again and again: starts the chain if there is none or it finds no carrier, and logs the first shortage. */
  void tend() {
    if (shortage != null && !shortageLogged) {
      shortageLogged = log.error("{} met a failure that may pass. It is still fed.", label, shortage);
    }
    if (phase.get() != Phase.IDLE) {
      return;
    }
    if (link.get() instanceof Next next) {
      if (next.isLate()) {
        next.handTo(threads);
      }
    } else {
      Next first = new Next();
      if (link.compareAndSet(null, first)) {
        first.handTo(executor);
      }
    }
  }

  private void run() {
    long start = System.nanoTime();
    boolean linked = false;
    try {
      runner = Thread.currentThread();
      runner.setContextClassLoader(loader);
      while (!linked && phase.get() == Phase.IDLE) {
        linked = !poll() && phase.get() == Phase.IDLE && isNextLinked() || makesWay(start);
      }
    } catch (OutOfMemoryError | StackOverflowError | RejectedExecutionException passing) {
      shortage = passing;
    } catch (Throwable failed) { // the hub's, or that of a cut file
      failure = failed;
      leave();
    } finally {
      if (!linked) {
        link.set(null);
      }
    }
  }

  /** Polls once; false when nothing was there, or the end has come. */
  private boolean poll() {
    boolean mayBeMore = false;
    if (!phase.compareAndSet(Phase.IDLE, Phase.RUNNING)) {
      return false;
    }
    try {
      tellMissed();
      long start = System.nanoTime();
      mayBeMore = role.poll(this, batch) > 0;
      batch = System.nanoTime() - start < SLICE_NANOS ? Math.min(2 * batch, BATCH) : Math.max(batch / 4, 1);
    } catch (OutOfMemoryError | StackOverflowError passing) { // no message was taken
      throw passing;
    } catch (Throwable failed) { // never the consumer's
      if (phase.get() == Phase.RUNNING) { // else the segment was closed meanwhile
        failure = failed;
      }
    } finally {
      if (!phase.compareAndSet(Phase.RUNNING, failure == null ? Phase.IDLE : Phase.LEAVING) || failure != null) {
        mayBeMore = false;
        release();
      }
    }
    return mayBeMore;
  }

  /** Hands the rest over when the slice is over, so that other listeners get a thread too; whether it did. */
  private boolean makesWay(long startNanos) {
    boolean over = phase.get() == Phase.IDLE && System.nanoTime() - startNanos > SLICE_NANOS;
    if (over) {
      Next next = new Next();
      link.set(next);
      next.handTo(executor);
    }
    return over;
  }

  private void tellMissed() {
    if (missedCount > 0) {
      long missed = missedCount;
      missedCount = 0;
      lost(missed);
    }
  }

  /** Whether the hub has the next run, or has begun it; false when there is something to poll now. */
  private boolean isNextLinked() {
    Next next = new Next();
    link.set(next);
    return !WaitHub.shared().whenReady(role.waitable(), next).isDone() || !link.compareAndSet(next, RUN);
  }

  /** The next run: it begins when the wait for a message is over, or a thread is there. */
  private final class Next implements Executor {
    /** What the hub wants to have done first; null as long as it has this. */
    private volatile Runnable end;
    private volatile long handedNanos;

    /** Called by the hub when the wait is over. */
    @Override
    public void execute(Runnable newEnd) {
      handedNanos = System.nanoTime();
      end = newEnd;
      try {
        executor.execute(this::begin);
      } catch (RejectedExecutionException refused) { // the hub tries again after any other failure
        shortage = refused;
        link.compareAndSet(this, null);
        throw refused;
      }
    }

    /** Has it begun without a wait. If that fails, and nobody else has begun it, the chain is broken. */
    void handTo(Executor some) {
      if (end == null) {
        handedNanos = System.nanoTime();
        end = NOTHING;
      }
      try {
        some.execute(this::begin);
      } catch (OutOfMemoryError | StackOverflowError | RejectedExecutionException passing) {
        shortage = passing;
        link.compareAndSet(this, null);
      }
    }

    boolean isLate() {
      return end != null && System.nanoTime() - handedNanos > LATE_NANOS;
    }

    /** Of several threads that were to begin it, the first one does. */
    private void begin() {
      if (link.compareAndSet(this, RUN)) {
        try {
          end.run();
        } finally {
          run();
        }
      }
    }
  }

  @Override
  public boolean begin(long next) {
    boolean running = phase.get() == Phase.RUNNING;
    if (running) {
      nextSequence.lazySet(next); // its call is the only one, even if it does not return
    }
    return running;
  }

  @Override
  public void end(Throwable thrown) {
    if (thrown != null) {
      logThrown(thrown);
    }
    counts.received.lazySet(counts.received.getPlain() + 1);
  }

  @Override
  public void lost(long messageCount) {
    if (begin(nextSequence.getPlain() + messageCount)) {
      try {
        role.tellLost(messageCount);
      } catch (Throwable thrown) {
        logThrown(thrown);
      }
      counts.lost.lazySet(counts.lost.getPlain() + messageCount);
    }
  }

  @Override
  public void passedBy(RuntimeException damage) {
    log.warn("{} is fed with what is sound beside something damaged. {}", label, damage.getMessage());
  }

  /** Logs the first exception, then each one that doubles their number: a listener may throw at every message. */
  private void logThrown(Throwable thrown) {
    long count = counts.thrown.incrementAndGet();
    if (Long.bitCount(count) == 1) {
      try {
        log.error("{} has thrown an exception ({} so far). It is still fed.", label, count, thrown);
      } catch (Throwable noHeap) {
        shortage = noHeap; // the message was received all the same
      }
    }
  }

  private void release() {
    try {
      Closing.close(role.revocable(), log);
    } finally {
      phase.set(Phase.LEFT);
      tellEnd();
    }
  }

  private void tellEnd() {
    if (ended.compareAndSet(false, true)) {
      try {
        end.accept(nextSequence.get());
      } finally {
        left.countDown();
      }
    }
  }

  /** Ends the feeding, without waiting for a call of the listener to return. */
  void leave() {
    while (true) {
      if (phase.compareAndSet(Phase.IDLE, Phase.LEAVING)) {
        release();
        return;
      }
      if (phase.compareAndSet(Phase.RUNNING, Phase.LEAVING)) {
        try {
          Closing.close(role.revocable()::retire, log); // so that it takes no more
        } finally {
          expelLater(); // there may have been no heap for that
        }
        return;
      }
      if (phase.get() != Phase.IDLE) {
        return;
      }
    }
  }

  private void expelLater() {
    try {
      threads.execute(this::expel);
    } catch (Throwable noThread) { // there would be none later either
      revoke();
    }
  }

  private void expel() {
    try {
      if (!left.await(GRACE_NANOS, TimeUnit.NANOSECONDS)) {
        runner.interrupt();
        if (!left.await(GRACE_NANOS, TimeUnit.NANOSECONDS)) {
          revoke();
        }
      }
    } catch (InterruptedException impatient) {
      revoke();
    }
  }

  private void revoke() {
    try {
      role.revoke();
    } catch (Throwable failed) { // a cut file holds nobody back
      shortage = failed;
    } finally {
      tellEnd();
    }
    log.warn("{} does not return from its call. Its place in the queue was taken from it, and its thread is left"
        + " alone.", label);
  }

  /** Waits until no call of the listener is running, or its role was revoked; false after {@code timeoutNanos}. */
  public boolean awaitLeft(long timeoutNanos) throws InterruptedException {
    return Thread.currentThread() == runner || left.await(timeoutNanos, TimeUnit.NANOSECONDS);
  }

  /** Whether no call of the listener is running, or its role was revoked. */
  boolean hasLeft() {
    return left.getCount() == 0;
  }

  /** Whether no call of the listener is running, nor will be. */
  boolean hasReturned() {
    return phase.get() == Phase.LEFT && hasLeft();
  }

  /** Whether it has neither ended nor failed. */
  boolean isActive() {
    return phase.get().compareTo(Phase.LEAVING) < 0;
  }

  /** The last shortage; null when there was none. */
  Throwable shortage() {
    return shortage;
  }

  /** Why it ended by itself; null otherwise. */
  Throwable failure() {
    return failure;
  }

  /** The sequence of the message that the listener gets next, unless it loses that one. */
  long nextSequence() {
    return nextSequence.get();
  }

  /** Whether messages are being handed over. */
  boolean isRunning() {
    return phase.get() == Phase.RUNNING;
  }

  /** Whether no call of the listener is running or to be made, as far as the queue is known here. */
  boolean isDry() {
    long next = nextSequence.get();
    return phase.get() == Phase.IDLE && !role.waitable().isReady() && phase.get() == Phase.IDLE
        && next == nextSequence.get();
  }

  /** What the listing shows under POLICY. */
  String policy() {
    return role.policy();
  }
}
