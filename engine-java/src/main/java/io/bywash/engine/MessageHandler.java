package io.bywash.engine;

/** Receives the messages of a poll, in the thread that polls. */
@FunctionalInterface
public interface MessageHandler {
  /**
   * Called with each message, in order. A message counts as received even when this method throws; the exception
   * propagates to the caller of the poll.
   *
   * @param message valid only during this call
   */
  void onMessage(Message message);

  /**
   * Called when messages were lost because the publisher overwrote them before this subscriber read them. The next call
   * of {@link #onMessage} has the first message after the gap.
   *
   * @param messageCount exactly how many messages were lost, at least 1
   */
  default void onLost(long messageCount) {}
}
