package io.bywash.engine.call;

import io.bywash.engine.InterruptedWaitException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;

/**
 * A request that a thread has submitted to a {@link CallClient}, and what becomes of it: a reply, or a failure. Either
 * that thread waits for it, or there is a future.
 *
 * @param <R> what the reply is read as
 */
final class Submission<R> {
  /** After so long a time without heap is tried again what cannot be left undone. */
  static final long SHORTAGE_NANOS = 10_000_000;
  /** For so long at most a thread waits before it looks whether the client still lives. */
  private static final long LOOK_NANOS = 500_000_000;

  /** A copy of a reply. */
  record Reply(byte[] bytes, int type, long number) {}

  final byte[] request;
  final int type;
  final long timeoutNanos;
  final long deadlineNanos;
  /** Completes with what was read; null when a thread waits. */
  final CompletableFuture<R> future;
  private final Function<Reply, R> reader;
  private final Thread waiter = Thread.currentThread();
  private Reply reply;
  private Throwable failure;
  private volatile boolean over;

  // ---- used by the client's thread only
  Call call;
  /** Its place among those that wait for a slot. */
  long place;

  Submission(byte[] request, int type, long timeoutNanos, Function<Reply, R> reader, CompletableFuture<R> future) {
    this.request = request;
    this.type = type;
    this.timeoutNanos = timeoutNanos;
    this.deadlineNanos = System.nanoTime() + Math.min(timeoutNanos, Long.MAX_VALUE / 2);
    this.reader = reader;
    this.future = future;
  }

  long leftNanos() {
    return deadlineNanos - System.nanoTime();
  }

  /** Whether nobody waits for it any more. */
  boolean isOver() {
    return over || future != null && future.isDone();
  }

  /** Nobody is told what becomes of it. */
  void drop() {
    over = true;
  }

  /**
   * Waits for the end for some time, in the thread that submitted it; whether it is over. An interrupt runs
   * {@code onInterrupt}.
   */
  boolean await(Runnable onInterrupt) {
    if (!over) {
      LockSupport.parkNanos(this, LOOK_NANOS);
      if (waiter.isInterrupted() && !over) {
        onInterrupt.run();
        throw new InterruptedWaitException("Thread \"" + waiter.getName()
            + "\" was interrupted while it waited for a reply. The call was cancelled.");
      }
    }
    return over;
  }

  /** Reads the reply, in the thread that waited for it. */
  R result() {
    return switch (failure) {
      case null -> reader.apply(reply);
      case Error error -> throw error;
      default -> throw (RuntimeException) failure;
    };
  }

  /**
   * Tells whoever waits. A future completes by the first of the executors that takes that, which also reads the reply;
   * in this thread if none does, since nobody may wait in vain.
   */
  void end(Reply newReply, Throwable newFailure, Executor... executors) {
    if (future == null) {
      reply = newReply;
      failure = newFailure;
      over = true;
      LockSupport.unpark(waiter);
      return;
    }
    for (Executor executor : executors) {
      try {
        executor.execute(() -> complete(newReply, newFailure));
        return;
      } catch (Throwable refused) { // errors too
        continue;
      }
    }
    complete(newReply, newFailure);
  }

  private void complete(Reply newReply, Throwable newFailure) {
    Throwable why = newFailure;
    R read = null;
    if (why == null) {
      try {
        read = reader.apply(newReply);
      } catch (RuntimeException | Error unreadable) {
        why = unreadable;
      }
    }
    while (!tryComplete(read, why)) {
      LockSupport.parkNanos(SHORTAGE_NANOS);
    }
  }

  /** False when there was no heap for that, or for all stages that depend on it: a further try triggers the others. */
  private boolean tryComplete(R read, Throwable why) {
    try {
      if (why == null) {
        future.complete(read);
      } else {
        future.completeExceptionally(why);
      }
      return true;
    } catch (OutOfMemoryError shortage) {
      return false;
    }
  }
}
