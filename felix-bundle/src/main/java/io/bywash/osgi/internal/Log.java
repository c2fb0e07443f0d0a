package io.bywash.osgi.internal;

import org.osgi.service.log.Logger;

/**
 * Where the bundle tells of things. A log service that fails keeps nobody from anything: after a shortage of heap its own
 * classes may be unusable until the JVM ends. Messages have the form that {@link Logger} describes.
 */
final class Log {
  private final Logger logger;

  Log(Logger logger) {
    this.logger = logger;
  }

  /** Whether it was told. */
  boolean error(String format, Object... arguments) {
    return isTold(() -> logger.error(format, arguments));
  }

  void warn(String format, Object... arguments) {
    isTold(() -> logger.warn(format, arguments));
  }

  void debug(String format, Object... arguments) {
    isTold(() -> logger.debug(format, arguments));
  }

  private static boolean isTold(Runnable message) {
    try {
      message.run();
      return true;
    } catch (Throwable untold) {
      return false;
    }
  }
}
