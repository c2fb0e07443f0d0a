package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.TestQueue.PATIENCE_NANOS;
import static io.bywash.engine.broadcast.TestQueue.drain;
import static io.bywash.engine.broadcast.TestQueue.offer;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Claim;
import io.bywash.engine.InterruptedWaitException;
import io.bywash.engine.Payload;
import io.bywash.engine.RoleTakenException;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.TestQueue.Receiver;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** One publisher at a time, and each goes on where the last one stopped. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TakeoverTest {
  @RegisterExtension final TempBus bus = new TempBus();

  private TestQueue one;
  private TestQueue other;

  @BeforeEach
  void open() {
    one = TestQueue.create(bus.path("takeover"), 4096);
    other = TestQueue.attach(bus.path("takeover"));
  }

  @AfterEach
  void close() {
    one.close();
    other.close();
  }

  @Test
  void aSecondPublisherIsRefusedAndToldTheProcessOfTheFirst() {
    try (Publisher publisher = one.publisher()) {
      for (TestQueue attachment : new TestQueue[] {one, other}) {
        RoleTakenException taken = assertThrows(RoleTakenException.class, attachment::publisher);
        long pid = ProcessHandle.current().pid();
        assertEquals(pid, taken.holderPid());
        assertTrue(taken.getMessage().contains("process " + pid), taken.getMessage());
        assertTrue(taken.getMessage().contains("\"queue\""), taken.getMessage());
      }
      assertTrue(offer(publisher, 10));
    }
    other.publisher().close();
  }

  @Test
  void thePublisherIsTheQueuesOwnerAsLongAsItHoldsTheRole() {
    int creator = one.segment.participants().get(0).id();
    assertEquals(creator, one.entry.owner().orElseThrow().id());
    try (Publisher publisher = other.publisher()) {
      assertEquals(0, publisher.nextSequence());
      assertEquals(1, one.entry.owner().orElseThrow().id());
      assertTrue(one.entry.owner().orElseThrow().alive());
    }
    assertEquals(creator, other.entry.owner().orElseThrow().id());
  }

  @Test
  void theNextPublisherGoesOnAtTheNextSequence() {
    try (Subscriber subscriber = one.subscriber(SubscriberOptions.block())) {
      Receiver receiver = new Receiver(subscriber);
      for (int i = 0; i < 3000; i++) {
        try (Publisher publisher = (i % 2 == 0 ? one : other).publisher()) {
          assertEquals(i, publisher.nextSequence());
          assertTrue(offer(publisher, 1 + i % 512));
        }
        assertEquals(1, drain(subscriber, receiver));
      }
      receiver.assertSawAll(0, 3000);
    }
  }

  @Test
  void whatThePredecessorClaimedButDidNotCommitWasNeverThere() {
    try (Subscriber subscriber = other.subscriber(SubscriberOptions.block())) {
      Receiver receiver = new Receiver(subscriber);
      for (int i = 0; i < 1000; i++) {
        Publisher predecessor = one.publisher();
        assertTrue(offer(predecessor, 1 + i % 400));
        Claim pending = predecessor.tryClaim(1 + i % 500);
        Payload.fill(pending, 77);
        predecessor.close();
        assertThrows(IllegalStateException.class, pending::commit);
        try (Publisher publisher = other.publisher()) {
          assertEquals(2 * i + 1, publisher.nextSequence());
          assertTrue(offer(publisher, 1 + i % 300));
        }
        assertEquals(2, drain(subscriber, receiver));
      }
      receiver.assertSawAll(0, 2000);
    }
  }

  @Test
  void theNextSequenceIsRightAtEveryFillLevelOfTheRing() {
    Random random = Payload.random("theNextSequenceIsRight");
    try (Subscriber subscriber = other.subscriber(SubscriberOptions.block())) {
      Receiver receiver = new Receiver(subscriber);
      long published = 0;
      for (int i = 0; i < 5000; i++) {
        try (Publisher publisher = (random.nextBoolean() ? one : other).publisher()) {
          assertEquals(published, publisher.nextSequence());
          int most = random.nextInt(5) == 0 ? 512 : 80;
          for (int count = random.nextInt(6); count > 0; count--) {
            if (!offer(publisher, 1 + random.nextInt(most))) {
              subscriber.poll(receiver, 1 + random.nextInt(3)); // nearly full from now on
            }
          }
          published = publisher.nextSequence();
        }
        if (random.nextInt(200) == 0) {
          drain(subscriber, receiver);
        }
      }
      drain(subscriber, receiver);
      receiver.assertSawAll(0, published);
      assertTrue(published > 2000);
    }
  }

  @Test
  void theSuccessorInAFullRingFindsNoRoomEither() {
    try (Subscriber subscriber = other.subscriber(SubscriberOptions.block())) {
      Receiver receiver = new Receiver(subscriber);
      try (Publisher publisher = one.publisher()) {
        for (int i = 0; i < 1000; i++) {
          assertTrue(offer(publisher, 33));
          drain(subscriber, receiver);
        }
        while (offer(publisher, 33)) {
          // until the ring is full
        }
      }
      for (int i = 0; i < 200; i++) {
        try (Publisher publisher = (i % 2 == 0 ? one : other).publisher()) {
          assertFalse(offer(publisher, 33));
          subscriber.poll(receiver, 1);
          assertTrue(offer(publisher, 33), "one was read");
        }
      }
      drain(subscriber, receiver);
      receiver.assertSawAll(0, receiver.next);
    }
  }

  @Test
  void aWaitForSubscribersEndsWhenEnoughHaveJoinedAndNotBefore() throws InterruptedException {
    try (Publisher publisher = one.publisher(); Threads threads = new Threads()) {
      assertTrue(publisher.awaitSubscribers(0, 0));
      assertFalse(publisher.awaitSubscribers(1, 0));
      long start = System.nanoTime();
      assertFalse(publisher.awaitSubscribers(1, 20_000_000));
      assertTrue(System.nanoTime() - start >= 20_000_000);
      threads.start("waiter", () -> {
        assertTrue(publisher.awaitSubscribers(2, PATIENCE_NANOS));
        assertEquals(2, publisher.subscriberCount());
      });
      try (Subscriber block = other.subscriber(SubscriberOptions.block());
          Subscriber skip = one.subscriber(SubscriberOptions.skip())) {
        threads.join();
        assertEquals(0, block.nextSequence());
        assertEquals(0, skip.nextSequence());
      }
      assertEquals(0, publisher.subscriberCount());
      for (int count : new int[] {-1, 65}) {
        var refused = assertThrows(IllegalArgumentException.class, () -> publisher.awaitSubscribers(count, 0));
        assertTrue(refused.getMessage().contains("count=" + count), refused.getMessage());
      }
    }
  }

  @Test
  void anInterruptEndsTheWaitForSubscribersAndStaysSet() {
    try (Publisher publisher = one.publisher()) {
      Thread.currentThread().interrupt();
      assertThrows(InterruptedWaitException.class, () -> publisher.awaitSubscribers(1, PATIENCE_NANOS));
      assertTrue(Thread.interrupted());
    }
  }
}
