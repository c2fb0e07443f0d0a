package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.TestQueue.drain;
import static io.bywash.engine.broadcast.TestQueue.offer;
import static io.bywash.engine.broadcast.TestQueue.pollOrFail;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.OverrunException;
import io.bywash.engine.Payload;
import io.bywash.engine.SegmentReplacedException;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.TestQueue.Receiver;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Where subscribers begin. The queue has one place, so whoever is refused and keeps it is found out by the next. */
@Tag("once")
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class StartTest {
  @RegisterExtension final TempBus bus = new TempBus();

  private TestQueue queue;
  private TestQueue observing;
  private Publisher publisher;

  @BeforeEach
  void open() {
    queue = TestQueue.create(bus.path("start"), 4096, 1);
    observing = TestQueue.observe(bus.path("start"));
    publisher = queue.publisher();
  }

  @AfterEach
  void close() {
    publisher.close();
    observing.close();
    queue.close();
  }

  private void publish(int count, int length) {
    for (int i = 0; i < count; i++) {
      assertTrue(offer(publisher, length), "somebody who was refused holds the publisher back");
    }
  }

  @Test
  void aStartInALifeOfTheSegmentIsRefusedInAnother() {
    publish(30, 16);
    long life = queue.segment.id();
    assertEquals(life, observing.segment.id());
    SubscriberOptions here = SubscriberOptions.skip().startingAt(life, 20);
    try (Subscriber subscriber = queue.subscriber(here); Subscriber observer = observing.subscriber(here)) {
      assertEquals(20, subscriber.nextSequence());
      assertEquals(20, observer.nextSequence());
    }
    for (SubscriberOptions options : java.util.List.of(SubscriberOptions.skip(), SubscriberOptions.block(),
        SubscriberOptions.fail(), SubscriberOptions.evictAfter(1))) {
      var refused = assertThrows(SegmentReplacedException.class,
          () -> queue.subscriber(options.startingAt(life + 2, 20)));
      assertTrue(refused.getMessage().contains("created anew"), refused.getMessage());
    }
    publisher.close();
    observing.close();
    queue.close();
    open();
    publish(30, 16);
    assertThrows(SegmentReplacedException.class, () -> queue.subscriber(here), "sequence 20 is another message now");
    assertThrows(SegmentReplacedException.class, () -> observing.subscriber(here));
    try (Subscriber subscriber = queue.subscriber(here.startingAt(20))) {
      assertEquals(20, subscriber.nextSequence());
    }
    assertThrows(IllegalArgumentException.class, () -> SubscriberOptions.skip().startingAt(0, 20));
  }

  private long oldest() {
    try (Subscriber subscriber = observing.subscriber(SubscriberOptions.skip().startingAtOldest())) {
      return subscriber.nextSequence();
    }
  }

  /** Opens, reads to the end and leaves. */
  private void assertStarts(long expected, boolean asObserver, SubscriberOptions options) {
    try (Subscriber subscriber = (asObserver ? observing : queue).subscriber(options)) {
      assertEquals(expected, subscriber.nextSequence());
      Receiver receiver = new Receiver(subscriber);
      drain(subscriber, receiver);
      receiver.assertSawAll(expected, publisher.nextSequence());
      assertEquals(0, receiver.lost);
      assertEquals(0, subscriber.lostCount());
    }
  }

  @ParameterizedTest
  @CsvSource({"BLOCK, false", "SKIP, false", "FAIL, false", "EVICT, false", "SKIP, true"})
  void theLastMessagesAreAsManyAsWereAskedForOrAllThatAreThere(Policy policy, boolean asObserver) {
    Random random = Payload.random("theLastMessages(" + policy + ")");
    for (int round = 0; round < 150; round++) {
      long oldest = oldest();
      long newest = publisher.nextSequence();
      for (long count : new long[] {0, 1, 2, 5, newest - oldest, newest - oldest + 1, newest + 1, Long.MAX_VALUE}) {
        assertStarts(Math.max(newest - count, oldest), asObserver, policy.options().startingAtLast(count));
      }
      publish(random.nextInt(20), 1 + random.nextInt(round % 2 == 0 ? 30 : 500));
    }
  }

  @ParameterizedTest
  @CsvSource({"BLOCK, false", "SKIP, false", "FAIL, false", "EVICT, false", "SKIP, true"})
  void eachMessageThatIsThereCanBeTheFirst(Policy policy, boolean asObserver) {
    Random random = Payload.random("eachMessage(" + policy + ")");
    for (int round = 0; round < 120; round++) { // across the ring's end and padding again and again
      for (long sequence = oldest(); sequence <= publisher.nextSequence(); sequence++) {
        assertStarts(sequence, asObserver, policy.options().startingAt(sequence));
      }
      publish(random.nextInt(20), 1 + random.nextInt(round % 3 == 0 ? 30 : 500));
    }
  }

  @ParameterizedTest
  @EnumSource(Policy.class)
  void whatIsNotThereYetCannotBeAskedForByItsSequence(Policy policy) {
    for (int count : new int[] {0, 10, 1000}) {
      publish(count, 40);
      long next = publisher.nextSequence();
      for (long sequence : new long[] {next + 1, next + 1000, Long.MAX_VALUE}) {
        var refused = assertThrows(IllegalArgumentException.class,
            () -> queue.subscriber(policy.options().startingAt(sequence)));
        assertTrue(refused.getMessage().contains("sequence=" + sequence), refused.getMessage());
        assertTrue(refused.getMessage().endsWith("sequence " + next), refused.getMessage());
        assertThrows(IllegalArgumentException.class,
            () -> observing.subscriber(SubscriberOptions.skip().startingAt(sequence)));
      }
      publish(200, 40);
      assertStarts(publisher.nextSequence(), false, policy.options().startingAt(publisher.nextSequence()));
    }
  }

  @ParameterizedTest
  @EnumSource(Policy.class)
  void negativeNumbersAreRefusedByName(Policy policy) {
    for (long number : new long[] {-1, Long.MIN_VALUE}) {
      var sequence = assertThrows(IllegalArgumentException.class, () -> policy.options().startingAt(number));
      assertTrue(sequence.getMessage().contains("sequence=" + number), sequence.getMessage());
      var count = assertThrows(IllegalArgumentException.class, () -> policy.options().startingAtLast(number));
      assertTrue(count.getMessage().contains("messageCount=" + number), count.getMessage());
    }
  }

  @ParameterizedTest
  @EnumSource(value = Policy.class, names = "SKIP", mode = EnumSource.Mode.EXCLUDE)
  void whoMayNotLoseAMessageIsRefusedWhenItWasOverwrittenAndTakesNoRole(Policy policy) {
    publish(1000, 40);
    long oldest = oldest();
    for (long sequence : new long[] {0, 1, oldest / 2, oldest - 1}) {
      OverrunException overrun = assertThrows(OverrunException.class,
          () -> queue.subscriber(policy.options().startingAt(sequence)));
      assertEquals(oldest - sequence, overrun.lostCount());
      assertEquals(oldest, overrun.nextSequence());
      assertTrue(overrun.getMessage().contains("sequence " + sequence + " "), overrun.getMessage());
      assertEquals(0, BroadcastStatus.of(queue.entry).subscribers().size());
    }
    publish(200, 40);
    assertStarts(oldest(), false, policy.options().startingAt(oldest()));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whoSkipsIsToldAtItsFirstPollHowManyWereOverwritten(boolean asObserver) {
    publish(1000, 40);
    for (long sequence : new long[] {0, 1, 500, oldest() - 1}) {
      long oldest = oldest();
      try (Subscriber subscriber = (asObserver ? observing : queue).subscriber(
          SubscriberOptions.skip().startingAt(sequence))) {
        assertEquals(oldest, subscriber.nextSequence());
        assertEquals(oldest - sequence, subscriber.lostCount());
        Receiver receiver = new Receiver(subscriber);
        receiver.next = sequence;
        assertEquals(1, subscriber.poll(receiver, 1));
        assertEquals(oldest - sequence, receiver.lost);
        publish(100, 40); // and a second gap
        drain(subscriber, receiver);
        receiver.assertSawAll(sequence, publisher.nextSequence());
        assertEquals(receiver.lost, subscriber.lostCount());
        assertTrue(receiver.lost > oldest - sequence);
      }
    }
  }

  @Test
  void oneSubscriberGoesOnWhereAnotherStopped() {
    Receiver receiver = null;
    for (int round = 0; round < 1000; round++) {
      publish(1 + round % 7, 1 + round % 90);
      SubscriberOptions options = Policy.values()[round % 4].options();
      try (Subscriber subscriber = queue.subscriber(options.startingAt(receiver == null ? 0 : receiver.next))) {
        receiver = receiver == null ? new Receiver(subscriber) : receiver;
        subscriber.poll(receiver, 5);
      }
    }
    assertTrue(receiver.received > 1000 && receiver.lost == 0);
  }

  @ParameterizedTest
  @CsvSource({"BLOCK, false", "SKIP, false", "FAIL, false", "EVICT, false", "SKIP, true"})
  void theCountOfWhatIsMissingIsExactWhileThePublisherOverwrites(Policy policy, boolean asObserver)
      throws InterruptedException {
    Random random = Payload.random("theCountOfWhatIsMissing(" + policy + ", " + asObserver + ")");
    AtomicBoolean over = new AtomicBoolean();
    int late = 0;
    int inTime = 0;
    try (Threads threads = new Threads()) {
      threads.start("writer", () -> {
        for (int i = 0; !over.get(); i++) {
          offer(publisher, 1 + i * 31 % 200);
        }
      });
      for (int round = 0; round < 3_000 && !threads.hasFailed(); round++) {
        long newest = BroadcastStatus.of(observing.entry).messageCount();
        boolean last = random.nextInt(4) == 0;
        long wanted = Math.max(newest - random.nextInt(60), 0);
        SubscriberOptions options = last ? policy.options().startingAtLast(random.nextInt(60))
            : policy.options().startingAt(wanted);
        try (Subscriber subscriber = (asObserver ? observing : queue).subscriber(options)) {
          Receiver receiver = new Receiver(subscriber);
          if (!last) {
            assertEquals(wanted, subscriber.nextSequence() - subscriber.lostCount());
            receiver.next = wanted;
          }
          inTime += subscriber.lostCount() == 0 ? 1 : 0;
          late += subscriber.lostCount() > 0 ? 1 : 0;
          for (int poll = 0; poll < 3; poll++) {
            pollOrFail(subscriber, receiver, 10);
          }
          assertEquals(receiver.next, subscriber.nextSequence());
          assertEquals(receiver.lost, subscriber.lostCount());
          assertTrue(!policy.gating || receiver.lost == 0);
        } catch (OverrunException overrun) {
          assertTrue(!last && policy != Policy.SKIP);
          assertEquals(wanted, overrun.nextSequence() - overrun.lostCount());
          assertTrue(overrun.lostCount() > 0);
          late++;
        }
      }
      over.set(true);
      threads.join();
    }
    System.out.println(policy + (asObserver ? ", observer: " : ": ") + inTime + " starts in time, " + late + " late");
    assertTrue(inTime > 0, "the publisher always overtook, so the test proves nothing");
  }
}
