package io.bywash.engine;

/** The segment has no entry of that name. */
public final class EntryNotFoundException extends BusException {
  private static final long serialVersionUID = 1L;

  /** Creates an exception whose message says what happened, what was expected and what to do. */
  public EntryNotFoundException(String message) {
    super(message);
  }
}
