package io.bywash.engine;

/** A segment of that name already exists. */
public final class SegmentExistsException extends BusException {
  private static final long serialVersionUID = 1L;

  /** Creates an exception whose message says what happened, what was expected and what to do. */
  public SegmentExistsException(String message) {
    super(message);
  }
}
