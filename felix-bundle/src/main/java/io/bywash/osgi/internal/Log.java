package io.bywash.osgi.internal;

import org.osgi.service.log.Logger;

/**
 * Where the bundle tells of things. A log service that fails keeps nobody from anything: after a shortage of heap its
 * own classes may be unusable until the JVM ends. Messages have the form that {@link Logger} describes.
 */
final class Log {
  private final Logger logger;

  Log(Logger logger) {
    this.logger = logger;
  }

  // No lambdas here: the JVM has to link one at its first use, for which it needs heap, and it remembers a failure for
  // ever.

  /** Whether it was told. */
  boolean error(String format, Object... arguments) {
    try {
      logger.error(format, arguments);
      return true;
    } catch (Throwable untold) {
      return false;
    }
  }

  void warn(String format, Object... arguments) {
    try {
      logger.warn(format, arguments);
    } catch (Throwable untold) {
      // it is shown in the listing all the same
    }
  }

  void debug(String format, Object... arguments) {
    try {
      logger.debug(format, arguments);
    } catch (Throwable untold) {
      // the least of all
    }
  }
}
