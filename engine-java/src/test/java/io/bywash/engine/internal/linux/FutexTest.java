package io.bywash.engine.internal.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bywash.engine.Threads;
import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.internal.memory.Region;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Which sleepers the kernel wakes. */
@Timeout(120)
class FutexTest {
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(100);

  @BeforeEach
  void needNativeAccess() {
    assumeTrue(NativeAccess.ENABLED, "nobody sleeps in the kernel without native access");
  }

  private static final class Sleepers implements AutoCloseable {
    final Region word = Region.allocate(Integer.BYTES);
    final AtomicInteger asleep = new AtomicInteger();
    final Threads threads = new Threads();

    void start(String name, AtomicInteger woken, Runnable sleep) {
      threads.start(name, () -> {
        asleep.incrementAndGet();
        sleep.run();
        woken.incrementAndGet();
      });
    }

    @Override
    public void close() {
      threads.close();
    }
  }

  @Test
  void aFutexWakesThoseOfItsBitAndWhoeverSleepsOnSeveralWords() throws InterruptedException {
    AtomicInteger one = new AtomicInteger();
    AtomicInteger two = new AtomicInteger();
    AtomicInteger any = new AtomicInteger();
    try (Sleepers sleepers = new Sleepers()) {
      Region word = sleepers.word;
      sleepers.start("one", one, () -> Futex.await(word, 0, 0, 1, PATIENCE_NANOS));
      sleepers.start("two", two, () -> Futex.await(word, 0, 0, 2, PATIENCE_NANOS));
      if (Futex.WAIT_ANY) {
        sleepers.start("any", any, () -> {
          Futex.Words words = new Futex.Words();
          words.add(word, 0, 0);
          words.await(PATIENCE_NANOS);
        });
      } else {
        any.incrementAndGet();
      }
      // a wake without a change: who is not asleep yet is woken by the next one
      Threads.await(() -> {
        Futex.wakeAll(word, 0, 2);
        return two.get() == 1 && any.get() == 1;
      }, "those that bit 2 wakes");
      assertEquals(0, one.get(), "bit 1 was not woken");
      Threads.await(() -> {
        Futex.wakeAll(word, 0, 1);
        return one.get() == 1;
      }, "the one that bit 1 wakes");
      sleepers.threads.join();
    }
  }

}
