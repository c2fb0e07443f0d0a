package io.bywash.engine;

/** There is no segment of that name, or its directory is missing. */
public final class SegmentNotFoundException extends BusException {
  private static final long serialVersionUID = 1L;

  /** With what happened, the value found, the value wanted and what to do. */
  public SegmentNotFoundException(String message) {
    super(message);
  }
}
