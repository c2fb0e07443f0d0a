package io.bywash.engine.wait;

/** A role that a {@link WaitHub} can wait for. Implemented by the engine's roles only. */
public interface Waitable {
  /**
   * Whether the role has something to do now; also true when it may not be used any more, which its next operation
   * tells.
   */
  boolean isReady();
}
