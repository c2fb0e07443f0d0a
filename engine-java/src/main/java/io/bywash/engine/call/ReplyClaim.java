package io.bywash.engine.call;

import io.bywash.engine.Claim;

/**
 * A reply that is being written in place. Its bytes may begin anywhere in the claim, as those of a
 * {@link RequestClaim}. The responder's role is not given back while a claim is open.
 */
public interface ReplyClaim extends Claim {
  /**
   * Keeps only {@code length} bytes of the claim, from {@code start} on; these are what is sent. Indexes of the claim
   * stay as they are.
   *
   * @throws IndexOutOfBoundsException when the claim does not have these bytes, or has ended
   */
  ReplyClaim trim(int start, int length);

  /**
   * Sends the reply, and ends the claim and the request.
   *
   * @return false when it was too late: the caller has given the call up, and does not see the reply
   * @throws IllegalStateException when the claim has already ended
   * @throws io.bywash.engine.SegmentClosedException as for {@link #commit}; the request has ended all the same
   */
  boolean send();

  /** As {@link #send}, for those who need not know whether it was too late. */
  @Override
  default void commit() {
    send();
  }

  /** Same as {@link #commit}: a wake-up is left out anyway when the caller is awake. */
  @Override
  default void stage() {
    send();
  }

  /** Drops the claim; the request is still to be answered. */
  @Override
  void abort();
}
