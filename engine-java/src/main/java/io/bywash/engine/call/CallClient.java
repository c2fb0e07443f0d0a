package io.bywash.engine.call;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Entry;
import io.bywash.engine.InterruptedWaitException;
import io.bywash.engine.Message;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.call.CallFailedException.Reason;
import io.bywash.engine.internal.linux.EngineThread;
import io.bywash.engine.record.RecordType;
import io.bywash.engine.record.Records;
import io.bywash.engine.wait.WaitPolicy;
import java.util.LinkedHashSet;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;

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
 * <p>Calls wait for a slot if all are in use, and end at their deadlines whether they have one or not. The thread sends
 * the requests that have come, up to 1024, before it looks for replies, so a batch wakes a responder once. It runs none
 * of its users' code but {@link Executor#execute}, unless that fails and no other thread can be started. Any thread may
 * call any method.
 */
public final class CallClient implements AutoCloseable {
  private static final long WAIT_NANOS = 1_000_000_000;
  /** So many at most are sent before replies, deadlines and cancellations are looked at again. */
  private static final int BATCH = 1024;
  private static final Executor VIRTUAL = task -> EngineThread.virtual("bywash-reply", task).start();

  private final Entry entry;
  private final Caller caller;
  /** Those that complete futures, the second one if the first one fails. */
  private final Executor[] executors;
  private final Thread thread;
  private final Queue<Submission<?>> submitted = new ConcurrentLinkedQueue<>();
  private final Queue<Submission<?>> cancelled = new ConcurrentLinkedQueue<>();
  private final RecordBytes bytes = new RecordBytes();
  /** Made beforehand, since there may be no heap for it when it is told. */
  private final RuntimeException closedEnd =
      new SegmentClosedException("This call client is closed. Open another one.");
  /** The records that the endpoint is known to carry. */
  private volatile Records<?> checked;
  private volatile boolean sleeping;
  private volatile boolean closed;
  /** Why no more calls are taken; null while they are. */
  private volatile RuntimeException end;

  // ---- used by the client's thread only
  /** Those that wait for a slot, in their order, and by their deadlines. */
  private final Set<Submission<?>> waiting = new LinkedHashSet<>();
  private final SortedSet<Submission<?>> byDeadline = new TreeSet<>(CallClient::compare);
  private long places;
  /** The one whose end is being told; it is nowhere else. */
  private Submission<?> handed;

  private CallClient(Caller caller, Executor executor, Entry entry) {
    this.entry = entry;
    this.caller = caller;
    this.executors = new Executor[] {executor, VIRTUAL};
    this.thread = EngineThread.unstarted("bywash-calls-" + entry.name(), this::run);
    caller.wakeFor(this::hasNews);
  }

  private static int compare(Submission<?> one, Submission<?> other) {
    long apart = one.deadlineNanos - other.deadlineNanos;
    return apart != 0 ? Long.signum(apart) : Long.compare(one.place, other.place);
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
      CallClient client = new CallClient(caller, executor, entry);
      client.thread.start();
      return client;
    } catch (RuntimeException | Error failure) {
      caller.close();
      throw failure;
    }
  }

  /** As {@link Caller#failFast}, for all calls of this client from now on. */
  public void failFast(boolean newFailsFast) {
    caller.failFast(newFailsFast);
  }

  /**
   * Calls, and waits for the reply. Requests are sent in their order.
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
    return await(submit(request, 0, timeoutNanos, Submission.Reply::bytes, null));
  }

  /**
   * Calls with a record, and waits for the reply, which is a record too.
   *
   * @param request one of {@code requests}
   * @param timeoutNanos how long to wait for the reply, at least 1
   * @return one of {@code replies}
   * @throws CallFailedException when there is no reply
   * @throws io.bywash.engine.record.RecordFormatException when the reply is none of {@code replies}
   * @throws io.bywash.engine.SpecMismatchException when the endpoint is declared to carry other records than
   *     {@code requests}
   * @throws IllegalArgumentException when the request cannot be written or is too long, or {@code timeoutNanos} is less
   *     than 1
   * @throws InterruptedWaitException when this thread is interrupted; the call is cancelled then
   * @throws SegmentClosedException when the client or its segment is closed
   */
  public <Q, R> R call(Records<Q> requests, Q request, Records<R> replies, long timeoutNanos) {
    RecordType<Q> type = checked(requests).typeOf(request);
    return await(submit(bytes.of(type, request), type.number(), timeoutNanos, each -> bytes.read(replies, each), null));
  }

  /**
   * Calls, and does not wait. Cancelling the future cancels the call.
   *
   * @return completes with a copy of the reply, or with what {@link #call(byte[], long)} throws
   * @throws IllegalArgumentException as for {@link #call(byte[], long)}
   */
  public CompletableFuture<byte[]> callAsync(byte[] request, long timeoutNanos) {
    return submit(request, 0, timeoutNanos, Submission.Reply::bytes, new CompletableFuture<>()).future;
  }

  /**
   * Calls with a record, and does not wait. Cancelling the future cancels the call.
   *
   * @return completes with the reply, or with what {@link #call(Records, Object, Records, long)} throws
   * @throws IllegalArgumentException as for {@link #call(Records, Object, Records, long)}
   * @throws io.bywash.engine.SpecMismatchException as for that
   */
  public <Q, R> CompletableFuture<R> callAsync(Records<Q> requests, Q request, Records<R> replies, long timeoutNanos) {
    RecordType<Q> type = checked(requests).typeOf(request);
    return submit(bytes.of(type, request), type.number(), timeoutNanos, reply -> bytes.read(replies, reply),
        new CompletableFuture<>()).future;
  }

  private <Q> Records<Q> checked(Records<Q> records) {
    if (records != checked) {
      records.check(entry);
      checked = records;
    }
    return records;
  }

  // ---- submitting

  private <R> Submission<R> submit(byte[] request, int type, long timeoutNanos, Function<Submission.Reply, R> reader,
      CompletableFuture<R> future) {
    CallerRole.checkTimeout(timeoutNanos);
    caller.checkLength(request.length);
    Submission<R> submission = new Submission<>(request, type, timeoutNanos, reader, future);
    if (future != null) {
      future.whenComplete((_, _) -> {
        if (future.isCancelled()) {
          cancel(submission);
        }
      });
    }
    submitted.add(submission);
    wake();
    RuntimeException over = end;
    if (over != null && submitted.remove(submission)) {
      submission.end(null, over, executors);
    }
    return submission;
  }

  private <R> R await(Submission<R> submission) {
    while (!submission.await(() -> cancel(submission))) {
      if (!thread.isAlive() && !submission.isOver()) { // it had no heap to tell of its end, for example
        throw end != null ? end : new IllegalStateException("The thread of this call client has ended");
      }
    }
    return submission.result();
  }

  private void cancel(Submission<?> submission) {
    cancelled.add(submission);
    wake();
  }

  private void wake() {
    if (sleeping) { // else the thread looks before it sleeps
      caller.wake();
    }
  }

  private boolean hasNews() {
    return closed || !cancelled.isEmpty() || !submitted.isEmpty();
  }

  // ---- the client's thread

  private void run() {
    RuntimeException over = closedEnd;
    try {
      while (!closed) {
        sendAll();
        for (Submission<?> each; (each = cancelled.poll()) != null; ) {
          forget(each);
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
      over = reason(failure) instanceof RuntimeException exception ? exception : new IllegalStateException(failure);
    } finally {
      end = over;
      try {
        caller.close();
      } catch (RuntimeException | Error damaged) {
        over.addSuppressed(damaged);
      } finally { // nobody may wait in vain for any of that
        while (!tryEndAll(over)) {
          LockSupport.parkNanos(Submission.SHORTAGE_NANOS);
        }
      }
    }
  }

  /** Tells all that are left of the end, first the threads that wait, which need no executor; false without heap. */
  private boolean tryEndAll(RuntimeException over) {
    try {
      endLeft(false, over);
      endLeft(true, over);
      return true;
    } catch (OutOfMemoryError shortage) {
      return false;
    }
  }

  private void endLeft(boolean futures, RuntimeException over) {
    endIf(futures, handed, over);
    for (Submission<?> each : waiting) {
      endIf(futures, each, over);
    }
    for (Call call : caller.allCalls()) { // without attachment its submission is still queued
      endIf(futures, (Submission<?>) call.attachment, over);
    }
    for (Submission<?> each : submitted) {
      endIf(futures, each, over);
    }
  }

  private void endIf(boolean isFuture, Submission<?> left, RuntimeException over) {
    if (left != null && (left.future != null) == isFuture && !left.isOver()) {
      end(left, null, over);
    }
  }

  /** What is told of a failure: of a fault in mapped memory, that the file was truncated, if it was. */
  private Throwable reason(Throwable failure) {
    try {
      return failure instanceof InternalError fault ? caller.slots.entry.core().truncated(fault) : failure;
    } catch (InternalError other) {
      return other;
    }
  }

  /** Sends what there are slots for; the rest waits. What is over is not sent. */
  private void sendAll() {
    while (!byDeadline.isEmpty() && byDeadline.first().leftNanos() <= 0) {
      Submission<?> late = byDeadline.first();
      sendOrEnd(late);
      stopWaiting(late); // only now, in case the first step fails for want of heap
    }
    while (!waiting.isEmpty() && sendOrEnd(waiting.iterator().next())) {
      stopWaiting(waiting.iterator().next());
    }
    Submission<?> next;
    for (int left = BATCH; left > 0 && (next = submitted.peek()) != null; left--, submitted.poll()) {
      if (!waiting.isEmpty() || !sendOrEnd(next)) {
        next.place = places++;
        waiting.add(next);
        byDeadline.add(next);
      }
    }
  }

  /** Sends a request, unless it is too late for that or nobody waits for it any more; false when there is no slot. */
  private boolean sendOrEnd(Submission<?> next) {
    if (next.isOver()) {
      return true;
    }
    long left = next.leftNanos();
    if (left <= 0) {
      end(next, null, new CallFailedException(Reason.TIMED_OUT, "No slot was free for a request within "
          + next.timeoutNanos + " ns"));
      return true;
    }
    RequestClaim claim = caller.claim(next.request.length, next.type);
    if (claim == null) {
      return false;
    }
    claim.putBytes(0, next.request, 0, next.request.length); // a fault here ends the thread, see reason
    next.call = claim.send(left);
    next.call.attachment = next;
    return true;
  }

  private void stopWaiting(Submission<?> submission) {
    if (waiting.remove(submission)) {
      byDeadline.remove(submission);
    }
  }

  /** Has a call that was cancelled leave nothing. */
  private void forget(Submission<?> submission) {
    submission.drop();
    if (submission.call != null) {
      submission.call.close();
    } else {
      stopWaiting(submission);
    }
  }

  private void sleep() {
    sleeping = true;
    try {
      long most = byDeadline.isEmpty() ? WAIT_NANOS : Math.min(byDeadline.first().leftNanos(), WAIT_NANOS);
      if (most > 0 && !hasNews()) {
        caller.awaitNews(most, !waiting.isEmpty());
      }
    } finally {
      sleeping = false;
    }
  }

  private void hand(Call call) {
    Submission.Reply reply = null;
    Throwable failure = null;
    handed = (Submission<?>) call.attachment;
    try (call) {
      Message message = call.reply();
      reply = new Submission.Reply(message.toBytes(), message.type(), call.number());
    } catch (RuntimeException | Error why) { // such as no memory for a large reply, which is that call's own failure
      failure = reason(why);
    }
    end(handed, reply, failure);
    handed = null;
    if (failure instanceof DamagedSegmentException damage && !call.hasFailedBy(damage)) { // the whole file's
      throw damage;
    }
  }

  /** Used by the client's thread only. */
  private void end(Submission<?> submission, Submission.Reply reply, Throwable failure) {
    submission.end(reply, failure, executors);
    Thread.interrupted(); // an interrupt that a user's code left ends no call
  }

  /** Cancels all calls, and ends the thread; does not wait for that. Calling this again does nothing. */
  @Override
  public void close() {
    closed = true;
    wake();
  }
}
