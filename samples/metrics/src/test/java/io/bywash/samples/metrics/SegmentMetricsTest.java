package io.bywash.samples.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.queue.WorkQueue;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The meters of a segment in a registry that only remembers. */
@Timeout(120)
final class SegmentMetricsTest {
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private Path bus;

  @BeforeEach
  void makeBus() throws IOException {
    bus = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-metrics-test-");
  }

  @AfterEach
  void nothingIsLeft() throws IOException {
    Files.deleteIfExists(bus.resolve(".lock"));
    Files.delete(bus); // it is empty
  }

  private double gauge(String name, String... tags) {
    Gauge gauge = registry.find("bywash." + name).tags(tags).gauge();
    return gauge == null ? Double.NaN : gauge.value();
  }

  private double counter(String name, String... tags) {
    FunctionCounter counter = registry.find("bywash." + name).tags(tags).functionCounter();
    return counter == null ? Double.NaN : counter.count();
  }

  private void eventually(String what, BooleanSupplier holds) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!holds.getAsBoolean()) {
      assertTrue(System.nanoTime() < end, () -> "it did not come true that " + what + ": "
          + registry.getMeters().stream().map(Meter::getId).toList());
      LockSupport.parkNanos(1_000_000);
    }
  }

  @Test
  void metersFollowStructuresAndHoldersThatComeLagBlockAndGo() {
    SegmentSpec spec = SegmentSpec.of(Broadcast.spec("orders", 4096), WorkQueue.spec("jobs", 8, 64));
    try (Segment segment = Segment.create(bus.resolve("market"), spec);
        SegmentMetrics metrics = new SegmentMetrics(Segment.observe(segment.path()), Duration.ofMillis(20))) {
      metrics.bindTo(registry);
      Entry orders = segment.directory().find("orders").orElseThrow();
      String[] queue = {"segment", "market", "entry", "orders", "kind", "broadcast"};
      assertEquals(1, gauge("participants", "segment", "market"));
      assertEquals(0, counter("published", queue));
      assertEquals(0, gauge("fill", "entry", "jobs", "kind", "work queue"));
      try (Publisher publisher = Publisher.open(orders)) {
        try (Subscriber slow = Subscriber.open(orders)) {
          slow.label("slow");
          long published = 0;
          while (publisher.offer(new byte[100])) {
            published++;
          }
          long all = published;
          eventually("the publisher's counter is " + all, () -> counter("published", queue) == all);
          eventually("the lag is " + all, () -> gauge("role.lag", "label", "slow", "task", "block") == all);
          eventually("the ring is nearly full", () ->
              gauge("fill", queue) > 0.8 && gauge("role.of.the.ring", "label", "slow") > 0.8);
          eventually("the publisher was blocked", () -> counter("blocked", queue) > 0);
          eventually("the slow one holds somebody back", () -> {
            publisher.offer(new byte[100]);
            return gauge("role.holds.back", "label", "slow") == 1;
          });
        }
        eventually("the slow one is gone", () -> Double.isNaN(gauge("role.lag", "label", "slow")));
        eventually("nothing holds anybody back", () -> gauge("fill", queue) == 0);
      }
    }
    assertEquals(0, registry.getMeters().size());
  }

  /** Joins the segment that the argument names, says so, and waits to be killed. */
  static final class Victim {
    private Victim() {}

    public static void main(String... arguments) throws IOException {
      Segment.attach(Path.of(arguments[0]), TimeUnit.SECONDS.toNanos(30));
      System.out.println("joined");
      System.in.read();
    }
  }

  @Test
  void aDeathIsCounted() throws Exception {
    SegmentSpec spec = SegmentSpec.of(Broadcast.spec("orders", 4096));
    try (Segment segment = Segment.create(bus.resolve("market"), spec);
        SegmentMetrics metrics = new SegmentMetrics(Segment.observe(segment.path()), Duration.ofMillis(20))) {
      metrics.bindTo(registry);
      Process victim = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
          "--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp",
          System.getProperty("java.class.path"), Victim.class.getName(), segment.path().toString()).start();
      try {
        assertEquals("joined", victim.inputReader().readLine());
        eventually("there are two", () -> gauge("participants") == 2);
        assertEquals(0, counter("deaths", "segment", "market"));
      } finally {
        victim.destroyForcibly().waitFor();
      }
      eventually("one is dead", () -> counter("deaths", "segment", "market") == 1);
      assertEquals(1, gauge("participants"));
    }
  }
}
