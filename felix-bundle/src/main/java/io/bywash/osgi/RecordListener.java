package io.bywash.osgi;

import io.bywash.engine.Message;
import io.bywash.engine.record.Records;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * A {@link QueueListener} that gets records. Its service may be registered under either type. It is not fed from a
 * queue that is declared to carry other records: then it is listed as {@code REFUSED}, with each difference. What is no
 * such record, in a queue for which nothing is declared, counts as received, and is logged.
 *
 * @param <T> the common type of the records
 */
@ConsumerType
public interface RecordListener<T> extends QueueListener {
  /** The records; always the same object. */
  Records<T> records();

  /** Called with each record, which may be kept. */
  void onRecord(T record);

  @Override
  default void onMessage(Message message) {
    onRecord(records().read(message));
  }
}
