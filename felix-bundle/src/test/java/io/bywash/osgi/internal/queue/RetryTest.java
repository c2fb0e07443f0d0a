package io.bywash.osgi.internal.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.BusException;
import io.bywash.engine.NoSpaceException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** When a configuration is tried again, on a clock that the test plays. */
class RetryTest {
  private static final long SECOND = 1_000_000_000L;
  private static final long NEEDED = 1000;

  private final Retry retry = new Retry();
  private final List<Long> tries = new ArrayList<>();
  private int messages;

  /** Looks four times a second, and fails at each try. */
  private void fail(long seconds, Throwable reason, long tookNanos, long neededBytes, long usableBytes) {
    for (long now = 0; now < seconds * SECOND; now += SECOND / 4) {
      if (retry.isDue(now, () -> usableBytes)) {
        tries.add(now / SECOND);
        messages += retry.failed(reason, now, tookNanos, neededBytes, usableBytes) ? 1 : 0;
      }
    }
  }

  @Test
  void aLackOfSpaceIsTriedAfterOneTwoAndUpToThirtySecondsAndToldOnce() {
    fail(120, new NoSpaceException("always"), 0, NEEDED, NEEDED - 1);
    assertEquals(List.of(0L, 1L, 3L, 7L, 15L, 31L, 61L, 91L), tries);
    assertEquals(1, messages);
    assertFalse(retry.isDue(92 * SECOND - 1, () -> NEEDED), "although there is space");
    assertTrue(retry.isDue(92 * SECOND, () -> NEEDED), "as soon as there is space");
  }

  @Test
  void anythingElseIsTriedEverySecondAndToldWhenItIsAnother() {
    fail(10, new BusException("always"), 0, 0, 0);
    assertEquals(LongStream.range(0, 10).boxed().toList(), tries);
    assertEquals(1, messages);
    assertTrue(retry.failed(new NoSpaceException("now"), 10 * SECOND, 0, 0, 0));
    assertTrue(retry.failed(new BusException("again"), 11 * SECOND, 0, 0, 0));
    retry.reset();
    assertTrue(retry.isDue(11 * SECOND, () -> 0));
    assertTrue(retry.failed(new BusException("anew"), 12 * SECOND, 0, 0, 0));
  }

  @Test
  void whatTakesLongIsTriedAfterAsLong() {
    fail(40, new BusException("always"), 10 * SECOND, 0, 0);
    assertEquals(List.of(0L, 10L, 20L, 30L), tries);
  }
}
