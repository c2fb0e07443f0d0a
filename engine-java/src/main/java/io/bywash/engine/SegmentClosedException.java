package io.bywash.engine;

/** The segment or the role was closed or revoked in this process, or recovery took it away. */
public final class SegmentClosedException extends BusException {
  private static final long serialVersionUID = 1L;

  /** Creates an exception whose message says what happened, what was expected and what to do. */
  public SegmentClosedException(String message) {
    super(message);
  }
}
