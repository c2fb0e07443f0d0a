package io.bywash.engine;

/**
 * Something other than the caller's arguments is not as it must be: a file, a directory, the host, or another process.
 * The message says what is affected, what was found, what was expected, and what to do about it. The failed call leaves
 * nothing behind.
 *
 * <p>A mistake of the caller is an {@link IllegalArgumentException} or an {@link IllegalStateException} instead. An
 * expected outcome, such as full, empty or timed out, is a return value.
 */
public class BusException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Creates an exception whose message says what happened, what was expected and what to do. */
  public BusException(String message) {
    super(message);
  }

  /** As {@link #BusException(String)}, with the underlying failure. */
  public BusException(String message, Throwable cause) {
    super(message, cause);
  }
}
