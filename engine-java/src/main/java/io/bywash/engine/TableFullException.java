package io.bywash.engine;

/** A table of fixed size is full: participants, entries, or the subscribers of a queue. */
public final class TableFullException extends BusException {
  private static final long serialVersionUID = 1L;

  /** With what happened, the value found, the value wanted and what to do. */
  public TableFullException(String message) {
    super(message);
  }
}
