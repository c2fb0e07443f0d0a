package io.bywash.engine;

/**
 * The entry of a role was removed from its segment while the role was held. The role has ended; find or add the entry
 * again.
 */
public final class EntryRemovedException extends BusException {
  private static final long serialVersionUID = 1L;

  /** With what happened, and what to do. */
  public EntryRemovedException(String message) {
    super(message);
  }
}
