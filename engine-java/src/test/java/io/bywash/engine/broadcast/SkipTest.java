package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.TestQueue.drain;
import static io.bywash.engine.broadcast.TestQueue.offer;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Message;
import io.bywash.engine.MessageHandler;
import io.bywash.engine.Payload;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.TestQueue.Receiver;
import java.util.ArrayList;
import java.util.List;
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
import org.junit.jupiter.params.provider.ValueSource;

@Tag("once")
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SkipTest {
  @RegisterExtension final TempBus bus = new TempBus();

  private TestQueue queue;
  private Publisher publisher;

  @BeforeEach
  void open() {
    queue = TestQueue.create(bus.path("skip"), 4096);
    publisher = queue.publisher();
  }

  @AfterEach
  void close() {
    publisher.close();
    queue.close();
  }

  private void publish(int count, int length) {
    for (int i = 0; i < count; i++) {
      assertTrue(offer(publisher, length));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aLappedSubscriberIsToldExactlyHowManyMessagesItLost(boolean newest) {
    Random random = Payload.random("aLappedSubscriber(" + newest + ")");
    SubscriberOptions options = newest ? SubscriberOptions.skip().resumingAtNewest() : SubscriberOptions.skip();
    try (Subscriber subscriber = queue.subscriber(options)) {
      Receiver receiver = new Receiver(subscriber);
      for (int round = 0; round < 3000; round++) {
        publish(random.nextInt(200), 1 + random.nextInt(200));
        subscriber.poll(receiver, 1 + random.nextInt(100));
        assertEquals(receiver.lost, subscriber.lostCount());
        assertEquals(receiver.next, subscriber.nextSequence());
      }
      drain(subscriber, receiver);
      receiver.assertSawAll(0, publisher.nextSequence());
      assertTrue(receiver.lost > 0 && receiver.received > 0);
    }
  }

  @Test
  void whoResumesAtTheOldestGoesOnWithAllThatIsLeftInTheRing() {
    try (Subscriber subscriber = queue.subscriber(SubscriberOptions.skip())) {
      publish(10_000, 48);
      Receiver receiver = new Receiver(subscriber);
      drain(subscriber, receiver);
      receiver.assertSawAll(0, 10_000);
      assertTrue(receiver.received >= 62, () -> "only " + receiver.received + " of the 64 that fit were received");
    }
  }

  @Test
  void whoResumesAtTheNewestSeesNothingThatWasThereWhenItNoticed() {
    try (Subscriber subscriber = queue.subscriber(SubscriberOptions.skip().resumingAtNewest())) {
      publish(10_000, 48);
      Receiver receiver = new Receiver(subscriber);
      assertEquals(0, drain(subscriber, receiver));
      assertEquals(10_000, receiver.lost);
      publish(5, 48);
      assertEquals(5, drain(subscriber, receiver));
      receiver.assertSawAll(0, 10_005);
    }
  }

  @Test
  void whoKeepsUpLosesNothing() {
    try (Subscriber subscriber = queue.subscriber(SubscriberOptions.skip())) {
      Receiver receiver = new Receiver(subscriber);
      for (int i = 0; i < 1000; i++) {
        publish(50, 48);
        assertEquals(50, drain(subscriber, receiver));
      }
      assertEquals(0, subscriber.lostCount());
    }
  }

  @Test
  void aMessageStaysWholeWhileThePublisherLapsItsReader() {
    try (Subscriber subscriber = queue.subscriber(SubscriberOptions.skip())) {
      Receiver receiver = new Receiver(subscriber);
      for (int round = 0; round < 20; round++) {
        publish(20, 200);
        assertTrue(0 < subscriber.poll(new MessageHandler() {
          @Override
          public void onMessage(Message message) {
            publish(100, 32); // the ring holds less than this
            receiver.onMessage(message);
          }

          @Override
          public void onLost(long messageCount) {
            receiver.onLost(messageCount);
          }
        }, 3));
      }
      drain(subscriber, receiver);
      receiver.assertSawAll(0, publisher.nextSequence());
      assertTrue(receiver.lost > 1000);
    }
  }

  @Test
  void aHandlerThatThrowsOnLossIsNotToldTwice() {
    try (Subscriber subscriber = queue.subscriber(SubscriberOptions.skip())) {
      publish(1000, 48);
      List<Long> losses = new ArrayList<>();
      Receiver receiver = new Receiver(subscriber);
      MessageHandler throwing = new MessageHandler() {
        @Override
        public void onMessage(Message message) {
          receiver.onMessage(message);
        }

        @Override
        public void onLost(long messageCount) {
          losses.add(messageCount);
          receiver.onLost(messageCount);
          throw new IllegalStateException("on purpose");
        }
      };
      assertThrows(IllegalStateException.class, () -> subscriber.poll(throwing, 10));
      assertEquals(0, receiver.received);
      drain(subscriber, throwing);
      assertEquals(1, losses.size());
      assertEquals(losses.getFirst(), subscriber.lostCount());
      receiver.assertSawAll(0, 1000);
    }
  }

  @Test
  void onlyASkippingSubscriberCanChooseWhereToResume() {
    assertThrows(IllegalStateException.class, () -> SubscriberOptions.block().resumingAtNewest());
  }

  @ParameterizedTest
  @ValueSource(ints = {4096, 65_536})
  void noTornMessageIsSeenAndEveryLossIsCountedWhileAWriterRunsAtFullSpeed(int ringBytes) throws InterruptedException {
    int messages = 2_000_000;
    AtomicBoolean over = new AtomicBoolean();
    try (Threads threads = new Threads();
        TestQueue writing = TestQueue.create(bus.path("full-speed"), ringBytes);
        TestQueue reading = TestQueue.attach(bus.path("full-speed"));
        Publisher fast = writing.publisher();
        Subscriber subscriber = reading.subscriber(SubscriberOptions.skip())) {
      threads.start("writer", () -> {
        for (int i = 0; i < messages && !threads.hasFailed(); i++) {
          assertTrue(offer(fast, 8 + i * 13 % 120));
        }
        over.set(true);
      });
      Receiver receiver = new Receiver(subscriber);
      for (int i = 0; !over.get() && !threads.hasFailed(); i++) {
        subscriber.poll(receiver, 1 + i % 40);
        for (int pause = i * 7 % 300; pause > 0; pause--) {
          Thread.onSpinWait(); // now faster, now slower than the writer
        }
      }
      threads.join();
      drain(subscriber, receiver);
      receiver.assertSawAll(0, messages);
      assertEquals(receiver.lost, subscriber.lostCount());
      System.out.println("ring " + ringBytes + ": received " + receiver.received + ", lost " + receiver.lost);
      assertTrue(receiver.received > 0);
    }
  }
}
