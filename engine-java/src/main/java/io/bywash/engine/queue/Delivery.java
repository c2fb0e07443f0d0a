package io.bywash.engine.queue;

import io.bywash.engine.Message;

/**
 * A message that a consumer holds, and nobody else: valid until it is acknowledged or given back. It is read where it
 * lies in shared memory; copy out what shall live longer. A consumer's deliveries are one object, which is used again.
 *
 * <p>It may be handed to another thread, which may read, acknowledge and give it back. The consumer's own thread may
 * take the next one after that; as with everything that threads hand to each other, in a way that orders the two.
 */
public interface Delivery extends Message {
  /**
   * Its number, the same at each delivery: greater than those of all messages that were sent before. Not every number
   * is a message's, since one that is given back uses up another.
   */
  @Override
  long sequence();

  /** How often it was delivered, this time included: 1 for the first. A death may have kept one from being counted. */
  int deliveries();

  /** Whether it comes from another queue, where it was delivered too often. */
  boolean isDeadLetter();

  /** The sequence that it had in that other queue; -1 when it is no dead letter. */
  long originSequence();

  /**
   * Says that it is done with: it is delivered to nobody any more.
   *
   * @throws IllegalStateException when it was acknowledged or given back before
   * @throws io.bywash.engine.SegmentClosedException when this process was taken for dead, because it lost its lock: the
   *     message is somebody else's by now
   */
  void ack();

  /**
   * Gives it back: it comes again, behind all that is in the queue now, with the same sequence. If the queue is full,
   * this consumer gets it next. If it was delivered as often as the queue's {@link DeliveryPolicy} says, it becomes a
   * dead letter, or is dropped.
   *
   * @throws IllegalStateException when it was acknowledged or given back before
   * @throws io.bywash.engine.SegmentClosedException as for {@link #ack}
   */
  void giveBack();
}
