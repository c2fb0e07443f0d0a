package io.bywash.engine.wait;

/** A role, or a condition of one, that a {@link WaitHub} can wait for. Implemented by the engine only. */
public interface Waitable {
  /**
   * Whether the role has something to do now, or the condition holds; also true when the role may not be used any more,
   * which its next operation tells.
   */
  boolean isReady();
}
