package io.bywash.engine;

/**
 * Shared memory holds something that no participant writes: a length, offset, kind, count or sequence is impossible.
 */
public class DamagedSegmentException extends BusException {
  private static final long serialVersionUID = 1L;

  /** Creates an exception whose message says what happened, what was expected and what to do. */
  public DamagedSegmentException(String message) {
    super(message);
  }
}
