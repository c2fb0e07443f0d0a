package io.bywash.engine.broadcast;

/**
 * How a reader that backs off follows a stream. A reader that looks at once after each message takes the lines that the
 * writer works on away from it, for every single message; one that leaves the writer alone for some microseconds gets a
 * bulk of messages at many times the rate. But where pauses bring no more messages, looking at once has the better
 * latency. So this tries: now and then a few looks the other way, with a pause or without, and what brings more is
 * kept. A stream that is paced by its writer comes at the same rate either way, and is then followed without pauses.
 *
 * <p>Used by one thread.
 */
final class Pace {
  /** How long to leave the writer alone. */
  private static final long PAUSE_NANOS = 3_000;
  /** After a look that found so much there is enough distance, and no pause is needed. */
  private static final long BULK_BYTES = 64 * 1024;
  /** Pauses are worth it when they bring so many times more. */
  private static final double WORTH = 1.25;
  /** Looks of a trial. */
  private static final int PAUSED_TRIAL = 6;
  private static final int PROMPT_TRIAL = 24;
  /** Between two trials; doubled with each that changed nothing. */
  private static final long MIN_PERIOD_NANOS = 200_000;
  private static final long MAX_PERIOD_NANOS = 6_400_000;
  private static final int CLOCK_EVERY = 64;

  private boolean pausing;
  private boolean trial;
  private int looksLeft = CLOCK_EVERY;
  private long periodNanos = MIN_PERIOD_NANOS;
  private long startNanos = System.nanoTime();
  private long bytes;
  private long lastLookBytes;
  private long lastLookNanos;
  /** Bytes for each nanosecond before the trial. */
  private double rate;

  /** Pauses if that is worth it; called before a look. */
  void beforeLook() {
    if (pausing && lastLookBytes < BULK_BYTES) {
      while (System.nanoTime() - lastLookNanos < PAUSE_NANOS) {
        Thread.onSpinWait();
      }
    }
  }

  /** Learns how much the look found. */
  void afterLook(long foundBytes) {
    bytes += foundBytes;
    lastLookBytes = foundBytes;
    if (pausing) {
      lastLookNanos = System.nanoTime();
    }
    if (foundBytes > 0 && --looksLeft == 0) {
      judge();
    }
  }

  private void judge() {
    long now = System.nanoTime();
    double newRate = (double) bytes / (now - startNanos);
    if (trial) {
      boolean better = pausing ? newRate > rate * WORTH : newRate * WORTH > rate;
      if (better) {
        periodNanos = MIN_PERIOD_NANOS;
      } else {
        pausing = !pausing;
        periodNanos = Math.min(2 * periodNanos, MAX_PERIOD_NANOS);
      }
      begin(false, CLOCK_EVERY, now);
    } else if (now - startNanos < periodNanos) {
      looksLeft = CLOCK_EVERY;
    } else {
      rate = newRate;
      pausing = !pausing;
      begin(true, pausing ? PAUSED_TRIAL : PROMPT_TRIAL, now);
    }
  }

  private void begin(boolean newTrial, int looks, long now) {
    trial = newTrial;
    looksLeft = looks;
    bytes = 0;
    startNanos = now;
    lastLookNanos = now;
  }
}
