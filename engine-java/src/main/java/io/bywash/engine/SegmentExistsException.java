package io.bywash.engine;

/** A segment of that name exists already. */
public final class SegmentExistsException extends BusException {
  private static final long serialVersionUID = 1L;

  /** With what happened, the value found, the value wanted and what to do. */
  public SegmentExistsException(String message) {
    super(message);
  }
}
