package io.bywash.engine.queue;

import static io.bywash.engine.queue.TestJobs.drain;
import static io.bywash.engine.queue.TestJobs.number;
import static io.bywash.engine.queue.TestJobs.send;
import static io.bywash.engine.queue.TestJobs.take;
import static io.bywash.engine.queue.TestJobs.takeNumber;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import io.bywash.engine.Entry;
import io.bywash.engine.EntryNotFoundException;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.InterruptedWaitException;
import io.bywash.engine.Removal;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.TableFullException;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.SegmentLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whoever uses a work queue wrongly, or meets its end, is told how, and the queue works on. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class QueueMisuseTest {
  @RegisterExtension final TempBus bus = new TempBus();

  static Stream<Arguments> wrongSpecs() {
    return Stream.of(
        wrong("capacity=0", () -> WorkQueue.spec("q", 0, 8)),
        wrong("capacity=3", () -> WorkQueue.spec("q", 3, 8)),
        wrong("capacity=2097152", () -> WorkQueue.spec("q", 1 << 21, 8)),
        wrong("maxMessageBytes=0", () -> WorkQueue.spec("q", 4, 0)),
        wrong("maxMessageBytes=1073741825", () -> WorkQueue.spec("q", 4, (1 << 30) + 1)),
        wrong("roles=1 ", () -> WorkQueue.spec("q", 4, 8, DeliveryPolicy.drop(), 1)),
        wrong("roles=1025 ", () -> WorkQueue.spec("q", 4, 8, DeliveryPolicy.drop(), 1025)),
        wrong("take ", () -> WorkQueue.spec("q", 1024, 1 << 30)),
        wrong("name=", () -> WorkQueue.spec("a b", 4, 8)),
        wrong("to itself", () -> WorkQueue.spec("q", 4, 8, DeliveryPolicy.redeliver().atMost(1).deadLetters("q"))),
        wrong("deliveries=0", () -> DeliveryPolicy.redeliver().atMost(0)),
        wrong("queue=", () -> DeliveryPolicy.redeliver().atMost(1).deadLetters("a b")),
        wrong("49 characters", () -> DeliveryPolicy.redeliver().atMost(1).deadLetters("q".repeat(49))));
  }

  private static Arguments wrong(String told, Supplier<?> specification) {
    return argumentSet(told, told, specification);
  }

  @ParameterizedTest
  @MethodSource("wrongSpecs")
  void aWrongSpecificationIsRefusedByNameAndValue(String told, Supplier<?> specification) {
    String message = assertThrows(IllegalArgumentException.class, specification::get).getMessage();
    assertTrue(message.contains(told), message);
  }

  @Test
  void policiesThatContradictThemselvesAreRefused() {
    assertThrows(IllegalStateException.class, () -> DeliveryPolicy.drop().atMost(2));
    assertThrows(IllegalStateException.class, () -> DeliveryPolicy.redeliver().deadLetters("x"));
    assertEquals("redeliver up to 3 times, then to dead or drop",
        DeliveryPolicy.redeliver().atMost(3).deadLettersOrDrop("dead").toString());
  }

  @Test
  void whoAsksForAnotherQueueThanThereIsGetsEachDifference() {
    EntrySpec found = WorkQueue.spec("q", 4, 100, DeliveryPolicy.redeliver(), 6);
    EntrySpec wanted = WorkQueue.spec("q", 8, 200, DeliveryPolicy.redeliver().atMost(3), 8);
    try (Segment segment = Segment.create(bus.path("seg"), SegmentSpec.of(found).withSizeBytes(1 << 20))) {
      var told = assertThrows(SpecMismatchException.class, () -> segment.directory().findOrAdd(wanted));
      for (String difference : List.of("capacity is 4, wanted 8", "elementSizeBytes is 100, wanted 200",
          "roleCount is 6, wanted 8",
          "delivery policy is \"redeliver\", wanted \"redeliver up to 3 times\"")) {
        assertTrue(told.getMessage().contains(difference), told.getMessage());
      }
      told = assertThrows(SpecMismatchException.class,
          () -> segment.directory().findOrAdd(Broadcast.spec("q", 4096)));
      assertTrue(told.getMessage().contains("kind is WORK_QUEUE, wanted BROADCAST"), told.getMessage());
      Entry entry = segment.directory().find("q").orElseThrow();
      assertThrows(SpecMismatchException.class, () -> Publisher.open(entry));
    }
  }

  @Test
  void rolesOfOtherKindsAndOfObserversAreRefused() {
    try (Segment segment = Segment.create(bus.path("seg"), SegmentSpec.of(Broadcast.spec("b", 4096),
        WorkQueue.spec("q", 4, 8)))) {
      Entry broadcast = segment.directory().find("b").orElseThrow();
      assertThrows(SpecMismatchException.class, () -> Producer.open(broadcast));
      assertThrows(SpecMismatchException.class, () -> io.bywash.engine.queue.Consumer.open(broadcast));
      assertThrows(SpecMismatchException.class, () -> QueueStatus.of(broadcast));
      try (Segment observed = Segment.observe(bus.path("seg"))) {
        Entry queue = observed.directory().find("q").orElseThrow();
        assertThrows(IllegalStateException.class, () -> Producer.open(queue));
        assertThrows(IllegalStateException.class, () -> Consumer.open(queue));
        assertTrue(QueueStatus.of(queue).isUntouched());
      }
    }
  }

  @Test
  void messagesOfNoLengthOrTooLongOnesAndClaimsThatAreLeftOpenAreRefused() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 4); Producer producer = queue.producer();
        Consumer consumer = queue.consumer()) {
      assertThrows(IllegalArgumentException.class, () -> producer.offer(new byte[0]));
      assertThrows(IllegalArgumentException.class, () -> producer.offer(new byte[TestJobs.MAX_BYTES + 1]));
      assertThrows(IllegalArgumentException.class, () -> producer.tryClaim(0));
      assertThrows(IndexOutOfBoundsException.class, () -> producer.offer(new byte[4], 2, 3, 0, 0));
      QueueClaim open = producer.tryClaim(4);
      assertThrows(IllegalStateException.class, () -> producer.tryClaim(4));
      assertThrows(IllegalStateException.class, () -> producer.offer(new byte[4]));
      assertThrows(IndexOutOfBoundsException.class, () -> open.putInt(1, 0));
      open.abort();
      assertThrows(IllegalArgumentException.class, () -> consumer.poll(message -> {}, 0));
      send(producer, 0, 1);
      assertEquals(List.of(0), drain(consumer));
    }
  }

  @Test
  void aMessageIsAcknowledgedOnceAndBeforeTheNextIsTaken() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 4); Producer producer = queue.producer();
        Consumer consumer = queue.consumer()) {
      send(producer, 0, 3);
      Delivery taken = take(consumer);
      assertThrows(IllegalStateException.class, consumer::take);
      assertThrows(IllegalStateException.class, () -> consumer.poll(message -> {}, 1));
      assertEquals(0, number(taken));
      taken.ack();
      assertThrows(IllegalStateException.class, taken::ack);
      assertThrows(IllegalStateException.class, taken::giveBack);
      List<String> nested = new ArrayList<>();
      assertEquals(2, consumer.poll(message -> {
        nested.add(assertThrows(IllegalStateException.class, consumer::take).getMessage());
        nested.add(assertThrows(IllegalStateException.class, () -> consumer.poll(more -> {}, 1)).getMessage());
      }, 5));
      assertEquals(4, nested.size());
      assertTrue(nested.getFirst().contains("handler"), nested.toString());
      assertNull(consumer.take());
      queue.assertSound();
    }
  }

  @Test
  void afterTheEndOfRoleOrSegmentEachUseSaysSo() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 4)) {
      Producer producer = queue.producer();
      Consumer consumer = queue.consumer();
      producer.close();
      consumer.close();
      producer.close();
      assertThrows(SegmentClosedException.class, () -> producer.offer(new byte[1]));
      assertThrows(SegmentClosedException.class, () -> producer.tryClaim(1));
      assertThrows(SegmentClosedException.class, producer::publish);
      assertThrows(SegmentClosedException.class, consumer::take);
      assertThrows(SegmentClosedException.class, () -> consumer.poll(message -> {}, 1, 1));
      assertTrue(consumer.isReady() && producer.isReady(), "their next operation tells");
      Consumer other = queue.consumer();
      queue.second.close();
      assertThrows(SegmentClosedException.class, other::take);
      assertThrows(SegmentClosedException.class, () -> Consumer.open(queue.elsewhere));
    }
  }

  @Test
  void aMessageInFlightCanBeAcknowledgedAfterItsConsumerWasRevokedAndItsSegmentClosed() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 4); Producer producer = queue.producer()) {
      send(producer, 0, 2);
      Consumer revoked = queue.consumer();
      Delivery taken = take(revoked);
      revoked.revoke();
      assertFalse(revoked.isGivenBack());
      queue.second.close();
      assertEquals(0, number(taken));
      taken.ack();
      assertTrue(revoked.isGivenBack());
      assertThrows(SegmentClosedException.class, revoked::take);
      try (Consumer consumer = Consumer.open(queue.jobs)) {
        assertEquals(List.of(1), drain(consumer));
      }
      assertEquals(0, queue.status().leftCount());
      queue.assertSound();
    }
  }

  @Test
  void whoWasTakenForDeadIsToldAtItsAcknowledgementAndTheMessageIsAnotherOnes() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 4); Producer producer = queue.producer();
        Consumer other = queue.consumer()) {
      send(producer, 0, 2);
      assertEquals(0, takeNumber(other));
      Consumer paused = Consumer.open(queue.jobs);
      Delivery taken = take(paused);
      SegmentEntry entry = (SegmentEntry) queue.jobs;
      int role = queue.status().roles().stream().filter(each -> each.message() == 1).findFirst().orElseThrow().role();
      long word = entry.roleWord(role);
      entry.region().compareAndSetLong(entry.role(role), word, // as a burial does
          Owner.word(0, Owner.generation(word), 0, SegmentLayout.ROLE_FREE));
      entry.region().setLongRelease(entry.offset() + SegmentLayout.LEFT, 99);
      Delivery again = take(other);
      assertEquals(1, number(again));
      String told = assertThrows(SegmentClosedException.class, taken::ack).getMessage();
      assertTrue(told.contains("taken for dead"), told);
      again.ack();
      assertEquals(0, queue.status().leftCount());
      queue.assertSound();
    }
  }

  @Test
  void queuesOfDeadLettersThatAreNotFitForThatAreRefused() {
    DeliveryPolicy policy = DeliveryPolicy.redeliver().atMost(1).deadLetters("dead");
    EntrySpec jobs = WorkQueue.spec("q", 4, 100, policy, 4);
    assertDeadLettersAreRefused(EntryNotFoundException.class, "no such entry", jobs);
    assertDeadLettersAreRefused(SpecMismatchException.class, "no work queue", jobs, Broadcast.spec("dead", 4096));
    assertDeadLettersAreRefused(SpecMismatchException.class, "up to 99 bytes", jobs, WorkQueue.spec("dead", 4, 99));
    assertDeadLettersAreRefused(SpecMismatchException.class, "lead back to \"q\"", jobs, WorkQueue.spec("dead", 4, 100,
        DeliveryPolicy.redeliver().atMost(1).deadLetters("q"), 4));
  }

  private void assertDeadLettersAreRefused(Class<? extends RuntimeException> type, String told, EntrySpec... specs) {
    try (Segment segment = Segment.create(bus.path("seg"), SegmentSpec.of(specs))) {
      String message = assertThrows(type,
          () -> Consumer.open(segment.directory().find("q").orElseThrow())).getMessage();
      assertTrue(message.contains(told), message);
      assertEquals(0, QueueStatus.of(segment.directory().find("q").orElseThrow()).roles().size());
    }
  }

  @Test
  void moreRolesThanThereAreAreRefusedAndOneThatIsGivenBackIsFree() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"),
        WorkQueue.spec(TestJobs.NAME, 4, TestJobs.MAX_BYTES, DeliveryPolicy.redeliver(), 2));
        Producer producer = queue.producer()) {
      Consumer consumer = queue.consumer();
      assertThrows(TableFullException.class, queue::producer);
      assertThrows(TableFullException.class, queue::consumer);
      send(producer, 0, 1);
      take(consumer);
      consumer.close();
      assertThrows(TableFullException.class, queue::producer, "the free role holds a message");
      try (Consumer next = queue.consumer()) {
        assertEquals(List.of(0), drain(next));
      }
      queue.producer().close();
    }
  }

  @Test
  void aQueueInUseIsNotRemovedByOthersAndItsUsersLearnOfItsRemoval() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 4)) {
      Consumer consumer = queue.consumer();
      assertEquals(Removal.Outcome.IN_USE, queue.first.directory().remove(TestJobs.NAME).outcome());
      assertEquals(Removal.Outcome.REMOVED, queue.second.directory().remove(TestJobs.NAME).outcome());
      assertThrows(RuntimeException.class, () -> consumer.poll(message -> {}, 1, TestJobs.PATIENCE_NANOS));
    }
  }

  @Test
  void anInterruptEndsEachWaitAndTakesAndSendsNothing() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 1); Producer producer = queue.producer();
        Consumer consumer = queue.consumer()) {
      Thread.currentThread().interrupt();
      assertThrows(InterruptedWaitException.class, () -> consumer.take(1));
      assertThrows(InterruptedWaitException.class, () -> consumer.poll(message -> {}, 1, 1));
      assertThrows(InterruptedWaitException.class, () -> producer.offer(new byte[1], 0, 1, 0, 1));
      assertThrows(InterruptedWaitException.class, () -> producer.claim(1, 0, 1));
      assertTrue(Thread.interrupted());
      assertNull(consumer.take());
    }
  }
}
