package io.bywash.engine.ring;

import static io.bywash.engine.ring.TestRing.overwrite;
import static io.bywash.engine.ring.TestRing.pop;
import static io.bywash.engine.ring.TestRing.push;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.InterruptedWaitException;
import io.bywash.engine.Payload;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.wait.WaitHub;
import io.bywash.engine.wait.WaitPolicy;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a writer and a popper promise when nobody dies. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PushAndPopTest {
  /** So many elements, or bulks of them, are read while others are overwritten. */
  private static final int ENOUGH = 500;

  @RegisterExtension final TempBus bus = new TempBus();

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7, 64, 100, 3_600})
  void theCapacityIsExactWhetherElementsAreDroppedOrNot(int capacity) {
    try (TestRing ring = TestRing.of(bus.path("seg"), capacity);
        RingWriter writer = ring.writer(); RingPopper popper = ring.popper()) {
      long popped = 0;
      long lost = 0;
      for (int round = 0; round < 5; round++) {
        assertEquals(capacity, push(writer, capacity + 3));
        assertFalse(writer.push(Samples.one(0)));
        assertFalse(writer.isReady());
        assertEquals(1, pop(popper, 1));
        assertTrue(writer.isReady());
        assertEquals(1, push(writer, 2));
        overwrite(writer, 2 * round);
        lost += 2 * round;
        assertEquals(capacity, pop(popper, capacity + 1));
        assertEquals(lost, popper.lostCount());
        popped += capacity + 1;
        assertEquals(0, pop(popper, 1));
        assertFalse(popper.isReady());
      }
      ring.assertDrained(popped, lost);
    }
  }

  @Test
  void aRingOfAMillionHoldsAMillion() {
    int capacity = 1_000_000;
    try (TestRing ring = TestRing.of(bus.path("seg"), capacity);
        RingWriter writer = ring.writer(); RingPopper popper = ring.popper()) {
      for (int i = 0; i < 1_002; i++) {
        overwrite(writer, 1_000);
      }
      assertEquals(0, push(writer, 1));
      long popped = 0;
      for (int count = pop(popper, 777); count > 0; count = pop(popper, 777)) {
        popped += count;
      }
      assertEquals(capacity, popped);
      ring.assertDrained(capacity, 2_000);
    }
  }

  /** Any operation, in any order, beside a queue of numbers. */
  @ParameterizedTest
  @ValueSource(ints = {1, 5, 8, 30, 513})
  void aRingDoesWhatAQueueOfNumbersDoes(int capacity) {
    Random random = Payload.random("a ring of " + capacity);
    try (TestRing ring = TestRing.of(bus.path("seg"), capacity)) {
      Deque<Long> model = new ArrayDeque<>();
      long popped = 0;
      long pushed = 0;
      RingWriter writer = ring.writer();
      RingPopper popper = ring.popper();
      for (int i = 0; i < 20_000; i++) {
        int count = random.nextInt(random.nextInt(4) == 0 ? 3 * capacity : 4) + 1;
        switch (random.nextInt(8)) {
          case 0, 1 -> {
            int due = Math.min(count, capacity - model.size());
            assertEquals(due, push(writer, count));
            pushed = add(model, pushed, due);
          }
          case 2 -> {
            overwrite(writer, count);
            pushed = add(model, pushed, count);
            while (model.size() > capacity) {
              model.removeFirst();
            }
          }
          case 3, 4, 5 -> {
            MemorySegment elements = Samples.room(count);
            int found = popper.popBulk(elements, 0, count, 0);
            assertEquals(Math.min(count, model.size()), found);
            for (int each = 0; each < found; each++) {
              assertEquals(model.removeFirst(), Samples.number(elements, each));
            }
            popped += found;
          }
          case 6 -> {
            MemorySegment elements = Samples.room(count);
            int found = RingView.of(ring.elsewhere).lastN(elements, 0, count);
            assertEquals(Math.min(Math.min(count, capacity), pushed), found);
            Samples.check(elements, found, pushed - found);
          }
          default -> { // a successor goes on
            if (random.nextBoolean()) {
              writer.close();
              writer = ring.writer();
            } else {
              popper.close();
              popper = ring.popper();
            }
          }
        }
        RingStatus status = ring.status();
        assertEquals(model.size(), status.readyCount());
        assertEquals(popped, status.poppedCount());
        assertEquals(pushed - popped - model.size(), status.lostCount());
        assertEquals(pushed, writer.pushedCount());
      }
      ring.assertSound();
      writer.close();
      popper.close();
    }
  }

  private static long add(Deque<Long> model, long from, int count) {
    for (int i = 0; i < count; i++) {
      model.add(from + i);
    }
    return from + count;
  }

  @Test
  void elementsOfAnySizeComeAsTheyWere() {
    for (int bytes : new int[] {1, 3, 8, 13, 4096, 100_001}) {
      try (TestRing ring = TestRing.of(bus.path("seg" + bytes), Ring.spec(TestRing.NAME, 5, bytes));
          RingWriter writer = ring.writer(); RingPopper popper = ring.popper()) {
        byte[] pushed = new byte[bytes];
        byte[] popped = new byte[bytes];
        for (int i = 0; i < 40; i++) {
          Arrays.fill(pushed, (byte) i);
          assertTrue(writer.push(pushed));
          assertTrue(popper.pop(popped));
          assertArrayEquals(pushed, popped);
        }
        assertFalse(popper.pop(popped));
      }
    }
  }

  @Test
  void segmentsOfAnySortAreReadAndWrittenFromAnyOffset() {
    try (TestRing ring = TestRing.of(bus.path("seg"), Ring.spec(TestRing.NAME, 50, Double.BYTES));
        RingWriter writer = ring.writer(); RingPopper popper = ring.popper(); Arena arena = Arena.ofConfined()) {
      double[] numbers = {1, 2, 3, 4, 5};
      assertEquals(3, writer.pushBulk(MemorySegment.ofArray(numbers), 8, 3, 0));
      MemorySegment off = arena.allocate(100);
      assertEquals(2, popper.popBulk(off, 16, 2, 0));
      double[] popped = new double[4];
      assertEquals(1, popper.popBulk(MemorySegment.ofArray(popped), 16, 2, 0));
      assertEquals(4, popped[2]);
      MemorySegment.copy(off, ValueLayout.JAVA_DOUBLE, 16, popped, 0, 2);
      assertArrayEquals(new double[] {2, 3, 4, 0}, popped);
      assertEquals(0, writer.pushBulk(off, 0, 0, 0));
    }
  }

  @Test
  void aBulkFlowsThroughARingThatIsSmallerThanItself() throws Exception {
    try (TestRing ring = TestRing.of(bus.path("seg"), 10); RingWriter writer = ring.writer();
        RingPopper popper = ring.popper(); Threads threads = new Threads()) {
      threads.start("writer", () -> assertEquals(5_000, push(writer, 5_000, TestRing.PATIENCE_NANOS)));
      long popped = 0;
      while (popped < 5_000) {
        popped += pop(popper, 7, TestRing.PATIENCE_NANOS);
      }
      threads.join();
      ring.assertDrained(5_000, 0);
    }
  }

  @ParameterizedTest
  @EnumSource(WaitPolicy.class)
  void whoWaitsIsWoken(WaitPolicy policy) throws Exception {
    try (TestRing ring = TestRing.of(bus.path("seg"), 3); RingWriter writer = RingWriter.open(ring.ring, policy);
        RingPopper popper = RingPopper.open(ring.elsewhere, policy); Threads threads = new Threads()) {
      threads.start("writer", () -> {
        for (int i = 0; i < 300; i++) {
          assertTrue(writer.push(Samples.one(i), TestRing.PATIENCE_NANOS));
        }
      });
      for (int i = 0; i < 300; i++) {
        assertEquals(1, pop(popper, 1, TestRing.PATIENCE_NANOS));
      }
      threads.join();
      ring.assertDrained(300, 0);
    }
  }

  @Test
  void eachWaitHasItsWholeTimeoutAlsoAfterAnother() {
    try (TestRing ring = TestRing.of(bus.path("seg"), 4); RingWriter writer = ring.writer();
        RingPopper popper = ring.popper()) {
      assertEquals(0, pop(popper, 1, 20_000_000));
      long start = System.nanoTime();
      assertEquals(0, pop(popper, 1, 30_000_000));
      assertTrue(System.nanoTime() - start >= 30_000_000, "it gave up before its timeout");
      push(writer, 3);
      start = System.nanoTime();
      assertEquals(1, push(writer, 2, 30_000_000), "what there was room for");
      assertTrue(System.nanoTime() - start >= 30_000_000, "it gave up before its timeout");
    }
  }

  @Test
  void theHubWaitsForElementsAndForRoom() throws Exception {
    try (TestRing ring = TestRing.of(bus.path("seg"), 2); RingWriter writer = ring.writer();
        RingPopper popper = ring.popper()) {
      CompletableFuture<Void> element = WaitHub.shared().whenReady(popper);
      push(writer, 2);
      element.get(100, TimeUnit.SECONDS);
      CompletableFuture<Void> room = WaitHub.shared().whenReady(writer);
      assertEquals(1, pop(popper, 1));
      room.get(100, TimeUnit.SECONDS);
    }
  }

  @Test
  void anInterruptEndsAWaitAndNothingIsLost() throws Exception {
    try (TestRing ring = TestRing.of(bus.path("seg"), 2); RingWriter writer = ring.writer();
        RingPopper popper = ring.popper(); Threads threads = new Threads()) {
      Thread waiting = threads.start("popper", () ->
          assertThrows(InterruptedWaitException.class, () -> pop(popper, 1, TestRing.PATIENCE_NANOS)));
      waiting.interrupt();
      threads.join();
      Thread pushing = threads.start("writer", () -> {
        assertEquals(2, push(writer, 5, TestRing.PATIENCE_NANOS), "those that were pushed before");
        assertTrue(Thread.currentThread().isInterrupted());
        assertThrows(InterruptedWaitException.class, () -> push(writer, 1, TestRing.PATIENCE_NANOS));
        assertEquals(0, push(writer, 1), "without a timeout there is no wait to interrupt");
      });
      Threads.await(() -> ring.status().pushedCount() == 2, "two elements");
      pushing.interrupt();
      threads.join();
      assertEquals(2, pop(popper, 5));
      ring.assertDrained(2, 0);
    }
  }

  /** Elements that are overwritten while they are copied are neither torn, nor out of order, nor miscounted. */
  @ParameterizedTest
  @ValueSource(ints = {1, 4, 100, 5_000})
  void whatIsReadWhileAllIsOverwrittenIsWholeAndExactlyCounted(int capacity) throws Exception {
    Random random = Payload.random("overwriting " + capacity);
    int batch = 1 + random.nextInt(2 * capacity);
    try (TestRing ring = TestRing.of(bus.path("seg"), capacity); RingWriter writer = ring.writer();
        RingPopper popper = ring.popper(); Threads threads = new Threads()) {
      long start = System.nanoTime();
      AtomicInteger looks = new AtomicInteger();
      AtomicInteger pops = new AtomicInteger();
      Thread pushing = threads.start("writer", () -> {
        while (Math.min(looks.get(), pops.get()) < ENOUGH && System.nanoTime() - start < TestRing.PATIENCE_NANOS / 2) {
          overwrite(writer, 1 + (int) (writer.pushedCount() % batch));
        }
      });
      threads.start("view", () -> {
        RingView view = RingView.of(ring.elsewhere);
        MemorySegment elements = Samples.room(capacity);
        long next = 0;
        while (pushing.isAlive() && !threads.hasFailed()) {
          int count = view.lastN(elements, 0, capacity);
          if (count > 0) {
            Samples.check(elements, count, Samples.number(elements, 0));
            looks.incrementAndGet();
          }
          RingView.Range range = view.from(next, elements, 0, capacity);
          assertTrue(range.position() >= next, range + " does not go on at " + next);
          Samples.check(elements, range.count(), range.position());
          next = range.position() + range.count();
        }
      });
      threads.start("popper", () -> {
        long popped = 0;
        for (boolean more = true; more; ) {
          more = pushing.isAlive() && !threads.hasFailed();
          int count = pop(popper, capacity);
          popped += count;
          pops.addAndGet(count > 0 ? 1 : 0);
          more |= count > 0;
        }
        assertEquals(popped, popper.poppedCount());
      });
      threads.join();
      while (pop(popper, capacity) > 0) {
        // the rest
      }
      System.out.println("of " + writer.pushedCount() + " elements " + popper.poppedCount() + " were popped");
      ring.assertDrained(popper.poppedCount(), popper.lostCount());
      assertEquals(writer.pushedCount(), popper.poppedCount() + popper.lostCount());
    }
  }
}
