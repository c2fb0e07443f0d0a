package io.bywash.engine;

/**
 * Something outside of the caller's own arguments is not as it must be: a file, a directory, the host, another process.
 * The message names the thing, the value found, the value wanted, and what to do. Nothing is left behind.
 *
 * <p>A caller's own mistake is an {@link IllegalArgumentException} or {@link IllegalStateException} instead; an
 * expected outcome (full, empty, timed out) is a return value.
 */
public class BusException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** With what happened, the value found, the value wanted and what to do. */
  public BusException(String message) {
    super(message);
  }

  /** The same, with the failure of the operating system that led here. */
  public BusException(String message, Throwable cause) {
    super(message, cause);
  }
}
