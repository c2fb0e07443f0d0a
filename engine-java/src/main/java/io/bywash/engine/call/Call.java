package io.bywash.engine.call;

import io.bywash.engine.Message;
import io.bywash.engine.internal.record.MessageView;

/**
 * A request that was sent, and its reply. Used in the thread of its {@link Caller}. It occupies a slot of the caller
 * until it is closed; the reply is read in place and is valid until then.
 *
 * <p>A call belongs to one request for ever: whatever comes later in the same slot, it does not see.
 */
public final class Call implements AutoCloseable {
  /** Stages of a call; the first two occupy a slot. */
  enum Stage { PENDING, DONE, CLOSED }

  private final CallerRole caller;
  final long number;
  final long slot;
  /** The reply word before this call. */
  final long before;
  final long sentNanos;
  final long deadlineNanos;
  private Stage stage = Stage.PENDING;
  private MessageView reply;
  private RuntimeException failure;
  /** Whether {@link Caller#poll} is still to return it. */
  boolean isToBePolled;
  /** What a {@link CallClient} knows of it. */
  Object attachment;

  Call(CallerRole caller, long number, long slot, long before, long sentNanos, long deadlineNanos) {
    this.caller = caller;
    this.number = number;
    this.slot = slot;
    this.before = before;
    this.sentNanos = sentNanos;
    this.deadlineNanos = deadlineNanos;
  }

  /**
   * The number of the request, which no other request of this caller's role has, before or after. A call that failed at
   * once and was never sent has a negative number, which no other call of this {@link Caller} has.
   */
  public long number() {
    return number;
  }

  /** Whether there is a reply, or it is certain that there will be none. */
  public boolean isDone() {
    if (stage == Stage.PENDING) {
      caller.look(this);
    }
    return stage != Stage.PENDING;
  }

  /**
   * Waits for up to {@code timeoutNanos} for this call to be done, whatever becomes of the caller's others.
   *
   * @param timeoutNanos 0 or less does not wait
   * @return whether it is done
   * @throws io.bywash.engine.InterruptedWaitException when {@code timeoutNanos} is greater than 0 and this thread is
   *     interrupted, before the call or while it waits; the call stays in flight
   */
  public boolean await(long timeoutNanos) {
    return stage != Stage.PENDING || caller.await(this, timeoutNanos);
  }

  /**
   * The reply, which is read in place and valid until this call is closed.
   *
   * @throws CallFailedException when there will be no reply
   * @throws io.bywash.engine.DamagedSegmentException when the reply is none that a responder writes
   * @throws IllegalStateException when the call is not {@linkplain #isDone done} yet, or was closed
   */
  public Message reply() {
    if (!isDone() || stage == Stage.CLOSED) {
      throw new IllegalStateException("call " + number + (stage == Stage.CLOSED ? " was closed"
          : " is not done yet: use isDone() or await()"));
    }
    if (failure != null) {
      throw failure;
    }
    return reply;
  }

  /** Why there is no reply; null when there is one, even if it is damaged, or the call is not done yet. */
  public CallFailedException.Reason failure() {
    return isDone() && failure instanceof CallFailedException known ? known.reason() : null;
  }

  /**
   * Cancels the call, unless it is done. A responder that has not taken the request never will; one that has taken it
   * can {@linkplain Request#isCancelled ask}, and learns of it when it replies.
   *
   * @return whether the call was cancelled; if not, it was done before
   */
  public boolean cancel() {
    return stage == Stage.PENDING && caller.cancel(this);
  }

  /** Cancels the call if it is not done, and frees its slot. Calling this again does nothing. */
  @Override
  public void close() {
    if (stage != Stage.CLOSED) {
      caller.close(this);
    }
  }

  // ---- for the caller

  boolean isPending() {
    return stage == Stage.PENDING;
  }

  void succeed(MessageView newReply) {
    reply = newReply;
    stage = Stage.DONE;
  }

  void fail(RuntimeException why) {
    failure = why;
    stage = Stage.DONE;
  }

  /** Whether that is why this call has no reply. */
  boolean hasFailedBy(Throwable why) {
    return why == failure;
  }

  /** Ends the call: its slot may be used again. */
  void end() {
    if (reply != null) {
      reply.clear();
      reply = null;
    }
    stage = Stage.CLOSED;
  }
}
