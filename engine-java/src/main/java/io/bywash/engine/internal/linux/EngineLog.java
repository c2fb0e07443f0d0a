package io.bywash.engine.internal.linux;

/**
 * The engine's log. A failure to log, for example for lack of heap or of file descriptors, has no effect on the caller.
 */
public final class EngineLog {
  private EngineLog() {}

  /** Logs a message and a failure, which may be null. False when that failed. */
  public static boolean log(System.Logger.Level level, String message, Throwable failure) {
    try {
      System.getLogger("io.bywash.engine").log(level, message, failure);
      return true;
    } catch (Throwable untold) {
      return false;
    }
  }
}
