package io.bywash.osgi.it;

import static io.bywash.osgi.BywashConstants.*;
import static io.bywash.osgi.it.Container.awaitUntil;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentNotFoundException;
import io.bywash.engine.broadcast.BroadcastStatus;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.osgi.framework.AllServiceListener;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceEvent;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;

/**
 * A container in which the contracts hold, the bus of it, and what they do there. Publishers are other processes. What
 * hangs for good fails by the timeout; nothing asserts that anything takes less.
 */
@Timeout(value = 10, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class ContainerFixture {
  static final String LISTENER = "io.bywash.osgi.QueueListener";
  static final String SERVICE = "io.bywash.osgi.BroadcastService";
  static final String CONFIGURATION_ADMIN = "org.osgi.service.cm.ConfigurationAdmin";

  Container container;
  Path bus;
  final List<AutoCloseable> ends = new ArrayList<>();

  /** A listener of the test's bundle, and what it got. */
  record Listening(ServiceRegistration<?> registration, Queue<Long> sequences, AtomicLong lost) {
    void awaitSequences(long count) {
      awaitUntil(count + " messages, not " + sequences.size(), () -> sequences.size() >= count);
    }
  }

  /** The folder of its jars. */
  abstract String framework();

  @BeforeAll
  void startContainer() throws Exception {
    bus = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-test-");
    container = Container.start(framework());
    discover(bus);
  }

  void discover(Path directory) throws Exception {
    Object discovery = Container.call(container.await(CONFIGURATION_ADMIN), "getConfiguration", DISCOVERY_PID, "?");
    Container.call(discovery, "update", dictionary(Map.of(DIRECTORY, directory.toString())));
  }

  @AfterAll
  void stopContainer() throws Exception {
    if (container != null) { // else its start has failed
      container.close();
    }
    try (Stream<Path> files = Files.walk(bus)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  @AfterEach
  void endAll() throws Exception {
    endEach();
    long start = System.nanoTime();
    do { // a thread that is still inside a role takes its segment with it
      for (String name : files()) { // what a killed process left: the last living participant removes it
        try {
          if (!name.startsWith(".")) { // it is being made
            Segment.attach(bus.resolve(name), 0).close();
          }
        } catch (SegmentNotFoundException gone) {
          // it was removed meanwhile
        }
      }
    } while (!files().isEmpty() && System.nanoTime() - start < Container.DEADLINE.toNanos());
    assertEquals(List.of(), files());
  }

  /** Each of them, whatever the others throw. */
  private void endEach() {
    List<AutoCloseable> all = List.copyOf(ends).reversed();
    ends.clear();
    AssertionError failed = new AssertionError("not everything ended");
    for (AutoCloseable end : all) {
      try {
        end.close();
      } catch (Throwable failure) {
        failed.addSuppressed(failure);
      }
    }
    if (failed.getSuppressed().length > 0) {
      throw failed;
    }
  }

  List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(bus)) {
      return files.map(file -> file.getFileName().toString()).filter(name -> !name.equals(".lock")).sorted().toList();
    }
  }

  static Dictionary<String, Object> dictionary(Map<String, Object> map) {
    return FrameworkUtil.asDictionary(map);
  }

  <T extends AutoCloseable> T ended(T end) {
    ends.add(end);
    return end;
  }

  PublisherProcess publisher(String segment) throws IOException {
    return ended(PublisherProcess.start(bus.resolve(segment), "ticks"));
  }

  static String filter(String segment, String queue) {
    return "(&(" + SEGMENT + "=" + segment + ")(" + QUEUE + "=" + queue + "))";
  }

  Optional<ServiceReference<?>> queue(String segment) {
    return container.find(SERVICE, filter(segment, "ticks"));
  }

  ServiceReference<?> awaitQueue(String segment) {
    return Container.await("queue of " + segment, () -> queue(segment));
  }

  void awaitWithdrawn(String segment) {
    awaitUntil("no queue of " + segment, () -> queue(segment).isEmpty());
  }

  Listening listen(String segment, Runnable duringCall, String... properties) throws Exception {
    Map<String, Object> all = new HashMap<>(Map.of(SEGMENT, segment, QUEUE, "ticks"));
    for (int index = 0; index < properties.length; index += 2) {
      all.put(properties[index], properties[index + 1]);
    }
    Queue<Long> sequences = new ConcurrentLinkedQueue<>();
    AtomicLong lost = new AtomicLong();
    Object listener = container.create("RecordingListener", sequences, lost, duringCall);
    ServiceRegistration<?> registration = container.register(LISTENER, listener, all);
    ended(() -> unregister(registration));
    return new Listening(registration, sequences, lost);
  }

  static void unregister(ServiceRegistration<?> registration) {
    try {
      registration.unregister();
    } catch (IllegalStateException before) {
      // the test did it
    }
  }

  Object configuration(String name, Map<String, Object> properties) throws Exception {
    Map<String, Object> all = new HashMap<>(Map.of(DIRECTORY, bus.toString(), QUEUE, "ticks"));
    all.putAll(properties);
    Object configuration = Container.call(container.await(CONFIGURATION_ADMIN), "getFactoryConfiguration",
        QUEUE_PID, name, "?");
    Container.call(configuration, "update", dictionary(all));
    return configuration;
  }

  long committed(String segment) {
    try (Segment observed = Segment.observe(bus.resolve(segment))) {
      return BroadcastStatus.of(observed.directory().find("ticks", Kind.BROADCAST)).messageCount();
    }
  }

  void awaitListed(String... words) {
    try {
      awaitUntil("a line of the listing", () -> listing().lines()
          .anyMatch(line -> Stream.of(words).allMatch(line::contains)));
    } catch (AssertionError inVain) {
      throw new AssertionError(String.join(" ", words) + " is in no line of:\n" + listing(), inVain);
    }
  }

  String listing() {
    try {
      return container.execute("bywash:queues");
    } catch (ReflectiveOperationException failure) {
      throw new AssertionError(failure);
    }
  }

  /**
   * What is seen while the queue of a segment is being withdrawn for the first time. Frameworks may hide a service
   * before they tell its listeners.
   */
  <T> Future<T> atWithdrawal(String segment, Supplier<T> look) throws InvalidSyntaxException {
    FutureTask<T> seen = new FutureTask<>(look::get);
    AllServiceListener events = event -> {
      if (event.getType() == ServiceEvent.UNREGISTERING) {
        seen.run(); // once
      }
    };
    container.context().addServiceListener(events, "(&(objectClass=" + SERVICE + ")" + filter(segment, "ticks") + ")");
    ended(() -> container.context().removeServiceListener(events));
    return seen;
  }

  static List<Long> upTo(long count) {
    return LongStream.range(0, count).boxed().toList();
  }

  static void awaitLatch(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException interrupted) {
      throw new AssertionError(interrupted);
    }
  }

  BroadcastStatus status(String segment) {
    try (Segment observed = Segment.observe(bus.resolve(segment))) {
      return BroadcastStatus.of(observed.directory().find("ticks", Kind.BROADCAST));
    }
  }

  int subscribers(String segment) {
    return status(segment).subscribers().size();
  }

  PublisherProcess publisherOfWhatExists(String segment) throws IOException {
    return ended(PublisherProcess.start(bus.resolve(segment), "ticks", 0, 0));
  }

  static void uninstall(Bundle bundle) throws BundleException {
    if (bundle.getState() != Bundle.UNINSTALLED) {
      bundle.uninstall();
    }
  }

  /** Returns when the publisher is seen to be blocked. */
  CompletableFuture<Long> publishMoreThanFits(PublisherProcess publisher, String segment) {
    CompletableFuture<Long> published = CompletableFuture.supplyAsync(() -> {
      try {
        return publisher.publish(2000);
      } catch (IOException failure) {
        throw new UncheckedIOException(failure);
      }
    });
    awaitUntil("the publisher to be blocked", () -> status(segment).blockedCount() > 1);
    return published;
  }

  /** What a listener hangs in, and ignores interrupts, until the test lets it go. */
  final class Hang implements Runnable {
    private final CountDownLatch entered = new CountDownLatch(1);
    final CountDownLatch released = new CountDownLatch(1);
    volatile boolean interrupted;

    Hang() {
      ended(released::countDown);
    }

    @Override
    public void run() {
      entered.countDown();
      while (released.getCount() > 0) {
        try {
          released.await();
        } catch (InterruptedException ignored) {
          interrupted = true;
        }
      }
    }

    void awaitEntered() {
      awaitUntil("a call to hang", () -> entered.getCount() == 0);
    }
  }
}
