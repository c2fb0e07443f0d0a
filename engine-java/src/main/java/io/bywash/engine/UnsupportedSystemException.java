package io.bywash.engine;

/**
 * This operating system is not Linux. The engine starts nowhere else, since only Linux has the locks that prove that a
 * participant is alive or dead.
 */
public final class UnsupportedSystemException extends BusException {
  private static final long serialVersionUID = 1L;

  /** Creates an exception whose message says what happened, what was expected and what to do. */
  public UnsupportedSystemException(String message) {
    super(message);
  }
}
