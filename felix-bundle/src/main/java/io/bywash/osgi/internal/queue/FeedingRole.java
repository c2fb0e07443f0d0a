package io.bywash.osgi.internal.queue;

import io.bywash.engine.Revocable;
import io.bywash.engine.wait.Waitable;

/** The engine's role that receives messages for one consumer, whatever kind of queue it belongs to. */
public interface FeedingRole {
  /** What surrounds each call of the consumer, and remembers what came of it. */
  interface Calls {
    /**
     * Asked before each call.
     *
     * @param nextSequence where the consumer goes on after this message
     * @return false when the consumer must not be called any more
     */
    boolean begin(long nextSequence);

    /** Told after each call what it has thrown; null when it returned. */
    void end(Throwable thrown);

    /** Told of messages that were lost. */
    void lost(long messageCount);

    /** Told that something damaged was passed by, which harms nothing else. */
    void passedBy(RuntimeException damage);
  }

  /** What the listing shows under POLICY; empty for kinds where there is nothing to choose. */
  default String policy() {
    return "";
  }

  /** The role. */
  Revocable revocable();

  /** What to wait for. */
  Waitable waitable();

  /**
   * The sequence where the consumer goes on when the role is new: of the message that comes next, or of the first one
   * that was lost before that; 0 for kinds where consumers have no place of their own.
   */
  default long nextSequence() {
    return 0;
  }

  /** How many messages were lost from there on when the role was taken, as far as the polls do not tell. */
  default long missedCount() {
    return 0;
  }

  /** Calls the consumer with what is there, up to {@code limit}; returns how much was taken. */
  int poll(Calls calls, int limit);

  /** Tells the consumer of messages that were lost. */
  default void tellLost(long messageCount) {}

  /** Takes the role away, and what it holds, from a consumer that does not return. */
  default void revoke() {
    revocable().revoke();
  }
}
