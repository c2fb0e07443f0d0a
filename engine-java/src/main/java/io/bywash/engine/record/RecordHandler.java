package io.bywash.engine.record;

/**
 * Receives records from a poll, in the polling thread.
 *
 * @param <T> what they have in common
 */
@FunctionalInterface
public interface RecordHandler<T> {
  /**
   * One record, for the handler to keep. Its message counts as received even when this method throws; the exception
   * reaches the caller of the poll.
   */
  void onRecord(T record);

  /** As {@link io.bywash.engine.MessageHandler#onLost}. */
  default void onLost(long messageCount) {}
}
