package io.bywash.osgi.internal.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Kind;
import io.bywash.engine.Revocable;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.wait.Waitable;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The end of a feeding, and where it says that its listener goes on. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class FeedingTest {
  private static final long PATIENCE_SECONDS = 60;

  @TempDir Path bus;

  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final CompletableFuture<Long> end = new CompletableFuture<>();
  private final CountDownLatch polling = new CountDownLatch(1);
  private final CountDownLatch mayPoll = new CountDownLatch(1);
  /** Thrown when the role is asked for; null for none. */
  private volatile Error shortage;
  private volatile boolean revoked;
  private Segment segment;
  private Subscriber subscriber;

  @BeforeEach
  void start() {
    segment = Segment.create(bus.resolve("feeding"), SegmentSpec.of(Broadcast.spec("ticks", 4096)));
    subscriber = Subscriber.open(segment.directory().find("ticks", Kind.BROADCAST));
  }

  @AfterEach
  void end() {
    shortage = null;
    mayPoll.countDown();
    executor.close();
    threads.close();
    segment.close();
  }

  /** One whose consumer went on at 3, and lost 5 messages. */
  private final class PlayedRole implements FeedingRole {
    @Override
    public Revocable revocable() {
      if (shortage != null) {
        throw shortage;
      }
      return subscriber;
    }

    @Override
    public Waitable waitable() {
      return subscriber;
    }

    @Override
    public long nextSequence() {
      return 3;
    }

    @Override
    public long missedCount() {
      return 5;
    }

    @Override
    public int poll(Calls calls, int limit) {
      polling.countDown();
      while (mayPoll.getCount() > 0) { // whoever interrupts it
        await(mayPoll);
        Thread.interrupted();
      }
      return 0;
    }

    @Override
    public void revoke() {
      revoked = true;
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(PATIENCE_SECONDS, TimeUnit.SECONDS));
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
    }
  }

  private Feeding begun() {
    Environment environment = new Environment(null, Map.of(), executor, threads, null, null, new Log(() -> null),
        new Object(), new AtomicLong());
    Feeding feeding = new Feeding(new PlayedRole(), this, "a feeding of the test", new Feeding.Counts(), end::complete,
        environment);
    feeding.tend();
    return feeding;
  }

  @Test
  void aListenerGoesOnBehindTheLossThatItWasToldOf() throws Exception {
    Feeding feeding = begun();
    await(polling);
    feeding.leave();
    mayPoll.countDown();
    assertEquals(8, end.get(PATIENCE_SECONDS, TimeUnit.SECONDS));
  }

  @Test
  void aListenerThatNeverReturnsLosesItsRoleThoughAShortageKeptThatFromBeingRetired() throws Exception {
    Feeding feeding = begun();
    await(polling);
    shortage = new OutOfMemoryError("played by the test");
    assertThrows(OutOfMemoryError.class, feeding::leave);
    assertEquals(8, end.get(PATIENCE_SECONDS, TimeUnit.SECONDS)); // although the call has not returned
    assertTrue(revoked);
    shortage = null;
  }
}
