package io.bywash.engine;

/**
 * The entry was removed from its segment while this role in it was held. The role has ended. Find or add the entry
 * again, and take a new role.
 */
public final class EntryRemovedException extends BusException {
  private static final long serialVersionUID = 1L;

  /** Creates an exception whose message says what happened and what to do. */
  public EntryRemovedException(String message) {
    super(message);
  }
}
