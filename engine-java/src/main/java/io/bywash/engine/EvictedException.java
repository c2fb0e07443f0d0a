package io.bywash.engine;

/**
 * This subscriber held the publisher back for longer than its own options allow, and was evicted. It receives nothing
 * more. Close it, and open a new one to go on.
 */
public final class EvictedException extends BusException {
  private static final long serialVersionUID = 1;

  private final long nextSequence;

  /** Creates an exception; only the engine does. */
  public EvictedException(String message, long nextSequence) {
    super(message);
    this.nextSequence = nextSequence;
  }

  /** The sequence of the first message that this subscriber did not receive. */
  public long nextSequence() {
    return nextSequence;
  }
}
