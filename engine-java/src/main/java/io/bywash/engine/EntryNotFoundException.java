package io.bywash.engine;

/** A segment has no entry of that name. */
public final class EntryNotFoundException extends BusException {
  private static final long serialVersionUID = 1L;

  /** With what happened, the value found, the value wanted and what to do. */
  public EntryNotFoundException(String message) {
    super(message);
  }
}
