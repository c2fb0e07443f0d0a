package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.TestQueue.drain;
import static io.bywash.engine.broadcast.TestQueue.offer;
import static io.bywash.engine.broadcast.TestQueue.pollOrFail;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.OverrunException;
import io.bywash.engine.Payload;
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

/** Subscribers that fail when they are overtaken. */
@Tag("once")
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class FailTest {
  @RegisterExtension final TempBus bus = new TempBus();

  private TestQueue queue;
  private Publisher publisher;
  private Subscriber subscriber;
  private Receiver receiver;

  @BeforeEach
  void open() {
    queue = TestQueue.create(bus.path("fail"), 4096);
    publisher = queue.publisher();
    subscriber = queue.subscriber(SubscriberOptions.fail());
    receiver = new Receiver(subscriber);
  }

  @AfterEach
  void close() {
    subscriber.close();
    publisher.close();
    queue.close();
  }

  private void publish(int count, int length) {
    for (int i = 0; i < count; i++) {
      assertTrue(offer(publisher, length), "a subscriber that fails held the publisher back");
    }
  }

  @Test
  void whoIsOvertakenIsToldHowManyItLostAndGoesOnBehindTheGap() {
    publish(10_000, 48);
    OverrunException overrun = assertThrows(OverrunException.class, () -> subscriber.poll(receiver, 10));
    assertEquals(0, receiver.received);
    assertTrue(overrun.lostCount() >= 10_000 - 64 && overrun.lostCount() <= 10_000 - 62, overrun.getMessage());
    assertEquals(overrun.lostCount(), overrun.nextSequence(), "it joined at sequence 0");
    assertEquals(overrun.nextSequence(), subscriber.nextSequence());
    assertEquals(overrun.lostCount(), subscriber.lostCount());
    assertEquals(overrun.lostCount(), BroadcastStatus.of(queue.entry).subscribers().get(0).lostMessages());
    assertTrue(overrun.getMessage().contains("queue") && overrun.getMessage().contains("/fail")
        && overrun.getMessage().contains(overrun.lostCount() + " messages"), overrun.getMessage());
    receiver.onLost(overrun.lostCount());
    assertEquals(10_000 - overrun.lostCount(), drain(subscriber, receiver));
    receiver.assertSawAll(0, 10_000);
  }

  @Test
  void whoKeepsUpNeverFails() {
    Random random = Payload.random("whoKeepsUpNeverFails");
    for (int round = 0; round < 3000; round++) {
      for (int bytes = random.nextInt(3300); bytes > 0; ) {
        int length = 1 + random.nextInt(300);
        publish(1, length);
        bytes -= (int) BroadcastLayout.recordBytes(length);
      }
      drain(subscriber, receiver);
    }
    receiver.assertSawAll(0, publisher.nextSequence());
    assertEquals(0, subscriber.lostCount());
  }

  @Test
  void eachGapIsToldOnceAndExactly() {
    Random random = Payload.random("eachGapIsTold");
    for (int round = 0; round < 3000; round++) {
      publish(random.nextInt(200), 1 + random.nextInt(200));
      pollOrFail(subscriber, receiver, 1 + random.nextInt(100));
      assertEquals(receiver.lost, subscriber.lostCount());
      assertEquals(receiver.next, subscriber.nextSequence());
    }
    while (pollOrFail(subscriber, receiver, 64) > 0 || subscriber.isReady()) {
      // to the end
    }
    receiver.assertSawAll(0, publisher.nextSequence());
    assertTrue(receiver.lost > 0 && receiver.received > 0);
  }

  @Test
  void whatWasCopiedBeforeItWasOverwrittenIsStillHandedOver() {
    publish(20, 48);
    assertEquals(20, subscriber.poll(message -> {
      if (message.sequence() == 7) {
        publish(500, 48); // in the handler, which reads a copy
      }
      receiver.onMessage(message);
    }, 1000));
    OverrunException overrun = assertThrows(OverrunException.class, () -> subscriber.poll(receiver, 1000));
    assertEquals(20 + overrun.lostCount(), overrun.nextSequence());
    receiver.onLost(overrun.lostCount());
    drain(subscriber, receiver);
    receiver.assertSawAll(0, 520);
  }

  @Test
  void aPollThatIsOvertakenInItsMiddleHasHandedOverWhatCameBeforeAndNothingTwice() {
    try (TestQueue larger = TestQueue.create(bus.path("larger"), 1 << 16);
        Publisher writer = larger.publisher();
        Subscriber reader = larger.subscriber(SubscriberOptions.fail())) {
      Receiver read = new Receiver(reader);
      for (int i = 0; i < 1000; i++) {
        assertTrue(offer(writer, 48));
      }
      OverrunException overrun = assertThrows(OverrunException.class, () -> reader.poll(message -> {
        for (int i = 0; message.sequence() == 7 && i < 2000; i++) {
          assertTrue(offer(writer, 48));
        }
        read.onMessage(message);
      }, 1000));
      assertTrue(read.received >= 8 && read.received < 1000, () -> read.received + " arrived");
      assertEquals(read.next + overrun.lostCount(), overrun.nextSequence());
      read.onLost(overrun.lostCount());
      drain(reader, read);
      read.assertSawAll(0, 3000);
    }
  }

  @Test
  void whoFailedDuringAPollWithATimeoutMayPollOn() {
    publish(1000, 48);
    OverrunException overrun = assertThrows(OverrunException.class, () -> subscriber.poll(receiver, 10, 1));
    receiver.onLost(overrun.lostCount());
    assertEquals(5, subscriber.poll(receiver, 5, 1));
    drain(subscriber, receiver);
    receiver.assertSawAll(0, 1000);
    assertFalse(subscriber.isReady());
  }

  @Test
  void noTornMessageIsSeenWhileThePublisherIsFaster() throws InterruptedException {
    int count = 1_000_000;
    AtomicBoolean over = new AtomicBoolean();
    try (Threads threads = new Threads()) {
      threads.start("writer", () -> {
        for (int i = 0; i < count; i++) {
          publish(1, 1 + i % 100);
          if (i % 3000 == 0) {
            Thread.yield(); // so that it is not always overtaken
          }
        }
        over.set(true);
      });
      int failures = 0;
      for (int i = 0; (!over.get() || subscriber.isReady()) && !threads.hasFailed(); i++) {
        long lost = receiver.lost;
        pollOrFail(subscriber, receiver, 1 + i % 10);
        failures += receiver.lost > lost ? 1 : 0;
      }
      threads.join();
      receiver.assertSawAll(0, count);
      assertEquals(receiver.lost, subscriber.lostCount());
      assertTrue(failures > 0 && receiver.received > 0, "failures " + failures + ", received " + receiver.received);
    }
  }
}
