package io.bywash.osgi.it;

import static io.bywash.osgi.BywashConstants.*;
import static io.bywash.osgi.it.Container.awaitUntil;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.Removal;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.queue.DeliveryPolicy;
import io.bywash.engine.queue.WorkQueue;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.function.LongUnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.osgi.framework.AllServiceListener;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.framework.hooks.service.FindHook;

/** How queues come and go, and what is shown of files that hold none. */
abstract class DiscoveryContract extends ContainerFixture {
  @Test
  void aQueueOfAnotherProcessIsAServiceWithItsProperties() throws Exception {
    PublisherProcess publisher = publisher("alpha");
    ServiceReference<?> queue = awaitQueue("alpha");
    assertEquals("broadcast", queue.getProperty(KIND));
    assertEquals(65536L, queue.getProperty(CAPACITY));
    assertEquals(8192L, queue.getProperty(ELEMENT_SIZE));
    assertEquals(publisher.pid(), queue.getProperty(OWNER_PID));
    assertEquals(false, queue.getProperty(LOCAL));
    assertEquals(bus.resolve("alpha").toString(), queue.getProperty(PATH));
  }

  @Test
  void aQueueIsWithdrawnWhenItsOwnerIsKilledAndComesBackWithTheNext() throws Exception {
    publisher("bravo").publish(3);
    Object killed = awaitQueue("bravo").getProperty(OWNER_PID);
    ((PublisherProcess) ends.getLast()).kill();
    awaitWithdrawn("bravo");
    PublisherProcess next = publisher("bravo");
    assertEquals(3, next.firstSequence());
    assertEquals(next.pid(), awaitQueue("bravo").getProperty(OWNER_PID));
    assertNotEquals(killed, next.pid());
  }

  @Test
  void discoveryKeepsNoSegmentAlive() throws Exception {
    PublisherProcess publisher = publisher("charlie");
    awaitQueue("charlie");
    publisher.close();
    assertFalse(Files.exists(bus.resolve("charlie")));
    awaitWithdrawn("charlie");
  }

  @Test
  void theCommandListsQueuesAndListeners() throws Exception {
    PublisherProcess publisher = publisher("november");
    Listening listening = listen("november", () -> {});
    publisher.publish(7);
    listening.awaitSequences(7);
    awaitListed("november  ticks  broadcast", " " + publisher.pid() + " ", " 7 ", "AVAILABLE",
        ProcessHandle.current().pid() + " evict 0 0");
    awaitListed("november", "evict", "7", "FEEDING");
  }

  @Test
  void aFileThatIsNoSegmentIsListedAndDisturbsNothing() throws Exception {
    Path garbage = Files.write(bus.resolve("garbage"), new byte[10_000]);
    Path folder = Files.createDirectory(bus.resolve("folder"));
    publisher("oscar");
    awaitQueue("oscar");
    Path truncated = Files.write(bus.resolve("truncated"),
        Arrays.copyOf(Files.readAllBytes(bus.resolve("oscar")), 6_000));
    awaitListed("garbage", "SegmentFormatException");
    awaitListed("folder", "not a regular file");
    listen("garbage", () -> {});
    awaitListed("garbage", "NO_QUEUE", "segment garbage cannot be used", "SegmentFormatException");
    for (String command : List.of("stat garbage", "tail garbage ticks")) {
      Throwable told = assertThrows(InvocationTargetException.class, () -> container.execute("bywash:" + command));
      assertTrue(told.getCause().getMessage().contains("Segment garbage cannot be used: "), told.getCause().toString());
    }
    awaitListed("truncated", "DamagedSegmentException");
    awaitQueue("oscar");
    Files.delete(garbage);
    Files.delete(folder);
    Files.delete(truncated);
    awaitUntil("no complaint", () -> !listing().contains("NOT USABLE"));
  }

  @Test
  void theBusDirectoryMayComeLaterAndGo() throws Exception {
    Path later = bus.resolveSibling(bus.getFileName() + "-later");
    discover(later);
    ended(() -> discover(bus));
    Files.createDirectory(later);
    try (PublisherProcess publisher = PublisherProcess.start(later.resolve("sierra"), "ticks")) {
      assertEquals(publisher.pid(), awaitQueue("sierra").getProperty(OWNER_PID));
    }
    awaitWithdrawn("sierra");
    Files.delete(later.resolve(".lock"));
    Files.delete(later);
    Files.createDirectory(later);
    try (PublisherProcess publisher = PublisherProcess.start(later.resolve("tango"), "ticks")) {
      assertEquals(publisher.pid(), awaitQueue("tango").getProperty(OWNER_PID));
    }
    Files.delete(later.resolve(".lock"));
    Files.delete(later);
    awaitWithdrawn("tango");
  }

  /** A configuration of discovery by that name. */
  private Object discovery(String name, Path directory) throws Exception {
    Object configuration = Container.call(container.await(CONFIGURATION_ADMIN), "getFactoryConfiguration",
        DISCOVERY_PID, name, "?");
    Container.call(configuration, "update", dictionary(Map.of(DIRECTORY, directory.toString())));
    return configuration;
  }

  @Test
  void eachConfigurationOfDiscoveryWatchesADirectoryOfItsOwn() throws Exception {
    Path other = Files.createDirectory(bus.resolveSibling(bus.getFileName() + "-second"));
    Container.call(Container.call(container.await(CONFIGURATION_ADMIN), "getConfiguration", DISCOVERY_PID, "?"),
        "delete");
    Object first = discovery("first", bus);
    Object second = discovery("second", other);
    ended(() -> {
      Container.call(first, "delete");
      discover(bus);
    });
    awaitListed(bus + " ", "io.bywash.discovery~first");
    awaitListed(other + " ", "io.bywash.discovery~second");
    awaitUntil("no other discovery", () -> listing().lines().filter(line -> line.contains(DISCOVERY_PID)).count() == 2);
    SegmentSpec spec = SegmentSpec.of(Broadcast.spec("ticks", 4096));
    ended(Segment.create(bus.resolve("here"), spec));
    ended(Segment.create(bus.resolve("both"), spec));
    Segment there = ended(Segment.create(other.resolve("there"), spec));
    try (Segment both = Segment.create(other.resolve("both"), spec);
        Publisher publisher = Publisher.open(both.directory().find("ticks", Kind.BROADCAST))) {
      ServiceReference<?> kept = awaitQueue("here");
      awaitQueue("there");
      awaitUntil("two queues of one name", () -> container.count(SERVICE, filter("both", "ticks")) == 2);
      Listening listening = listen("both", () -> {}, DIRECTORY, other.toString());
      awaitListed("both", "FEEDING");
      publisher.tryClaim(8).putLong(0, 0).commit();
      listening.awaitSequences(1);
      Container.call(second, "delete");
      awaitWithdrawn("there");
      awaitListed("both", "NO_QUEUE", "no discovery watches directory " + other);
      assertEquals(kept, awaitQueue("here"));
    }
    there.close();
    Files.deleteIfExists(other.resolve(".lock"));
    Files.delete(other);
  }

  private static void publish(Segment segment, int count) {
    try (Publisher publisher = Publisher.open(segment.directory().find("ticks", Kind.BROADCAST))) {
      for (int i = 0; i < count; i++) {
        publisher.tryClaim(8).putLong(0, publisher.nextSequence()).commit();
      }
    }
  }

  @Test
  void aQueueThatIsRemovedIsWithdrawnAndOneAddedInItsPlaceIsAnotherWhoseMessagesAreFedFromTheFirst() throws Exception {
    EntrySpec ticks = Broadcast.spec("ticks", 4096);
    EntrySpec jobs = WorkQueue.spec("jobs", 16, 64, DeliveryPolicy.redeliver());
    Segment segment = ended(Segment.create(bus.resolve("removed"), SegmentSpec.of(ticks, jobs)
        .withSizeBytes(262_144)));
    Listening listening = listen("removed", () -> {}, SUBSCRIPTION, "audit");
    ServiceReference<?> first = awaitQueue("removed");
    publish(segment, 3);
    listening.awaitSequences(3);
    assertEquals(Removal.Outcome.REMOVED, segment.directory().remove("ticks").outcome());
    awaitWithdrawn("removed");
    awaitListed("removed", "NO_QUEUE", "has no queue ticks");
    segment.directory().findOrAdd(ticks);
    publish(segment, 5);
    listening.awaitSequences(8);
    assertEquals(List.of(0L, 1L, 2L, 0L, 1L, 2L, 3L, 4L), List.copyOf(listening.sequences()));
    assertNotEquals(first, awaitQueue("removed"));

    String type = "io.bywash.osgi.WorkQueueService";
    awaitUntil("its policy", () -> container.count(type, "(" + DELIVERY + "=" + DELIVERY_REDELIVER + ")") == 1);
    segment.directory().remove("jobs");
    segment.directory().findOrAdd(WorkQueue.spec("jobs", 16, 64, DeliveryPolicy.drop())); // before the next sweep
    awaitUntil("its new policy", () -> container.count(type, "(" + DELIVERY + "=" + DELIVERY_DROP + ")") == 1
        && container.count(type, null) == 1);
    assertFalse(listing().contains("NOT USABLE"), listing());
  }

  /** Service listeners are called by discovery's thread. */
  @Test
  void discoveryOutlivesAnInterruptByForeignCode() throws Exception {
    CountDownLatch interrupted = new CountDownLatch(1);
    AllServiceListener rude = event -> {
      Thread.currentThread().interrupt();
      interrupted.countDown();
    };
    container.context().addServiceListener(rude, "(&(objectClass=" + SERVICE + ")" + filter("victor", "ticks") + ")");
    ended(() -> container.context().removeServiceListener(rude));
    publisher("victor");
    interrupted.await();
    publisher("whiskey");
    awaitQueue("whiskey");
  }

  @Test
  void noHookOfAnotherBundleIsAskedByDiscoverysThread() throws Exception {
    Queue<String> askedBy = new ConcurrentLinkedQueue<>();
    FindHook hook = (context, name, filter, all, references) -> {
      if (CONFIGURATION_ADMIN.equals(name)) {
        askedBy.add(Thread.currentThread().getName());
      }
    };
    ServiceRegistration<FindHook> registration = container.context().registerService(FindHook.class, hook, null);
    ended(registration::unregister);
    awaitUntil("some sweeps", () -> askedBy.stream().filter("bywash-registry"::equals).count() > 2);
    assertFalse(askedBy.contains("bywash-discovery"), askedBy::toString);
  }

  /** Its loader would keep a bundle that has gone. */
  @Test
  void aContextClassLoaderThatForeignCodeSetsIsForgotten() throws Exception {
    List<Thread> threads = Collections.synchronizedList(new ArrayList<>());
    try (URLClassLoader foreign = new URLClassLoader(new URL[0])) {
      AllServiceListener rude = event -> {
        threads.add(Thread.currentThread());
        Thread.currentThread().setContextClassLoader(foreign);
      };
      container.context().addServiceListener(rude, "(&(objectClass=" + SERVICE + ")" + filter("xenon", "ticks") + ")");
      ended(() -> container.context().removeServiceListener(rude));
      publisher("xenon");
      awaitUntil("its own loader", () -> !threads.isEmpty() && threads.stream()
          .noneMatch(each -> each.isAlive() && each.getContextClassLoader() == foreign));
    }
  }

  @Test
  void aListenerWhoseFileWasCutIsShownWithTheReasonAndItsServiceCanBeReleased() throws Exception {
    Object configuration = configuration("yankee", Map.of(SEGMENT, "yankee"));
    ended(() -> {
      Container.call(configuration, "delete");
      awaitUntil("the segment to go", () -> !Files.exists(bus.resolve("yankee")));
    });
    listen("yankee", () -> {});
    ServiceReference<?> queue = awaitQueue("yankee");
    Object service = container.testContext().getService(queue);
    awaitListed("yankee", "FEEDING");
    LongUnaryOperator user = (LongUnaryOperator) container.create("ServiceUser", service);
    try (FileChannel file = FileChannel.open(bus.resolve("yankee"), StandardOpenOption.WRITE)) {
      file.truncate(4096);
    }
    awaitListed("yankee", "cut");
    awaitWithdrawn("yankee");
    Throwable told = assertThrows(RuntimeException.class, () -> user.applyAsLong(1));
    assertTrue(told.getClass().getSimpleName().matches("DamagedSegmentException|SegmentClosedException"),
        told.toString());
    for (String method : List.of("status", "publish")) {
      told = assertThrows(InvocationTargetException.class, () -> Container.call(service, method)).getCause();
      assertTrue(told.getClass().getSimpleName().matches("DamagedSegmentException|SegmentClosedException"),
          told.toString());
    }
    container.testContext().ungetService(queue);
    awaitUntil("no lock on the file", () -> locks("yankee") == 1); // that of the configuration
    Files.delete(bus.resolve("yankee"));
  }

  private long locks(String segment) {
    try (Stream<String> locks = Files.lines(Path.of("/proc/locks"))) {
      String inode = ":" + Files.getAttribute(bus.resolve(segment), "unix:ino") + " ";
      return locks.filter(lock -> lock.contains(inode)).count();
    } catch (IOException failure) {
      throw new AssertionError(failure);
    }
  }
}
