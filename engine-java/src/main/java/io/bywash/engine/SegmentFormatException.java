package io.bywash.engine;

/** A file is no segment, or a segment of another version: it is refused before anything in it is used. */
public final class SegmentFormatException extends BusException {
  private static final long serialVersionUID = 1L;

  /** With what happened, the value found, the value wanted and what to do. */
  public SegmentFormatException(String message) {
    super(message);
  }
}
