package io.bywash.engine;

/** The segment, or the role in it, was closed in this process, or taken away by recovery. */
public final class SegmentClosedException extends BusException {
  private static final long serialVersionUID = 1L;

  /** With what happened, the value found, the value wanted and what to do. */
  public SegmentClosedException(String message) {
    super(message);
  }
}
