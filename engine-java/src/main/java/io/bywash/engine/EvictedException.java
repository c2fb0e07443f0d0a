package io.bywash.engine;

/**
 * This subscriber held the publisher back for longer than it had asked for, and was cut off. It gets nothing any more;
 * close it, and join again to go on.
 */
public final class EvictedException extends BusException {
  private static final long serialVersionUID = 1;

  private final long nextSequence;

  /** Made by the engine. */
  public EvictedException(String message, long nextSequence) {
    super(message);
    this.nextSequence = nextSequence;
  }

  /** The sequence of the first message that it did not get. */
  public long nextSequence() {
    return nextSequence;
  }
}
