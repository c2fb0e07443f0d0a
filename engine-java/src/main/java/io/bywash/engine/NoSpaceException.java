package io.bywash.engine;

/** The file system has not enough free space for a new segment, or a segment none for a new entry. */
public final class NoSpaceException extends BusException {
  private static final long serialVersionUID = 1L;

  /** With what happened, the value found, the value wanted and what to do. */
  public NoSpaceException(String message) {
    super(message);
  }
}
