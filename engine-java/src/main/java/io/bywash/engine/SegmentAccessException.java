package io.bywash.engine;

/** The operating system refused access to a file or directory, or another process holds its lock for too long. */
public final class SegmentAccessException extends BusException {
  private static final long serialVersionUID = 1L;

  /** With what happened, the value found, the value wanted and what to do. */
  public SegmentAccessException(String message) {
    super(message);
  }

  /** The same, with the refusal of the operating system. */
  public SegmentAccessException(String message, Throwable cause) {
    super(message, cause);
  }
}
