package io.bywash.osgi;

import io.bywash.engine.queue.Delivery;
import io.bywash.engine.record.Records;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * A {@link WorkQueueConsumer} that gets records. Its service may be registered under either type. It is not fed from a
 * queue that is declared to carry other records: then it is listed as {@code REFUSED}, with each difference. A message
 * that is no such record, in a queue for which nothing is declared, is given back.
 *
 * @param <T> the common type of the records
 */
@ConsumerType
public interface RecordConsumer<T> extends WorkQueueConsumer {
  /** The records; always the same object. */
  Records<T> records();

  /**
   * Called with each record, which may be kept. Its message is acknowledged when this returns.
   *
   * @throws Exception gives the message back
   */
  void onRecord(T record) throws Exception;

  @Override
  default void onMessage(Delivery message) throws Exception {
    onRecord(records().read(message));
  }
}
