package io.bywash.osgi.internal.queue;

import org.osgi.service.log.Logger;

/**
 * The bundle's log. A log service that fails stops nothing: after a shortage of heap its own classes may be unusable
 * until the JVM ends. Messages have the form that {@link Logger} describes.
 */
public final class Log {
  private final Logger logger;

  /** Writes to the log service of the container. */
  public Log(Logger logger) {
    this.logger = logger;
  }

  // No lambdas here: the JVM links one at its first use, for which it needs heap, and never forgets a failure.

  /** Logs an error; false when the log service failed. */
  public boolean error(String format, Object... arguments) {
    try {
      logger.error(format, arguments);
      return true;
    } catch (Throwable unlogged) {
      return false;
    }
  }

  /** Logs a warning. */
  public void warn(String format, Object... arguments) {
    try {
      logger.warn(format, arguments);
    } catch (Throwable unlogged) {
      // the listing shows it as well
    }
  }

  /** Logs a detail. */
  public void debug(String format, Object... arguments) {
    try {
      logger.debug(format, arguments);
    } catch (Throwable unlogged) {
      // nobody misses it
    }
  }
}
