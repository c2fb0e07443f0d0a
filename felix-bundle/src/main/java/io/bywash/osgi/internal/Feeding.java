package io.bywash.osgi.internal;

import io.bywash.engine.Message;
import io.bywash.engine.MessageHandler;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.wait.WaitHub;
import io.bywash.osgi.QueueListener;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.osgi.service.log.Logger;

/**
 * Hands what one subscriber receives to one listener, from joining to leaving. No thread waits: the hub calls when there is
 * something, and then it runs on a virtual thread, so that a slow listener holds up nobody.
 *
 * <pre>
 *  IDLE &lt;----&gt; RUNNING
 *    |           |
 *    +-&gt; LEAVING &lt;+      whoever set it from IDLE, or the run that finds it, closes the subscriber: it is used by one
 *           |            thread at a time
 *           v
 *         LEFT
 * </pre>
 */
final class Feeding implements MessageHandler {
  private enum Phase { IDLE, RUNNING, LEAVING, LEFT }

  /** Messages before other listeners get their turn. */
  private static final int BATCH = 256;

  private final Subscriber subscriber;
  private final QueueListener listener;
  private final String label;
  private final Executor executor;
  private final Logger logger;
  private final AtomicReference<Phase> phase = new AtomicReference<>(Phase.IDLE);
  private final CountDownLatch left = new CountDownLatch(1);
  private volatile Thread runner;
  private volatile Throwable failure;
  /** The first shortage that it met and outlived. */
  private volatile String trouble;
  /** Whether the run at hand met one. */
  private volatile boolean isShort;
  /** What brings the next run. */
  private volatile CompletableFuture<Void> pending;
  // Used by whoever revives.
  private CompletableFuture<Void> brokenLink;
  private boolean seenBroken;

  // Written by the run at hand, read by whoever lists.
  private final AtomicLong nextSequence;
  private final AtomicLong receivedCount = new AtomicLong();
  private final AtomicLong lostCount = new AtomicLong();
  private final AtomicLong throwCount = new AtomicLong();

  Feeding(Subscriber subscriber, QueueListener listener, String label, Executor executor, Logger logger) {
    this.subscriber = subscriber;
    this.listener = listener;
    this.label = label;
    this.executor = executor;
    this.logger = logger;
    this.nextSequence = new AtomicLong(subscriber.nextSequence());
  }

  void start() {
    executor.execute(this::run);
  }

  private void run() {
    runner = Thread.currentThread();
    runner.setContextClassLoader(listener.getClass().getClassLoader());
    boolean mayBeMore = true;
    isShort = false;
    while (mayBeMore && phase.compareAndSet(Phase.IDLE, Phase.RUNNING)) {
      try {
        mayBeMore = pollOnce();
      } finally { // also when there is no heap even for what is above
        if (!phase.compareAndSet(Phase.RUNNING, failure == null ? Phase.IDLE : Phase.LEAVING) || failure != null) {
          release();
          return;
        }
      }
      Thread.yield();
    }
    if (!mayBeMore && !isShort) { // a shortage is left alone until revive comes by
      awaitMore();
    }
  }

  /** Has the next run come when there is something to poll. */
  private void awaitMore() {
    try {
      Next next = new Next();
      pending = WaitHub.shared().whenReady(subscriber, next);
      if (pending.isDone() && !next.handedOver) {
        executor.execute(this::run);
      }
    } catch (OutOfMemoryError | StackOverflowError passing) { // then revive does it
      logPassing(passing);
    }
  }

  /** Hands the end of a wait over together with the run that follows it. */
  private final class Next implements Executor {
    private volatile boolean handedOver;

    @Override
    public void execute(Runnable task) {
      handedOver = true;
      executor.execute(() -> {
        task.run();
        Feeding.this.run();
      });
    }
  }

  /**
   * Called now and then: a chain that came to an end because there was no heap for its next link goes on. Twice idle with
   * nothing pending is proof of that, since a run takes its turn at once. A run too many finds nothing to do.
   */
  void revive() {
    CompletableFuture<Void> link = pending;
    boolean broken = phase.get() == Phase.IDLE && (link == null || link.isDone());
    if (broken && link == brokenLink && seenBroken) {
      seenBroken = false;
      executor.execute(this::run);
    } else {
      seenBroken = broken;
      brokenLink = link;
    }
  }

  /** Whether there may be more. A shortage passes, and the messages stay where they are. */
  private boolean pollOnce() {
    try {
      return subscriber.poll(this, BATCH) > 0;
    } catch (OutOfMemoryError | StackOverflowError passing) {
      logPassing(passing);
    } catch (Throwable damaged) { // not the listener's, see below
      if (phase.get() == Phase.RUNNING) {
        failure = damaged;
        logger.error("{} is not fed any more.", label, damaged);
      }
    }
    return false;
  }

  private void logPassing(Throwable passing) {
    isShort = true;
    if (trouble == null) {
      logger.error("{} met a shortage. It is fed on when that is over.", label, passing);
      trouble = passing.toString();
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
      logger.error("{} has thrown an exception ({} so far). It is fed on.", label, count, thrown);
    }
  }

  private void release() {
    WatchedSegment.close(subscriber, logger);
    phase.set(Phase.LEFT);
    left.countDown();
  }

  /** Ends it. A call of the listener may still be under way. */
  void leave() {
    while (true) {
      if (phase.compareAndSet(Phase.IDLE, Phase.LEAVING)) {
        release();
        return;
      }
      if (phase.compareAndSet(Phase.RUNNING, Phase.LEAVING) || phase.get() != Phase.IDLE) {
        return;
      }
    }
  }

  /** Waits until no call of the listener is under way; false when there still is one in the end. */
  boolean awaitLeft(long timeoutNanos) throws InterruptedException {
    return Thread.currentThread() == runner || left.await(timeoutNanos, TimeUnit.NANOSECONDS);
  }

  /** Whether it goes on: neither left nor failed. */
  boolean isActive() {
    return phase.get().compareTo(Phase.LEAVING) < 0;
  }

  /** A shortage that it met and outlived; null otherwise. */
  String trouble() {
    return trouble;
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
