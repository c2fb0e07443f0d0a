package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.wait.WaitHub;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A short lack of heap in some other part of a program ends no wait and no thread of the engine. */
@Timeout(180)
class HeapShortageTest {
  @RegisterExtension final TempBus bus = new TempBus();

  /** Waits in two ways while the heap is exhausted, again and again, and then gets its messages. */
  static final class Exhausted implements ChildProgram {
    private static final int ROUNDS = 8;
    private static final long SHORTAGE_NANOS = 120_000_000; // longer than the hub sleeps

    @Override
    public void run(String... arguments) throws Exception {
      try (Segment segment = Segment.open(Path.of(arguments[0]), SegmentSpec.of(Broadcast.spec("queue", 4096)))) {
        Entry queue = segment.directory().find("queue", Kind.BROADCAST);
        try (Publisher publisher = Publisher.open(queue);
            Subscriber waiting = Subscriber.open(queue);
            Subscriber other = Subscriber.open(queue)) {
          CompletableFuture<Void> ready = WaitHub.shared().whenReady(waiting);
          int[] received = {0};
          Thread virtual = Thread.ofVirtual().start(() -> received[0] = other.poll(message -> {}, 1, PATIENCE_NANOS));
          for (int round = 0; round < ROUNDS && !ready.isDone(); round++) {
            exhaust();
          }
          boolean stillWaits = !ready.isDone();
          while (!publisher.offer(new byte[1])) {
            Thread.onSpinWait();
          }
          ready.get(PATIENCE_NANOS, TimeUnit.NANOSECONDS);
          virtual.join();
          ChildProgram.say("waits " + stillWaits + " " + waiting.poll(message -> {}, 1) + " " + received[0]);
        }
      }
    }

    private static void exhaust() {
      List<byte[]> hog = new ArrayList<>();
      for (int size = 1 << 20; size > 8; ) {
        try {
          hog.add(new byte[size]);
        } catch (OutOfMemoryError full) {
          size /= 4;
        }
      }
      long start = System.nanoTime();
      while (System.nanoTime() - start < SHORTAGE_NANOS) {
        try {
          hog.add(new byte[8]);
        } catch (OutOfMemoryError full) {
          // as it is to be
        }
      }
    }
  }

  @Test
  void whoWaitsThroughTheHubOutlivesIt() {
    try (ChildProcess child = ChildProcess.startBy(List.of(), List.of("-Xmx24m"), Exhausted.class, bus.path("heap"))) {
      assertEquals("true 1 1", child.await("waits"));
      child.finish();
    }
  }
}
