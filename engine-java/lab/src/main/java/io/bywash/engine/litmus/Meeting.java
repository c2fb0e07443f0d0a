package io.bywash.engine.litmus;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/**
 * Lets the two actors of a state begin at the same time, and one of them a little later, by another time in each
 * state: where one side takes a hundred times as long as the other, the two would hardly ever meet otherwise.
 */
public final class Meeting {
  private static final int PATIENCE_SPINS = 300;
  private static final AtomicInteger COUNT = new AtomicInteger();

  private final AtomicInteger arrived = new AtomicInteger();
  private final int delay = COUNT.getAndIncrement() * 0x9E37_79B9 >>> 1;
  private int sink;

  /** Waits for the other actor, but not for long, since it may not be running now. */
  public void meet() {
    if (arrived.incrementAndGet() == 1) {
      spinUntil(() -> arrived.get() == 2);
    }
  }

  /**
   * Waits until {@code condition} holds, but not for long: the look that follows is then as close to the change as
   * can be.
   */
  public static void spinUntil(BooleanSupplier condition) {
    for (int spins = 0; spins < PATIENCE_SPINS && !condition.getAsBoolean(); spins++) {
      Thread.onSpinWait();
    }
  }

  /** As {@link #meet}, and goes on up to about {@code delayNanos} later than the other. */
  public void meetAndWait(int delayNanos) {
    meet();
    int value = delay;
    for (int nanos = delay % delayNanos; nanos > 0; nanos--) { // a multiplication takes about that long
      value = value * 31 + nanos;
    }
    sink = value;
  }
}
