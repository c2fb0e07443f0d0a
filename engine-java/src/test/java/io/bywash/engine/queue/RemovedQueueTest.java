package io.bywash.engine.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.EntryRemovedException;
import io.bywash.engine.Removal.Outcome;
import io.bywash.engine.TempBus;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A producer that never waits learns that another process removed its queue. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RemovedQueueTest {
  private static final int SENDS_A_PROBE = 1024;

  @RegisterExtension final TempBus bus = new TempBus();

  /** The queue is its who holds the lowest role. */
  private static void remove(TestJobs queue) {
    assertEquals(Outcome.REMOVED, queue.first.directory().remove(TestJobs.NAME).outcome());
  }

  @Test
  void itLearnsOfItWhenItFindsNoRoom() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 4); Producer owner = queue.producer();
        Producer producer = Producer.open(queue.elsewhere); Producer claiming = Producer.open(queue.elsewhere)) {
      TestJobs.send(owner, 0, 4);
      assertFalse(producer.offer(new byte[1]));
      assertEquals(null, claiming.tryClaim(1));
      remove(queue);
      assertThrows(EntryRemovedException.class, () -> producer.offer(new byte[1]));
      assertThrows(EntryRemovedException.class, () -> claiming.tryClaim(1));
      assertThrows(EntryRemovedException.class, () -> producer.offer(new byte[1]), "and always");
      assertTrue(producer.isGivenBack());
    }
  }

  @Test
  void itLearnsOfItAfterSoManyMessages() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 4 * SENDS_A_PROBE); Producer owner = queue.producer();
        Producer producer = Producer.open(queue.elsewhere)) {
      TestJobs.send(owner, 0, 1);
      for (int i = 0; i < 10; i++) {
        assertTrue(producer.offer(new byte[1]));
      }
      remove(queue);
      assertThrows(EntryRemovedException.class, () -> {
        for (int i = 0; i <= SENDS_A_PROBE; i++) {
          producer.offer(new byte[1]);
        }
      });
    }
  }

  @Test
  void aClaimEndsWhenItsQueueHasGone() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 4 * SENDS_A_PROBE); Producer owner = queue.producer();
        Producer producer = Producer.open(queue.elsewhere)) {
      TestJobs.send(owner, 0, 1);
      assertTrue(producer.offer(new byte[1]));
      remove(queue);
      assertThrows(EntryRemovedException.class, () -> {
        for (int i = 0; i <= SENDS_A_PROBE; i++) {
          producer.tryClaim(1).commit();
        }
      });
      assertTrue(producer.isGivenBack());
    }
  }
}
