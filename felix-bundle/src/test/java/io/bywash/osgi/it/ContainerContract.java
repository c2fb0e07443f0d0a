package io.bywash.osgi.it;

import static io.bywash.osgi.BywashConstants.*;
import static io.bywash.osgi.it.Container.awaitUntil;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Kind;
import io.bywash.engine.RoleTakenException;
import io.bywash.engine.Segment;
import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ref.WeakReference;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongUnaryOperator;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.osgi.framework.AllServiceListener;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceEvent;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.framework.wiring.BundleWiring;
import org.osgi.framework.wiring.FrameworkWiring;

/** What the built bundle does in a container, whichever it is. Publishers are other processes. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class ContainerContract {
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
    for (AutoCloseable end : ends.reversed()) {
      end.close();
    }
    ends.clear();
    for (String name : files()) { // what a killed process left: the last living participant removes it
      Segment.attach(bus.resolve(name), 0).close();
    }
    assertEquals(List.of(), files());
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

  static List<Long> upTo(long count) {
    return LongStream.range(0, count).boxed().toList();
  }

  @Test
  void aConfiguredQueueWhoseFileIsRemovedIsMadeAnewAndFedFrom() throws Exception {
    Object configuration = configuration("zulu", Map.of(SEGMENT, "zulu"));
    ended(() -> {
      Container.call(configuration, "delete");
      awaitUntil("the segment to go", () -> !Files.exists(bus.resolve("zulu")));
    });
    awaitQueue("zulu");
    Object inode = Files.getAttribute(bus.resolve("zulu"), "unix:ino");
    Files.delete(bus.resolve("zulu"));
    Container.await("a new file", () -> Files.exists(bus.resolve("zulu")) ? Optional.of(true) : Optional.empty());
    assertNotEquals(inode, Files.getAttribute(bus.resolve("zulu"), "unix:ino"));
    Listening listening = listen("zulu", () -> {});
    awaitListed("zulu", "FEEDING");
    try (Segment segment = Segment.attach(bus.resolve("zulu"), 0);
        Publisher publisher = Publisher.open(segment.directory().find("ticks", Kind.BROADCAST))) {
      publisher.tryClaim(8).putLong(0, 0).commit();
      listening.awaitSequences(1);
    }
  }

  @Test
  void aConfigurationThatIsRefusedIsTriedAgainWhenItsCauseHasGone() throws Exception {
    Files.writeString(bus.resolve("xray"), "in the way");
    Object configuration = configuration("xray", Map.of(SEGMENT, "xray"));
    ended(() -> {
      Container.call(configuration, "delete");
      awaitUntil("the segment to go", () -> !Files.exists(bus.resolve("xray")));
    });
    awaitListed("xray", "not a Bywash segment");
    Files.delete(bus.resolve("xray"));
    awaitQueue("xray");
    awaitListed("xray", "OPEN");
  }

  /** In a process of its own: on its one processor a listener that blocked would keep the other one from running. */
  @Test
  void listenersPassMessagesOnOnOneProcessorAndOutliveAShortageOfHeap() throws Exception {
    Path own = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-test-");
    Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "--enable-native-access=ALL-UNNAMED", "-Xmx80m", "-XX:+UseSerialGC", "-XX:ActiveProcessorCount=1",
        "-XX:TieredStopAtLevel=1", "-Dbywash.test.containers=" + Container.DIRECTORY,
        "-Dbywash.test.bundle=" + System.getProperty("bywash.test.bundle"),
        "-Dbywash.test.classes=" + System.getProperty("bywash.test.classes"), "-cp",
        System.getProperty("java.class.path"),
        ShortageProgram.class.getName(), framework(), own.toString()).redirectErrorStream(true).start();
    ended(() -> process.destroyForcibly().waitFor());
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(said.contains("got 226 of 226"), said);
    Files.deleteIfExists(own.resolve(".lock"));
    Files.delete(own);
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
  void noThreadKeepsAnythingOfItsCaller() throws Exception {
    InheritableThreadLocal<String> inherited = new InheritableThreadLocal<>();
    Queue<Object> seen = new ConcurrentLinkedQueue<>();
    publisher("xavier").publish(1);
    awaitQueue("xavier");
    Thread caller = new Thread(new ThreadGroup("of a caller"), () -> {
      inherited.set("of a caller");
      try {
        container.bywash().stop();
        container.bywash().start(); // discovery begins, and feeders below
        listen("xavier", () -> seen.addAll(List.of(String.valueOf(inherited.get()),
            Thread.currentThread().getContextClassLoader(), Thread.currentThread().getThreadGroup().getName())));
      } catch (Exception failure) {
        seen.add(failure);
      }
    });
    caller.setContextClassLoader(new URLClassLoader(new URL[0]));
    caller.start();
    caller.join();
    awaitUntil("a message", () -> !seen.isEmpty());
    ClassLoader listeners = container.testContext().getBundle().adapt(BundleWiring.class).getClassLoader();
    assertEquals(List.of("null", listeners, "VirtualThreads"), List.copyOf(seen));
    Thread discovery = Container.await("discovery", () -> Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals("bywash-discovery")).findFirst());
    assertNull(discovery.getThreadGroup().getParent());
    assertSame(container.bywash().adapt(BundleWiring.class).getClassLoader(), discovery.getContextClassLoader());
  }

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
  void aListenerThatWasThereFirstIsFedFromTheFirstMessageOn() throws Exception {
    Listening listening = listen("delta", () -> {});
    publisher("delta").publish(100);
    listening.awaitSequences(100);
    assertEquals(upTo(100), List.copyOf(listening.sequences()));
  }

  @Test
  void aListenerThatComesLaterIsFedWithWhatIsThere() throws Exception {
    PublisherProcess publisher = publisher("echo");
    publisher.publish(100);
    awaitQueue("echo");
    Listening oldest = listen("echo", () -> {});
    Listening newest = listen("echo", () -> {}, START, START_NEWEST);
    awaitUntil("both to be fed", () -> subscribers("echo") == 2);
    publisher.publish(100);
    oldest.awaitSequences(200);
    assertEquals(upTo(200), List.copyOf(oldest.sequences()));
    newest.awaitSequences(100);
    assertEquals(upTo(200).subList(100, 200), List.copyOf(newest.sequences()));
  }

  @Test
  void aListenerGetsEachCommittedMessageOnceAcrossAKillAndAReturn() throws Exception {
    Listening slow = listen("foxtrot", () -> LockSupport.parkNanos(50_000));
    Listening fast = listen("foxtrot", () -> {});
    PublisherProcess killed = publisher("foxtrot");
    AtomicLong receivedAtWithdrawal = new AtomicLong(-1);
    AtomicReference<String> listingAtWithdrawal = new AtomicReference<>();
    AllServiceListener events = event -> {
      if (event.getType() == ServiceEvent.UNREGISTERING) {
        receivedAtWithdrawal.compareAndSet(-1, slow.sequences().size());
        listingAtWithdrawal.compareAndSet(null, listing());
      }
    };
    container.context().addServiceListener(events, "(&(objectClass=" + SERVICE + ")"
        + filter("foxtrot", "ticks") + ")");
    ended(() -> container.context().removeServiceListener(events));
    awaitQueue("foxtrot");
    killed.stream();
    slow.awaitSequences(2_000);
    killed.kill();
    long committed = committed("foxtrot");
    awaitWithdrawn("foxtrot");
    assertEquals(committed, receivedAtWithdrawal.get(), listingAtWithdrawal.get());

    PublisherProcess next = publisher("foxtrot");
    assertEquals(committed, next.firstSequence());
    awaitQueue("foxtrot");
    long all = next.publish(3_000);
    slow.awaitSequences(all);
    fast.awaitSequences(all);
    assertEquals(upTo(all), List.copyOf(slow.sequences()));
    assertEquals(upTo(all), List.copyOf(fast.sequences()));
  }

  @Test
  void aListenerKeepsTheSegmentWhenThePublisherCloses() throws Exception {
    Listening listening = listen("golf", () -> {});
    PublisherProcess publisher = publisher("golf");
    awaitQueue("golf");
    publisher.publish(10);
    publisher.close();
    awaitWithdrawn("golf");
    assertEquals(upTo(10), List.copyOf(listening.sequences()));
    publisher("golf").publish(10);
    listening.awaitSequences(20);
    assertEquals(upTo(20), List.copyOf(listening.sequences()));
  }

  @Test
  void aListenerWhoseOtherPropertiesChangeKeepsItsPlace() throws Exception {
    PublisherProcess publisher = publisher("uniform");
    Listening listening = listen("uniform", () -> {});
    publisher.publish(10);
    listening.awaitSequences(10);
    listening.registration()
        .setProperties(dictionary(Map.of(SEGMENT, "uniform", QUEUE, "ticks", "service.ranking", 7)));
    publisher.publish(10);
    listening.awaitSequences(20);
    assertEquals(upTo(20), List.copyOf(listening.sequences()));
  }

  @Test
  void aListenerThatHangsHoldsUpNeitherOthersNorTheWithdrawal() throws Exception {
    CountDownLatch hold = new CountDownLatch(1);
    ended(hold::countDown);
    Listening hanging = listen("romeo", () -> awaitLatch(hold));
    Listening other = listen("romeo", () -> {});
    PublisherProcess killed = publisher("romeo");
    killed.publish(100);
    other.awaitSequences(100);
    killed.kill();
    awaitWithdrawn("romeo");
    assertEquals(upTo(1), List.copyOf(hanging.sequences()));
    hold.countDown();
    hanging.awaitSequences(100);
    assertEquals(upTo(100), List.copyOf(hanging.sequences()));
  }

  @Test
  void aListenerThatThrowsIsFedOn() throws Exception {
    Listening listening = listen("hotel", () -> {
      throw new IllegalStateException("thrown on purpose by the test");
    });
    publisher("hotel").publish(50);
    listening.awaitSequences(50);
    assertEquals(upTo(50), List.copyOf(listening.sequences()));
    awaitListed("hotel", "FEEDING", " 50     0      50 ");
  }

  @Test
  void aSkippingListenerHoldsNobodyUpAndIsToldWhatItLost() throws Exception {
    CountDownLatch hold = new CountDownLatch(1);
    ended(hold::countDown);
    Listening listening = listen("india", () -> awaitLatch(hold), POLICY, POLICY_SKIP);
    PublisherProcess publisher = publisher("india");
    publisher.publish(1);
    listening.awaitSequences(1);
    long published = publisher.publish(20_000);
    hold.countDown();
    awaitUntil("each message is received or lost", () ->
        listening.sequences().size() + listening.lost().get() == published);
    assertTrue(listening.lost().get() > 0);
  }

  private static void awaitLatch(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException interrupted) {
      throw new AssertionError(interrupted);
    }
  }

  @Test
  void anUnregisteredListenerIsNotCalledAnyMore() throws Exception {
    PublisherProcess publisher = publisher("juliett");
    Listening listening = listen("juliett", () -> {});
    publisher.stream();
    listening.awaitSequences(1_000);
    listening.registration().unregister();
    int received = listening.sequences().size();
    Listening later = listen("juliett", () -> {}, START, START_NEWEST);
    later.awaitSequences(1_000);
    assertEquals(received, listening.sequences().size());
    publisher.kill();
  }

  @Test
  void aListenerThatCannotBeServedIsListedWithTheReason() throws Exception {
    ended(PublisherProcess.start(bus.resolve("kilo"), "ticks", 4096, 1));
    Listening first = listen("kilo", () -> {});
    awaitListed("kilo", "FEEDING");
    listen("kilo", () -> {});
    awaitListed("kilo", "TABLE_FULL", "has all its 1 places taken");
    first.registration().unregister();
    awaitListed("kilo", "FEEDING");
    assertFalse(listing().contains("TABLE_FULL"));
    listen("nowhere", () -> {});
    awaitListed("nowhere", "NO_QUEUE", "there is no segment nowhere");
    listen("kilo", () -> {}, QUEUE, "other");
    awaitListed("kilo", "other", "NO_QUEUE", "has no queue other");
    listen("kilo", () -> {}, POLICY, "sometimes");
    awaitListed("kilo", "BAD_PROPERTIES", "bywash.policy=sometimes");
  }

  @Test
  void aConfigurationCreatesAQueueAndItsDeletionRemovesIt() throws Exception {
    Object first = configuration("first", Map.of(SEGMENT, "lima", RING_BYTES, 8192L, SUBSCRIBERS, 3));
    ServiceReference<?> queue = awaitQueue("lima");
    assertEquals(8192L, queue.getProperty(CAPACITY));
    assertEquals(true, queue.getProperty(LOCAL));
    assertEquals(ProcessHandle.current().pid(), queue.getProperty(OWNER_PID));
    Object second = configuration("second", Map.of(SEGMENT, "lima", QUEUE, "tocks"));
    Container.await("the second queue", () -> container.find(SERVICE, filter("lima", "tocks")));
    Container.call(first, "delete");
    Container.call(second, "delete");
    awaitWithdrawn("lima");
    awaitUntil("no file", () -> Files.notExists(bus.resolve("lima")));
  }

  @Test
  void aConfigurationThatCannotBeMetIsListedWithTheReason() throws Exception {
    Object good = configuration("good", Map.of(SEGMENT, "mike"));
    Object differs = configuration("differs", Map.of(SEGMENT, "mike", RING_BYTES, 8192L));
    Object unnamed = configuration("unnamed", Map.of(SEGMENT, "../mike"));
    awaitListed("io.bywash.queue~good", "mike", "OPEN");
    awaitListed("io.bywash.queue~differs", "capacity is 1048576, wanted 8192");
    awaitListed("io.bywash.queue~unnamed", "name=");
    Container.call(good, "delete");
    Container.call(differs, "delete");
    Container.call(unnamed, "delete");
    awaitWithdrawn("mike");
  }

  @Test
  void theOrderOfTheConfigurationsOfOneSegmentDoesNotMatter() throws Exception {
    Map<String, Object> small = Map.of(SEGMENT, "quebec", QUEUE, "small");
    Map<String, Object> large = Map.of(SEGMENT, "quebec", QUEUE, "large", RING_BYTES, 8L << 20);
    for (List<Map<String, Object>> order : List.of(List.of(large, small), List.of(small, large))) {
      List<Object> configurations = new ArrayList<>();
      for (Map<String, Object> each : order) {
        configurations.add(configuration("quebec-" + each.get(QUEUE), each));
        awaitListed("io.bywash.queue~quebec-" + each.get(QUEUE) + " ", "quebec", "OPEN");
      }
      for (Object each : configurations) {
        Container.call(each, "delete");
      }
      awaitWithdrawn("quebec");
      awaitUntil("no file", () -> Files.notExists(bus.resolve("quebec")));
    }
  }

  /** What it cannot do as long as somebody uses the segment, it does afterwards. */
  @Test
  void aConfigurationForWhichASegmentIsTooSmallGetsItsQueueWhenNobodyElseUsesThat() throws Exception {
    Object small = configuration("whiskey2-small", Map.of(SEGMENT, "whiskey2"));
    awaitQueue("whiskey2");
    Segment other = Segment.attach(bus.resolve("whiskey2"), 0);
    Object large = configuration("whiskey2-large", Map.of(SEGMENT, "whiskey2", QUEUE, "large", RING_BYTES, 8L << 20));
    awaitListed("io.bywash.queue~whiskey2-large", "whiskey2", "bytes");
    other.close();
    awaitListed("io.bywash.queue~whiskey2-large", "whiskey2", "OPEN");
    awaitListed("io.bywash.queue~whiskey2-small", "whiskey2", "OPEN");
    Container.call(small, "delete");
    Container.call(large, "delete");
    awaitWithdrawn("whiskey2");
    awaitUntil("no file", () -> Files.notExists(bus.resolve("whiskey2")));
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

  @Test
  void aBundleTakesRolesFromTheServiceUntilItReleasesIt() throws Exception {
    Object configuration = configuration("papa", Map.of(SEGMENT, "papa"));
    ServiceReference<?> queue = awaitQueue("papa");
    LongUnaryOperator user =
        (LongUnaryOperator) container.create("ServiceUser", container.testContext().getService(queue));
    assertEquals(42, user.applyAsLong(42));
    container.testContext().ungetService(queue);
    assertEquals("io.bywash.engine.SegmentClosedException",
        assertThrows(RuntimeException.class, () -> user.applyAsLong(43)).getClass().getName());
    ((AutoCloseable) user).close();
    Container.call(configuration, "delete");
    awaitWithdrawn("papa");
  }

  @Test
  void aBundleSendsRecordsOfItsOwnAndNothingOfItIsKeptWhenItIsRefreshed() throws Exception {
    Object configuration = configuration("romeo", Map.of(SEGMENT, "romeo"));
    WeakReference<ClassLoader> loader = sendRecords(awaitQueue("romeo"));
    awaitUntil("the bundle's class loader to be collected", () -> {
      System.gc();
      return loader.get() == null;
    });
    Container.call(configuration, "delete");
    awaitWithdrawn("romeo");
  }

  private WeakReference<ClassLoader> sendRecords(ServiceReference<?> queue) throws Exception {
    Bundle bundle = container.installAnother("io.bywash.osgi.it.records");
    Object user = Container.create(bundle, "RecordUser", bundle.getBundleContext().getService(queue));
    assertEquals(42, ((LongUnaryOperator) user).applyAsLong(42));
    bundle.getBundleContext().ungetService(queue);
    bundle.uninstall();
    CountDownLatch refreshed = new CountDownLatch(1);
    container.context().getBundle(0).adapt(FrameworkWiring.class).refreshBundles(List.of(bundle),
        event -> refreshed.countDown());
    assertTrue(refreshed.await(30, TimeUnit.SECONDS));
    return new WeakReference<>(user.getClass().getClassLoader());
  }

  @Test
  void aStoppedBundleLeavesNoServiceNoThreadAndNoPlaceInTheQueue() throws Exception {
    PublisherProcess publisher = publisher("sierra2");
    Listening listening = listen("sierra2", () -> {});
    publisher.publish(5);
    listening.awaitSequences(5);
    container.bywash().stop();
    assertLeftNothing("sierra2");
    container.bywash().start();
    awaitQueue("sierra2");
    listening.awaitSequences(10); // what is still there comes again: the place in the queue was given up
    container.bywash().uninstall();
    assertLeftNothing("sierra2");
    container.installBywash();
    awaitQueue("sierra2");
  }

  private void assertLeftNothing(String segment) {
    assertTrue(queue(segment).isEmpty());
    try (Segment observed = Segment.observe(bus.resolve(segment))) {
      assertEquals(List.of(), BroadcastStatus.of(observed.directory().find("ticks", Kind.BROADCAST)).subscribers());
      assertEquals(1, observed.participants().size());
    }
    awaitUntil("no thread of the bundle", () -> Thread.getAllStackTraces().keySet().stream()
        .noneMatch(thread -> thread.getName().startsWith("bywash-")));
  }

  // ---- bundles that do not let go

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

  /** How the bundle goes whose listener hangs. */
  enum End { SERVICE_UNREGISTERED, BUNDLE_UNINSTALLED, OURS_STOPPED }

  @ParameterizedTest
  @EnumSource(End.class)
  void aListenerThatNeverReturnsHoldsNoPublisherBackOnceItsEndHasCome(End end) throws Exception {
    String segment = "hostage-" + end.name().toLowerCase(Locale.ROOT);
    PublisherProcess publisher = ended(PublisherProcess.start(bus.resolve(segment), "ticks", 4096, 8));
    awaitQueue(segment);
    Bundle hostile = container.installAnother("hostile.listener");
    ended(() -> uninstall(hostile));
    Hang hang = new Hang();
    Queue<Long> sequences = new ConcurrentLinkedQueue<>();
    ServiceRegistration<?> registration = Container.register(hostile, LISTENER,
        Container.create(hostile, "RecordingListener", sequences, new AtomicLong(), hang),
        Map.of(SEGMENT, segment, QUEUE, "ticks"));
    publisher.publish(1);
    hang.awaitEntered();
    CompletableFuture<Long> published = publishMoreThanFits(publisher, segment);
    switch (end) {
      case SERVICE_UNREGISTERED -> registration.unregister();
      case BUNDLE_UNINSTALLED -> hostile.uninstall();
      case OURS_STOPPED -> container.bywash().stop();
    }
    assertEquals(2001, published.get(Container.DEADLINE.toSeconds(), TimeUnit.SECONDS));
    assertTrue(hang.interrupted);
    assertEquals(1, sequences.size(), "no call began after the end");
    if (end == End.OURS_STOPPED) {
      uninstall(hostile); // or its listener would be fed again, and hang again
      container.bywash().start();
    }
    awaitQueue(segment);
    Listening other = listen(segment, () -> {}, START, START_NEWEST);
    awaitListed(segment, "FEEDING");
    publisher.publish(100);
    other.awaitSequences(100);
    hang.released.countDown();
    awaitUntil("the listener to have given back its place", () -> subscribers(segment) == 1);
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

  BroadcastStatus status(String segment) {
    try (Segment observed = Segment.observe(bus.resolve(segment))) {
      return BroadcastStatus.of(observed.directory().find("ticks", Kind.BROADCAST));
    }
  }

  int subscribers(String segment) {
    return status(segment).subscribers().size();
  }

  static void uninstall(Bundle bundle) throws BundleException {
    if (bundle.getState() != Bundle.UNINSTALLED) {
      bundle.uninstall();
    }
  }

  @Test
  void aListenerThatReturnsWhenItIsInterruptedGivesItsPlaceBack() throws Exception {
    PublisherProcess publisher = ended(PublisherProcess.start(bus.resolve("interrupted"), "ticks", 4096, 8));
    CountDownLatch never = new CountDownLatch(1);
    Listening listening = listen("interrupted", () -> awaitLatch(never));
    publisher.publish(1);
    listening.awaitSequences(1);
    CompletableFuture<Long> published = publishMoreThanFits(publisher, "interrupted");
    listening.registration().unregister();
    assertEquals(2001, published.get(Container.DEADLINE.toSeconds(), TimeUnit.SECONDS));
    awaitUntil("its place to be free", () -> subscribers("interrupted") == 0);
    assertEquals(1, listening.sequences().size());
  }

  /** The queue of a configuration, and a bundle that takes roles from it. */
  private Runnable carelessUser(Bundle bundle, String segment, String what, Runnable duringCall) throws Exception {
    Object configuration = configuration(segment, Map.of(SEGMENT, segment, RING_BYTES, 4096L, SUBSCRIBERS, 8));
    ended(() -> {
      Container.call(configuration, "delete");
      awaitWithdrawn(segment);
    });
    Object service = bundle.getBundleContext().getService(awaitQueue(segment));
    return (Runnable) Container.create(bundle, "CarelessUser", service, what, duringCall);
  }

  PublisherProcess publisherOfWhatExists(String segment) throws IOException {
    return ended(PublisherProcess.start(bus.resolve(segment), "ticks", 0, 0));
  }

  @Test
  void rolesThatABundleNeverClosedGoWithIt() throws Exception {
    Bundle hostile = container.installAnother("hostile.idle");
    ended(() -> uninstall(hostile));
    carelessUser(hostile, "idle", "idle", () -> {});
    assertEquals(1, subscribers("idle"));
    hostile.uninstall();
    assertEquals(0, subscribers("idle"));
    assertEquals(2000, publisherOfWhatExists("idle").publish(2000));
  }

  @Test
  void aBundlesPublisherWithAnOpenClaimIsQuarantinedWhenTheBundleGoesAndOthersReadOn() throws Exception {
    Bundle hostile = container.installAnother("hostile.claim");
    ended(() -> uninstall(hostile));
    Runnable user = carelessUser(hostile, "claim", "claim", () -> {});
    hostile.uninstall();
    awaitUntil("the publisher to be revoked", () -> status("claim").revokedPublisher().isPresent());
    try (Segment other = Segment.attach(bus.resolve("claim"), 0);
        Subscriber reader = Subscriber.open(other.directory().find("ticks", Kind.BROADCAST))) {
      RoleTakenException taken = assertThrows(RoleTakenException.class,
          () -> Publisher.open(other.directory().find("ticks", Kind.BROADCAST)));
      assertTrue(taken.getMessage().contains("revoked"), taken.getMessage());
      assertTrue(listing().contains("(revoked)"), listing());
      assertEquals("io.bywash.engine.SegmentClosedException",
          assertThrows(RuntimeException.class, user::run).getClass().getName());
      assertEquals(10, publisherOfWhatExists("claim").publish(10));
      assertEquals(10, reader.poll(message -> {}, 100));
    }
  }

  @Test
  void aBundlesOwnHandlerThatNeverReturnsHoldsNoPublisherBackWhenTheBundleGoes() throws Exception {
    Bundle hostile = container.installAnother("hostile.poll");
    ended(() -> uninstall(hostile));
    Hang hang = new Hang();
    Runnable user = carelessUser(hostile, "poll", "poll", hang);
    PublisherProcess publisher = publisherOfWhatExists("poll");
    Thread polling = Thread.ofPlatform().daemon().start(user);
    publisher.publish(1);
    hang.awaitEntered();
    CompletableFuture<Long> published = publishMoreThanFits(publisher, "poll");
    hostile.uninstall();
    assertEquals(2001, published.get(Container.DEADLINE.toSeconds(), TimeUnit.SECONDS));
    assertFalse(hang.interrupted, "the thread is the bundle's");
    hang.released.countDown();
    polling.join();
    assertEquals(0, subscribers("poll"));
  }
}
