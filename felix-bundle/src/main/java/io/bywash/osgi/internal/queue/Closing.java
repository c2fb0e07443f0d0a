package io.bywash.osgi.internal.queue;

/** Closing that always goes on. */
public final class Closing {
  private Closing() {}

  /** Closes, and logs a failure: the kernel takes back what could not be given back properly. */
  public static void close(AutoCloseable resource, Log log) {
    try {
      resource.close();
    } catch (Throwable failure) {
      try {
        log.warn("{} could not be closed properly.", resource, failure);
      } catch (Throwable unlogged) {
        // no heap for a log line
      }
    }
  }
}
