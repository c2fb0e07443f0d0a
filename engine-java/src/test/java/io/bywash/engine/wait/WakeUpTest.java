package io.bywash.engine.wait;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.internal.waiting.WaitRoom;
import io.bywash.engine.internal.memory.NativeAccess;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * No wake-up is lost. A lost one would be made good by the sleeper's next look, 50 ms later: so waits that took that
 * long are counted. A busy machine makes some of them, too; a thread that does nothing but look at the clock tells how
 * often this machine stood still meanwhile.
 */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@Tag("optimised")
class WakeUpTest {
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(100);
  private static final int ROUNDS = 20_000;

  @RegisterExtension final TempBus bus = new TempBus();

  private Segment left;
  private Segment right;

  @BeforeEach
  void open() {
    left = Segment.create(bus.path("ping-pong"),
        SegmentSpec.of(Broadcast.spec("ping", 4096), Broadcast.spec("pong", 4096)));
    right = Segment.attach(bus.path("ping-pong"), 0);
  }

  @AfterEach
  void close() {
    left.close();
    right.close();
  }

  private static Publisher publisher(Segment segment, String queue) {
    return Publisher.open(segment.directory().find(queue, Kind.BROADCAST));
  }

  private static Subscriber subscriber(Segment segment, String queue, WaitPolicy policy) {
    return Subscriber.open(segment.directory().find(queue, Kind.BROADCAST), SubscriberOptions.block().waiting(policy));
  }

  /** Counts how often a thread that wants to run every millisecond could not for more than half a probe. */
  private static final class Standstills implements AutoCloseable {
    private final AtomicInteger count = new AtomicInteger();
    private volatile boolean over;

    Standstills() {
      Thread clock = new Thread(this::watch, "clock");
      clock.setDaemon(true);
      clock.start();
    }

    private void watch() {
      long last = System.nanoTime();
      while (!over) {
        LockSupport.parkNanos(1_000_000);
        long now = System.nanoTime();
        count.addAndGet((int) ((now - last) / (WaitRoom.PROBE_NANOS / 2)));
        last = now;
      }
    }

    /** Fails when more waits than the machine explains ended only by a probe. */
    void assertExplains(AtomicInteger late, String what) {
      String said = what + ": " + late + " waits took longer than a probe, the machine stood still " + count + " times";
      System.out.println(said);
      assertTrue(late.get() <= 3 + 4 * count.get(), said);
    }

    @Override
    public void close() {
      over = true;
    }
  }

  private interface Receive {
    /** Waits for one message. */
    void next(Subscriber subscriber) throws Exception;
  }

  private void pingPong(WaitPolicy policy, int rounds, Receive receive) throws InterruptedException {
    AtomicInteger late = new AtomicInteger();
    try (Standstills standstills = new Standstills();
        Threads threads = new Threads();
        Publisher ping = publisher(left, "ping");
        Publisher pong = publisher(right, "pong");
        Subscriber pinged = subscriber(right, "ping", policy);
        Subscriber ponged = subscriber(left, "pong", policy)) {
      threads.start("right", () -> {
        for (int i = 0; i < rounds; i++) {
          receive.next(pinged);
          assertTrue(pong.offer(new byte[1]));
        }
      });
      threads.start("left", () -> {
        for (int i = 0; i < rounds; i++) {
          long start = System.nanoTime();
          assertTrue(ping.offer(new byte[1]));
          receive.next(ponged);
          if (System.nanoTime() - start >= WaitRoom.PROBE_NANOS) {
            late.incrementAndGet();
          }
        }
      });
      threads.join();
      assertEquals(rounds, ponged.nextSequence());
      standstills.assertExplains(late, policy + ", " + rounds + " rounds");
    }
  }

  @Test
  void noWakeUpIsLostBetweenTwoThreadsThatBlock() throws InterruptedException {
    // without native access it parks, and there is no wake-up to lose
    pingPong(WaitPolicy.BLOCK, NativeAccess.ENABLED ? ROUNDS : 2_000, WakeUpTest::pollOne);
  }

  @Test
  void noWakeUpIsLostBetweenTwoThreadsThatBackOff() throws InterruptedException {
    pingPong(WaitPolicy.BACKOFF, ROUNDS / 4, WakeUpTest::pollOne);
  }

  private static void pollOne(Subscriber subscriber) {
    assertEquals(1, subscriber.poll(message -> {}, 1, PATIENCE_NANOS));
  }

  @Test
  void noWakeUpIsLostBetweenTwoThreadsThatWaitThroughTheHub() throws InterruptedException {
    // without native access the hub looks once a millisecond: nothing can be lost there
    pingPong(WaitPolicy.BLOCK, NativeAccess.ENABLED ? ROUNDS : 500, subscriber -> {
      while (subscriber.poll(message -> {}, 1) == 0) {
        WaitHub.shared().whenReady(subscriber).get(PATIENCE_NANOS, TimeUnit.NANOSECONDS);
      }
    });
  }

  @Test
  void noNewWaitIsOverlookedByAHubThatSleeps() throws Exception {
    AtomicInteger late = new AtomicInteger();
    int rounds = NativeAccess.ENABLED ? 10_000 : 300;
    try (Standstills standstills = new Standstills();
        Publisher ping = publisher(left, "ping");
        Subscriber pinged = subscriber(left, "ping", WaitPolicy.BLOCK);
        Subscriber idle = subscriber(right, "pong", WaitPolicy.BLOCK)) {
      var never = WaitHub.shared().whenReady(idle);
      for (int i = 0; i < rounds; i++) {
        long start = System.nanoTime();
        var ready = WaitHub.shared().whenReady(pinged);
        assertTrue(ping.offer(new byte[1]));
        ready.get(PATIENCE_NANOS, TimeUnit.NANOSECONDS);
        if (System.nanoTime() - start >= WaitRoom.PROBE_NANOS / 2) { // the hub may have slept for a while already
          late.incrementAndGet();
        }
        assertEquals(1, pinged.poll(message -> {}, 1));
      }
      standstills.assertExplains(late, "hub, " + rounds + " arrivals");
      never.cancel(false);
    }
  }

  @Test
  void noWakeUpOfAPublisherThatWaitsForRoomIsLost() throws InterruptedException {
    AtomicInteger late = new AtomicInteger();
    try (Standstills standstills = new Standstills();
        Threads threads = new Threads();
        Publisher publisher = Publisher.open(left.directory().find("ping", Kind.BROADCAST), WaitPolicy.BLOCK);
        Subscriber subscriber = subscriber(right, "ping", WaitPolicy.BLOCK)) {
      threads.start("publisher", () -> {
        for (int i = 0; i < ROUNDS; i++) {
          long start = System.nanoTime();
          assertTrue(publisher.offer(new byte[500], 0, 500, 0, PATIENCE_NANOS)); // the ring holds seven of them
          if (System.nanoTime() - start >= WaitRoom.PROBE_NANOS) {
            late.incrementAndGet();
          }
        }
      });
      for (int i = 0; i < ROUNDS && !threads.hasFailed(); i++) {
        pollOne(subscriber);
      }
      threads.join();
      standstills.assertExplains(late, "full ring, " + ROUNDS + " claims");
    }
  }

  @Test
  void allOfManySleepersAreWokenByOneMessage() throws InterruptedException {
    int sleepers = 8;
    int rounds = 300;
    AtomicInteger received = new AtomicInteger();
    try (Threads threads = new Threads(); Publisher publisher = publisher(left, "ping")) {
      for (int i = 0; i < sleepers; i++) {
        Segment own = i % 2 == 0 ? Segment.attach(bus.path("ping-pong"), 0) : right; // some share a doorbell
        Subscriber subscriber = subscriber(own, "ping", WaitPolicy.BLOCK);
        threads.start("sleeper " + i, () -> {
          for (int round = 0; round < rounds; round++) {
            pollOne(subscriber);
            received.incrementAndGet();
          }
          subscriber.close();
          if (own != right) {
            own.close();
          }
        });
      }
      for (int round = 1; round <= rounds; round++) {
        assertTrue(publisher.offer(new byte[1]));
        int wanted = round * sleepers;
        Threads.await(() -> received.get() == wanted || threads.hasFailed(), "all sleepers");
      }
      threads.join();
    }
  }
}
