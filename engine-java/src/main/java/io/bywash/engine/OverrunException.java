package io.bywash.engine;

/**
 * The publisher overwrote messages that this subscriber had not read, and the subscriber's options do not allow that.
 * The subscriber has moved on to the oldest message that is still there, so its next poll continues after the gap.
 */
public final class OverrunException extends BusException {
  private static final long serialVersionUID = 1;

  private final long lostCount;
  private final long nextSequence;

  /** Creates an exception; only the engine does. */
  public OverrunException(String message, long lostCount, long nextSequence) {
    super(message);
    this.lostCount = lostCount;
    this.nextSequence = nextSequence;
  }

  /** Exactly how many messages were lost, at least 1. */
  public long lostCount() {
    return lostCount;
  }

  /** The sequence of the first message after the gap. */
  public long nextSequence() {
    return nextSequence;
  }
}
