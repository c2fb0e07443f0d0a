package io.bywash.engine;

/**
 * The sequence to start at belongs to another segment than the one that is attached. The segment in which it was noted
 * has been removed together with its messages, and this one was created under its name. Start anew.
 */
public final class SegmentReplacedException extends BusException {
  private static final long serialVersionUID = 1L;

  /** Creates an exception whose message says what happened, what was expected and what to do. */
  public SegmentReplacedException(String message) {
    super(message);
  }
}
