package io.bywash.engine;

/** A file is not a segment of this version. It was refused before anything in it was used. */
public final class SegmentFormatException extends BusException {
  private static final long serialVersionUID = 1L;

  /** Creates an exception whose message says what happened, what was expected and what to do. */
  public SegmentFormatException(String message) {
    super(message);
  }
}
