package io.bywash.engine.record;

/**
 * Receives the records of a poll, in the thread that polls.
 *
 * @param <T> the common type of the records
 */
@FunctionalInterface
public interface RecordHandler<T> {
  /**
   * Called with each record, which the handler may keep. Its message counts as received even when this method throws;
   * the exception propagates to the caller of the poll.
   */
  void onRecord(T record);

  /** As {@link io.bywash.engine.MessageHandler#onLost}. */
  default void onLost(long messageCount) {}
}
