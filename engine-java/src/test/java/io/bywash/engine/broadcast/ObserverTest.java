package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.TestQueue.PATIENCE_NANOS;
import static io.bywash.engine.broadcast.TestQueue.drain;
import static io.bywash.engine.broadcast.TestQueue.offer;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Kind;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.TestQueue.Receiver;
import io.bywash.engine.wait.WaitHub;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A segment that is attached read-only: everything can be seen, and nothing is changed by looking. */
@Tag("once")
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ObserverTest {
  @RegisterExtension final TempBus bus = new TempBus();

  private TestQueue writing;
  private Publisher publisher;

  @BeforeEach
  void open() {
    writing = TestQueue.create(bus.path("seen"), 4096);
    publisher = writing.publisher();
  }

  @AfterEach
  void close() {
    publisher.close();
    writing.close();
  }

  private void publish(int count) {
    for (int i = 0; i < count; i++) {
      assertTrue(offer(publisher, 48));
    }
  }

  @Test
  void anObserverReadsEverythingAndChangesNotOneByte() throws Exception {
    publish(1000);
    try (Subscriber resident = writing.subscriber(SubscriberOptions.skip())) {
      byte[] before = Files.readAllBytes(bus.path("seen"));
      try (TestQueue observing = TestQueue.observe(bus.path("seen"));
          Subscriber oldest = observing.subscriber(SubscriberOptions.skip().startingAtOldest());
          Subscriber newest = observing.subscriber(SubscriberOptions.skip())) {
        Receiver receiver = new Receiver(oldest);
        assertTrue(drain(oldest, receiver) >= 62);
        assertEquals(1000, oldest.nextSequence());
        assertEquals(0, newest.poll(message -> {}, 1));
        assertEquals(0, newest.poll(message -> {}, 1, 20_000_000));
        assertFalse(newest.isReady());
        WaitHub.shared().whenReady(newest).cancel(false);
        assertEquals(1, observing.segment.participants().size());
        assertTrue(observing.segment.participants().get(0).alive());
        assertEquals(Optional.of(writing.segment.participants().get(0).id()),
            observing.entry.owner().map(owner -> owner.id()));
        assertEquals(List.of("queue"), observing.segment.directory().entries().stream().map(e -> e.name()).toList());
        assertEquals(1000, BroadcastStatus.of(observing.entry).messageCount());
      }
      // the heartbeat of the resident's and the publisher's participant is their own, and they did not wait
      assertArrayEquals(before, Files.readAllBytes(bus.path("seen")));
      assertEquals(1000, resident.nextSequence());
    }
  }

  @Test
  void anObserverFollowsAWriterAtFullSpeedAndCountsItsLossesExactly() throws InterruptedException {
    AtomicBoolean over = new AtomicBoolean();
    try (Threads threads = new Threads();
        TestQueue observing = TestQueue.observe(bus.path("seen"));
        Subscriber subscriber = observing.subscriber(SubscriberOptions.skip())) {
      threads.start("writer", () -> {
        for (int i = 0; i < 500_000; i++) {
          assertTrue(offer(publisher, 1 + i % 100));
        }
        over.set(true);
      });
      Receiver receiver = new Receiver(subscriber);
      while (!over.get() && !threads.hasFailed()) {
        subscriber.poll(receiver, 10);
      }
      threads.join();
      drain(subscriber, receiver);
      receiver.assertSawAll(0, 500_000);
      assertEquals(receiver.lost, subscriber.lostCount());
    }
  }

  @Test
  void anObserverThatWaitsReceivesWhatIsPublishedLater() throws InterruptedException {
    try (Threads threads = new Threads();
        TestQueue observing = TestQueue.observe(bus.path("seen"));
        Subscriber subscriber = observing.subscriber(SubscriberOptions.skip())) {
      Receiver receiver = new Receiver(subscriber);
      threads.start("observer", () -> {
        for (int i = 0; i < 20; i++) {
          assertEquals(1, subscriber.poll(receiver, 1, PATIENCE_NANOS));
          WaitHub.shared().whenReady(subscriber).get(100, TimeUnit.SECONDS);
        }
      });
      while (receiver.received < 20) {
        long seen = receiver.received; // it may have received the message before publish returns
        publish(1);
        Threads.await(() -> receiver.received > seen || receiver.received == 20 || threads.hasFailed(), "the observer");
        assertFalse(threads.hasFailed());
      }
      publish(1);
      threads.join();
    }
  }

  @Test
  void anObserverCanNeitherPublishNorHoldBackNorAdd() {
    try (TestQueue observing = TestQueue.observe(bus.path("seen"))) {
      publisher.close();
      for (var refused : List.of(assertThrows(IllegalStateException.class, observing::publisher),
          assertThrows(IllegalStateException.class, () -> observing.subscriber(SubscriberOptions.block())),
          assertThrows(IllegalStateException.class,
              () -> observing.segment.directory().findOrAdd(Broadcast.spec("more", 4096))))) {
        assertTrue(refused.getMessage().contains("read-only") && refused.getMessage().contains("/seen"),
            refused.getMessage());
      }
    }
  }

  @Test
  void anObserverKeepsNoSegmentAliveAndReadsOnAfterItsRemoval() {
    publish(3);
    try (TestQueue observing = TestQueue.observe(bus.path("seen"));
        Subscriber subscriber = observing.subscriber(SubscriberOptions.skip().startingAtOldest())) {
      publisher.close();
      writing.close();
      assertEquals(List.of(), bus.files());
      Receiver receiver = new Receiver(subscriber);
      assertEquals(3, drain(subscriber, receiver));
      assertFalse(observing.segment.participants().stream().anyMatch(participant -> participant.alive()));
    }
  }

  @Test
  void anObserversRoleFailsAfterItsCloseAndAfterThatOfItsSegment() {
    publish(3);
    TestQueue observing = TestQueue.observe(bus.path("seen"));
    Subscriber first = observing.subscriber(SubscriberOptions.skip().startingAtOldest());
    Subscriber second = observing.subscriber(SubscriberOptions.skip().startingAtOldest());
    first.close();
    assertTrue(first.isReady(), "so that a waiting thread finds out");
    assertThrows(SegmentClosedException.class, () -> first.poll(message -> {}, 1));
    assertEquals(1, second.poll(message -> {}, 1));
    observing.close();
    assertTrue(second.isReady());
    assertThrows(SegmentClosedException.class, () -> second.poll(message -> {}, 1));
    assertThrows(SegmentClosedException.class, () -> observing.segment.directory().find("queue", Kind.BROADCAST));
    assertThrows(SegmentClosedException.class, observing.segment::participants);
    second.close();
  }

  @Test
  void aFileThatOnlyMayBeReadCanBeObserved() throws IOException {
    Files.setPosixFilePermissions(bus.path("seen"), java.util.Set.of(
        java.nio.file.attribute.PosixFilePermission.OWNER_READ));
    publish(1);
    try (TestQueue observing = TestQueue.observe(bus.path("seen"));
        Subscriber subscriber = observing.subscriber(SubscriberOptions.skip().startingAtOldest())) {
      assertEquals(1, drain(subscriber, new Receiver(subscriber)));
    }
  }
}
