package io.bywash.engine.queue;

import io.bywash.engine.Message;

/**
 * A message that one consumer holds, and nobody else. It is valid until it is acknowledged or given back. It is read in
 * place in shared memory; copy out whatever has to live longer. A consumer's deliveries are the same object every time.
 *
 * <p>A delivery may be handed to another thread, which may read it, acknowledge it and give it back. After that the
 * consumer's own thread may take the next one. As with all objects that threads share, the hand-over must order the
 * two.
 */
public interface Delivery extends Message {
  /**
   * The message's number, the same at each delivery, and greater than those of all messages that were sent before it.
   * Numbers have gaps, since giving a message back uses one up.
   */
  @Override
  long sequence();

  /** How often the message was delivered, including this time, so at least 1. A death may leave one uncounted. */
  int deliveries();

  /** Whether the message comes from another queue, where it was delivered too often. */
  boolean isDeadLetter();

  /** The sequence that the message had in that other queue; -1 when it is not a dead letter. */
  long originSequence();

  /**
   * Acknowledges the message, which is then never delivered again.
   *
   * @throws IllegalStateException when the message has already been acknowledged or given back
   * @throws io.bywash.engine.SegmentClosedException when this process was taken for dead because it lost its lock;
   *     another consumer may have the message by then
   */
  void ack();

  /**
   * Gives the message back. It is delivered again with the same sequence, after all messages that are in the queue now.
   * If the queue is full, this consumer gets it next. If it has been delivered as often as the queue's
   * {@link DeliveryPolicy} allows, it becomes a dead letter or is dropped.
   *
   * @throws IllegalStateException when the message has already been acknowledged or given back
   * @throws io.bywash.engine.SegmentClosedException as for {@link #ack}
   */
  void giveBack();

  /**
   * Takes back that the message was delivered, for a consumer that is about to be closed and has not looked at it: this
   * time does not count. The message stays with this consumer, which gets it next; when that is closed, another one
   * gets it.
   *
   * @throws IllegalStateException when the message has already been acknowledged or given back
   * @throws io.bywash.engine.SegmentClosedException as for {@link #ack}
   */
  void returnUnseen();
}
