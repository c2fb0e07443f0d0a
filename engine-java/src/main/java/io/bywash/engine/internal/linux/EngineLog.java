package io.bywash.engine.internal.linux;

/**
 * Where the engine tells of things. A log that fails, for lack of heap or of file descriptors, keeps nobody from
 * anything.
 */
public final class EngineLog {
  private EngineLog() {}

  /** Whether it was told; the failure may be null. */
  public static boolean log(System.Logger.Level level, String message, Throwable failure) {
    try {
      System.getLogger("io.bywash.engine").log(level, message, failure);
      return true;
    } catch (Throwable untold) {
      return false;
    }
  }
}
