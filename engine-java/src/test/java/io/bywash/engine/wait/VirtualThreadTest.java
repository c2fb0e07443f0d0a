package io.bywash.engine.wait;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.InterruptedWaitException;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Whoever waits on a virtual thread releases its carrier: more of them than there are processors keep nobody from
 * running.
 */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class VirtualThreadTest {
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(100);
  private static final int WAITING = 3 * Runtime.getRuntime().availableProcessors();

  @RegisterExtension final TempBus bus = new TempBus();

  private Segment segment;
  private Entry data;
  private Entry full;
  private final List<Thread> threads = new ArrayList<>();
  private final AtomicReference<Throwable> failure = new AtomicReference<>();

  @BeforeEach
  void open() {
    segment = Segment.create(bus.path("virtual"),
        SegmentSpec.of(Broadcast.spec("data", 4096), Broadcast.spec("full", 4096)));
    data = segment.directory().find("data", Kind.BROADCAST);
    full = segment.directory().find("full", Kind.BROADCAST);
  }

  @AfterEach
  void close() {
    segment.close();
  }

  private void start(Threads.Work work) {
    threads.add(Thread.ofVirtual().start(() -> {
      try {
        work.run();
      } catch (Throwable failed) {
        failure.compareAndSet(null, failed);
      }
    }));
  }

  private void join() throws InterruptedException {
    for (Thread thread : threads) {
      assertTrue(thread.join(java.time.Duration.ofNanos(PATIENCE_NANOS)), "a virtual thread does not end");
    }
    if (failure.get() != null) {
      throw new AssertionError(failure.get());
    }
  }

  /** Virtual threads that sleep and compute run while the others wait. */
  private void assertOthersRun() throws InterruptedException {
    CountDownLatch ran = new CountDownLatch(4 * 25);
    for (int i = 0; i < 4; i++) {
      start(() -> {
        for (int round = 0; round < 25; round++) {
          Thread.sleep(1);
          ran.countDown();
        }
      });
    }
    assertTrue(ran.await(60, TimeUnit.SECONDS), () -> "other virtual threads are kept from running: "
        + ran.getCount() + " left");
  }

  @ParameterizedTest
  @EnumSource(WaitPolicy.class)
  void whoWaitsForMessagesOrRoomKeepsNobodyFromRunningAndGetsThem(WaitPolicy policy) throws InterruptedException {
    AtomicInteger received = new AtomicInteger();
    CountDownLatch waiting = new CountDownLatch(WAITING + 1);
    try (Publisher publisher = Publisher.open(data);
        Subscriber behind = Subscriber.open(full);
        Publisher blocked = Publisher.open(full, policy)) {
      for (int i = 0; i < WAITING; i++) {
        start(() -> {
          try (Subscriber subscriber = Subscriber.open(data, SubscriberOptions.block().waiting(policy))) {
            waiting.countDown();
            received.addAndGet(subscriber.poll(message -> {}, 1, PATIENCE_NANOS));
          }
        });
      }
      start(() -> {
        while (blocked.offer(new byte[400])) {
          // until the ring is full
        }
        waiting.countDown();
        assertTrue(blocked.offer(new byte[400], 0, 400, 0, PATIENCE_NANOS));
      });
      assertTrue(waiting.await(100, TimeUnit.SECONDS), "they cannot even begin to wait");
      assertOthersRun();
      assertEquals(0, received.get());
      assertTrue(publisher.offer(new byte[1]));
      assertTrue(behind.poll(message -> {}, 100) > 0);
      join();
      assertEquals(WAITING, received.get());
    }
  }

  @ParameterizedTest
  @EnumSource(WaitPolicy.class)
  void anInterruptEndsTheWaitOfAVirtualThread(WaitPolicy policy) throws InterruptedException {
    try (Subscriber subscriber = Subscriber.open(data, SubscriberOptions.block().waiting(policy))) {
      CountDownLatch waiting = new CountDownLatch(1);
      start(() -> {
        waiting.countDown();
        assertThrows(InterruptedWaitException.class, () -> subscriber.poll(message -> {}, 1, PATIENCE_NANOS));
        assertTrue(Thread.currentThread().isInterrupted());
      });
      assertTrue(waiting.await(100, TimeUnit.SECONDS));
      threads.getFirst().interrupt();
      join();
    }
  }

  @ParameterizedTest
  @EnumSource(WaitPolicy.class)
  void messagesGoToAndFroBetweenVirtualThreads(WaitPolicy policy) throws InterruptedException {
    int rounds = 500;
    try (Publisher there = Publisher.open(data); Publisher back = Publisher.open(full)) {
      Subscriber waiting = Subscriber.open(data, SubscriberOptions.block().waiting(policy));
      Subscriber asking = Subscriber.open(full, SubscriberOptions.block().waiting(policy));
      start(() -> {
        for (int i = 0; i < rounds; i++) {
          assertEquals(1, waiting.poll(message -> {}, 1, PATIENCE_NANOS));
          assertTrue(back.offer(new byte[1], 0, 1, 0, PATIENCE_NANOS));
        }
      });
      start(() -> {
        for (int i = 0; i < rounds; i++) {
          assertTrue(there.offer(new byte[1], 0, 1, 0, PATIENCE_NANOS));
          assertEquals(1, asking.poll(message -> {}, 1, PATIENCE_NANOS));
        }
      });
      join();
      assertFalse(waiting.isReady() || asking.isReady());
    }
  }
}
