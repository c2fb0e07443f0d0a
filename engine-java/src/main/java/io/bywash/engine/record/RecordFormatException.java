package io.bywash.engine.record;

import io.bywash.engine.BusException;

/**
 * A message is not a record of the expected types. It has another type or length, or it holds a value that no record of
 * that class can have or that the class's constructor rejects. The sender did not use these {@link Records}, or shared
 * memory is damaged. The message counts as received.
 */
public final class RecordFormatException extends BusException {
  private static final long serialVersionUID = 1L;

  RecordFormatException(String message) {
    super(message);
  }

  RecordFormatException(String message, RuntimeException cause) {
    super(message, cause);
  }
}
