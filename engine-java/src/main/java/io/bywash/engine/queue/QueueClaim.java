package io.bywash.engine.queue;

import io.bywash.engine.Claim;

/**
 * A message that is being written for a work queue. It takes no capacity before it is sent, so another producer, or a
 * consumer that gives a message back, may use the last room in the meantime. The message is then not sent, and the
 * claim stays open.
 */
public interface QueueClaim extends Claim {
  /** Sends the message and ends the claim. Returns false when the queue is full now; the claim is then still open. */
  default boolean tryCommit() {
    return tryCommit(0);
  }

  /**
   * As {@link #tryCommit()}, but waits for room for up to {@code timeoutNanos}. Returns false when there was none in
   * that time; the claim is then still open.
   *
   * @param timeoutNanos 0 or less does not wait
   * @throws io.bywash.engine.InterruptedWaitException when {@code timeoutNanos} is greater than 0 and this thread is
   *     interrupted, before the call or while it waits; the claim is still open
   * @throws IllegalStateException when the claim has already been committed, staged or aborted
   */
  boolean tryCommit(long timeoutNanos);

  /**
   * Sends the message and ends the claim.
   *
   * @throws IllegalStateException when the queue has become full since the claim, which is then still open; where there
   *     are several producers, or consumers that give messages back, use {@link #tryCommit()}. Also when the claim has
   *     already been committed, staged or aborted
   */
  @Override
  void commit();

  /**
   * As {@link #commit}, but wakes no consumer before the next commit or {@link Producer#publish}. Consumers that are
   * awake see the message at once.
   */
  @Override
  void stage();
}
