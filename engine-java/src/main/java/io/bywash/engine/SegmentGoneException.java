package io.bywash.engine;

/**
 * The name of a segment in use does not lead to it any more: somebody removed the file, or put another one in its
 * place. Those who were attached still share its memory, but nobody can find it; so its roles end. Close the segment,
 * and open it again.
 */
public final class SegmentGoneException extends BusException {
  private static final long serialVersionUID = 1L;

  /** With what happened, the value found, the value wanted and what to do. */
  public SegmentGoneException(String message) {
    super(message);
  }
}
