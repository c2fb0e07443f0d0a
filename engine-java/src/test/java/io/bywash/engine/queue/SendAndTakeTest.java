package io.bywash.engine.queue;

import static io.bywash.engine.queue.TestJobs.drain;
import static io.bywash.engine.queue.TestJobs.number;
import static io.bywash.engine.queue.TestJobs.offer;
import static io.bywash.engine.queue.TestJobs.send;
import static io.bywash.engine.queue.TestJobs.take;
import static io.bywash.engine.queue.TestJobs.takeNumber;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Segment;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a producer and a consumer promise when nobody dies and nobody gives anything back. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SendAndTakeTest {
  @RegisterExtension final TempBus bus = new TempBus();

  private static List<Integer> numbers(int from, int end) {
    return IntStream.range(from, end).boxed().toList();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 8, 64})
  void messagesComeOnceInOrderAndWholeForManyTurnsOfTheQueue(int capacity) {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), capacity);
        Producer producer = queue.producer(); Consumer consumer = queue.consumer()) {
      int next = 0;
      for (int turn = 0; turn < 50; turn++) {
        int count = 1 + turn % capacity;
        send(producer, next, count);
        assertEquals(numbers(next, next + count), drain(consumer));
        next += count;
      }
      queue.assertSound();
    }
  }

  @Test
  void whoLooksSeesWhatWaitsInItsOrderAndTakesNothing() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 4);
        Producer producer = queue.producer(); Consumer consumer = queue.consumer();
        Segment observed = Segment.observe(bus.path("seg"))) {
      QueueView view = QueueView.of(observed.directory().find(TestJobs.NAME).orElseThrow());
      assertEquals(List.of(), view.peek(0, 9));
      send(producer, 10, 4);
      takeNumber(consumer);
      Delivery held = take(consumer);
      assertEquals(List.of(12, 13), view.peek(0, 9).stream().map(QueueView.Waiting::type).toList());
      held.giveBack();
      List<QueueView.Waiting> waiting = view.peek(3, 9);
      assertEquals(List.of(13, 11), waiting.stream().map(QueueView.Waiting::type).toList());
      assertArrayEquals(TestJobs.content(11), waiting.getLast().bytes());
      assertEquals(List.of(4L, 1L, 1L), List.of(waiting.getLast().position(), waiting.getLast().sequence(),
          (long) waiting.getLast().deliveries()));
      assertEquals(5, view.sentCount());
      assertEquals(List.of(12), view.peek(0, 1).stream().map(QueueView.Waiting::type).toList());
      assertEquals(List.of(12, 13, 11), drain(consumer));
      assertThrows(IllegalArgumentException.class, () -> view.peek(0, 0));
    }
  }

  @Test
  void whatIsLookedAtWhileItIsTakenAndWrittenAgainIsWhole() throws Exception {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 2);
        Producer producer = queue.producer(); Consumer consumer = queue.consumer(); Threads threads = new Threads()) {
      AtomicInteger looks = new AtomicInteger();
      Thread users = threads.start("users", () -> {
        for (int i = 0; looks.get() < 2_000 && i < 50_000_000; i++) {
          offer(producer, i & 0xFFFF);
          takeNumber(consumer);
        }
      });
      threads.start("viewer", () -> {
        QueueView view = QueueView.of(queue.jobs);
        while (users.isAlive() && !threads.hasFailed()) {
          for (QueueView.Waiting each : view.peek(0, 2)) {
            assertArrayEquals(TestJobs.content(each.type()), each.bytes());
            looks.incrementAndGet();
          }
        }
      });
      threads.join();
      assertTrue(looks.get() >= 2_000, looks + " messages were seen");
      queue.assertSound();
    }
  }

  @Test
  void eachWaitHasItsWholeTimeoutAlsoAfterAnother() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 4); Consumer consumer = queue.consumer()) {
      assertNull(consumer.take(20_000_000));
      long start = System.nanoTime();
      assertNull(consumer.take(30_000_000));
      assertTrue(System.nanoTime() - start >= 30_000_000, "it gave up before its timeout");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4})
  void fullAndEmptyAreExact(int capacity) {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), capacity);
        Producer one = queue.producer(); Producer other = queue.producer(); Consumer consumer = queue.consumer()) {
      for (int turn = 0; turn < 20; turn++) {
        assertNull(consumer.take());
        assertFalse(consumer.isReady());
        send(turn % 2 == 0 ? one : other, 0, capacity);
        for (Producer producer : List.of(one, other)) {
          assertFalse(offer(producer, 99));
          assertNull(producer.tryClaim(1));
          assertFalse(producer.isReady());
        }
        Delivery taken = take(consumer);
        assertTrue(one.isReady() && other.isReady(), "a message that is held takes no capacity");
        send(one, capacity, 1);
        assertFalse(offer(other, 99));
        taken.ack();
        assertFalse(offer(one, 99));
        assertEquals(numbers(1, capacity + 1), drain(consumer));
      }
      queue.assertSound();
    }
  }

  @Test
  void eachMessageHasItsTypeItsSequenceAndItsCountOfDeliveries() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 4);
        Producer producer = queue.producer(); Consumer consumer = queue.consumer()) {
      for (int i = 0; i < 20; i++) {
        send(producer, i, 1);
        Delivery taken = take(consumer);
        assertEquals(i, number(taken));
        assertEquals(i, taken.sequence());
        assertEquals(1, taken.deliveries());
        assertFalse(taken.isDeadLetter());
        assertEquals(-1, taken.originSequence());
        taken.ack();
      }
    }
  }

  @Test
  void aMessageThatIsWrittenInPlaceIsSeenWhenItIsCommittedAndNotWhenItIsAborted() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 2);
        Producer producer = queue.producer(); Consumer consumer = queue.consumer()) {
      try (QueueClaim aborted = producer.tryClaim(8)) {
        aborted.putLong(0, 1);
      }
      QueueClaim claim = producer.claim(16, 7, 0);
      claim.putLong(0, 2).putLong(8, 3);
      assertNull(consumer.take());
      claim.commit();
      Delivery taken = take(consumer);
      assertEquals(List.of(7L, 16L, 2L, 3L),
          List.of((long) taken.type(), (long) taken.length(), taken.getLong(0), taken.getLong(8)));
      taken.ack();
      assertThrows(IndexOutOfBoundsException.class, () -> claim.putLong(0, 1));
      assertThrows(IndexOutOfBoundsException.class, () -> taken.getLong(0));
      assertThrows(IllegalStateException.class, claim::commit);
    }
  }

  @Test
  void aClaimThatFindsTheQueueFilledByOthersStaysOpen() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 2); Producer producer = queue.producer();
        Producer other = queue.producer(); Consumer consumer = queue.consumer()) {
      QueueClaim claim = producer.tryClaim(4, 5);
      claim.putInt(0, 55);
      send(other, 0, 2);
      assertFalse(claim.tryCommit());
      assertFalse(claim.tryCommit(1_000_000));
      String told = assertThrows(IllegalStateException.class, claim::commit).getMessage();
      assertTrue(told.contains("become full"), told);
      assertEquals(0, takeNumber(consumer));
      assertTrue(claim.tryCommit());
      assertEquals(1, takeNumber(consumer));
      Delivery last = take(consumer);
      assertEquals(55, last.getInt(0));
      last.ack();
    }
  }

  @Test
  void whatIsStagedIsThereAndWakesNobodyBeforeItIsPublished() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 8);
        Producer producer = queue.producer(); Consumer consumer = queue.consumer()) {
      for (int i = 0; i < 3; i++) {
        QueueClaim claim = producer.tryClaim(1, i);
        claim.putByte(0, (byte) (i * 31));
        claim.stage();
      }
      producer.publish();
      List<Integer> types = new ArrayList<>();
      assertEquals(3, consumer.poll(message -> types.add(message.type()), 10));
      assertEquals(List.of(0, 1, 2), types);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 16})
  void eachMessageOfManyProducersComesToOneOfManyConsumersInTheOrderOfItsProducer(int capacity) throws Exception {
    int count = 20_000;
    int sides = 3;
    try (TestJobs queue = TestJobs.of(bus.path("seg"), capacity); Threads threads = new Threads()) {
      List<Consumer> consumers = new ArrayList<>();
      AtomicInteger received = new AtomicInteger();
      BitSet[] seen = new BitSet[sides];
      for (int side = 0; side < sides; side++) {
        int first = side * count;
        Producer producer = queue.producer();
        threads.start("producer", () -> {
          for (int i = first; i < first + count; i++) {
            byte[] bytes = TestJobs.content(i);
            assertTrue(producer.offer(bytes, 0, bytes.length, i, TestJobs.PATIENCE_NANOS), "no room");
          }
          producer.close();
        });
        Consumer consumer = queue.consumer();
        BitSet mine = seen[side] = new BitSet();
        int[] last = new int[sides];
        threads.start("consumer", () -> {
          while (received.get() < sides * count) {
            consumer.poll(message -> {
              int number = number(message);
              assertTrue(number >= last[number / count], "out of order");
              last[number / count] = number;
              mine.set(number);
              received.incrementAndGet();
            }, 10, 1_000_000);
          }
          consumer.close();
        });
        consumers.add(consumer);
      }
      threads.join();
      BitSet all = new BitSet();
      int sum = 0;
      for (BitSet each : seen) {
        all.or(each);
        sum += each.cardinality();
      }
      assertEquals(sides * count, all.cardinality());
      assertEquals(sides * count, sum);
      queue.assertSound();
      assertEquals(0, queue.status().readyCount());
    }
  }

  @Test
  void aMessageIsReadAndAcknowledgedByAnotherThread() throws Exception {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 4); Producer producer = queue.producer();
        Consumer consumer = queue.consumer(); Threads threads = new Threads()) {
      send(producer, 0, 3);
      for (int i = 0; i < 3; i++) {
        Delivery taken = take(consumer);
        int due = i;
        threads.start("worker", () -> {
          assertEquals(due, number(taken));
          taken.ack();
        });
        threads.join();
      }
      assertNull(consumer.take());
      assertNotNull(queue.status());
      queue.assertSound();
    }
  }
}
