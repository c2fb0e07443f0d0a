package io.bywash.engine.call;

import io.bywash.engine.Message;
import io.bywash.engine.record.Records;

/**
 * A request that a responder has taken, and that nobody else has. It is read in place, and valid until it is answered;
 * copy out whatever has to live longer.
 *
 * <p>A request that {@link Responder#receive} returned may be answered at any later time and in any thread, in any
 * order with others; by one thread at a time. One that a handler gets is answered in the handler's call.
 */
public interface Request extends Message {
  /** The number of the request; no other one of the same caller's role has it, before or after. May be empty. */
  @Override
  long sequence();

  /** The length in bytes, 0 to the endpoint's largest request. */
  @Override
  int length();

  /** The size of the largest reply to it in bytes. */
  int maxReplyBytes();

  /** Which of the endpoint's callers sent it, from 0 on. Later callers may have the same number. */
  int caller();

  /** Whether nobody waits for a reply. */
  boolean isOneWay();

  /**
   * Whether the caller has given the call up: it was cancelled, its deadline has passed and the caller has noticed, or
   * the caller is gone. A reply would be too late. Always false for a one-way request.
   */
  boolean isCancelled();

  /** How long the caller still waits, in nanoseconds; 0 when the deadline has passed. */
  long remainingNanos();

  /** Replies with a copy of {@code reply}, with type 0, as {@link #reply(byte[], int, int, int)} does. */
  default boolean reply(byte[] reply) {
    return reply(reply, 0, reply.length, 0);
  }

  /**
   * Replies with a copy of {@code length} bytes of {@code source}, from {@code index} on, and ends the request. The
   * reply to a one-way request is dropped.
   *
   * @param length 0 to the endpoint's largest reply
   * @param type the reply's type, any number
   * @return false when it was too late: the caller has given the call up, and does not see the reply
   * @throws IllegalArgumentException when {@code length} is out of range; the request is still to be answered
   * @throws IllegalStateException when the request has been answered before
   * @throws io.bywash.engine.SegmentClosedException when the responder was closed or revoked, or its segment was
   *     closed; the caller gets {@link CallFailedException.Reason#RESPONDER_GONE}, or another responder the request
   */
  boolean reply(byte[] source, int index, int length, int type);

  /**
   * Replies with a record, as {@link #reply(byte[], int, int, int)} does. The caller reads it with
   * {@link Records#read}.
   *
   * @throws io.bywash.engine.SpecMismatchException when the endpoint is declared to carry other records
   * @throws IllegalArgumentException when the record is not one of {@code records}, or cannot be written, or is longer
   *     than the largest reply; the request is still to be answered
   */
  <T> boolean reply(Records<T> records, T record);

  /** As {@link #claimReply(int, int)}, with type 0. */
  default ReplyClaim claimReply(int length) {
    return claimReply(length, 0);
  }

  /**
   * Claims room for a reply of exactly {@code length} bytes, to be filled in place and then sent. The request can be
   * read until then.
   *
   * @param length 0 to the endpoint's largest reply; {@link ReplyClaim#trim} makes it shorter later
   * @throws IllegalArgumentException when {@code length} is out of range
   * @throws IllegalStateException when the request has been answered before, or another claim of it is open
   * @throws io.bywash.engine.SegmentClosedException as for {@link #reply(byte[], int, int, int)}
   */
  ReplyClaim claimReply(int length, int type);

  /**
   * Fails the call: the caller gets {@link CallFailedException.Reason#HANDLER_FAILED} with this message. Ends the
   * request. A message too long for the room of a reply is cut off.
   *
   * @return as for {@link #reply(byte[], int, int, int)}
   */
  boolean fail(String message);

  /** As {@link #fail(String)}, with the class and the message of {@code cause}. */
  boolean fail(Throwable cause);
}
