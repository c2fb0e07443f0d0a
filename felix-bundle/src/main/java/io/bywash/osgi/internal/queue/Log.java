package io.bywash.osgi.internal.queue;

import java.util.ArrayDeque;
import java.util.function.Supplier;
import org.osgi.service.log.Logger;

/**
 * The bundle's log: that of the container, or the system's while there is none. Messages have the form that
 * {@link Logger} describes. A log service is foreign code, which may block: a thread that lives as long as there are
 * messages hands them over, and nobody else waits for it. What finds no place meanwhile is dropped, and counted. A log
 * service that fails stops nothing: after a shortage of heap its own classes may be unusable until the JVM ends.
 */
public final class Log {
  /** So many messages wait at most. */
  static final int CAPACITY = 256;

  private final Supplier<Logger> logger;
  /** Guards all that follows. */
  private final Object lock = new Object();
  private final ArrayDeque<Message> waiting = new ArrayDeque<>(CAPACITY);
  private final Runnable handOver = this::handOver; // made now: to link a lambda needs heap, and fails for good
  /** The thread that hands them over; null when there is none. */
  private Thread thread;
  private long droppedCount;

  private record Message(System.Logger.Level level, String format, Object[] arguments) {}

  /** Writes to the log service that there is at the time; {@code logger} returns null when there is none. */
  public Log(Supplier<Logger> logger) {
    this.logger = logger;
  }

  /** Logs an error; false when it was dropped. */
  public boolean error(String format, Object... arguments) {
    return append(System.Logger.Level.ERROR, format, arguments);
  }

  /** Logs a warning. */
  public void warn(String format, Object... arguments) {
    append(System.Logger.Level.WARNING, format, arguments);
  }

  /** Logs a detail. */
  public void debug(String format, Object... arguments) {
    append(System.Logger.Level.DEBUG, format, arguments);
  }

  private boolean append(System.Logger.Level level, String format, Object[] arguments) {
    synchronized (lock) {
      boolean added = false;
      try {
        if (waiting.size() < CAPACITY) {
          added = waiting.add(new Message(level, format, arguments));
          if (thread == null) {
            startThread();
          }
          return true;
        }
      } catch (Throwable noThread) { // nor heap: the listing shows it as well
        thread = null;
        if (added) {
          waiting.pollLast();
        }
      }
      droppedCount++;
      return false;
    }
  }

  private void startThread() {
    Thread starting = Threads.unstarted("bywash-log", handOver);
    thread = starting;
    starting.start();
  }

  private void handOver() {
    try {
      while (handOverNext()) {
        // until there is none
      }
    } catch (Throwable noHeap) {
      synchronized (lock) {
        thread = null; // the next message has another one started
      }
    }
  }

  private boolean handOverNext() {
    Message message;
    long dropped;
    synchronized (lock) {
      message = waiting.peekFirst();
      if (message == null) {
        thread = null;
        lock.notifyAll();
        return false;
      }
      dropped = droppedCount;
      droppedCount = 0;
    }
    if (dropped > 0) {
      write(System.Logger.Level.WARNING, "{} messages were dropped: the log service did not take them in time.",
          dropped);
    }
    write(message.level(), message.format(), message.arguments());
    synchronized (lock) {
      waiting.pollFirst();
    }
    return true;
  }

  private void write(System.Logger.Level level, String format, Object... arguments) {
    try {
      Logger current = logger.get();
      if (current == null) {
        system(level, format, arguments);
      } else if (level == System.Logger.Level.ERROR) {
        current.error(format, arguments);
      } else if (level == System.Logger.Level.WARNING) {
        current.warn(format, arguments);
      } else {
        current.debug(format, arguments);
      }
    } catch (Throwable unlogged) {
      synchronized (lock) {
        droppedCount++;
      }
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

  /** Waits until the messages that wait have been handed over, but not for a log service that blocks for so long. */
  public void await(long timeoutNanos) throws InterruptedException {
    long start = System.nanoTime();
    synchronized (lock) {
      long left = timeoutNanos;
      while (thread != null && left > 0) {
        lock.wait(left / 1_000_000 + 1);
        left = timeoutNanos - (System.nanoTime() - start);
      }
    }
  }
}
