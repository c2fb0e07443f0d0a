package io.bywash.engine;

/**
 * Shared memory holds what no correct program writes there: a length, offset, kind, count or sequence is impossible.
 */
public final class DamagedSegmentException extends BusException {
  private static final long serialVersionUID = 1L;

  /** With what happened, the value found, the value wanted and what to do. */
  public DamagedSegmentException(String message) {
    super(message);
  }
}
