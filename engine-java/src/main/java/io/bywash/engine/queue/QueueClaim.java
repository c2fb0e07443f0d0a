package io.bywash.engine.queue;

import io.bywash.engine.Claim;

/**
 * A message of a work queue that is being written. It takes no place in the queue before it is sent, so another
 * producer may take the last one: then it is not sent, and the claim stays open.
 */
public interface QueueClaim extends Claim {
  /** Sends the message and ends the claim; false when the queue is full now, and the claim is still open. */
  default boolean tryCommit() {
    return tryCommit(0);
  }

  /**
   * The same, waiting for room up to {@code timeoutNanos}; false when there was none in that time, and the claim is
   * still open.
   *
   * @param timeoutNanos 0 or less does not wait
   * @throws io.bywash.engine.InterruptedWaitException when {@code timeoutNanos} is greater than 0 and this thread is
   *     interrupted before it begins or while it waits; the claim is still open
   * @throws IllegalStateException when it was committed, staged or aborted before
   */
  boolean tryCommit(long timeoutNanos);

  /**
   * Sends the message and ends the claim.
   *
   * @throws IllegalStateException when the queue is full, which only other producers can make of one that had room at
   *     the claim: with several of them use {@link #tryCommit}. The claim is still open. Also when it was committed,
   *     staged or aborted before
   */
  @Override
  void commit();

  /**
   * As {@link #commit}, but no consumer is woken for it before the next commit, or {@link Producer#publish}. Those that
   * are awake see it at once.
   */
  @Override
  void stage();
}
