package io.bywash.engine;

/** Receives messages from a poll, in the polling thread. */
@FunctionalInterface
public interface MessageHandler {
  /**
   * One message. It counts as received even when this method throws; the exception reaches the caller of the poll.
   *
   * @param message valid during this call only
   */
  void onMessage(Message message);

  /**
   * So many messages were lost, because the publisher overwrote them before this subscriber read them. The next call of
   * {@link #onMessage} brings the first one after the gap.
   *
   * @param messageCount exactly how many, at least 1
   */
  default void onLost(long messageCount) {}
}
