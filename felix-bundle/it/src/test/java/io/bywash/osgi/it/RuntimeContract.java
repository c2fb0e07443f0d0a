package io.bywash.osgi.it;

import static io.bywash.osgi.BywashConstants.*;
import static io.bywash.osgi.it.Container.awaitUntil;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.wiring.BundleWiring;

/** What can be asked of the bundle, and what it costs and leaves behind. */
abstract class RuntimeContract extends OperationContract {
  private static final String RUNTIME = "io.bywash.osgi.runtime.BywashRuntime";

  private static Object field(Object dto, String name) throws ReflectiveOperationException {
    return dto.getClass().getField(name).get(dto);
  }

  private static Object only(Object list, String field, Object value) throws ReflectiveOperationException {
    List<Object> found = new ArrayList<>();
    for (Object each : (List<?>) list) {
      if (field(each, field).equals(value)) {
        found.add(each);
      }
    }
    assertEquals(1, found.size(), () -> field + "=" + value + " in " + list);
    return found.getFirst();
  }

  private ServiceReference<?> runtime() {
    return Container.await("the runtime", () -> container.find(RUNTIME, null));
  }

  private long changeCount() {
    return (Long) runtime().getProperty("service.changecount");
  }

  @Test
  void theRuntimeTellsAllOfItAndCountsChanges() throws Exception {
    long before = changeCount();
    PublisherProcess publisher = publisher("told");
    Listening listening = listen("told", () -> {}, SUBSCRIPTION, "teller");
    publisher.publish(12);
    listening.awaitSequences(12);
    Files.writeString(bus.resolve("nosegment"), "in the way");
    awaitListed("nosegment");
    awaitListed("told", "FEEDING");
    awaitUntil("a change", () -> changeCount() > before);
    Object all = Container.call(container.context().getService(runtime()), "getRuntimeDTO");
    Object listener = only(field(all, "listeners"), "segment", "told");
    assertEquals("FEEDING", field(listener, "state"));
    assertEquals("teller", field(listener, "subscription"));
    assertEquals("evict", field(listener, "policy"));
    assertEquals(12L, field(listener, "receivedCount"));
    assertEquals("io.bywash.osgi.it", field(listener, "bundle"));
    Object queue = only(field(all, "queues"), "segment", "told");
    assertEquals(publisher.pid(), field(queue, "ownerPid"));
    assertEquals("AVAILABLE", field(queue, "state"));
    assertEquals(12L, ((Map<?, ?>) field(queue, "counters")).get("published"));
    assertEquals(bus.toString(), field(((List<?>) field(all, "directories")).getFirst(), "path"));
    assertEquals(bus.resolve("nosegment").toString(), field(((List<?>) field(all, "files")).getFirst(), "path"));
    Files.delete(bus.resolve("nosegment"));
    assertTrue(container.show("bywash:ls").contains("told     ticks  broadcast"), container.show("bywash:ls"));
    assertTrue(container.show("bywash:stat told").contains(publisher.pid() + " publisher"));
    assertTrue(container.show("bywash:tail told ticks 2").contains("11  8 bytes  0b 00"),
        container.show("bywash:tail told ticks 2"));
    assertEquals(12, listening.sequences().size());
  }

  @Test
  void theChangeCountGrowsWhenAConfigurationBecomesWrongAndRightAgain() throws Exception {
    Object configuration = configured("counted", Map.of(SEGMENT, "counted"));
    awaitListed("io.bywash.queue~counted", "OPEN");
    long before = stableChangeCount();
    change(configuration, Map.of(SEGMENT, "counted", RING_BYTES, "many"));
    awaitListed("io.bywash.queue~counted", "BAD_VALUE");
    awaitUntil("a change", () -> changeCount() > before);
    long wrong = stableChangeCount();
    change(configuration, Map.of(SEGMENT, "counted", "note", "hello"));
    awaitListed("io.bywash.queue~counted", "OPEN", "note");
    awaitUntil("another change", () -> changeCount() > wrong);
  }

  /** What it is when nothing has changed it for some sweeps; should it change later, the test proves less. */
  private long stableChangeCount() throws InterruptedException {
    long last = -1;
    while (last != changeCount()) {
      last = changeCount();
      Thread.sleep(1500);
    }
    return last;
  }

  @Test
  void theInventoryPrintsItAsTextAndJson() throws Exception {
    publisher("printed");
    awaitQueue("printed");
    ServiceReference<?> printer = Container.await("the printer", () ->
        container.find("org.apache.felix.inventory.InventoryPrinter", "(felix.inventory.printer.name=bywash)"));
    Class<?> format = container.bundle("org.apache.felix.inventory").loadClass("org.apache.felix.inventory.Format");
    for (String name : List.of("TEXT", "JSON")) {
      StringWriter text = new StringWriter();
      Object service = container.context().getService(printer);
      for (var method : service.getClass().getMethods()) {
        if (method.getName().equals("print") && method.getParameterTypes()[1] == format) {
          method.invoke(service, new PrintWriter(text, true), format.getField(name).get(null), false);
        }
      }
      assertTrue(text.toString().contains("printed"), text.toString());
      assertEquals(name.equals("JSON"), text.toString().startsWith("{\"changeCount\":"), text.toString());
    }
  }

  @Test
  void onlyWhatIsMeantForOthersIsAdvertisedAndOptionalPackagesMayBeMissing() {
    var headers = container.bywash().getHeaders();
    String provided = headers.get("Provide-Capability");
    assertFalse(provided.contains("internal"), provided);
    for (String type : List.of("io.bywash.osgi.BroadcastService", "io.bywash.osgi.runtime.BywashRuntime")) {
      assertTrue(provided.contains(type) && provided.contains("uses:="), provided);
    }
    assertFalse(headers.get("Require-Capability").contains("internal"), headers.get("Require-Capability"));
    for (String optional : List.of("org.apache.felix.service.command", "org.apache.felix.hc.api",
        "org.apache.felix.inventory")) {
      assertTrue(headers.get("Import-Package").matches(".*" + optional + "[^,]*resolution:=optional.*"
          + "|.*" + optional + ";version=\"[^\"]*\";resolution:=optional.*"), headers.get("Import-Package"));
    }
    assertEquals(Bundle.ACTIVE, container.bywash().getState(), "without the health check's API");
  }

  @Test
  void toolsAreToldTheKeysOfAQueueAndWhichValuesAreAllowed() throws Exception {
    Object information = Container.call(container.await("org.osgi.service.metatype.MetaTypeService"),
        "getMetaTypeInformation", container.bywash());
    Object definition = Container.call(information, "getObjectClassDefinition", QUEUE_PID, null);
    Map<String, Object> keys = new HashMap<>();
    for (Object key : (Object[]) Container.call(definition, "getAttributeDefinitions", -1)) {
      keys.put((String) Container.call(key, "getID"), key);
    }
    for (String key : List.of(SEGMENT, QUEUE, DIRECTORY, RING_BYTES, SUBSCRIBERS, LIFETIME, SPARE_BYTES)) {
      assertTrue(keys.containsKey(key), key);
    }
    assertEquals("", Container.call(keys.get(RING_BYTES), "validate", "65536"));
    for (String refused : List.of("64K", "-5")) {
      assertNotEquals("", Container.call(keys.get(RING_BYTES), "validate", refused));
    }
    assertArrayEquals(new String[] {"{bywash.segment} {bywash.queue}"}, (String[]) Container.call(
        keys.get("webconsole.configurationFactory.nameHint"), "getDefaultValue"));
  }

  private long broadcasts(String filter) {
    return container.count(SERVICE, filter);
  }

  /** Descriptors or mappings of this process that belong to the bus. */
  private long uses(Path listing) {
    try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
      return listing.endsWith("maps")
          ? Files.readAllLines(listing).stream().filter(line -> line.contains(bus.toString())).count()
          : descriptors.filter(this::isOfBus).count();
    } catch (IOException failure) {
      throw new AssertionError(failure);
    }
  }

  private boolean isOfBus(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor).startsWith(bus);
    } catch (IOException closed) {
      return false;
    }
  }

  @Test
  void aThousandQueuesOfAnotherProcessAreServicesAtTheCostOfFourFiles() throws Exception {
    long descriptors = uses(Path.of("/proc/self/fd"));
    long mappings = uses(Path.of("/proc/self/maps"));
    PublisherProcess owner = ended(PublisherProcess.start(ManyQueuesProgram.class, bus, "many", 4, 250));
    awaitUntil("all services", () -> broadcasts("(" + SEGMENT + "=many*)") == 1000);
    assertEquals(1000, broadcasts("(&(" + SEGMENT + "=many*)(" + OWNER_PID + "=" + owner.pid() + ")(" + LOCAL
        + "=false)(" + CAPACITY + "=4096))"));
    assertEquals(1, broadcasts(filter("many3", "q249")));
    // Discovery may look at a file again meanwhile, for a moment.
    awaitUntil("one descriptor for each segment", () -> uses(Path.of("/proc/self/fd")) - descriptors == 4);
    awaitUntil("one mapping for each segment", () -> uses(Path.of("/proc/self/maps")) - mappings == 4);
    owner.close();
    awaitUntil("no services", () -> broadcasts("(" + SEGMENT + "=many*)") == 0);
    awaitUntil("all descriptors back", () -> uses(Path.of("/proc/self/fd")) <= descriptors);
    awaitUntil("all mappings back", () -> uses(Path.of("/proc/self/maps")) <= mappings);
  }

  @Test
  void roundsOfUpdatesAndRefreshesUnderTrafficLoseAndLeaveNothing() throws Exception {
    updateAndRefresh(5);
  }

  @Test
  @Tag("stress")
  @Timeout(value = 2, unit = TimeUnit.HOURS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void manyRoundsOfUpdatesAndRefreshesUnderTrafficLoseAndLeaveNothing() throws Exception {
    updateAndRefresh(100);
  }

  /** In each round one of the engine, this bundle and the listener's is updated, and who is wired to it refreshed. */
  private void updateAndRefresh(int rounds) throws Exception {
    container.refresh(); // other tests have uninstalled bundles
    long descriptors = uses(Path.of("/proc/self/fd"));
    long mappings = uses(Path.of("/proc/self/maps"));
    List<Bundle> bundles = List.of(container.bundle("bywash-engine"), container.bywash(),
        container.testContext().getBundle());
    List<List<WeakReference<ClassLoader>>> generations = new ArrayList<>();
    try (Segment segment = Segment.create(bus.resolve("rounds"), SegmentSpec.of(Broadcast.spec("ticks", 1 << 16)));
        Publisher publisher = Publisher.open(segment.directory().find("ticks", Kind.BROADCAST))) {
      long received = 0;
      for (int round = 0; round < rounds; round++) {
        generations.add(loaders(bundles));
        received = receive(publisher, received);
        update(bundles.get(round % bundles.size()));
        publish(publisher, 1);
        awaitUntil("the bundles to be active", () -> bundles.stream()
            .allMatch(each -> each.getState() == Bundle.ACTIVE));
      }
    }
    awaitUntil("all descriptors back", () -> uses(Path.of("/proc/self/fd")) <= descriptors);
    awaitUntil("all mappings back", () -> uses(Path.of("/proc/self/maps")) <= mappings);
    awaitUntil("one thread of each kind", () -> {
      List<String> threads = Thread.getAllStackTraces().keySet().stream().map(Thread::getName)
          .filter(name -> name.startsWith("bywash-")).toList();
      return threads.stream().distinct().count() == threads.size();
    });
    generations.add(loaders(bundles));
    awaitOnlyLastTwo(generations);
  }

  private static List<WeakReference<ClassLoader>> loaders(List<Bundle> bundles) {
    return bundles.stream().map(bundle -> new WeakReference<>(bundle.adapt(BundleWiring.class).getClassLoader()))
        .toList();
  }

  /**
   * Class loaders go, but for those of the last two generations: the JDK keeps the types of the last record whose
   * {@code equals} it has linked, by a soft reference.
   */
  private static void awaitOnlyLastTwo(List<List<WeakReference<ClassLoader>>> generations) {
    int kept = generations.size() - 2;
    awaitUntil("no class loader but the last two of each bundle", () -> {
      System.gc();
      List<ClassLoader> last = generations.subList(kept, kept + 2).stream().flatMap(List::stream)
          .map(WeakReference::get).toList();
      return generations.subList(0, kept).stream().flatMap(List::stream)
          .allMatch(each -> each.refersTo(null) || last.stream().anyMatch(each::refersTo));
    });
  }

  private static void publish(Publisher publisher, int count) {
    for (int i = 0; i < count; i++) {
      publisher.claim(8, 0, Container.DEADLINE.toNanos()).putLong(0, publisher.nextSequence()).commit();
    }
  }

  /** A listener gets all from {@code first} on. Returns where it stopped. */
  private long receive(Publisher publisher, long first) throws Exception {
    Listening listening = listen("rounds", () -> {}, SUBSCRIPTION, "rounds");
    publish(publisher, 20);
    long end = publisher.nextSequence();
    awaitUntil("the messages up to " + end, () -> listening.sequences().size() == end - first);
    assertEquals(LongStream.range(first, end).boxed().toList(), List.copyOf(listening.sequences()));
    listening.registration().unregister();
    ends.removeLast();
    return end;
  }

  private void update(Bundle bundle) throws BundleException {
    bundle.update();
    container.refresh();
    bundle.start();
  }
}
