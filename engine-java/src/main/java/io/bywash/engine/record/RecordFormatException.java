package io.bywash.engine.record;

import io.bywash.engine.BusException;

/**
 * A message is no record of the expected types: another type or length, a value that no record of that class can have,
 * or one that its constructor refuses. Whoever sent it did not use these {@link Records}, or shared memory is damaged.
 * The message counts as received.
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
