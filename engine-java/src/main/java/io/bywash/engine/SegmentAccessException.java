package io.bywash.engine;

/**
 * The operating system refused access to a file or directory, or another process has held a file's lock for too long.
 */
public final class SegmentAccessException extends BusException {
  private static final long serialVersionUID = 1L;

  /** Creates an exception whose message says what happened, what was expected and what to do. */
  public SegmentAccessException(String message) {
    super(message);
  }

  /** As {@link #SegmentAccessException(String)}, with the operating system's refusal. */
  public SegmentAccessException(String message, Throwable cause) {
    super(message, cause);
  }
}
