package io.bywash.engine;

/** There is not enough free space: in the file system for a new segment, or in a segment for a new entry. */
public final class NoSpaceException extends BusException {
  private static final long serialVersionUID = 1L;

  /** Creates an exception whose message says what happened, what was expected and what to do. */
  public NoSpaceException(String message) {
    super(message);
  }
}
