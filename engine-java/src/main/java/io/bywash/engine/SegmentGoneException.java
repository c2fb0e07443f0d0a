package io.bywash.engine;

/**
 * The name of a segment in use no longer leads to it: somebody removed the file, or put another one in its place. Those
 * who are attached still share the memory, but nobody else can find it, so their roles end. Close the segment and open
 * it again.
 */
public final class SegmentGoneException extends BusException {
  private static final long serialVersionUID = 1L;

  /** Creates an exception whose message says what happened, what was expected and what to do. */
  public SegmentGoneException(String message) {
    super(message);
  }
}
