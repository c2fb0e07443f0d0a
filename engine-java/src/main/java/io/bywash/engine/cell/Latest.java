package io.bywash.engine.cell;

import static io.bywash.engine.cell.LatestLayout.*;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.internal.layout.Numbers;
import java.util.List;

/** Makes the specifications of latest values. The roles are {@link LatestWriter} and {@link LatestReader}. */
public final class Latest {
  /** How many readers can be open at one time by default. */
  public static final int DEFAULT_READERS = 63;

  /** The most memory that the buffers of one value can take, in bytes: 128 GiB. */
  public static final long MAX_BYTES = 1L << 37;

  private Latest() {}

  /** Specifies a latest value with one writer and {@value #DEFAULT_READERS} readers. */
  public static EntrySpec spec(String name, int maxValueBytes) {
    return spec(name, maxValueBytes, 1, DEFAULT_READERS);
  }

  /**
   * Specifies a latest value. Each writer has four buffers, each of the size of the longest value and 16 bytes, rounded
   * up to a multiple of 128.
   *
   * @param name of the entry
   * @param maxValueBytes the size of the longest value in bytes, 1 to 2^30
   * @param writers how many writers can be open at one time, in all processes, at least 1
   * @param readers the same for readers, at least 1; writers and readers together are 1024 at the most
   */
  public static EntrySpec spec(String name, int maxValueBytes, int writers, int readers) {
    Numbers.checkSpec("maxValueBytes", maxValueBytes, 1, 1 << 30);
    if (writers < 1 || readers < 1 || writers > EntrySpec.MAX_ROLES - readers) {
      throw new IllegalArgumentException("writers=" + writers + " and readers=" + readers + " are not at least 1 each,"
          + " and at most " + EntrySpec.MAX_ROLES + " together");
    }
    long dataBytes = writers * BUFFERS_A_WRITER * bufferBytes(maxValueBytes);
    if (dataBytes > MAX_BYTES) {
      throw new IllegalArgumentException("writers=" + writers + " and maxValueBytes=" + maxValueBytes + " take "
          + dataBytes + " bytes; " + MAX_BYTES + " are possible");
    }
    return new EntrySpec(name, Kind.LATEST, 1, maxValueBytes, "", writers + readers, dataBytes,
        List.of((long) writers));
  }
}
