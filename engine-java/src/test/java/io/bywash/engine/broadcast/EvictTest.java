package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.TestQueue.PATIENCE_NANOS;
import static io.bywash.engine.broadcast.TestQueue.drain;
import static io.bywash.engine.broadcast.TestQueue.offer;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.EvictedException;
import io.bywash.engine.TableFullException;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.BroadcastStatus.SubscriberStatus;
import io.bywash.engine.broadcast.TestQueue.Receiver;
import io.bywash.engine.wait.WaitHub;
import io.bywash.engine.wait.WaitPolicy;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Subscribers that hold the publisher back for a limited time. 64 messages of 48 bytes fill the ring. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@Tag("optimised")
class EvictTest {
  private static final long MILLI_NANOS = 1_000_000;
  private static final long HOUR_NANOS = TimeUnit.HOURS.toNanos(1);

  @RegisterExtension final TempBus bus = new TempBus();

  private TestQueue queue;
  private Publisher publisher;

  @BeforeEach
  void open() {
    queue = TestQueue.create(bus.path("evict"), 4096, 4);
    publisher = queue.publisher();
  }

  @AfterEach
  void close() {
    publisher.close();
    queue.close();
  }

  private Subscriber subscriber(long evictAfterNanos) {
    return queue.subscriber(SubscriberOptions.evictAfter(evictAfterNanos));
  }

  /** Until a claim has found no room once. */
  private void fill() {
    while (offer(publisher, 48)) {
      // until the ring is full
    }
  }

  private void publish(int count) {
    for (int i = 0; i < count; i++) {
      assertTrue(offer(publisher, 48), "somebody holds the publisher back");
    }
  }

  private long evictedCount() {
    return BroadcastStatus.of(queue.entry).evictedCount();
  }

  private static void pause(long nanos) {
    for (long start = System.nanoTime(); System.nanoTime() - start < nanos; ) {
      LockSupport.parkNanos(nanos);
    }
  }

  private static void assertCutOff(Subscriber subscriber, Receiver receiver) {
    assertTrue(subscriber.isReady(), "so that a waiting thread finds out");
    for (int i = 0; i < 2; i++) {
      EvictedException evicted = assertThrows(EvictedException.class, () -> subscriber.poll(receiver, 10));
      assertEquals(receiver.next, evicted.nextSequence(), evicted.getMessage());
      assertTrue(evicted.getMessage().contains("before sequence " + receiver.next), evicted.getMessage());
      assertThrows(EvictedException.class, () -> subscriber.poll(receiver, 10, PATIENCE_NANOS));
    }
    assertTrue(WaitHub.shared().whenReady(subscriber).isDone());
    assertEquals(0, subscriber.lostCount());
  }

  @Test
  void whoIsInTimeLosesNothingAndHoldsThePublisherBack() {
    try (Subscriber subscriber = subscriber(HOUR_NANOS)) {
      Receiver receiver = new Receiver(subscriber);
      for (int round = 0; round < 1000; round++) {
        fill();
        assertFalse(offer(publisher, 48));
        SubscriberStatus status = BroadcastStatus.of(queue.entry).subscribers().get(0);
        assertTrue(status.gating() && !status.evicted());
        assertTrue(subscriber.poll(receiver, 1 + round % 64) > 0);
      }
      drain(subscriber, receiver);
      receiver.assertSawAll(0, publisher.nextSequence());
      assertEquals(0, receiver.lost + evictedCount());
    }
  }

  @Test
  void whoIsTooSlowIsCutOffAndToldSoAndThePublisherGoesOn() {
    try (Subscriber subscriber = subscriber(30 * MILLI_NANOS)) {
      Receiver receiver = new Receiver(subscriber);
      fill();
      assertEquals(7, subscriber.poll(receiver, 7));
      long start = System.nanoTime();
      fill();
      while (!offer(publisher, 48)) {
        assertEquals(0, evictedCount());
      }
      assertTrue(System.nanoTime() - start >= 30 * MILLI_NANOS, "cut off before its time");
      assertEquals(1, evictedCount());
      SubscriberStatus status = BroadcastStatus.of(queue.entry).subscribers().get(0);
      assertTrue(status.evicted() && !status.gating());
      assertEquals(7 * 64, status.positionBytes());
      assertEquals(0, publisher.subscriberCount());
      publish(1000);
      assertCutOff(subscriber, receiver);
      assertEquals(7, receiver.received);
      assertEquals(1, evictedCount());
    }
    assertEquals(List.of(), BroadcastStatus.of(queue.entry).subscribers());
  }

  @Test
  void aPublisherThatWaitsForRoomCutsOffAndGetsIt() {
    for (WaitPolicy policy : WaitPolicy.values()) {
      publisher.close();
      publisher = Publisher.open(queue.entry, policy);
      try (Subscriber subscriber = subscriber(20 * MILLI_NANOS)) {
        Receiver receiver = new Receiver(subscriber);
        fill();
        TestQueue.send(publisher, 48);
        assertCutOff(subscriber, receiver);
      }
    }
    assertEquals(WaitPolicy.values().length, evictedCount(), "the count goes on over publishers");
  }

  @Test
  void aPublisherThatDoesNotTryAccusesNobody() {
    try (Subscriber subscriber = subscriber(1)) {
      Receiver receiver = new Receiver(subscriber);
      for (int round = 0; round < 3; round++) {
        fill(); // ends with one try that found no room
        pause(60 * MILLI_NANOS);
        drain(subscriber, receiver);
      }
      receiver.assertSawAll(0, publisher.nextSequence());
      assertEquals(0, evictedCount());
    }
  }

  @Test
  void ofEachPauseBetweenTwoTriesFiftyMillisecondsCount() {
    try (Subscriber subscriber = subscriber(120 * MILLI_NANOS)) {
      fill();
      for (int pauses = 1; pauses <= 2; pauses++) {
        pause(130 * MILLI_NANOS);
        assertFalse(offer(publisher, 48), "cut off though only " + pauses + " times 50 ms count");
      }
      pause(60 * MILLI_NANOS);
      assertTrue(offer(publisher, 48), "three times 50 ms have been counted");
      assertCutOff(subscriber, new Receiver(subscriber));
    }
  }

  @Test
  void theTimeBeginsAnewWhenAClaimHasFoundRoom() {
    try (Subscriber subscriber = subscriber(80 * MILLI_NANOS)) {
      Receiver receiver = new Receiver(subscriber);
      for (int round = 0; round < 4; round++) {
        fill();
        pause(60 * MILLI_NANOS);
        assertFalse(offer(publisher, 48), "the stalls before the last one were counted in round " + round);
        assertTrue(subscriber.poll(receiver, 32) > 0);
        assertTrue(offer(publisher, 48));
      }
      drain(subscriber, receiver);
      receiver.assertSawAll(0, publisher.nextSequence());
    }
  }

  /** Whatever the claims need: here the long ones find no room, and the short ones between them find some. */
  @Test
  void theTimeBeginsAnewWhenAShorterClaimHasFoundRoom() {
    try (Subscriber subscriber = subscriber(1)) {
      Receiver receiver = new Receiver(subscriber);
      publish(57);
      for (int round = 0; round < 7; round++) {
        assertFalse(offer(publisher, 480), "the stall before was counted in round " + round);
        publisher.tryClaim(48).abort();
        assertFalse(offer(publisher, 480), "what the aborted claim had ended was counted in round " + round);
        assertTrue(offer(publisher, 48));
      }
      assertEquals(0, evictedCount());
      assertFalse(offer(publisher, 48));
      drain(subscriber, receiver);
      receiver.assertSawAll(0, 64);
    }
  }

  @Test
  void ofSeveralOnlyThoseAreCutOffWhoseTimeIsOver() {
    try (Subscriber quick = subscriber(30 * MILLI_NANOS);
        Subscriber patient = subscriber(80 * MILLI_NANOS);
        Subscriber reading = subscriber(1);
        Subscriber block = queue.subscriber(SubscriberOptions.block())) {
      Receiver blocked = new Receiver(block);
      Receiver read = new Receiver(reading);
      fill();
      drain(reading, read);
      pause(60 * MILLI_NANOS);
      assertFalse(offer(publisher, 48));
      assertEquals(1, evictedCount(), "50 ms: the first one's time is over");
      assertCutOff(quick, new Receiver(quick));
      pause(60 * MILLI_NANOS);
      assertFalse(offer(publisher, 48));
      assertEquals(2, evictedCount(), "100 ms: the second one's time is over");
      assertCutOff(patient, new Receiver(patient));
      pause(60 * MILLI_NANOS);
      assertFalse(offer(publisher, 48), "the blocking one is never cut off");
      assertEquals(64, drain(block, blocked));
      assertTrue(offer(publisher, 48));
      drain(block, blocked);
      drain(reading, read);
      blocked.assertSawAll(0, 65);
      read.assertSawAll(0, 65);
      assertEquals(2, evictedCount());
    }
  }

  @Test
  void whoGetsInTheWayLaterHasItsOwnTime() {
    try (Subscriber first = subscriber(80 * MILLI_NANOS);
        Subscriber block = queue.subscriber(SubscriberOptions.block())) {
      fill();
      pause(60 * MILLI_NANOS);
      assertFalse(offer(publisher, 48));
      try (Subscriber second = queue.subscriber(SubscriberOptions.evictAfter(80 * MILLI_NANOS).startingAtOldest())) {
        pause(60 * MILLI_NANOS);
        assertFalse(offer(publisher, 48));
        assertEquals(1, evictedCount(), "the second one was seen in the way for the first time now");
        Receiver receiver = new Receiver(second);
        assertEquals(64, drain(second, receiver));
        assertEquals(64, drain(block, new Receiver(block)));
        publish(30);
        assertEquals(30, drain(second, receiver));
        assertThrows(EvictedException.class, () -> first.poll(message -> {}, 1));
      }
    }
  }

  @Test
  void whoGotOutOfTheWayIsNotBlamedForTheTimeInWhichAnotherOneWas() {
    try (Subscriber block = queue.subscriber(SubscriberOptions.block());
        Subscriber evict = subscriber(80 * MILLI_NANOS)) {
      fill();
      assertFalse(offer(publisher, 48), "both are in the way of a short message");
      assertEquals(2, evict.poll(message -> {}, 2));
      for (int i = 0; i < 8; i++) {
        assertFalse(offer(publisher, 48), "now only the one that blocks");
        pause(20 * MILLI_NANOS);
      }
      assertFalse(offer(publisher, 400), "both are in the way of a long message");
      assertEquals(0, evictedCount());
      assertTrue(drain(evict, new Receiver(evict)) > 0);
      assertTrue(drain(block, new Receiver(block)) > 0);
    }
  }

  @Test
  void whoReadsOnInALongPollIsSeenToAndNotCutOff() {
    try (Subscriber subscriber = subscriber(1)) {
      Receiver receiver = new Receiver(subscriber);
      fill();
      assertEquals(64, subscriber.poll(message -> {
        receiver.onMessage(message);
        if (message.sequence() >= 16 && message.sequence() % 8 == 7) {
          publish(8); // what it has read for an eighth of the ring
        }
      }, 64));
      assertTrue(publisher.nextSequence() > 64 + 32);
      drain(subscriber, receiver);
      receiver.assertSawAll(0, publisher.nextSequence());
      assertEquals(0, evictedCount());
    }
  }

  @Test
  void whoWasCutOffKeepsItsPlaceUntilItClosesAndCanThenJoinAgain() {
    List<Subscriber> all = List.of(subscriber(1), subscriber(1), subscriber(1), subscriber(1));
    fill();
    publish(200);
    assertEquals(4, evictedCount());
    assertThrows(TableFullException.class, () -> subscriber(1));
    for (Subscriber evicted : all) {
      evicted.close();
      evicted.close();
      try (Subscriber again = subscriber(HOUR_NANOS)) {
        assertThrows(TableFullException.class, () -> { // the others still have theirs
          try (Subscriber one = subscriber(1);
              Subscriber two = subscriber(1);
              Subscriber three = subscriber(1);
              Subscriber four = subscriber(1)) {
            throw new AssertionError("five of four: " + List.of(one, two, three, four));
          }
        });
        Receiver receiver = new Receiver(again);
        long first = publisher.nextSequence();
        publish(64);
        assertFalse(offer(publisher, 48), "it gates again");
        drain(again, receiver);
        receiver.assertSawAll(first, publisher.nextSequence());
      }
    }
    assertEquals(List.of(), BroadcastStatus.of(queue.entry).subscribers());
  }

  @Test
  void whoLeavesInTheLastMomentIsNotCutOffNorIsWhoTakesItsPlace() {
    Ring ring = Ring.of(queue.entry);
    Subscriber first = subscriber(1);
    int role = BroadcastLayout.FIRST_SUBSCRIBER_ROLE;
    long seen = ring.entry.roleWord(role);
    first.close();
    assertFalse(ring.entry.revokeRole(role, seen));
    try (Subscriber second = subscriber(1)) {
      assertTrue(ring.entry.roleWord(role) != seen, "the place was not taken again, so the test proves nothing");
      assertFalse(ring.entry.revokeRole(role, seen));
      Receiver receiver = new Receiver(second);
      publish(1);
      assertEquals(1, drain(second, receiver));
      assertFalse(BroadcastStatus.of(queue.entry).subscribers().get(0).evicted());
    }
    assertEquals(List.of(), BroadcastStatus.of(queue.entry).subscribers());
  }

  @Test
  void whoWasCutOffDuringAPollGetsItsCopiesIntactAndNothingTwice() {
    try (TestQueue larger = TestQueue.create(bus.path("larger"), 1 << 16);
        Publisher writer = larger.publisher();
        Subscriber subscriber = larger.subscriber(SubscriberOptions.evictAfter(1))) {
      Receiver receiver = new Receiver(subscriber);
      for (int i = 0; i < 1000; i++) {
        assertTrue(offer(writer, 48));
      }
      EvictedException evicted = assertThrows(EvictedException.class, () -> subscriber.poll(message -> {
        for (int i = 0; message.sequence() == 7 && i < 3000; i++) {
          if (!offer(writer, 48)) {
            assertTrue(offer(writer, 48), "cut off at the second try");
          }
        }
        receiver.onMessage(message);
      }, 1000));
      assertTrue(receiver.received >= 8 && receiver.received < 1000, () -> receiver.received + " arrived");
      assertEquals(receiver.next, evicted.nextSequence());
      assertEquals(receiver.next, subscriber.nextSequence());
      assertCutOff(subscriber, receiver);
    }
  }

  /** Which the publisher then waits for: nothing is overwritten though it was given up. */
  @Test
  void whoJoinedWhileTheBoundaryMovedPastItLosesNothing() {
    publish(30);
    Ring ring = Ring.of(queue.entry);
    try (Subscriber evict = queue.subscriber(SubscriberOptions.evictAfter(HOUR_NANOS).startingAtOldest());
        Subscriber skip = queue.subscriber(SubscriberOptions.skip().startingAtOldest())) {
      Receiver receiver = new Receiver(evict);
      ring.region.setLongRelease(ring.oldestOffset, 64); // as by a publisher that sees it only at its second look
      assertEquals(30, drain(evict, receiver));
      receiver.assertSawAll(0, 30);
      drain(skip, new Receiver(skip));
      assertEquals(1, skip.lostCount(), "the boundary was not moved, so the test proves nothing");
    }
  }

  @ParameterizedTest
  @EnumSource(WaitPolicy.class)
  void whoIsCutOffWhileItWaitsIsToldAtOnce(WaitPolicy policy) throws InterruptedException {
    try (Subscriber waiting = queue.subscriber(SubscriberOptions.evictAfter(1).waiting(policy));
        Subscriber inTheHub = subscriber(1);
        Threads threads = new Threads()) {
      CompletableFuture<Void> ready = WaitHub.shared().whenReady(inTheHub);
      AtomicBoolean began = new AtomicBoolean();
      threads.start("reader", () -> {
        began.set(true);
        EvictedException evicted = assertThrows(EvictedException.class,
            () -> waiting.poll(message -> {}, 1, PATIENCE_NANOS));
        assertEquals(0, evicted.nextSequence());
      });
      Threads.await(began::get, "the reader to begin");
      assertFalse(ready.isDone());
      Ring ring = Ring.of(queue.entry);
      for (int role = BroadcastLayout.FIRST_SUBSCRIBER_ROLE; role < ring.entry.rolesUsed(); role++) {
        assertTrue(ring.entry.revokeRole(role, ring.entry.roleWord(role))); // as by a publisher
      }
      ring.entry.waitingForData().signal();
      threads.join();
      ready.orTimeout(100, TimeUnit.SECONDS).join();
      assertThrows(EvictedException.class, () -> inTheHub.poll(message -> {}, 1));
    }
  }

  @Test
  void whoIsCutOffByAFastPublisherAgainAndAgainNeverSeesAGapOrATornMessage() throws InterruptedException {
    AtomicBoolean over = new AtomicBoolean();
    long evicted = 0;
    long received = 0;
    try (Threads threads = new Threads(); TestQueue reading = TestQueue.attach(bus.path("evict"))) {
      threads.start("writer", () -> {
        for (int i = 0; !over.get(); i++) {
          offer(publisher, 1 + i * 31 % 200);
        }
      });
      for (int round = 0; round < 800_000 && !threads.hasFailed(); round++) {
        if (round >= 8_000 && evicted > 0 && received > 0) {
          break;
        }
        SubscriberOptions options = SubscriberOptions.evictAfter(1 + round % 3 * 2000);
        try (Subscriber subscriber = reading.subscriber(round % 2 == 0 ? options : options.startingAtOldest())) {
          Receiver receiver = new Receiver(subscriber);
          try {
            for (int poll = 0; poll < 40; poll++) {
              subscriber.poll(receiver, 1 + poll % 10);
            }
          } catch (EvictedException cutOff) {
            assertEquals(receiver.next, cutOff.nextSequence());
            evicted++;
          }
          assertEquals(receiver.next, subscriber.nextSequence());
          received += receiver.received;
        }
      }
      over.set(true);
      threads.join();
    }
    assertTrue(evicted > 0 && received > 0, "evicted " + evicted + ", received " + received);
    assertTrue(evictedCount() >= evicted, "counted " + evictedCount() + " of " + evicted);
    assertEquals(List.of(), BroadcastStatus.of(queue.entry).subscribers());
  }
}
