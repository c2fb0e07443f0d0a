package io.bywash.engine;

/** No segment of that name exists, or its bus directory does not exist. */
public final class SegmentNotFoundException extends BusException {
  private static final long serialVersionUID = 1L;

  /** Creates an exception whose message says what happened, what was expected and what to do. */
  public SegmentNotFoundException(String message) {
    super(message);
  }
}
