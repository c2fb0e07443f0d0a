package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.TestQueue.offer;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Payload;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Finding the sequence that belongs to a position. */
@Tag("once")
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RingTest {
  @RegisterExtension final TempBus bus = new TempBus();

  @ParameterizedTest
  @ValueSource(longs = {4096, 32_768})
  void theSequenceAtEveryRecordThatIsStillThereIsFound(long ringBytes) {
    Random random = Payload.random("theSequenceAtEveryRecord(" + ringBytes + ")");
    try (TestQueue queue = TestQueue.create(bus.path("ring"), ringBytes); Publisher publisher = queue.publisher()) {
      Ring ring = Ring.of(queue.entry);
      TreeMap<Long, Long> sequences = new TreeMap<>(Map.of(0L, 0L));
      for (int round = 0; round < 500; round++) {
        int most = random.nextBoolean() ? publisher.maxMessageBytes() : 60;
        for (int i = random.nextInt(40); i > 0; i--) {
          assertTrue(offer(publisher, 1 + random.nextInt(most)));
          sequences.put(ring.published(), publisher.nextSequence());
        }
        long oldest = ring.oldest();
        assertTrue(sequences.containsKey(oldest), () -> "no record begins at the oldest position " + oldest);
        sequences.headMap(oldest).clear();
        sequences.forEach((position, sequence) -> assertEquals(sequence, ring.sequenceAt(position)));
        assertEquals(new Ring.Cursor(oldest, sequences.get(oldest)), ring.cursor(false));
        assertEquals(new Ring.Cursor(ring.published(), publisher.nextSequence()), ring.cursor(true));
        assertTrue(ring.published() - oldest >= ringBytes * 3 / 4 || oldest == 0, "too much was given up");
      }
    }
  }

  @Test
  void aPositionBetweenRecordsHasNoSequence() {
    try (TestQueue queue = TestQueue.create(bus.path("ring"), 4096); Publisher publisher = queue.publisher()) {
      for (int i = 0; i < 10; i++) {
        offer(publisher, 48);
      }
      Ring ring = Ring.of(queue.entry);
      assertEquals(3, ring.sequenceAt(192));
      for (long position : new long[] {16, 193, 639, 641, 4096, -16, Long.MAX_VALUE, Long.MIN_VALUE}) {
        assertThrows(DamagedSegmentException.class, () -> ring.sequenceAt(position), () -> "position " + position);
      }
    }
  }

  @Test
  void aPositionThatWasGivenUpHasNoSequence() {
    try (TestQueue queue = TestQueue.create(bus.path("ring"), 4096); Publisher publisher = queue.publisher()) {
      for (int i = 0; i < 1000; i++) {
        offer(publisher, 48);
      }
      Ring ring = Ring.of(queue.entry);
      assertThrows(DamagedSegmentException.class, () -> ring.sequenceAt(ring.oldest() - 64));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void positionAndSequenceOfACursorBelongTogetherWhileAWriterRunsAtFullSpeed(boolean newest)
      throws InterruptedException {
    AtomicBoolean over = new AtomicBoolean();
    try (Threads threads = new Threads();
        TestQueue writing = TestQueue.create(bus.path("ring"), 4096);
        TestQueue reading = TestQueue.attach(bus.path("ring"));
        Publisher publisher = writing.publisher()) {
      threads.start("writer", () -> {
        while (!over.get()) {
          offer(publisher, publisher.nextSequence() % 2 == 0 ? 16 : 80); // records of 32 and 96 bytes
        }
      });
      Ring ring = Ring.of(reading.entry);
      long last = 0;
      try {
        for (int i = 0; i < 200_000; i++) {
          Ring.Cursor cursor = ring.cursor(newest);
          assertEquals(cursor.sequence() / 2 * 128 + cursor.sequence() % 2 * 32, cursor.position());
          assertTrue(cursor.sequence() >= last, "a cursor went back");
          last = cursor.sequence();
        }
      } finally {
        over.set(true);
      }
      threads.join();
    }
  }

  /** The boundary stops exactly at what was the newest record a turn ago, since a gating subscriber stands there. */
  @Test
  void aSearchThatATurnOfTheRingInterruptsIsNoDamage() throws InterruptedException {
    AtomicBoolean over = new AtomicBoolean();
    try (Threads threads = new Threads();
        TestQueue writing = TestQueue.create(bus.path("ring"), 4096);
        TestQueue reading = TestQueue.attach(bus.path("ring"));
        Publisher publisher = writing.publisher();
        Subscriber gate = reading.subscriber(SubscriberOptions.block())) {
      threads.start("writer", () -> {
        while (!over.get()) {
          offer(publisher, publisher.nextSequence() % 2 == 0 ? 16 : 80);
        }
      });
      Ring ring = Ring.of(reading.entry);
      try {
        for (int i = 0; i < 250_000; i++) {
          while (gate.poll(message -> {}, 64) > 0 && gate.isReady()) {
            // until the gate stands at the newest
          }
          Ring.Cursor cursor = ring.cursor(true);
          assertEquals(cursor.sequence() / 2 * 128 + cursor.sequence() % 2 * 32, cursor.position());
        }
      } finally {
        over.set(true);
      }
      threads.join();
    }
  }
}
