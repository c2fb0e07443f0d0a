package io.bywash.osgi.internal.queue;

import io.bywash.engine.NoSpaceException;
import io.bywash.osgi.runtime.RuntimeDTO;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * When to try again what failed: after a second, or after as long as it took. A lack of space in the file system costs
 * a collection of the whole heap each time; so it is tried again as soon as there is space, or else after 1 s, 2 s and
 * up to 30 s. Any thread may use it.
 */
final class Retry {
  private static final long MIN_NANOS = 1_000_000_000L;
  private static final long MAX_NANOS = 30_000_000_000L;

  /** The type of the last failure; null when there was none. */
  private Class<?> failure;
  private long failedNanos;
  private long pauseNanos;
  /** How much space it lacks; 0 when something else is the matter. */
  private long lackedBytes;

  /** It has succeeded, or is to be tried at once. */
  synchronized void reset() {
    failure = null;
    lackedBytes = 0;
  }

  /**
   * It has failed. Returns whether that is worth a message: not when it fails again and again in the same way.
   *
   * @param tookNanos how long it took
   * @param neededBytes how much space in the file system it needs; 0 when it did not fail for want of that
   * @param usableBytes how much there is
   */
  synchronized boolean failed(Throwable reason, long nowNanos, long tookNanos, long neededBytes, long usableBytes) {
    boolean lacks = neededBytes > usableBytes;
    pauseNanos = lacks && lackedBytes > 0 ? Math.min(2 * pauseNanos, MAX_NANOS) : MIN_NANOS;
    pauseNanos = Math.max(pauseNanos, tookNanos);
    lackedBytes = lacks ? neededBytes : 0;
    failedNanos = nowNanos;
    boolean isNew = failure != reason.getClass();
    failure = reason.getClass();
    return isNew;
  }

  /** Whether to try. */
  synchronized boolean isDue(long nowNanos, LongSupplier usableBytes) {
    long waited = nowNanos - failedNanos;
    return failure == null || waited >= pauseNanos
        || lackedBytes > 0 && waited >= MIN_NANOS && usableBytes.getAsLong() >= lackedBytes;
  }

  /** How much space there is in a directory; 0 when that cannot be known. */
  static long usableBytes(Path directory) {
    try {
      return Files.getFileStore(directory).getUsableSpace();
    } catch (IOException unknown) {
      return 0;
    }
  }

  /** What a failure says; {@code none} when there was none. */
  static String reason(Throwable failure, String none) {
    return failure == null ? none
        : failure instanceof Error ? failure.toString() : String.valueOf(failure.getMessage());
  }

  /** Differs when the listing has changed in something other than how much space there is. */
  static Object digest(RuntimeDTO.ConfigurationDTO listed, Throwable failure) {
    return List.of(listed.pid, listed.segment, listed.queue, listed.state,
        failure instanceof NoSpaceException ? "" : listed.reason, listed.unknownKeys);
  }
}
