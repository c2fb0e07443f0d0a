package io.bywash.samples.kit;

import static java.lang.invoke.MethodHandles.lookup;

import io.bywash.engine.record.Length;
import io.bywash.engine.record.Records;

/**
 * What one process tells about itself.
 *
 * @param process its process id
 * @param name what it calls itself
 * @param processed messages that it has processed
 * @param errors of which it could not process so many
 * @param full how often it found a queue full
 * @param meanLatencyNanos how long a message took on the mean, in nanoseconds
 * @param heartbeatNanos when it told this, by the monotonic clock that all processes of the host share
 */
public record Stats(long process, @Length(24) String name, long processed, long errors, long full,
    long meanLatencyNanos, long heartbeatNanos) {
  /** How it is written to shared memory. */
  public static final Records<Stats> STATS = Records.of(lookup(), Stats.class);
}
