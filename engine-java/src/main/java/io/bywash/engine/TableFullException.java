package io.bywash.engine;

/** A table of fixed size is full: the participants or entries of a segment, or the roles of a structure. */
public final class TableFullException extends BusException {
  private static final long serialVersionUID = 1L;

  /** Creates an exception whose message says what happened, what was expected and what to do. */
  public TableFullException(String message) {
    super(message);
  }
}
