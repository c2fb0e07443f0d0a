package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.process.ChildProcess.Setup;
import io.bywash.engine.wait.WaitPolicy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A segment is closed while threads wait in it, without native access. */
@Tag("once")
@Timeout(180)
class CloseWhileWaitingTest {
  private static final int ROUNDS = 300;
  private static final int WAITERS = 3;

  @RegisterExtension final TempBus bus = new TempBus();

  /** Says how many threads that waited were interrupted, and how many were told that the segment is closed. */
  static final class Waits implements ChildProgram {
    private final AtomicInteger interrupted = new AtomicInteger();
    private final AtomicInteger told = new AtomicInteger();

    @Override
    public void run(String... arguments) throws Exception {
      for (int round = 0; round < ROUNDS; round++) {
        Segment segment = Segment.open(Path.of(arguments[0]), SegmentSpec.of(Broadcast.spec("queue", 4096)));
        Entry queue = segment.directory().find("queue", Kind.BROADCAST);
        CountDownLatch waiting = new CountDownLatch(WAITERS);
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < WAITERS; i++) {
          Subscriber subscriber = Subscriber.open(queue, SubscriberOptions.block().waiting(WaitPolicy.SPIN));
          threads.add(Thread.ofPlatform().start(() -> await(subscriber, waiting)));
        }
        waiting.await();
        LockSupport.parkNanos(round % 100 * 2_000L);
        segment.close();
        for (Thread thread : threads) {
          thread.join();
        }
      }
      ChildProgram.say("interrupted " + interrupted + " " + told);
    }

    private void await(Subscriber subscriber, CountDownLatch waiting) {
      waiting.countDown();
      try {
        subscriber.poll(message -> {}, 1, PATIENCE_NANOS);
      } catch (SegmentClosedException closed) {
        told.incrementAndGet();
      }
      interrupted.addAndGet(Thread.interrupted() ? 1 : 0);
    }
  }

  /** The virtual machine interrupts a thread whose memory goes during an access, which interpreted code shows best. */
  @Test
  void whoeverWaitsIsToldAndNotInterruptedWhenTheMemoryGoes() {
    try (ChildProcess child = ChildProcess.start(List.of(), List.of("-Xint"), Setup.PORTABLE, Map.of(), Waits.class,
        bus.path("waits"))) {
      assertEquals("0 " + ROUNDS * WAITERS, child.await("interrupted"));
      child.finish();
    }
  }
}
