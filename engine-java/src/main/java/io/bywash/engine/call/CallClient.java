package io.bywash.engine.call;

import io.bywash.engine.Entry;
import io.bywash.engine.InterruptedWaitException;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.call.CallFailedException.Reason;
import io.bywash.engine.internal.linux.EngineThread;
import io.bywash.engine.wait.WaitPolicy;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.LockSupport;

/**
 * Calls for any number of threads, through one {@link Caller} and one thread of its own, which sends what is there and
 * hands out the replies. Whoever calls alone, and wants the shortest way, uses a caller.
 *
 * {@snippet :
 * try (CallClient client = CallClient.open(segment.directory().find("prices", Kind.ENDPOINT))) {
 *   byte[] reply = client.call(bytes, 1_000_000_000); // any thread; waits for up to a second
 *   CompletableFuture<byte[]> later = client.callAsync(bytes, 1_000_000_000);
 *   later.thenAccept(answer -> run(answer.length)); // in a virtual thread of its own
 * }
 * }
 *
 * <p>Calls wait for a slot if all are in use. The thread sends all requests that have come before it looks for replies,
 * so a batch wakes a responder once; it runs none of its users' code but {@link Executor#execute}. Any thread may call
 * any method.
 */
public final class CallClient implements AutoCloseable {
  private static final long WAIT_NANOS = 1_000_000_000;
  private static final Executor VIRTUAL = task -> EngineThread.virtual("bywash-reply", task).start();

  private final Caller caller;
  private final Executor executor;
  private final Thread thread;
  private final Queue<Submission> submitted = new ConcurrentLinkedQueue<>();
  private final Queue<Submission> cancelled = new ConcurrentLinkedQueue<>();
  private volatile boolean sleeping;
  /** Whether the next request waits for a slot. */
  private volatile boolean full;
  private volatile boolean closed;
  /** Why no more calls are taken; null while they are. */
  private volatile RuntimeException end;

  private CallClient(Caller caller, Executor executor, String name) {
    this.caller = caller;
    this.executor = executor;
    this.thread = EngineThread.unstarted("bywash-calls-" + name, this::run);
    caller.wakeFor(this::hasNews);
  }

  /** A call of one thread, and what becomes of it: bytes, or a failure. */
  private static final class Submission {
    private final byte[] request;
    private final long timeoutNanos;
    private final long startNanos = System.nanoTime();
    /** One of these two waits. */
    private final Thread waiter;
    private final CompletableFuture<byte[]> future;
    private Call call;
    private byte[] reply;
    private RuntimeException failure;
    private volatile boolean done;

    Submission(byte[] request, long timeoutNanos, Thread waiter, CompletableFuture<byte[]> future) {
      this.request = request;
      this.timeoutNanos = timeoutNanos;
      this.waiter = waiter;
      this.future = future;
    }

    long leftNanos() {
      return timeoutNanos - (System.nanoTime() - startNanos);
    }
  }

  /** As {@link #open(Entry, WaitPolicy, Executor)}, with {@link WaitPolicy#BACKOFF} and a virtual thread for each. */
  public static CallClient open(Entry entry) {
    return open(entry, WaitPolicy.BACKOFF, VIRTUAL);
  }

  /**
   * Takes a caller's role, and starts the thread, a daemon.
   *
   * @param waitPolicy how the thread waits for requests and replies
   * @param executor completes the futures, and therefore runs their dependent stages. The client's thread calls its
   *     {@code execute}, which must not block
   * @throws io.bywash.engine.TableFullException when living callers have all places
   * @throws io.bywash.engine.SpecMismatchException when the entry is no endpoint
   */
  public static CallClient open(Entry entry, WaitPolicy waitPolicy, Executor executor) {
    Objects.requireNonNull(executor, "executor");
    Caller caller = Caller.open(entry, waitPolicy);
    try {
      CallClient client = new CallClient(caller, executor, entry.name());
      client.thread.start();
      return client;
    } catch (RuntimeException | Error failure) {
      caller.close();
      throw failure;
    }
  }

  /**
   * Calls, and waits for the reply. Requests are sent in their order. While all slots are in use, one that waits behind
   * others learns that its time is over only when those have been sent.
   *
   * @param request up to the endpoint's largest request; it must not be changed before this returns
   * @param timeoutNanos how long to wait for the reply, at least 1
   * @return a copy of the reply
   * @throws CallFailedException when there is no reply
   * @throws IllegalArgumentException when the request is too long, or {@code timeoutNanos} is less than 1
   * @throws InterruptedWaitException when this thread is interrupted; the call is cancelled then
   * @throws SegmentClosedException when the client or its segment is closed
   */
  public byte[] call(byte[] request, long timeoutNanos) {
    check(request, timeoutNanos);
    Submission submission = new Submission(request, timeoutNanos, Thread.currentThread(), null);
    submit(submission);
    while (!submission.done) {
      LockSupport.park(this);
      if (Thread.currentThread().isInterrupted() && !submission.done) {
        cancel(submission);
        throw new InterruptedWaitException("Thread \"" + Thread.currentThread().getName()
            + "\" was interrupted while it waited for a reply. The call was cancelled.");
      }
    }
    if (submission.failure != null) {
      throw submission.failure;
    }
    return submission.reply;
  }

  /**
   * Calls, and does not wait. Cancelling the future cancels the call.
   *
   * @return completes with a copy of the reply, or with what {@link #call} throws
   * @throws IllegalArgumentException as for {@link #call}
   */
  public CompletableFuture<byte[]> callAsync(byte[] request, long timeoutNanos) {
    check(request, timeoutNanos);
    Submission submission = new Submission(request, timeoutNanos, null, new CompletableFuture<>());
    submission.future.whenComplete((reply, failure) -> {
      if (submission.future.isCancelled()) {
        cancel(submission);
      }
    });
    submit(submission);
    return submission.future;
  }

  private void check(byte[] request, long timeoutNanos) {
    Caller.checkTimeout(timeoutNanos);
    if (request.length > caller.maxRequestBytes()) {
      throw new IllegalArgumentException("request has " + request.length + " bytes, and "
          + caller.maxRequestBytes() + " are the most");
    }
  }

  private void submit(Submission submission) {
    submitted.add(submission);
    wake();
    RuntimeException over = end;
    if (over != null && submitted.remove(submission)) {
      finish(submission, null, over);
    }
  }

  private void cancel(Submission submission) {
    cancelled.add(submission);
    wake();
  }

  private void wake() {
    if (sleeping) { // else the thread looks before it sleeps
      caller.wake();
    }
  }

  private boolean hasNews() {
    return closed || !cancelled.isEmpty() || !full && !submitted.isEmpty();
  }

  // ---- the client's thread

  private void run() {
    RuntimeException over = new SegmentClosedException("This call client is closed. Open another one.");
    try {
      while (!closed) {
        full = !sendAll();
        for (Submission each; (each = cancelled.poll()) != null; ) {
          if (each.call != null) {
            each.call.close();
          }
          each.done = true;
        }
        int count = 0;
        for (Call call; (call = caller.poll()) != null; count++) {
          hand(call);
        }
        if (count == 0) {
          sleep();
        }
      }
    } catch (RuntimeException | Error failure) {
      over = failure instanceof RuntimeException exception ? exception : new IllegalStateException(failure);
    } finally {
      end = over;
      try {
        caller.close();
      } catch (RuntimeException damaged) { // nobody may wait in vain for that
        over.addSuppressed(damaged);
      }
      for (Call call : caller.allCalls()) {
        if (call.attachment != null) { // else it is about to be handed to its submission, which is still queued
          finish((Submission) call.attachment, null, over);
        }
      }
      for (Submission each; (each = submitted.poll()) != null; ) {
        finish(each, null, over);
      }
    }
  }

  /** Sends what was submitted; false when there is no slot for the next one. */
  private boolean sendAll() {
    for (Submission next; (next = submitted.peek()) != null; ) {
      long left = next.leftNanos();
      boolean isOver = next.done || next.future != null && next.future.isDone();
      RequestClaim claim = isOver || left <= 0 ? null : caller.claim(next.request.length);
      if (claim != null) {
        claim.putBytes(0, next.request, 0, next.request.length);
        next.call = claim.send(left);
        next.call.attachment = next;
      } else if (!isOver && left > 0) {
        return false;
      }
      submitted.poll();
      if (claim == null && !isOver) {
        finish(next, null, new CallFailedException(Reason.TIMED_OUT, "No slot was free for a request within "
            + next.timeoutNanos + " ns"));
      }
    }
    return true;
  }

  private void sleep() {
    sleeping = true;
    try {
      Submission waiting = submitted.peek();
      long most = waiting == null ? WAIT_NANOS : waiting.leftNanos();
      if (most > 0 && !hasNews()) {
        caller.awaitNews(most, full);
      }
    } finally {
      sleeping = false;
    }
  }

  private void hand(Call call) {
    try (call) {
      byte[] reply = call.reply().toBytes();
      finish((Submission) call.attachment, reply, null);
    } catch (CallFailedException failure) {
      finish((Submission) call.attachment, null, failure);
    }
  }

  private void finish(Submission submission, byte[] reply, RuntimeException failure) {
    if (submission.future == null) {
      submission.reply = reply;
      submission.failure = failure;
      submission.done = true;
      LockSupport.unpark(submission.waiter);
      return;
    }
    Runnable completion = () -> {
      if (failure == null) {
        submission.future.complete(reply);
      } else {
        submission.future.completeExceptionally(failure);
      }
    };
    try {
      executor.execute(completion);
    } catch (RuntimeException refused) {
      VIRTUAL.execute(completion);
    }
  }

  /** Cancels all calls, and ends the thread; does not wait for that. Calling this again does nothing. */
  @Override
  public void close() {
    closed = true;
    wake();
  }
}
