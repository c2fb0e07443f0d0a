package io.bywash.osgi.it;

import static io.bywash.osgi.BywashConstants.*;

import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.osgi.framework.FrameworkUtil;

/**
 * A container in a JVM with one processor and little heap. One listener passes each message on to another's queue,
 * which is small; then the heap is exhausted for a while, again and again; then there are more messages, and another
 * queue. Both listeners are called with all, nothing holds a publisher back, and the other queue is discovered.
 */
final class ShortageProgram {
  private static final int PASSED_ON = 200;
  private static final int AFTERWARDS = 20;
  private static final int SHORTAGES = 6;
  private static final long SHORTAGE_NANOS = 300_000_000; // longer than the hub and discovery sleep
  private static final long PATIENCE_NANOS = 60_000_000_000L;
  static final int MESSAGE_BYTES = 400;

  private ShortageProgram() {}

  /** Arguments: the framework, the bus directory. */
  public static void main(String... arguments) {
    try {
      run(arguments[0], Path.of(arguments[1]));
    } catch (Throwable failure) {
      failure.printStackTrace();
    }
    System.exit(0); // Gogo's threads would keep the process for another minute
  }

  private static void run(String framework, Path bus) throws Exception {
    SegmentSpec spec = SegmentSpec.of(Broadcast.spec("ticks", 1 << 16));
    try (Segment first = Segment.create(bus.resolve("first"), spec);
        Segment second = Segment.create(bus.resolve("second"), SegmentSpec.of(Broadcast.spec("ticks", 4096)));
        Publisher source = Publisher.open(first.directory().find("ticks", Kind.BROADCAST));
        Publisher passing = Publisher.open(second.directory().find("ticks", Kind.BROADCAST));
        Container container = Container.start(framework)) {
      Container.call(Container.call(container.await("org.osgi.service.cm.ConfigurationAdmin"), "getConfiguration",
          DISCOVERY_PID, "?"), "update", FrameworkUtil.asDictionary(Map.of(DIRECTORY, bus.toString())));
      // All of the container's classes are loaded while there is heap.
      discover(container, bus.resolve("zeroth"), spec, () -> {
        throw new IllegalStateException("for the log");
      });
      Queue<Long> got = listen(container, "first", () -> publish(passing));
      Queue<Long> passedOn = listen(container, "second", () -> {});
      for (int i = 0; i < PASSED_ON; i++) {
        publish(source);
      }
      Container.awaitUntil("messages to be passed on", () -> passedOn.size() == PASSED_ON);
      Object[] hog = new Object[1 << 19];
      for (int i = 0; i < SHORTAGES; i++) {
        exhaust(hog);
        publish(source);
      }
      int all = PASSED_ON + SHORTAGES + AFTERWARDS;
      for (int i = 0; i < AFTERWARDS; i++) {
        publish(source);
      }
      try {
        Container.awaitUntil("the messages after the shortages", () -> received(container, "first") == all
            && received(container, "second") == passing.nextSequence() && source.subscriberCount() == 1);
      } catch (AssertionError inVain) {
        throw new AssertionError(container.execute("bywash:queues"), inVain);
      }
      if (got.isEmpty() || got.stream().max(Long::compare).get() != all - 1) {
        throw new AssertionError("the last message was not received: " + got);
      }
      discover(container, bus.resolve("third"), spec, () -> {});
      System.out.println("got " + all + " of " + all);
    }
  }

  private static Queue<Long> listen(Container container, String segment, Runnable duringCall) throws Exception {
    Queue<Long> sequences = new ConcurrentLinkedQueue<>();
    Object listener = container.create("RecordingListener", sequences, new AtomicLong(), duringCall);
    container.register("io.bywash.osgi.QueueListener", listener, Map.of(SEGMENT, segment, QUEUE, "ticks"));
    try {
      Container.awaitUntil("the listener of " + segment + " to be fed", () -> isFed(container, segment));
    } catch (AssertionError inVain) {
      throw new AssertionError(container.execute("bywash:queues"), inVain);
    }
    return sequences;
  }

  private static boolean isFed(Container container, String segment) {
    return row(container, segment).contains("FEEDING");
  }

  /**
   * How many messages the listener of a segment was called with. Without heap its own work may fail, which is not shown
   * here.
   */
  private static long received(Container container, String segment) {
    String[] columns = row(container, segment).strip().split(" +");
    return columns.length < 6 ? 0 : Long.parseLong(columns[5]);
  }

  /** The row of a segment's listener in the listing. */
  private static String row(Container container, String segment) {
    try {
      return container.execute("bywash:queues").lines().dropWhile(line -> !line.startsWith("LISTENER"))
          .filter(line -> line.contains(" " + segment + " ")).findFirst().orElse("");
    } catch (ReflectiveOperationException notYet) {
      return ""; // the command comes with its component
    }
  }

  /** A queue comes, its listener gets a message, and it goes. */
  private static void discover(Container container, Path file, SegmentSpec spec, Runnable duringCall) throws Exception {
    try (Segment segment = Segment.create(file, spec);
        Publisher publisher = Publisher.open(segment.directory().find("ticks", Kind.BROADCAST))) {
      Queue<Long> sequences = listen(container, file.getFileName().toString(), duringCall);
      publish(publisher);
      Container.awaitUntil("a message of " + file, () -> sequences.size() == 1);
    }
  }

  static void publish(Publisher publisher) {
    var claim = publisher.claim(MESSAGE_BYTES, 0, PATIENCE_NANOS);
    if (claim == null) {
      throw new AssertionError("a listener holds the publisher for ever");
    }
    claim.putLong(0, publisher.nextSequence()).commit();
  }

  private static void exhaust(Object[] hog) {
    int count = 0;
    int size = 1 << 20;
    long start = 0;
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
