package io.bywash.osgi.it;

import static io.bywash.osgi.BywashConstants.*;

import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceRegistration;

/**
 * A container in a JVM with one carrier for virtual threads. One listener never returns and never waits, so it keeps
 * the carrier. Another one is fed all the same; and when the first one goes, a publisher that it held back goes on.
 */
final class SpinProgram {
  private static final int MESSAGES = 5;

  private SpinProgram() {}

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
    try (Segment spun = Segment.create(bus.resolve("spun"), SegmentSpec.of(Broadcast.spec("ticks", 4096)));
        Segment free = Segment.create(bus.resolve("free"), SegmentSpec.of(Broadcast.spec("ticks", 1 << 16)));
        Publisher toSpun = Publisher.open(spun.directory().find("ticks", Kind.BROADCAST));
        Publisher toFree = Publisher.open(free.directory().find("ticks", Kind.BROADCAST));
        Container container = Container.start(framework)) {
      Container.call(Container.call(container.await("org.osgi.service.cm.ConfigurationAdmin"), "getConfiguration",
          DISCOVERY_PID, "?"), "update", FrameworkUtil.asDictionary(Map.of(DIRECTORY, bus.toString())));
      CountDownLatch spinning = new CountDownLatch(1);
      AtomicBoolean over = new AtomicBoolean();
      ServiceRegistration<?> spinner = listen(container, "spun", new ConcurrentLinkedQueue<>(), () -> {
        spinning.countDown();
        while (!over.get()) {
          Thread.onSpinWait();
        }
      });
      ShortageProgram.publish(toSpun);
      spinning.await();
      Queue<Long> got = new ConcurrentLinkedQueue<>();
      listen(container, "free", got, () -> {});
      for (int i = 0; i < MESSAGES; i++) {
        ShortageProgram.publish(toFree);
        int count = i + 1;
        Container.awaitUntil("message " + i, () -> got.size() == count);
      }
      System.out.println("fed");
      while (toSpun.offer(new byte[ShortageProgram.MESSAGE_BYTES])) {
        // until it is full
      }
      spinner.unregister();
      ShortageProgram.publish(toSpun);
      System.out.println("released");
      over.set(true); // whoever is inside keeps the segment in use
    }
    Container.awaitUntil("the segment to go", () -> !Files.exists(bus.resolve("spun")));
  }

  private static ServiceRegistration<?> listen(Container container, String segment, Queue<Long> got,
      Runnable duringCall) throws Exception {
    return container.register(ContainerFixture.LISTENER,
        container.create("RecordingListener", got, new AtomicLong(), duringCall),
        Map.of(SEGMENT, segment, QUEUE, "ticks", POLICY, POLICY_BLOCK));
  }
}
