package io.bywash.samples.demo.listener;

import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.zip.DataFormatException;
import org.HdrHistogram.Histogram;

/**
 * Counts what a consumer of numbered messages gets: how many, whether each came exactly once, and how old they were.
 * Used by one thread at a time.
 */
public final class Tally {
  /** Stands in the place of the time at which a message was sent, when its latency would say nothing. */
  public static final long UNTIMED = 0;

  private static final long LONGEST_NANOS = TimeUnit.MINUTES.toNanos(5);

  private final Histogram latencies = new Histogram(LONGEST_NANOS, 3);
  private long received;
  private long lost;
  private long repeated;
  private long nextSequence;

  /**
   * One message that is handled now, and was sent at {@code sentNanos} of the host's monotonic clock, or
   * {@link #UNTIMED}.
   */
  public void count(long sequence, long sentNanos) {
    long now = System.nanoTime();
    received++;
    if (sequence < nextSequence) {
      repeated++;
      return;
    }
    lost += sequence - nextSequence;
    nextSequence = sequence + 1;
    if (sentNanos != UNTIMED) {
      latencies.recordValue(Math.clamp(now - sentNanos, 1, LONGEST_NANOS));
    }
  }

  /** The counts as words of the form {@code name=value}. */
  public String counts() {
    return String.format(Locale.ROOT, "received=%d lost=%d repeated=%d timed=%d p50=%d p99=%d", received,
        lost, repeated,
        latencies.getTotalCount(), latencies.getValueAtPercentile(50), latencies.getValueAtPercentile(99));
  }

  /** The counts, and all latencies in one word that {@link #decode} understands. */
  public String countsAndLatencies() {
    ByteBuffer bytes = ByteBuffer.allocate(latencies.getNeededByteBufferCapacity());
    int length = latencies.encodeIntoCompressedByteBuffer(bytes);
    byte[] encoded = new byte[length];
    bytes.flip().get(encoded);
    return counts() + " latencies=" + Base64.getEncoder().withoutPadding().encodeToString(encoded);
  }

  /** The latencies that {@link #countsAndLatencies} encoded. */
  public static Histogram decode(String word) throws DataFormatException {
    return Histogram.decodeFromCompressedByteBuffer(ByteBuffer.wrap(Base64.getDecoder().decode(word)), LONGEST_NANOS);
  }
}
