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

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Directory;
import io.bywash.engine.Entry;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.inspect.Verification;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of messages that are given back, left behind, or delivered too often. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class GiveBackTest {
  private static final String LETTERS = "letters";

  @RegisterExtension final TempBus bus = new TempBus();

  @Test
  void aMessageThatIsGivenBackComesAgainBehindTheOthersWithItsSequence() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 4);
        Producer producer = queue.producer(); Consumer consumer = queue.consumer()) {
      send(producer, 0, 3);
      take(consumer).giveBack();
      List<String> seen = new ArrayList<>();
      assertEquals(3, consumer.poll(message -> seen.add(message.type() + " " + message.sequence() + " "
          + message.deliveries()), 10));
      assertEquals(List.of("1 1 1", "2 2 1", "0 0 2"), seen);
      queue.assertSound();
    }
  }

  @Test
  void aMessageThatCannotBeGivenBackSinceTheQueueIsFullComesToTheSameConsumerNext() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 2); Producer producer = queue.producer();
        Consumer consumer = queue.consumer(); Consumer other = queue.consumer()) {
      send(producer, 0, 2);
      Delivery taken = take(consumer);
      send(producer, 2, 1);
      taken.giveBack();
      assertTrue(consumer.isReady());
      assertEquals(1, takeNumber(other));
      Delivery again = take(consumer);
      assertEquals(0, number(again));
      assertEquals(2, again.deliveries());
      again.ack();
      assertEquals(List.of(2), drain(consumer));
      queue.assertSound();
    }
  }

  @Test
  void aMessageThatIsReturnedUnseenDoesNotCountAsDelivered() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), WorkQueue.spec(TestJobs.NAME, 4, TestJobs.MAX_BYTES,
            DeliveryPolicy.redeliver().atMost(1).deadLetters(LETTERS), 8), WorkQueue.spec(LETTERS, 4, 1000));
        Producer producer = queue.producer(); Consumer other = queue.consumer();
        Consumer letters = Consumer.open(queue.first.directory().find(LETTERS).orElseThrow())) {
      send(producer, 0, 2);
      try (Consumer consumer = queue.consumer()) {
        take(consumer).returnUnseen();
        Delivery same = take(consumer);
        assertEquals("0 1", same.type() + " " + same.deliveries());
        same.returnUnseen();
        assertThrows(IllegalStateException.class, same::returnUnseen);
        assertEquals(1, consumer.poll(Delivery::returnUnseen, 1));
        queue.assertSound();
      }
      Delivery adopted = take(other);
      assertEquals("0 0 1", adopted.type() + " " + adopted.sequence() + " " + adopted.deliveries());
      adopted.returnUnseen();
      assertEquals(List.of(0, 1), drain(other));
      assertNull(letters.take());
      queue.assertSound();
    }
  }

  @Test
  void aHandlerThatThrowsGivesTheMessageBackAndItsExceptionArrives() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 4);
        Producer producer = queue.producer(); Consumer consumer = queue.consumer()) {
      send(producer, 0, 3);
      List<Integer> seen = new ArrayList<>();
      var told = assertThrows(IllegalStateException.class, () -> consumer.poll(message -> {
        seen.add(number(message));
        if (message.type() == 1 && message.deliveries() == 1) {
          throw new IllegalStateException("mine");
        }
      }, 10));
      assertEquals("mine", told.getMessage());
      assertEquals(List.of(0, 1), seen);
      assertEquals(List.of(2, 1), drain(consumer));
      queue.assertSound();
    }
  }

  @Test
  void aHandlerMayAcknowledgeOrGiveBackByItself() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 4);
        Producer producer = queue.producer(); Consumer consumer = queue.consumer()) {
      send(producer, 0, 3);
      List<Integer> seen = new ArrayList<>();
      int count = consumer.poll(message -> {
        seen.add(number(message));
        if (message.deliveries() == 1 && message.type() == 0) {
          message.giveBack();
        } else if (message.type() == 1) {
          message.ack();
        }
      }, 10);
      assertEquals(4, count);
      assertEquals(List.of(0, 1, 2, 0), seen);
      assertNull(consumer.take());
      queue.assertSound();
    }
  }

  @Test
  void whatAConsumerHadInFlightWhenItWasClosedComesToAnotherOneFirst() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 4);
        Producer producer = queue.producer(); Consumer other = queue.consumer()) {
      send(producer, 0, 3);
      Consumer closed = queue.consumer();
      Delivery lost = take(closed);
      closed.close();
      assertThrows(IllegalStateException.class, lost::ack);
      assertTrue(other.isReady());
      Delivery again = take(other);
      assertEquals(0, number(again));
      assertEquals(2, again.deliveries());
      again.ack();
      assertEquals(List.of(1, 2), drain(other));
      assertEquals(1, queue.status().redeliveredCount());
      queue.assertSound();
    }
  }

  @Test
  void whatIsLeftIsAdoptedWhileOthersAreInFlightAndGivenBackFromThere() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 4);
        Producer producer = queue.producer(); Consumer consumer = queue.consumer()) {
      send(producer, 0, 3);
      List<Consumer> closed = List.of(queue.consumer(), queue.consumer());
      closed.forEach(TestJobs::take);
      closed.forEach(Consumer::close);
      take(consumer).giveBack(); // one of the two, to the end
      List<Integer> rest = drain(consumer);
      assertEquals(3, rest.size());
      assertEquals(2, rest.get(1), rest::toString);
      assertEquals(2, queue.status().redeliveredCount());
      queue.assertSound();
      assertEquals(2, queue.status().roles().size(), "the roles of those that were closed are free");
    }
  }

  @Test
  void aConsumerThatClosesInItsHandlerGivesTheMessageBack() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 4); Producer producer = queue.producer();
        Consumer consumer = queue.consumer()) {
      send(producer, 0, 2);
      Consumer closing = queue.consumer();
      assertEquals(1, closing.poll(message -> closing.close(), 10));
      assertEquals(List.of(0, 1), drain(consumer));
      queue.assertSound();
    }
  }

  @Test
  void dropDeliversOnceAndCounts() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 4, DeliveryPolicy.drop());
        Producer producer = queue.producer(); Consumer consumer = queue.consumer()) {
      send(producer, 0, 3);
      take(consumer).giveBack();
      Consumer closed = queue.consumer();
      take(closed);
      closed.close();
      assertEquals(List.of(2), drain(consumer));
      assertEquals(2, queue.status().droppedCount());
      assertEquals(0, queue.status().leftCount());
      queue.assertSound();
    }
  }

  @Test
  void aMessageIsDeliveredNoMoreOftenThanTheLimitSays() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 4, DeliveryPolicy.redeliver().atMost(3));
        Producer producer = queue.producer(); Consumer consumer = queue.consumer()) {
      send(producer, 0, 1);
      for (int i = 1; i <= 3; i++) {
        Delivery taken = take(consumer);
        assertEquals(i, taken.deliveries());
        taken.giveBack();
      }
      assertNull(consumer.take());
      assertEquals(1, queue.status().droppedCount());
      queue.assertSound();
    }
  }

  private TestJobs withLetters(DeliveryPolicy policy, int capacity) {
    return TestJobs.of(bus.path("seg"), WorkQueue.spec(TestJobs.NAME, 4, TestJobs.MAX_BYTES, policy, 8),
        WorkQueue.spec(LETTERS, capacity, TestJobs.MAX_BYTES, DeliveryPolicy.redeliver(), 8));
  }

  private static Entry letters(TestJobs queue) {
    return queue.first.directory().find(LETTERS).orElseThrow();
  }

  @Test
  void whatIsDeliveredTooOftenBecomesADeadLetterWithItsFormerSequence() {
    DeliveryPolicy policy = DeliveryPolicy.redeliver().atMost(2).deadLetters(LETTERS);
    try (TestJobs queue = withLetters(policy, 2); Producer producer = queue.producer();
        Consumer consumer = queue.consumer(); Consumer undertaker = Consumer.open(letters(queue))) {
      send(producer, 0, 4);
      assertEquals(0, takeNumber(consumer));
      take(consumer).giveBack();
      assertEquals(2, takeNumber(consumer));
      assertEquals(3, takeNumber(consumer));
      Consumer closed = queue.consumer();
      take(closed);
      closed.close(); // its second delivery ended so
      assertNull(consumer.take());
      Delivery letter = take(undertaker);
      assertEquals(1, number(letter));
      assertTrue(letter.isDeadLetter());
      assertEquals(1, letter.originSequence());
      assertEquals(0, letter.sequence());
      assertEquals(1, letter.deliveries());
      letter.ack();
      assertEquals(1, queue.status().deadLetterCount());
      queue.assertSound();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void deadLettersForWhichThereIsNoRoomAreKeptOrDroppedAsDeclared(boolean keep) {
    DeliveryPolicy limited = DeliveryPolicy.redeliver().atMost(1);
    DeliveryPolicy policy = keep ? limited.deadLetters(LETTERS) : limited.deadLettersOrDrop(LETTERS);
    try (TestJobs queue = withLetters(policy, 1); Producer producer = queue.producer();
        Consumer consumer = queue.consumer(); Consumer undertaker = Consumer.open(letters(queue))) {
      send(producer, 0, 4);
      take(consumer).giveBack(); // fills it
      Consumer closed = queue.consumer();
      take(closed);
      closed.close();
      assertEquals(2, takeNumber(consumer));
      take(consumer).giveBack();
      if (keep) {
        assertEquals(1, queue.status().leftCount());
        assertEquals(1, queue.status().heldCount());
        assertNull(consumer.take(), "nothing else for who gave back what there is no room for");
        assertFalse(consumer.isReady());
        assertEquals(0, takeNumber(undertaker));
        assertTrue(consumer.isReady());
        assertNull(consumer.take());
        assertEquals(3, takeNumber(undertaker));
        assertNull(consumer.take());
        assertEquals(1, takeNumber(undertaker));
        assertEquals(3, queue.status().deadLetterCount());
      } else {
        assertNull(consumer.take());
        assertEquals(2, queue.status().droppedCount());
        assertEquals(List.of(0), drain(undertaker));
      }
      assertEquals(0, queue.status().leftCount());
      queue.assertSound();
    }
  }

  /** Changes the length of a message that was sent. */
  private static void setLength(TestJobs queue, int number, int lengthBytes) {
    Cells cells = Cells.of(queue.jobs);
    for (int slot = 0; slot < cells.slotCount; slot++) {
      if (cells.region.getInt(cells.slot(slot) + QueueLayout.SLOT_TYPE) == number) {
        cells.region.setInt(cells.slot(slot) + QueueLayout.SLOT_LENGTH, lengthBytes);
      }
    }
  }

  @Test
  void aDamagedMessageThatWasLeftIsToldOfAndWhatIsTakenNextIsAcknowledgedItself() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 8); Producer producer = queue.producer()) {
      send(producer, 1, 3);
      try (Consumer consumer = queue.consumer()) {
        assertEquals(1, number(take(consumer)));
      }
      setLength(queue, 1, 0);
      try (Consumer consumer = queue.consumer()) {
        assertThrows(DamagedSegmentException.class, consumer::take);
        assertEquals(2, takeNumber(consumer));
        assertEquals(3, takeNumber(consumer));
        assertNull(consumer.take(), "one of them was delivered again");
      }
      setLength(queue, 1, TestJobs.content(1).length);
      try (Consumer consumer = queue.consumer()) {
        assertEquals(List.of(1), drain(consumer));
      }
      queue.assertSound();
    }
  }

  @Test
  void damagedMessagesThatWereLeftKeepNobodyFromTheOthers() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 8); Producer producer = queue.producer()) {
      send(producer, 1, 3);
      try (Consumer first = queue.consumer(); Consumer second = queue.consumer(); Consumer third = queue.consumer()) {
        assertEquals(List.of(1, 2, 3), List.of(number(take(first)), number(take(second)), number(take(third))));
      }
      setLength(queue, 1, 0);
      setLength(queue, 3, TestJobs.MAX_BYTES + 1);
      send(producer, 4, 2);
      try (Consumer consumer = queue.consumer()) {
        assertEquals(2, takeNumber(consumer), "the one that is sound, and lies between the two");
        assertThrows(DamagedSegmentException.class, () -> consumer.poll(message -> number(message), 10));
        assertEquals(List.of(4, 5), drain(consumer));
      }
      assertEquals(2, queue.status().leftCount());
      setLength(queue, 1, TestJobs.content(1).length);
      setLength(queue, 3, TestJobs.content(3).length);
      try (Consumer consumer = queue.consumer()) {
        assertEquals(List.of(1, 3), drain(consumer));
      }
      queue.assertSound();
    }
  }

  @Test
  void aSegmentStaysWhileAQueueHoldsMessagesAndSaysSo() {
    SegmentSpec spec = SegmentSpec.of(WorkQueue.spec("jobs", 4, 100));
    try (Segment segment = Segment.open(bus.path("seg"), spec);
        Producer producer = Producer.open(segment.directory().find("jobs").orElseThrow())) {
      send(producer, 0, 2);
    }
    assertEquals(List.of("seg"), bus.files());
    try (Segment segment = Segment.open(bus.path("seg"), spec)) {
      Directory directory = segment.directory();
      assertEquals(List.of(), Verification.of(segment));
      try (Consumer consumer = Consumer.open(directory.find("jobs").orElseThrow())) {
        assertEquals(0, takeNumber(consumer));
        take(consumer);
      }
      assertEquals(1, QueueStatus.of(directory.find("jobs").orElseThrow()).leftCount());
    }
    assertEquals(List.of("seg"), bus.files());
    try (Segment segment = Segment.open(bus.path("seg"), spec);
        Consumer consumer = Consumer.open(segment.directory().find("jobs").orElseThrow())) {
      assertEquals(List.of(1), drain(consumer));
    }
    assertEquals(List.of(), bus.files());
  }
}
