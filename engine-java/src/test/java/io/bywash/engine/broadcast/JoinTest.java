package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.TestQueue.drain;
import static io.bywash.engine.broadcast.TestQueue.offer;
import static io.bywash.engine.broadcast.TestQueue.send;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Payload;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.TestQueue.Receiver;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class JoinTest {
  @RegisterExtension final TempBus bus = new TempBus();

  private TestQueue queue;
  private Publisher publisher;

  @BeforeEach
  void open() {
    queue = TestQueue.create(bus.path("join"), 4096);
    publisher = queue.publisher();
  }

  @AfterEach
  void close() {
    publisher.close();
    queue.close();
  }

  private void publishUnhindered(int count, int length) {
    for (int i = 0; i < count; i++) {
      assertTrue(offer(publisher, length), "there is no room although nobody holds the publisher back");
    }
  }

  private static SubscriberOptions options(boolean gating, boolean oldest) {
    SubscriberOptions options = gating ? SubscriberOptions.block() : SubscriberOptions.skip();
    return oldest ? options.startingAtOldest() : options;
  }

  @Test
  void whoJoinsNowSeesNothingOlderAndAllThatFollows() {
    publishUnhindered(1000, 40);
    for (boolean gating : new boolean[] {true, false}) {
      try (Subscriber subscriber = queue.subscriber(options(gating, false))) {
        long first = publisher.nextSequence();
        assertEquals(first, subscriber.nextSequence());
        assertFalse(subscriber.isReady());
        Receiver receiver = new Receiver(subscriber);
        assertEquals(0, drain(subscriber, receiver));
        publishUnhindered(20, 40);
        assertTrue(subscriber.isReady());
        assertEquals(20, drain(subscriber, receiver));
        receiver.assertSawAll(first, publisher.nextSequence());
        assertEquals(0, receiver.lost);
      }
    }
  }

  @Test
  void whoStartsAtTheOldestOfAYoungQueueSeesEverything() {
    publishUnhindered(30, 40);
    for (boolean gating : new boolean[] {true, false}) {
      try (Subscriber subscriber = queue.subscriber(options(gating, true))) {
        Receiver receiver = new Receiver(subscriber);
        assertEquals(30, drain(subscriber, receiver));
        receiver.assertSawAll(0, 30);
      }
    }
  }

  @Test
  void whoStartsAtTheOldestOfAWrappedRingSeesNearlyAllThatFitsInIt() {
    for (int length : new int[] {1, 16, 48, 100, 512}) {
      publishUnhindered(500, length);
      try (Subscriber subscriber = queue.subscriber(options(true, true))) {
        Receiver receiver = new Receiver(subscriber);
        long first = subscriber.nextSequence();
        drain(subscriber, receiver);
        receiver.assertSawAll(first, publisher.nextSequence());
        // a block, the record that reaches over its boundary, and padding may be given up
        long fewest = (4096 - 64 - 2 * BroadcastLayout.recordBytes(length)) / BroadcastLayout.recordBytes(length);
        assertTrue(receiver.received >= fewest, () -> "only " + receiver.received + " of length " + length);
      }
    }
  }

  @Test
  void theFirstGatingSubscriberOfAFullRingIsNotOverrunWhenItStartsAtTheOldest() {
    for (int length : new int[] {1, 33, 48, 100, 500}) {
      publishUnhindered(1000, length);
      try (Subscriber subscriber = queue.subscriber(options(true, true))) {
        Receiver receiver = new Receiver(subscriber);
        long first = subscriber.nextSequence();
        for (int i = 0; i < 200; i++) {
          offer(publisher, length);
        }
        drain(subscriber, receiver);
        receiver.assertSawAll(first, publisher.nextSequence());
        assertEquals(0, receiver.lost);
      }
    }
  }

  @Test
  void theNextPublisherDoesNotOverrunASubscriberThatStartedAtTheOldest() {
    publishUnhindered(1000, 48);
    try (Subscriber subscriber = queue.subscriber(options(true, true))) {
      Receiver receiver = new Receiver(subscriber);
      long first = subscriber.nextSequence();
      offer(publisher, 48); // may move the boundary past the subscriber before it finds that there is no room
      publisher.close();
      publisher = queue.publisher();
      for (int i = 0; i < 200; i++) {
        offer(publisher, 48);
      }
      drain(subscriber, receiver);
      receiver.assertSawAll(first, publisher.nextSequence());
    }
  }

  @Test
  void aSubscriberThatLeavesHoldsNobodyBack() {
    Subscriber subscriber = queue.subscriber(SubscriberOptions.block());
    while (offer(publisher, 48)) {
      // until the ring is full
    }
    subscriber.close();
    publishUnhindered(1000, 48);
  }

  @Test
  void aPlaceIsFreeAgainWhenItsSubscriberHasLeft() {
    for (int i = 0; i < 5 * Broadcast.DEFAULT_SUBSCRIBERS; i++) {
      queue.subscriber(options(i % 2 == 0, i % 3 == 0)).close();
    }
    assertEquals(0, publisher.subscriberCount());
  }

  @Test
  void whoStartsAtTheOldestAtTheMomentInWhichItIsGivenUpKeepsItsFirstMessage() throws InterruptedException {
    Random random = Payload.random("whoStartsAtTheOldestAtTheMoment");
    AtomicBoolean over = new AtomicBoolean();
    publishUnhindered(200, 48);
    try (Threads threads = new Threads(); TestQueue joining = TestQueue.attach(bus.path("join"))) {
      threads.start("writer", () -> {
        while (!over.get()) {
          offer(publisher, 48); // gives up a block each time
        }
      });
      try {
        for (int round = 0; round < 60_000 && !threads.hasFailed(); round++) {
          try (Subscriber subscriber = joining.subscriber(options(true, true))) {
            pause(random.nextInt(60)); // the writer goes as far as it can
            assertEquals(1, subscriber.poll(new Receiver(subscriber), 1));
          }
          pause(random.nextInt(60));
        }
      } finally {
        over.set(true);
      }
      threads.join();
    }
  }

  private static void pause(int spins) {
    for (int i = 0; i < spins; i++) {
      Thread.onSpinWait();
    }
  }

  @Test
  void hundredsJoinAndLeaveAtFullSpeedWithoutLossOrRepetitionForAnybody() throws InterruptedException {
    Random random = Payload.random("hundredsJoinAndLeave");
    AtomicBoolean over = new AtomicBoolean();
    try (Threads threads = new Threads();
        TestQueue reading = TestQueue.attach(bus.path("join"));
        TestQueue joining = TestQueue.attach(bus.path("join"));
        Subscriber resident = reading.subscriber(SubscriberOptions.block())) {
      threads.start("writer", () -> {
        for (int i = 0; !over.get() && !threads.hasFailed(); i++) {
          send(publisher, 1 + i * 31 % 300);
        }
        over.set(true);
      });
      Receiver receiver = new Receiver(resident);
      threads.start("resident", () -> {
        while (!over.get() || resident.isReady()) {
          resident.poll(receiver, 16, 10_000_000);
        }
        drain(resident, receiver);
      });
      threads.start("joiner", () -> {
        try {
          for (int round = 0; round < 600 && !threads.hasFailed(); round++) {
            joinAndLeave(joining, random, threads);
          }
        } finally {
          over.set(true);
        }
      });
      threads.join();
      drain(resident, receiver);
      receiver.assertSawAll(0, publisher.nextSequence());
      assertEquals(0, receiver.lost);
    }
  }

  private static void joinAndLeave(TestQueue joining, Random random, Threads threads) {
    boolean gating = random.nextBoolean();
    try (Subscriber subscriber = joining.subscriber(options(gating, random.nextBoolean()))) {
      long first = subscriber.nextSequence();
      Receiver receiver = new Receiver(subscriber);
      long enough = random.nextInt(200);
      while (receiver.received + receiver.lost < enough && !threads.hasFailed()) {
        subscriber.poll(receiver, 1 + random.nextInt(20), 10_000_000);
      }
      receiver.assertSawAll(first, subscriber.nextSequence());
      assertEquals(receiver.lost, subscriber.lostCount());
      assertTrue(!gating || receiver.lost == 0, "a gating subscriber lost messages");
    }
  }
}
