package io.bywash.engine.wait;

/** A role, or a condition of one, that a {@link WaitHub} can wait for. Implemented by the engine only. */
public interface Waitable {
  /**
   * Whether the role has something to do now, or the condition holds. Also true when the role can no longer be used;
   * its next operation then throws the exception that says why.
   */
  boolean isReady();
}
