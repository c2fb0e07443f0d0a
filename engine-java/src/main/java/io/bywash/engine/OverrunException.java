package io.bywash.engine;

/**
 * The publisher overwrote messages that this subscriber had not read, and the subscriber was opened not to tolerate
 * that. It has moved on to the oldest message that is there, so its next poll goes on behind the gap.
 */
public final class OverrunException extends BusException {
  private static final long serialVersionUID = 1;

  private final long lostCount;
  private final long nextSequence;

  /** Made by the engine. */
  public OverrunException(String message, long lostCount, long nextSequence) {
    super(message);
    this.lostCount = lostCount;
    this.nextSequence = nextSequence;
  }

  /** How many messages were lost, exactly; at least 1. */
  public long lostCount() {
    return lostCount;
  }

  /** The sequence of the first message behind the gap. */
  public long nextSequence() {
    return nextSequence;
  }
}
