package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.Payload;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TableFullException;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.call.CallClient;
import io.bywash.engine.call.Endpoint;
import io.bywash.engine.queue.Consumer;
import io.bywash.engine.queue.DeliveryPolicy;
import io.bywash.engine.queue.WorkQueue;
import io.bywash.engine.wait.WaitHub;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A short lack of heap in some other part of a program ends no wait and no thread of the engine. */
@Tag("once")
@Timeout(180)
class HeapShortageTest {
  @RegisterExtension final TempBus bus = new TempBus();

  /** Waits while the heap is exhausted, again and again, and then gets its messages. */
  static final class Exhausted implements ChildProgram {
    private static final int SHORTAGES = 8;
    private static final long SHORTAGE_NANOS = 120_000_000; // longer than the hub sleeps

    @Override
    public void run(String... arguments) throws Exception {
      try (Segment segment = Segment.open(Path.of(arguments[0]), SegmentSpec.of(Broadcast.spec("queue", 4096)))) {
        Entry queue = segment.directory().find("queue", Kind.BROADCAST);
        try (Publisher publisher = Publisher.open(queue); Subscriber waiting = Subscriber.open(queue)) {
          round(publisher, waiting, 0); // a class that is first needed without heap is lost to its process
          ChildProgram.say("waits " + round(publisher, waiting, SHORTAGES));
        }
      }
    }

    private static String round(Publisher publisher, Subscriber waiting, int shortages) throws Exception {
      CompletableFuture<Void> ready = WaitHub.shared().whenReady(waiting);
      Object[] hog = new Object[1 << 18];
      for (int i = 0; i < shortages && !ready.isDone(); i++) {
        exhaust(hog);
      }
      boolean stillWaits = !ready.isDone();
      while (!publisher.offer(new byte[1])) {
        Thread.onSpinWait();
      }
      ready.get(PATIENCE_NANOS, TimeUnit.NANOSECONDS);
      return stillWaits + " " + waiting.poll(message -> {}, 1);
    }

    private static void exhaust(Object[] hog) {
      int count = 0;
      long start = 0;
      int size = 1 << 20;
      while (start == 0 || System.nanoTime() - start < SHORTAGE_NANOS) {
        try {
          hog[count % hog.length] = new byte[size];
          count++;
        } catch (OutOfMemoryError full) {
          size = Math.max(size / 4, 8);
          start = size == 8 && start == 0 ? System.nanoTime() : start;
        }
      }
      Arrays.fill(hog, null);
    }
  }

  /** Takes roles of a queue while the heap is exhausted but for some bytes, another number of them each time. */
  static final class TakesRoles implements ChildProgram {
    private static final int ROLES = 64;
    private static final int TRIES = 50;

    @Override
    public void run(String... arguments) throws Exception {
      EntrySpec spec = WorkQueue.spec("jobs", 4, 100, DeliveryPolicy.redeliver(), ROLES);
      try (Segment segment = Segment.open(Path.of(arguments[0]), SegmentSpec.of(spec))) {
        Entry jobs = segment.directory().find("jobs", Kind.WORK_QUEUE);
        Consumer.open(jobs).close(); // a class that is first needed without heap is lost to its process
        Object[] hog = new Object[1 << 17];
        int failures = 0;
        Random random = Payload.random("heap shortage");
        for (int i = 0; i < TRIES; i++) {
          failures += tryOpen(jobs, hog, random.nextInt(50)) ? 0 : 1;
        }
        Arrays.fill(hog, null);
        List<Consumer> all = new ArrayList<>();
        try {
          while (true) {
            all.add(Consumer.open(jobs));
          }
        } catch (TableFullException full) {
          ChildProgram.say("taken " + all.size() + " " + (failures > 0));
        }
        all.forEach(Consumer::close);
      }
    }

    /** With room for so many small objects. */
    private static boolean tryOpen(Entry jobs, Object[] hog, int room) {
      int count = 0;
      while (hog[count] != null) {
        count++;
      }
      count = fill(hog, count);
      for (int i = 0; i < room && count > 0; i++) {
        hog[--count] = null;
      }
      Consumer opened = null;
      try {
        opened = Consumer.open(jobs);
      } catch (OutOfMemoryError shortage) {
        return false;
      } finally {
        for (int i = 0; i < 4_000 && count > 0; i++) {
          hog[--count] = null;
        }
        if (opened != null) {
          opened.close();
        }
      }
      return true;
    }

  }

  /** Fills the heap, but for less than 48 bytes; the next free index. */
  private static int fill(Object[] hog, int from) {
    int count = from;
    for (int size = 1 << 20; size >= 8; ) {
      try {
        hog[count] = new byte[size];
        count++;
      } catch (OutOfMemoryError full) {
        size /= 32;
      }
    }
    return count;
  }

  /** Calls through a client whose thread has to tell of deadlines while the heap is exhausted. */
  static final class Calls implements ChildProgram {
    private static final int WAITING = 8;
    private static final int SLOTS = 4;
    private static final long TIMEOUT_NANOS = 3_000_000_000L;

    @Override
    public void run(String... arguments) throws Exception {
      EntrySpec spec = Endpoint.of("calls", 8, 8).slots(SLOTS).spec();
      try (Segment segment = Segment.open(Path.of(arguments[0]), SegmentSpec.of(spec))) {
        CallClient client = CallClient.open(segment.directory().find("calls", Kind.ENDPOINT));
        Thread serving = Thread.getAllStackTraces().keySet().stream()
            .filter(each -> each.getName().equals("bywash-calls-calls")).findAny().orElseThrow();
        List<CompletableFuture<byte[]>> futures = new ArrayList<>();
        for (int i = 0; i < SLOTS; i++) { // those that follow get no slot
          futures.add(client.callAsync(new byte[8], Long.MAX_VALUE));
        }
        call(client, 1); // a class that is first needed without heap is lost to its process
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < WAITING; i++) {
          threads.add(Thread.ofPlatform().daemon().start(() -> call(client, TIMEOUT_NANOS)));
        }
        for (Thread each : threads) {
          while (each.getState() != Thread.State.TIMED_WAITING && each.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
          }
        }
        Object[] hog = new Object[1 << 18];
        int count = 0;
        for (long start = System.nanoTime(); serving.isAlive() && System.nanoTime() - start < 2 * TIMEOUT_NANOS; ) {
          count = fill(hog, count);
        }
        Arrays.fill(hog, null);
        int returned = 0;
        for (Thread each : threads) {
          returned += each.join(Duration.ofSeconds(60)) ? 1 : 0;
        }
        client.close();
        int failed = 0;
        for (CompletableFuture<byte[]> each : futures) {
          failed += each.handle((_, failure) -> failure == null ? 0 : 1).get(PATIENCE_NANOS, TimeUnit.NANOSECONDS);
        }
        ChildProgram.say("returned " + returned + " failed " + failed);
      }
    }

    private static void call(CallClient client, long timeoutNanos) {
      try {
        client.call(new byte[8], timeoutNanos);
      } catch (RuntimeException | Error expected) {
        return;
      }
      throw new AssertionError("nobody answers");
    }
  }

  @Test
  void eachCallThroughAClientEndsInAShortage() {
    List<String> flags = List.of("-Xmx10m", "-XX:+UseSerialGC", "-XX:-UseTLAB"); // no thread has some heap to itself
    try (ChildProcess child = ChildProcess.startBy(List.of(), flags, Calls.class, bus.path("calls"))) {
      assertEquals(Calls.WAITING + " failed " + Calls.SLOTS, child.await("returned"));
      child.finish();
    }
  }

  @Test
  void noRoleIsLostInAShortage() {
    try (ChildProcess child = ChildProcess.startBy(List.of(), List.of("-Xmx10m", "-XX:+UseSerialGC"), TakesRoles.class,
        bus.path("roles"))) {
      assertEquals(TakesRoles.ROLES + " true", child.await("taken"));
      child.finish();
    }
  }

  @Test
  void whoWaitsThroughTheHubOutlivesIt() {
    try (ChildProcess child = ChildProcess.startBy(List.of(), List.of("-Xmx24m"), Exhausted.class, bus.path("heap"))) {
      assertEquals("true 1", child.await("waits"));
      child.finish();
    }
  }
}
