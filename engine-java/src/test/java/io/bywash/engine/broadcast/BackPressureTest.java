package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.TestQueue.PATIENCE_NANOS;
import static io.bywash.engine.broadcast.TestQueue.drain;
import static io.bywash.engine.broadcast.TestQueue.offer;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Claim;
import io.bywash.engine.Message;
import io.bywash.engine.MessageHandler;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.TestQueue.Receiver;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BackPressureTest {
  private static final int MESSAGES = 10_000_000;

  @RegisterExtension final TempBus bus = new TempBus();

  @Test
  void theSlowestOfSeveralGatingSubscribersHoldsThePublisherBack() {
    try (TestQueue queue = TestQueue.create(bus.path("press"), 4096); Publisher publisher = queue.publisher()) {
      List<Subscriber> subscribers = new ArrayList<>();
      List<Receiver> receivers = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        subscribers.add(queue.subscriber(SubscriberOptions.block()));
        receivers.add(new Receiver(subscribers.get(i)));
      }
      for (int slowest = 0; slowest < 5; slowest++) {
        while (offer(publisher, 48)) {
          // until the ring is full
        }
        for (int i = 0; i < 5; i++) {
          if (i != slowest) {
            assertEquals(64, drain(subscribers.get(i), receivers.get(i)));
            assertFalse(offer(publisher, 48), "subscriber " + slowest + " has read nothing");
          }
        }
        assertEquals(10, subscribers.get(slowest).poll(receivers.get(slowest), 10));
        for (int i = 0; i < 10; i++) {
          assertTrue(offer(publisher, 48));
        }
        assertFalse(offer(publisher, 48));
        for (int i = 0; i < 5; i++) {
          drain(subscribers.get(i), receivers.get(i));
          receivers.get(i).assertSawAll(0, publisher.nextSequence());
        }
      }
      subscribers.forEach(Subscriber::close);
    }
  }

  @Test
  void aSubscriberThatSkipsHoldsNobodyBack() {
    try (TestQueue queue = TestQueue.create(bus.path("press"), 4096);
        Publisher publisher = queue.publisher();
        Subscriber subscriber = queue.subscriber(SubscriberOptions.skip())) {
      for (int i = 0; i < 10_000; i++) {
        assertTrue(offer(publisher, 48));
      }
      assertEquals(0, subscriber.nextSequence());
      assertEquals(0, BroadcastStatus.of(queue.entry).blockedCount());
    }
  }

  @Test
  void aPublisherThatWaitsForRoomGoesOnWhenTheReaderReads() throws InterruptedException {
    try (Threads threads = new Threads();
        TestQueue queue = TestQueue.create(bus.path("press"), 4096);
        Publisher publisher = queue.publisher();
        Subscriber subscriber = queue.subscriber(SubscriberOptions.block())) {
      while (offer(publisher, 48)) {
        // until the ring is full
      }
      threads.start("publisher", () -> {
        for (int i = 0; i < 1000; i++) {
          TestQueue.send(publisher, 48);
        }
      });
      Receiver receiver = new Receiver(subscriber);
      while (receiver.received < 1064) {
        assertEquals(1, subscriber.poll(receiver, 1, PATIENCE_NANOS));
      }
      threads.join();
      receiver.assertSawAll(0, publisher.nextSequence());
      assertTrue(BroadcastStatus.of(queue.entry).blockedCount() > 0);
    }
  }

  @Test
  void aPublisherThatWaitsForRoomGoesOnWhenTheReaderLeaves() throws InterruptedException {
    try (Threads threads = new Threads();
        TestQueue queue = TestQueue.create(bus.path("press"), 4096);
        Publisher publisher = queue.publisher()) {
      for (int round = 0; round < 50; round++) {
        Subscriber subscriber = queue.subscriber(SubscriberOptions.block());
        while (offer(publisher, 48)) {
          // until the ring is full
        }
        threads.start("publisher", () -> TestQueue.send(publisher, 48));
        subscriber.close();
        threads.join();
      }
    }
  }

  @Test
  void aHandlerThatPublishesCannotOverwriteTheMessageItReads() {
    try (TestQueue queue = TestQueue.create(bus.path("press"), 4096);
        Publisher publisher = queue.publisher();
        Subscriber subscriber = queue.subscriber(SubscriberOptions.block())) {
      Receiver receiver = new Receiver(subscriber);
      for (int round = 0; round < 100; round++) {
        offer(publisher, 48);
        subscriber.poll(message -> {
          while (offer(publisher, 48)) {
            // until the ring is full
          }
          receiver.onMessage(message);
        }, 50);
      }
      drain(subscriber, receiver);
      receiver.assertSawAll(0, publisher.nextSequence());
    }
  }

  @Test
  void tenMillionMessagesPassAGatingReaderEachOnceAndUnchanged() throws InterruptedException {
    long[] sums = new long[2];
    try (Threads threads = new Threads();
        TestQueue writing = TestQueue.create(bus.path("press"), 1 << 20);
        TestQueue reading = TestQueue.attach(bus.path("press"));
        Publisher publisher = writing.publisher();
        Subscriber subscriber = reading.subscriber(SubscriberOptions.block())) {
      threads.start("publisher", () -> sums[0] = publishNumbers(publisher));
      Adder adder = new Adder();
      while (adder.count < MESSAGES && !threads.hasFailed()) {
        assertTrue(subscriber.poll(adder, 1000, PATIENCE_NANOS) > 0, "waited in vain for message " + adder.count);
      }
      sums[1] = adder.sum;
      threads.join();
      assertEquals(MESSAGES, adder.count);
      assertEquals(MESSAGES, publisher.nextSequence());
      assertEquals(sums[0], sums[1], "checksum");
      assertFalse(subscriber.isReady());
    }
  }

  private static long publishNumbers(Publisher publisher) {
    long sum = 0;
    for (int i = 0; i < MESSAGES; i++) {
      int longs = 1 + i % 8;
      Claim claim = publisher.tryClaim(longs * Long.BYTES, i);
      if (claim == null) {
        claim = publisher.claim(longs * Long.BYTES, i, PATIENCE_NANOS);
        assertNotNull(claim, "waited in vain for room");
      }
      for (int at = 0; at < longs; at++) {
        long value = (sum ^ i) * 31 + at;
        claim.putLong(at * Long.BYTES, value);
        sum = sum * 17 + value;
      }
      claim.commit();
    }
    return sum;
  }

  /** The same sum from what arrives: one lost, repeated, torn or exchanged message changes it. */
  private static final class Adder implements MessageHandler {
    private int count;
    private long sum;

    @Override
    public void onMessage(Message message) {
      if (message.sequence() != count || message.type() != count || message.length() != (1 + count % 8) * Long.BYTES) {
        throw new AssertionError("message " + message.sequence() + " of type " + message.type() + " and length "
            + message.length() + " came where " + count + " was due");
      }
      count++;
      for (int at = 0; at < message.length(); at += Long.BYTES) {
        sum = sum * 17 + message.getLong(at);
      }
    }
  }
}
