package io.bywash.engine;

/**
 * A place was asked for that belongs to another segment than the one that is attached: the one it was noted in has been
 * removed, and this one has taken its name. Its messages are gone with it; begin anew.
 */
public final class SegmentReplacedException extends BusException {
  private static final long serialVersionUID = 1L;

  /** With what happened, the value found, the value wanted and what to do. */
  public SegmentReplacedException(String message) {
    super(message);
  }
}
