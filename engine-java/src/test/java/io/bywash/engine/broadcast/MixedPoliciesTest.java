package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.TestQueue.PATIENCE_NANOS;
import static io.bywash.engine.broadcast.TestQueue.offer;
import static io.bywash.engine.broadcast.TestQueue.pollOrFail;
import static io.bywash.engine.broadcast.TestQueue.send;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.EvictedException;
import io.bywash.engine.OverrunException;
import io.bywash.engine.Payload;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.TestQueue.Receiver;
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

/** Subscribers of every policy at once on one queue: each gets exactly what it was promised. */
@Tag("once")
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@Tag("optimised")
class MixedPoliciesTest {
  @RegisterExtension final TempBus bus = new TempBus();

  private TestQueue queue;
  private TestQueue reading;
  private TestQueue observing;
  private Publisher publisher;

  @BeforeEach
  void open() {
    queue = TestQueue.create(bus.path("mixed"), 4096);
    reading = TestQueue.attach(bus.path("mixed"));
    observing = TestQueue.observe(bus.path("mixed"));
    publisher = queue.publisher();
  }

  @AfterEach
  void close() {
    publisher.close();
    observing.close();
    reading.close();
    queue.close();
  }

  @Test
  void eachIsTreatedByItsOwnPolicyWhenOnlyTheBlockingOneReads() {
    try (Subscriber block = reading.subscriber(SubscriberOptions.block());
        Subscriber skip = reading.subscriber(SubscriberOptions.skip());
        Subscriber fail = reading.subscriber(SubscriberOptions.fail());
        Subscriber evict = reading.subscriber(SubscriberOptions.evictAfter(1));
        Subscriber observer = observing.subscriber(SubscriberOptions.skip())) {
      Receiver blocked = new Receiver(block);
      while (publisher.nextSequence() < 1000) {
        if (!offer(publisher, 48)) {
          block.poll(blocked, 10);
        }
      }
      TestQueue.drain(block, blocked);
      blocked.assertSawAll(0, 1000);
      assertEquals(0, blocked.lost);
      EvictedException evicted = assertThrows(EvictedException.class, () -> evict.poll(message -> {}, 1));
      assertEquals(0, evicted.nextSequence());
      OverrunException overrun = assertThrows(OverrunException.class, () -> fail.poll(message -> {}, 1));
      for (Subscriber lossy : List.of(skip, observer)) {
        Receiver received = new Receiver(lossy);
        TestQueue.drain(lossy, received);
        received.assertSawAll(0, 1000);
        assertEquals(overrun.lostCount(), received.lost);
      }
    }
  }

  /** The publisher in one thread, the subscribers in the other, each with its own appetite. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void eachGetsWhatItWasPromisedFromAPublisherInAnotherThread(boolean batches) throws InterruptedException {
    Random random = Payload.random("eachGetsWhatItWasPromised(" + batches + ")");
    int count = batches ? 20_000 : 50_000;
    AtomicBoolean over = new AtomicBoolean();
    try (Threads threads = new Threads();
        Subscriber block = reading.subscriber(SubscriberOptions.block());
        Subscriber evict = reading.subscriber(Policy.EVICT.options());
        Subscriber skip = reading.subscriber(SubscriberOptions.skip());
        Subscriber newest = reading.subscriber(SubscriberOptions.skip().resumingAtNewest());
        Subscriber fail = reading.subscriber(SubscriberOptions.fail());
        Subscriber observer = observing.subscriber(SubscriberOptions.skip())) {
      threads.start("publisher", () -> publish(count, batches, over));
      List<Subscriber> subscribers = List.of(block, evict, skip, newest, fail, observer);
      List<Receiver> receivers = subscribers.stream().map(Receiver::new).toList();
      while (!threads.hasFailed() && (!over.get() || subscribers.stream().anyMatch(Subscriber::isReady))) {
        for (int i = 0; i < subscribers.size(); i++) {
          if (i < 2 || over.get() || random.nextInt(8) == 0) { // those that may lose read seldom
            pollOrFail(subscribers.get(i), receivers.get(i), 1 + random.nextInt(50));
          }
        }
      }
      threads.join();
      for (int i = 0; i < subscribers.size(); i++) {
        receivers.get(i).assertSawAll(0, count);
        assertEquals(receivers.get(i).lost, subscribers.get(i).lostCount());
        if (i < 2) { // whether the others lose anything is a matter of who runs when
          assertEquals(0, receivers.get(i).lost, "of subscriber " + i);
        }
      }
    }
  }

  private void publish(int count, boolean batches, AtomicBoolean over) {
    for (int i = 0; i < count; i++) {
      int length = 1 + i * 31 % 200;
      if (batches && i % 7 != 0 && publisher.nextSequence() < count - 1) {
        if (!TestQueue.stage(publisher, length)) {
          i--;
          Thread.yield();
        }
      } else {
        send(publisher, length);
      }
    }
    over.set(true);
  }

  /** Two that stay, one of each gating kind, and a crowd that comes and goes. */
  @Test
  void whoeverJoinsAndLeavesOrIsCutOffCostsNobodyElseAMessage() throws InterruptedException {
    Random random = Payload.random("whoeverJoinsAndLeaves");
    AtomicBoolean over = new AtomicBoolean();
    try (Threads threads = new Threads();
        Subscriber block = reading.subscriber(SubscriberOptions.block());
        Subscriber evict = reading.subscriber(Policy.EVICT.options())) {
      threads.start("publisher", () -> {
        for (int i = 0; !over.get() && !threads.hasFailed(); i++) {
          send(publisher, 1 + i * 31 % 300);
        }
        over.set(true);
      });
      Receiver blocked = new Receiver(block);
      Receiver evictable = new Receiver(evict);
      threads.start("residents", () -> {
        while (!over.get() || block.isReady() || evict.isReady()) {
          block.poll(blocked, 16, 1_000_000);
          evict.poll(evictable, 16);
        }
      });
      try (TestQueue joining = TestQueue.attach(bus.path("mixed"))) {
        for (int round = 0; round < 3_000 && !threads.hasFailed(); round++) {
          visit(joining, random);
        }
      } finally {
        over.set(true);
      }
      threads.join();
      TestQueue.drain(block, blocked);
      TestQueue.drain(evict, evictable);
      blocked.assertSawAll(0, publisher.nextSequence());
      evictable.assertSawAll(0, publisher.nextSequence());
      assertEquals(0, blocked.lost + evictable.lost);
    }
    assertEquals(List.of(), BroadcastStatus.of(queue.entry).subscribers());
  }

  private void visit(TestQueue joining, Random random) {
    boolean asObserver = random.nextInt(5) == 0;
    SubscriberOptions policy = asObserver ? SubscriberOptions.skip() : random.nextInt(5) == 0
        ? SubscriberOptions.evictAfter(1_000) : Policy.values()[random.nextInt(4)].options();
    SubscriberOptions options = switch (random.nextInt(3)) {
      case 0 -> policy.startingAtOldest();
      case 1 -> policy.startingAtLast(random.nextInt(50));
      default -> policy;
    };
    try (Subscriber subscriber = (asObserver ? observing : joining).subscriber(options)) {
      Receiver receiver = new Receiver(subscriber);
      long first = receiver.next;
      try {
        for (int polls = random.nextInt(10); polls > 0; polls--) {
          pollOrFail(subscriber, receiver, 1 + random.nextInt(20));
        }
      } catch (EvictedException evicted) {
        assertEquals(receiver.next, evicted.nextSequence());
      }
      receiver.assertSawAll(first, subscriber.nextSequence());
      assertEquals(receiver.lost, subscriber.lostCount());
      assertTrue(!policy.isGating() || receiver.lost == 0);
    }
  }

  @Test
  void aReaderThatWaitsGetsEachBatchUnderEveryPolicy() throws InterruptedException {
    try (Threads threads = new Threads()) {
      for (Policy policy : Policy.values()) {
        try (Subscriber subscriber = reading.subscriber(policy.options())) {
          Receiver receiver = new Receiver(subscriber);
          long first = receiver.next;
          threads.start("reader " + policy, () -> {
            while (receiver.next < first + 500) {
              assertTrue(subscriber.poll(receiver, 10, PATIENCE_NANOS) > 0, "waited in vain");
            }
          });
          for (int batch = 0; batch < 100; batch++) {
            for (int i = 0; i < 4; i++) {
              assertTrue(TestQueue.stage(publisher, 24));
            }
            send(publisher, 24);
            long end = publisher.nextSequence();
            Threads.await(() -> receiver.next == end || threads.hasFailed(), "the batch to arrive");
          }
          threads.join();
          receiver.assertSawAll(first, publisher.nextSequence());
          assertEquals(0, receiver.lost);
        }
      }
    }
  }
}
