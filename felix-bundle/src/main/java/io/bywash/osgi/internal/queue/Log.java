package io.bywash.osgi.internal.queue;

import java.util.function.Supplier;
import org.osgi.service.log.Logger;

/**
 * The bundle's log: that of the container, or the system's while there is none. A log service that fails stops nothing:
 * after a shortage of heap its own classes may be unusable until the JVM ends. Messages have the form that
 * {@link Logger} describes.
 */
public final class Log {
  private final Supplier<Logger> logger;

  /** Writes to the log service that there is at the time; {@code logger} returns null when there is none. */
  public Log(Supplier<Logger> logger) {
    this.logger = logger;
  }

  // No lambdas here: the JVM links one at its first use, for which it needs heap, and never forgets a failure.

  /** Logs an error; false when the log service failed. */
  public boolean error(String format, Object... arguments) {
    try {
      Logger current = logger.get();
      if (current == null) {
        system(System.Logger.Level.ERROR, format, arguments);
      } else {
        current.error(format, arguments);
      }
      return true;
    } catch (Throwable unlogged) {
      return false;
    }
  }

  /** Logs a warning. */
  public void warn(String format, Object... arguments) {
    try {
      Logger current = logger.get();
      if (current == null) {
        system(System.Logger.Level.WARNING, format, arguments);
      } else {
        current.warn(format, arguments);
      }
    } catch (Throwable unlogged) {
      // the listing shows it as well
    }
  }

  private static void system(System.Logger.Level level, String format, Object... arguments) {
    StringBuilder text = new StringBuilder(format);
    Throwable thrown = null;
    for (Object argument : arguments) {
      int place = text.indexOf("{}");
      if (place >= 0) {
        text.replace(place, place + 2, String.valueOf(argument));
      } else if (argument instanceof Throwable last) {
        thrown = last;
      }
    }
    System.getLogger("io.bywash.osgi").log(level, text.toString(), thrown);
  }

  /** Logs a detail. */
  public void debug(String format, Object... arguments) {
    try {
      Logger current = logger.get();
      if (current != null) {
        current.debug(format, arguments);
      }
    } catch (Throwable unlogged) {
      // nobody misses it
    }
  }
}
