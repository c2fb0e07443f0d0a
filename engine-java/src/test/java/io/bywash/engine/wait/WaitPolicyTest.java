package io.bywash.engine.wait;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Claim;
import io.bywash.engine.Entry;
import io.bywash.engine.InterruptedWaitException;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The same behaviour under every way to wait. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class WaitPolicyTest {
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(50);
  private static final long SHORT_NANOS = 70_000_000; // longer than one probe

  @RegisterExtension final TempBus bus = new TempBus();

  private Segment writing;
  private Segment reading;
  private Entry writersQueue;
  private Entry readersQueue;

  @BeforeEach
  void open() {
    writing = Segment.create(bus.path("wait"), SegmentSpec.of(Broadcast.spec("queue", 4096)));
    reading = Segment.attach(bus.path("wait"), 0);
    writersQueue = writing.directory().find("queue", Kind.BROADCAST);
    readersQueue = reading.directory().find("queue", Kind.BROADCAST);
  }

  @AfterEach
  void close() {
    writing.close();
    reading.close();
  }

  private Subscriber subscriber(WaitPolicy policy) {
    return Subscriber.open(readersQueue, SubscriberOptions.block().waiting(policy));
  }

  private static void fill(Publisher publisher) {
    while (publisher.offer(new byte[48])) {
      // until the ring is full
    }
  }

  private static boolean waits(Thread thread, WaitPolicy policy) {
    // a thread that sleeps in the kernel, or spins, is RUNNABLE to the JVM
    return policy == WaitPolicy.PARK ? thread.getState() == Thread.State.TIMED_WAITING : thread.isAlive();
  }

  @ParameterizedTest
  @EnumSource(WaitPolicy.class)
  void aWaitingSubscriberReceivesWhatIsPublishedLater(WaitPolicy policy) throws InterruptedException {
    AtomicInteger received = new AtomicInteger();
    try (Publisher publisher = Publisher.open(writersQueue);
        Subscriber subscriber = subscriber(policy);
        Threads threads = new Threads()) {
      Thread reader = threads.start("reader", () -> {
        for (int i = 0; i < 300; i++) {
          assertEquals(1, subscriber.poll(message -> received.incrementAndGet(), 1, PATIENCE_NANOS));
        }
      });
      Threads.await(() -> waits(reader, policy), "the reader to wait");
      for (int i = 1; i <= 300; i++) {
        assertTrue(publisher.offer(new byte[] {1}));
        int wanted = i;
        Threads.await(() -> received.get() == wanted || threads.hasFailed(), "message " + wanted);
      }
      threads.join();
    }
  }

  @ParameterizedTest
  @EnumSource(WaitPolicy.class)
  void aWaitingPublisherGetsTheRoomThatIsGivenBackLater(WaitPolicy policy) throws InterruptedException {
    try (Publisher publisher = Publisher.open(writersQueue, policy);
        Subscriber subscriber = subscriber(WaitPolicy.BACKOFF);
        Threads threads = new Threads()) {
      fill(publisher);
      AtomicInteger claimed = new AtomicInteger();
      Thread writer = threads.start("writer", () -> {
        for (int i = 0; i < 300; i++) {
          Claim claim = publisher.claim(48, 0, PATIENCE_NANOS);
          assertNotNull(claim);
          claim.commit();
          claimed.incrementAndGet();
        }
      });
      Threads.await(() -> waits(writer, policy), "the writer to wait");
      for (int i = 1; i <= 300; i++) {
        assertEquals(1, subscriber.poll(message -> {}, 1));
        int wanted = i;
        Threads.await(() -> claimed.get() == wanted || threads.hasFailed(), "claim " + wanted);
      }
      threads.join();
    }
  }

  @ParameterizedTest
  @EnumSource(WaitPolicy.class)
  void aWaitInVainTakesItsTimeAndEndsEmptyHanded(WaitPolicy policy) {
    try (Publisher publisher = Publisher.open(writersQueue, policy); Subscriber subscriber = subscriber(policy)) {
      long start = System.nanoTime();
      assertEquals(0, subscriber.poll(message -> {}, 1, SHORT_NANOS));
      assertTrue(System.nanoTime() - start >= SHORT_NANOS, "poll came back early");
      fill(publisher);
      start = System.nanoTime();
      assertNull(publisher.claim(48, 0, SHORT_NANOS));
      assertTrue(System.nanoTime() - start >= SHORT_NANOS, "claim came back early");
      long before = publisher.nextSequence();
      assertTrue(!publisher.offer(new byte[48], 0, 48, 0, SHORT_NANOS));
      assertEquals(before, publisher.nextSequence());
    }
  }

  @ParameterizedTest
  @EnumSource(WaitPolicy.class)
  void nobodyWaitsWithoutATimeout(WaitPolicy policy) {
    try (Publisher publisher = Publisher.open(writersQueue, policy); Subscriber subscriber = subscriber(policy)) {
      fill(publisher);
      assertNull(publisher.claim(48, 0, 0));
      assertNull(publisher.claim(48, 0, Long.MIN_VALUE));
      while (subscriber.poll(message -> {}, 100) > 0) {
        // until the ring is empty
      }
      assertEquals(0, subscriber.poll(message -> {}, 1, 0));
      assertEquals(0, subscriber.poll(message -> {}, 1, -1));
    }
  }

  @ParameterizedTest
  @EnumSource(WaitPolicy.class)
  void aWaitMayBeAsLongAsTheClockCanTell(WaitPolicy policy) throws InterruptedException {
    try (Publisher publisher = Publisher.open(writersQueue);
        Subscriber subscriber = subscriber(policy);
        Threads threads = new Threads()) {
      Thread reader = threads.start("reader", () ->
          assertEquals(1, subscriber.poll(message -> {}, 1, Long.MAX_VALUE)));
      Threads.await(() -> waits(reader, policy), "the reader to wait");
      assertTrue(publisher.offer(new byte[1]));
      threads.join();
    }
  }

  @ParameterizedTest
  @EnumSource(WaitPolicy.class)
  void anInterruptEndsTheWaitAndStaysSet(WaitPolicy policy) throws InterruptedException {
    try (Publisher publisher = Publisher.open(writersQueue, policy);
        Subscriber subscriber = subscriber(policy);
        Threads threads = new Threads()) {
      for (int round = 0; round < 3; round++) {
        Thread reader = threads.start("reader", () -> {
          assertThrows(InterruptedWaitException.class, () -> subscriber.poll(message -> {}, 1, PATIENCE_NANOS));
          assertTrue(Thread.currentThread().isInterrupted());
        });
        Threads.await(() -> waits(reader, policy), "the reader to wait");
        reader.interrupt();
        threads.join();
      }
      fill(publisher);
      Thread writer = threads.start("writer", () -> {
        assertThrows(InterruptedWaitException.class, () -> publisher.claim(48, 0, PATIENCE_NANOS));
        assertTrue(Thread.currentThread().isInterrupted());
      });
      Threads.await(() -> waits(writer, policy), "the writer to wait");
      writer.interrupt();
      threads.join();
    }
  }

  @ParameterizedTest
  @EnumSource(WaitPolicy.class)
  void aSetInterruptEndsEveryCallWithATimeoutBeforeItTakesOrSendsAnything(WaitPolicy policy) {
    try (Publisher publisher = Publisher.open(writersQueue, policy); Subscriber subscriber = subscriber(policy)) {
      assertTrue(publisher.offer(new byte[1]));
      Thread.currentThread().interrupt();
      assertThrows(InterruptedWaitException.class, () -> publisher.offer(new byte[1], 0, 1, 0, PATIENCE_NANOS));
      assertThrows(InterruptedWaitException.class, () -> publisher.claim(1, 0, PATIENCE_NANOS));
      assertThrows(InterruptedWaitException.class, () -> publisher.awaitSubscribers(1, PATIENCE_NANOS));
      assertThrows(InterruptedWaitException.class, () -> subscriber.poll(message -> {}, 1, PATIENCE_NANOS));
      assertTrue(Thread.interrupted(), "the flag stays set");
      assertEquals(1, publisher.nextSequence());
      assertEquals(1, subscriber.poll(message -> {}, 10, PATIENCE_NANOS));
    }
  }

  @ParameterizedTest
  @EnumSource(WaitPolicy.class)
  void aSetInterruptDoesNotConcernCallsThatDoNotWait(WaitPolicy policy) {
    try (Publisher publisher = Publisher.open(writersQueue, policy); Subscriber subscriber = subscriber(policy)) {
      Thread.currentThread().interrupt();
      assertTrue(publisher.offer(new byte[1]));
      assertTrue(publisher.offer(new byte[1], 0, 1, 0, 0));
      assertTrue(publisher.awaitSubscribers(1, 0));
      assertEquals(2, subscriber.poll(message -> {}, 10));
      assertEquals(0, subscriber.poll(message -> {}, 10, 0));
      assertTrue(Thread.interrupted());
    }
  }

  @ParameterizedTest
  @EnumSource(WaitPolicy.class)
  void aWaitingSubscriberIsWokenByTheCloseOfItsSegment(WaitPolicy policy) throws InterruptedException {
    for (int round = 0; round < 20; round++) {
      try (Threads threads = new Threads()) {
        Segment segment = Segment.attach(bus.path("wait"), 0);
        Entry queue = segment.directory().find("queue", Kind.BROADCAST);
        Subscriber subscriber = Subscriber.open(queue, SubscriberOptions.block().waiting(policy));
        Thread reader = threads.start("reader", () -> {
          assertThrows(SegmentClosedException.class, () -> subscriber.poll(message -> {}, 1, PATIENCE_NANOS));
          subscriber.close();
        });
        Threads.await(() -> waits(reader, policy), "the reader to wait");
        segment.close();
        threads.join();
      }
      assertEquals(2, writing.participants().size(), "the slot was given back with the last role");
    }
  }

  @ParameterizedTest
  @EnumSource(WaitPolicy.class)
  void aWaitingPublisherIsWokenByTheCloseOfItsSegment(WaitPolicy policy) throws InterruptedException {
    try (Subscriber subscriber = subscriber(policy); Threads threads = new Threads()) {
      Segment segment = Segment.attach(bus.path("wait"), 0);
      Publisher publisher = Publisher.open(segment.directory().find("queue", Kind.BROADCAST), policy);
      fill(publisher);
      Thread writer = threads.start("writer", () -> {
        assertThrows(SegmentClosedException.class, () -> publisher.claim(48, 0, PATIENCE_NANOS));
        publisher.close();
      });
      Threads.await(() -> waits(writer, policy), "the writer to wait");
      segment.close();
      threads.join();
      assertEquals(1, subscriber.poll(message -> {}, 1));
    }
  }

  @ParameterizedTest
  @EnumSource(WaitPolicy.class)
  void whoReadsCopiesAndWhoOnlyObservesWaitsTheSameWay(WaitPolicy policy) throws InterruptedException {
    try (Publisher publisher = Publisher.open(writersQueue); Segment observing = Segment.observe(bus.path("wait"))) {
      waitAndBeInterrupted(publisher, policy, readersQueue, SubscriberOptions.skip());
      waitAndBeInterrupted(publisher, policy, readersQueue, SubscriberOptions.fail());
      waitAndBeInterrupted(publisher, policy, readersQueue, SubscriberOptions.evictAfter(PATIENCE_NANOS));
      Entry observed = observing.directory().find("queue", Kind.BROADCAST);
      waitAndBeInterrupted(publisher, policy, observed, SubscriberOptions.skip());
    }
  }

  private static void waitAndBeInterrupted(Publisher publisher, WaitPolicy policy, Entry queue,
      SubscriberOptions options)
      throws InterruptedException {
    AtomicInteger received = new AtomicInteger();
    try (Subscriber reader = Subscriber.open(queue, options.waiting(policy)); Threads threads = new Threads()) {
      long start = System.nanoTime();
      assertEquals(0, reader.poll(message -> {}, 1, SHORT_NANOS));
      assertTrue(System.nanoTime() - start >= SHORT_NANOS, "poll came back early");
      Thread waiting = threads.start("reader", () -> {
        assertEquals(1, reader.poll(message -> received.incrementAndGet(), 1, PATIENCE_NANOS));
        assertThrows(InterruptedWaitException.class,
            () -> reader.poll(message -> received.incrementAndGet(), 1, PATIENCE_NANOS));
        assertTrue(Thread.currentThread().isInterrupted());
      });
      Threads.await(() -> waits(waiting, policy), "the reader to wait");
      assertTrue(publisher.offer(new byte[1]));
      Threads.await(() -> received.get() == 1 || threads.hasFailed(), "the message to arrive");
      waiting.interrupt();
      threads.join();
    }
  }

  @ParameterizedTest
  @EnumSource(WaitPolicy.class)
  void anImpossibleLimitIsRefusedBeforeTheWait(WaitPolicy policy) {
    try (Subscriber subscriber = subscriber(policy)) {
      for (int limit : new int[] {0, -1, Integer.MIN_VALUE}) {
        var refused = assertThrows(IllegalArgumentException.class, () -> subscriber.poll(message -> {}, limit, 1));
        assertTrue(refused.getMessage().contains("limit=" + limit), refused.getMessage());
      }
    }
  }
}
