package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.BusException;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.inspect.SegmentStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Threads that look at a segment, attach and leave are interrupted again and again. Java closes a channel whose user is
 * interrupted, and without native access the kernel then drops all locks of the process on the file: its proof of life.
 */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class InterruptedLookTest {
  private static final int LOOKS = 150;

  @RegisterExtension final TempBus bus = new TempBus();

  private long locks(Object inode) {
    try {
      return Files.readAllLines(Path.of("/proc/locks")).stream()
          .filter(line -> line.contains(":" + inode + " ") && line.contains("WRITE")).count();
    } catch (IOException failure) {
      throw new AssertionError(failure);
    }
  }

  @Test
  void theLocksOfAParticipantOutliveEveryInterruptOfOtherThreads() throws Exception {
    SegmentSpec spec = SegmentSpec.of(Broadcast.spec("queue", 4096));
    try (Segment segment = Segment.create(bus.path("look"), spec);
        Publisher publisher = Publisher.open(segment.directory().find("queue", Kind.BROADCAST));
        Threads threads = new Threads()) {
      Object inode = Files.getAttribute(segment.path(), "unix:ino");
      assertEquals(1, locks(inode));
      AtomicInteger looks = new AtomicInteger();
      AtomicBoolean done = new AtomicBoolean();
      Thread looker = threads.start("looker", () -> {
        while (looks.get() < LOOKS) {
          try (Segment observed = Segment.observe(segment.path());
              Segment attached = Segment.attach(segment.path(), 0)) {
            SegmentStatus.of(observed);
            attached.participants();
          } catch (BusException interrupted) {
            throw new AssertionError("an interrupt is no failure of a look", interrupted);
          }
          looks.incrementAndGet();
        }
        done.set(true);
      });
      Random random = new Random(7);
      while (!done.get() && !threads.hasFailed()) {
        looker.interrupt();
        LockSupport.parkNanos(random.nextInt(200_000));
        assertTrue(locks(inode) >= 1, () -> "the lock is gone after " + looks + " looks");
      }
      threads.join();
      assertEquals(1, locks(inode));
      assertTrue(publisher.offer(new byte[1]));
      assertEquals(1, segment.participants().size());
    }
  }
}
