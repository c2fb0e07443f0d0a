package io.bywash.engine.call;

import io.bywash.engine.Claim;

/**
 * A request that is being written in place. It is sent as a call, which gets a reply, or one way. The bytes may begin
 * anywhere in the claim, so a builder that writes backwards, such as that of FlatBuffers, needs no copy:
 *
 * {@snippet :
 * RequestClaim claim = caller.claim(caller.maxRequestBytes());
 * if (claim != null) { // else all slots are in use
 *   int start = build(claim.asSegment().asByteBuffer()); // fills the buffer's end
 *   Call call = claim.trim(start, claim.length() - start).send(1_000_000_000);
 * }
 * }
 */
public interface RequestClaim extends Claim {
  /**
   * Keeps only {@code length} bytes of the claim, from {@code start} on; these are what is sent. Indexes of the claim
   * stay as they are.
   *
   * @throws IndexOutOfBoundsException when the claim does not have these bytes, or has ended
   */
  RequestClaim trim(int start, int length);

  /**
   * Sends the request as a call, and ends the claim.
   *
   * @param timeoutNanos how long to wait for the reply, at least 1
   * @throws IllegalArgumentException when {@code timeoutNanos} is less than 1; the claim is still open
   * @throws IllegalStateException when the claim has already ended
   * @throws io.bywash.engine.SegmentClosedException as for {@link #commit}
   */
  Call send(long timeoutNanos);

  /**
   * Sends the request one way: nobody replies, and there is no deadline. Ends the claim. A responder gets the request
   * even if this role is closed before, but not if this process dies before, and not twice, unless the endpoint
   * {@linkplain Endpoint#redelivers redelivers}.
   */
  @Override
  void commit();

  /** Same as {@link #commit}: a wake-up is left out anyway when a responder is awake. */
  @Override
  default void stage() {
    commit();
  }
}
