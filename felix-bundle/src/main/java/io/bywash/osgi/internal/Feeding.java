package io.bywash.osgi.internal;

import io.bywash.engine.Message;
import io.bywash.engine.MessageHandler;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.wait.WaitHub;
import io.bywash.osgi.QueueListener;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Hands what one subscriber receives to one listener, from joining to leaving. No thread waits: the hub calls when
 * there is something, and then it runs on a virtual thread, so that a slow listener holds up nobody.
 *
 * <pre>
 *  IDLE &lt;----&gt; RUNNING
 *    |           |
 *    +-&gt; LEAVING &lt;+      whoever set it from IDLE, or the run that finds it, closes the subscriber: it is
 *           |            used by one thread at a time
 *           v
 *         LEFT
 * </pre>
 *
 * <p>The chain of runs: each one hands its successor to the hub. A shortage, of heap for example, may break it
 * anywhere. So what is done about a failure is to note it, which cannot fail; discovery comes by, starts a broken chain
 * again and logs what was noted. Any other failure ends the feeding, and gives the subscriber's place back at once.
 *
 * <p>A call of the listener that is under way when the feeding ends has {@link #GRACE_NANOS} to return; then its
 * thread is interrupted; after as long again the subscriber is revoked, so that the listener holds no publisher back,
 * and the thread is left alone.
 */
final class Feeding implements MessageHandler {
  private enum Phase { IDLE, RUNNING, LEAVING, LEFT }

  /** The link of a chain that is running, or on its way to it. */
  private static final Object RUN = new Object();

  /** The patience with whoever uses a role whose end has come. */
  static final long GRACE_NANOS = 1_000_000_000L;
  /** More than it takes from the end of a feeding until the listener holds nobody back, whatever it does. */
  static final long LAST_CALL_NANOS = 3 * GRACE_NANOS;

  /** Messages before other listeners get their turn. */
  private static final int BATCH = 256;

  private final Subscriber subscriber;
  private final QueueListener listener;
  private final String label;
  private final Executor executor;
  private final Log log;
  private final AtomicReference<Phase> phase = new AtomicReference<>(Phase.IDLE);
  private final CountDownLatch left = new CountDownLatch(1);
  private volatile Thread runner;
  /** What goes on by itself: {@link #RUN}, or the {@link Next} that the hub has; null when the chain is broken. */
  private final AtomicReference<Object> link = new AtomicReference<>();
  private volatile Throwable failure;
  /** The last shortage. */
  private volatile Throwable shortage;
  /** Used by whoever revives. */
  private boolean shortageLogged;

  // Written by the run at hand, read by whoever lists.
  private final AtomicLong nextSequence;
  private final AtomicLong receivedCount = new AtomicLong();
  private final AtomicLong lostCount = new AtomicLong();
  private final AtomicLong throwCount = new AtomicLong();

  Feeding(Subscriber subscriber, QueueListener listener, String label, Executor executor, Log log) {
    this.subscriber = subscriber;
    this.listener = listener;
    this.label = label;
    this.executor = executor;
    this.log = log;
    this.nextSequence = new AtomicLong(subscriber.nextSequence());
  }

  /** Called again and again: begins, goes on where the chain was broken, and tells of a shortage once. */
  void tend() {
    if (shortage != null && !shortageLogged) {
      shortageLogged = log.error("{} met a failure that may pass. It is fed on.", label, shortage);
    }
    if (phase.get() == Phase.IDLE && link.compareAndSet(null, RUN)) {
      boolean started = false;
      try {
        executor.execute(this::run);
        started = true;
      } catch (OutOfMemoryError | StackOverflowError | RejectedExecutionException passing) {
        shortage = passing;
      } finally {
        if (!started) {
          link.set(null);
        }
      }
    }
  }

  private void run() {
    boolean linked = false;
    try {
      runner = Thread.currentThread();
      runner.setContextClassLoader(listener.getClass().getClassLoader());
      do {
        pollAll();
      } while (phase.get() == Phase.IDLE && !(linked = isNextLinked()));
    } catch (OutOfMemoryError | StackOverflowError | RejectedExecutionException passing) {
      shortage = passing;
    } catch (Throwable failed) { // the hub's, or of a cut file
      failure = failed;
      leave();
    } finally {
      if (!linked) {
        link.set(null);
      }
    }
  }

  /** Polls until there is nothing more, or the end has come. */
  private void pollAll() {
    boolean mayBeMore = true;
    while (mayBeMore && phase.compareAndSet(Phase.IDLE, Phase.RUNNING)) {
      try {
        mayBeMore = subscriber.poll(this, BATCH) > 0;
      } catch (OutOfMemoryError | StackOverflowError passing) { // the messages stay where they are
        throw passing;
      } catch (Throwable failed) { // not the listener's, see below
        if (phase.get() == Phase.RUNNING) { // else the segment was closed during the call
          failure = failed;
        }
      } finally {
        if (!phase.compareAndSet(Phase.RUNNING, failure == null ? Phase.IDLE : Phase.LEAVING) || failure != null) {
          mayBeMore = false;
          release();
        }
      }
      Thread.yield();
    }
  }

  /** Whether the hub has the next run, or that has begun already; false when there is something to poll now. */
  private boolean isNextLinked() {
    Next next = new Next();
    link.set(next);
    return !WaitHub.shared().whenReady(subscriber, next).isDone() || !link.compareAndSet(next, RUN);
  }

  /** Brings the next run together with the end of the wait for it. */
  private final class Next implements Executor {
    @Override
    public void execute(Runnable end) {
      try {
        executor.execute(() -> begin(end));
      } catch (RejectedExecutionException refused) { // after other failures the hub tries again
        shortage = refused;
        link.compareAndSet(this, null);
        throw refused;
      }
    }

    private void begin(Runnable end) {
      try {
        end.run();
      } finally {
        if (link.compareAndSet(this, RUN)) {
          run();
        }
      }
    }
  }

  @Override
  public void onMessage(Message message) {
    if (phase.get() == Phase.RUNNING) {
      try {
        listener.onMessage(message);
      } catch (Throwable thrown) {
        logThrown(thrown);
      }
      receivedCount.lazySet(receivedCount.getPlain() + 1);
    }
    nextSequence.lazySet(message.sequence() + 1);
  }

  @Override
  public void onLost(long messageCount) {
    if (phase.get() == Phase.RUNNING) {
      try {
        listener.onLost(messageCount);
      } catch (Throwable thrown) {
        logThrown(thrown);
      }
      lostCount.lazySet(lostCount.getPlain() + messageCount);
    }
    nextSequence.lazySet(nextSequence.getPlain() + messageCount);
  }

  /** The first time, and then every time that their number has doubled: a listener may throw at each message. */
  private void logThrown(Throwable thrown) {
    long count = throwCount.incrementAndGet();
    if (Long.bitCount(count) == 1) {
      try {
        log.error("{} has thrown an exception ({} so far). It is fed on.", label, count, thrown);
      } catch (Throwable noHeap) {
        shortage = noHeap; // the message was received all the same
      }
    }
  }

  private void release() {
    try {
      WatchedSegment.close(subscriber, log);
    } finally {
      phase.set(Phase.LEFT);
      left.countDown();
    }
  }

  /** Ends it. A call of the listener may still be under way; it is not waited for here. */
  void leave() {
    while (true) {
      if (phase.compareAndSet(Phase.IDLE, Phase.LEAVING)) {
        release();
        return;
      }
      if (phase.compareAndSet(Phase.RUNNING, Phase.LEAVING)) {
        expelLater();
        return;
      }
      if (phase.get() != Phase.IDLE) {
        return;
      }
    }
  }

  private void expelLater() {
    try {
      executor.execute(this::expel);
    } catch (Throwable noThread) { // none would come later
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
      subscriber.revoke();
    } catch (Throwable failed) { // a cut file holds nobody back
      shortage = failed;
    } finally {
      left.countDown();
    }
    log.warn("{} does not return from its call. Its place in the queue was taken, and it is left alone.", label);
  }

  /** Waits until no call of the listener is under way, or it was revoked; false when neither is so in the end. */
  boolean awaitLeft(long timeoutNanos) throws InterruptedException {
    return Thread.currentThread() == runner || left.await(timeoutNanos, TimeUnit.NANOSECONDS);
  }

  /** Whether it goes on: neither left nor failed. */
  boolean isActive() {
    return phase.get().compareTo(Phase.LEAVING) < 0;
  }

  /** The last shortage that it met; null when there was none. */
  Throwable shortage() {
    return shortage;
  }

  /** Why it ended by itself; null otherwise. */
  Throwable failure() {
    return failure;
  }

  /** The sequence of the message that the listener gets next, unless it loses some. */
  long nextSequence() {
    return nextSequence.get();
  }

  long receivedCount() {
    return receivedCount.get();
  }

  long lostCount() {
    return lostCount.get();
  }

  /** How often the listener has thrown. */
  long throwCount() {
    return throwCount.get();
  }
}
