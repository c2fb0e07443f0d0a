package io.bywash.samples.container;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The distribution while its engine and its Kotlin are updated and refreshed under a listener that uses both. */
final class RefreshIT {
  private static final Path FELIX = Path.of(System.getProperty("bywash.test.felix"));
  private static final Pattern TICK = Pattern.compile("(?:g! )*(tick|lost) (\\d+)");
  private static final long PACE_NANOS = 1_000_000;
  private static final long DEADLINE_NANOS = TimeUnit.SECONDS.toNanos(60);

  /** Sends each message on through a topic of its own, and waits for it there. */
  private static final String LISTENER = """
      package traffic;

      import io.bywash.bus.*;
      import io.bywash.bus.broadcast.*;
      import io.bywash.engine.Message;
      import io.bywash.osgi.*;
      import kotlin.Unit;
      import kotlin.coroutines.EmptyCoroutineContext;
      import kotlinx.coroutines.BuildersKt;
      import org.osgi.service.component.annotations.*;

      @RequireBywash
      @Component(property = {"bywash.segment=traffic", "bywash.queue=ticks", "bywash.subscription=traffic"},
          immediate = true)
      public class Traffic implements QueueListener {
        private final Topic<Long> topic = new Topic<>("echoes", Codec.Int64.INSTANCE);
        private final Bus bus = BusBuilderKt.bus("echo", builder -> {
          TopicKt.topic(builder, topic, declaration -> Unit.INSTANCE);
          return Unit.INSTANCE;
        }).open(null);
        private final Receiver<Long> receiver = bus.receiver(topic, Until.Closed);
        private final Sender<Long> sender = bus.sender(topic);

        @Activate
        public Traffic() {
          System.out.println("traffic begins");
        }

        @Override
        public void onMessage(Message message) {
          long sequence = message.sequence();
          try {
            System.out.println("tick " + BuildersKt.runBlocking(EmptyCoroutineContext.INSTANCE, (scope, running) -> {
              sender.send(sequence, running);
              return receiver.receive(running);
            }));
          } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
          }
        }

        @Override
        public void onLost(long messageCount) {
          System.out.println("lost " + messageCount);
        }

        @Deactivate
        void deactivate() {
          bus.close();
        }
      }
      """;

  @TempDir
  private Path temporary;
  @TempDir(factory = SharedMemory.class)
  private Path bus;

  @Test
  void roundsOfUpdatesOfTheEngineAndOfKotlinUnderTrafficLoseAndLeaveNothing() throws Exception {
    updateAndRefresh(5);
  }

  @Test
  @Tag("stress")
  void manyRoundsOfUpdatesOfTheEngineAndOfKotlinUnderTrafficLoseAndLeaveNothing() throws Exception {
    updateAndRefresh(100);
  }

  private void updateAndRefresh(int rounds) throws Exception {
    Path listener = new Sources("traffic", List.of(LISTENER)).build(temporary);
    try (Segment segment = Segment.create(bus.resolve("traffic"), SegmentSpec.of(Broadcast.spec("ticks", 1 << 20)));
        Publisher publisher = Publisher.open(segment.directory().find("ticks", Kind.BROADCAST));
        Shell shell = new Shell(FELIX, bus, List.of("--sun-misc-unsafe-memory-access=allow",
            "-Dbywash.container.bundles=" + listener.toUri(), "-jar", "bin/felix.jar",
            temporary.resolve("cache").toString()))) {
      AtomicBoolean ended = new AtomicBoolean();
      Thread traffic = Thread.ofPlatform().start(() -> publish(publisher, ended));
      try {
        awaitTraffic(shell, 1);
        shell.ask("bywash:ls", "echoes"); // discovery has come to the topic's segment too
        Use first = Use.of(shell.pid(), bus);
        for (int round = 1; round <= rounds; round++) {
          String bundle = id(shell, round % 2 == 0 ? "bywash-engine" : "bywash-kotlin");
          shell.type("update " + bundle + "; refresh " + bundle);
          awaitTraffic(shell, round + 1);
        }
        awaitNoMore(shell, first);
      } finally {
        ended.set(true);
        traffic.join();
      }
      assertContinuous(shell.lines());
      shell.stop();
    }
  }

  private void awaitNoMore(Shell shell, Use first) throws Exception {
    long start = System.nanoTime();
    Use now = Use.of(shell.pid(), bus);
    while (!now.isNoMoreThan(first)) {
      assertTrue(System.nanoTime() - start < DEADLINE_NANOS, first + " in the beginning, and now " + now);
      now = Use.of(shell.pid(), bus);
    }
  }

  private static void publish(Publisher publisher, AtomicBoolean ended) {
    while (!ended.get()) {
      publisher.claim(8, 0, DEADLINE_NANOS).putLong(0, 0).commit();
      LockSupport.parkNanos(PACE_NANOS);
    }
  }

  /** The listener was activated so often, and gets messages. */
  private static void awaitTraffic(Shell shell, int beginnings) throws InterruptedException {
    shell.await("beginning " + beginnings, lines -> {
      List<Integer> begun = new ArrayList<>();
      for (int i = 0; i < lines.size(); i++) {
        if (lines.get(i).endsWith("traffic begins")) {
          begun.add(i);
        }
      }
      return begun.size() >= beginnings && lines.subList(begun.get(beginnings - 1), lines.size()).stream()
          .filter(line -> TICK.matcher(line).matches()).count() > 20;
    });
  }

  private static String id(Shell shell, String symbolicName) throws InterruptedException {
    shell.type("lb -s");
    Pattern row = Pattern.compile("\\s*(\\d+)\\|.*\\|" + symbolicName + " .*");
    shell.await(symbolicName, lines -> lines.stream().anyMatch(line -> row.matcher(line).matches()));
    return shell.lines().stream().map(row::matcher).filter(Matcher::matches).findFirst().orElseThrow().group(1);
  }

  /** Each message once, but for what the listener was told. */
  private static void assertContinuous(List<String> lines) {
    long next = 0;
    for (String line : lines) {
      Matcher said = TICK.matcher(line);
      if (said.matches() && said.group(1).equals("lost")) {
        next += Long.parseLong(said.group(2));
      } else if (said.matches()) {
        assertEquals(next++, Long.parseLong(said.group(2)));
      }
    }
  }

  /** What a process has: descriptors and mappings of the bus, threads of Bywash twice, class loaders of bundles. */
  private record Use(long descriptors, long mappings, long repeatedThreads, long classLoaders) {
    /** The JDK keeps types of the last record whose {@code equals} it has linked: of a generation of four bundles. */
    private static final long KEPT_LOADERS = 4;

    static Use of(long pid, Path bus) {
      Path process = Path.of("/proc", Long.toString(pid));
      try (Stream<Path> descriptors = Files.list(process.resolve("fd"));
          Stream<String> mappings = Files.lines(process.resolve("maps"));
          Stream<Path> threads = Files.list(process.resolve("task"))) {
        List<String> names = threads.map(Use::name).filter(name -> name.startsWith("bywash")).toList();
        return new Use(descriptors.filter(each -> target(each).startsWith(bus)).count(),
            mappings.filter(each -> each.contains(bus.toString())).count(),
            names.size() - names.stream().distinct().count(), loaders(pid));
      } catch (IOException failure) {
        throw new AssertionError(failure);
      }
    }

    private static Path target(Path descriptor) {
      try {
        return Files.readSymbolicLink(descriptor);
      } catch (IOException closed) {
        return Path.of("");
      }
    }

    private static String name(Path thread) {
      try {
        return Files.readString(thread.resolve("comm"));
      } catch (IOException ended) {
        return "";
      }
    }

    /** After a collection of garbage. */
    private static long loaders(long pid) throws IOException {
      Process histogram = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
          Long.toString(pid), "GC.class_histogram").redirectErrorStream(true).start();
      List<String> lines = histogram.inputReader().lines().toList();
      Pattern row = Pattern.compile("\\s*\\d+:\\s+(\\d+)\\s.*\\$BundleClassLoader.*");
      return lines.stream().map(row::matcher).filter(Matcher::matches).mapToLong(found ->
          Long.parseLong(found.group(1))).findFirst().orElseThrow(() -> new AssertionError(String.join("\n", lines)));
    }

    boolean isNoMoreThan(Use first) {
      return descriptors <= first.descriptors && mappings <= first.mappings && repeatedThreads == 0
          && classLoaders <= first.classLoaders + KEPT_LOADERS;
    }
  }
}
