package io.bywash.osgi.it;

import static io.bywash.osgi.BywashConstants.*;
import static io.bywash.osgi.it.Container.awaitUntil;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import java.util.function.LongUnaryOperator;
import org.junit.jupiter.api.Test;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;

/** That what holds for queues holds for structures of every kind. */
abstract class StructureContract extends ConfigurationContract {
  /** The service types by the names of the structures in {@link StructureProgram}. */
  static final Map<String, String> TYPES = new TreeMap<>(Map.of("ticks", "Broadcast", "failed", "WorkQueue", "jobs",
      "WorkQueue", "double", "Endpoint", "samples", "Ring", "state", "Latest", "flags", "Cells", "objects", "Pool"));

  PublisherProcess structures(String segment) throws Exception {
    return ended(PublisherProcess.start(StructureProgram.class, bus.resolve(segment)));
  }

  ServiceReference<?> awaitStructure(String segment, String name) {
    return Container.await("structure " + name + " of " + segment,
        () -> container.find("io.bywash.osgi." + TYPES.get(name) + "Service", filter(segment, name)));
  }

  /** The structures of a segment that are services now. */
  long structureCount(String segment) {
    return container.count(null, "(&(" + SEGMENT + "=" + segment + ")(" + KIND + "=*))");
  }

  @Test
  void aStructureOfEachKindOfAnotherProcessIsAServiceIsUsedAndGoesWhenThatIsKilled() throws Exception {
    PublisherProcess owner = structures("kinds");
    for (String name : TYPES.keySet()) {
      ServiceReference<?> found = awaitStructure("kinds", name);
      assertEquals(owner.pid(), found.getProperty(OWNER_PID), name);
      assertEquals(false, found.getProperty(LOCAL), name);
      LongUnaryOperator user = (LongUnaryOperator) container.create("StructureUser",
          container.testContext().getService(found));
      assertEquals(42, user.applyAsLong(42), name);
    }
    owner.kill();
    awaitUntil("no structure of it", () -> structureCount("kinds") == 0);
    awaitUntil("the bundle, which has used them, to leave", () -> Files.notExists(bus.resolve("kinds")));
  }

  @Test
  void theServicesOfStructuresSayWhatTheyCarryAndHowTheyDeliver() throws Exception {
    structures("carried");
    ServiceReference<?> ticks = awaitStructure("carried", "ticks");
    assertEquals(List.of("Ticket"), ticks.getProperty(ELEMENT));
    assertEquals(StructureProgram.TICKETS.fingerprint(), ticks.getProperty(FINGERPRINT));
    assertTrue(container.find(SERVICE, "(" + FINGERPRINT + "=" + ticks.getProperty(FINGERPRINT) + ")").isPresent());
    ServiceReference<?> jobs = awaitStructure("carried", "jobs");
    assertEquals(List.of("work queue", 16L, 64L, "redeliver", 3, "failed"), List.of(jobs.getProperty(KIND),
        jobs.getProperty(CAPACITY), jobs.getProperty(ELEMENT_SIZE), jobs.getProperty(DELIVERY),
        jobs.getProperty(DELIVERIES), jobs.getProperty(DEAD_LETTERS)));
    assertNull(jobs.getProperty(FINGERPRINT));
    assertEquals("fail", awaitStructure("carried", "double").getProperty(DELIVERY));
    assertNull(awaitStructure("carried", "samples").getProperty(DELIVERY));
  }

  @Test
  void aConfigurationOfEachKindCreatesAStructureAndItsDeletionRemovesIt() throws Exception {
    Map<String, Map<String, Object>> keys = Map.of(
        WORK_QUEUE_PID, Map.of(QUEUE, "jobs", CAPACITY, 16, DELIVERIES, "3", DEAD_LETTERS, "failed", ROLES, 4),
        ENDPOINT_PID, Map.of(QUEUE, "double", REQUEST_BYTES, 64, REPLY_BYTES, 32, CALLERS, 4, SLOTS, 8, RESPONDERS, 2,
            DELIVERY, DELIVERY_REDELIVER),
        RING_PID, Map.of(QUEUE, "samples", CAPACITY, 100, ELEMENT_SIZE, 8),
        LATEST_PID, Map.of(QUEUE, "state", ELEMENT_SIZE, "64", WRITERS, 2, READERS, 3),
        CELLS_PID, Map.of(QUEUE, "flags", CELLS, "long count, boolean stop"),
        POOL_PID, Map.of(QUEUE, "objects", CAPACITY, 10, ELEMENT_SIZE, 64, ROLES, 2));
    Map<String, Long> capacities =
        Map.of("jobs", 16L, "double", 32L, "samples", 100L, "state", 1L, "flags", 2L, "objects", 10L);
    List<Object> configurations = new ArrayList<>();
    for (Map.Entry<String, Map<String, Object>> each : keys.entrySet()) {
      configurations.add(configuration(each.getKey(), "configured", each.getValue()));
    }
    for (Map.Entry<String, Long> each : capacities.entrySet()) {
      ServiceReference<?> found = awaitStructure("configured", each.getKey());
      assertEquals(each.getValue(), found.getProperty(CAPACITY), each.getKey());
      assertEquals(true, found.getProperty(LOCAL), each.getKey());
    }
    assertEquals("redeliver", awaitStructure("configured", "double").getProperty(DELIVERY));
    Object wrong = configuration(WORK_QUEUE_PID, "wrong", Map.of(QUEUE, "odd", CAPACITY, 1000, "bywash.policy", "x"));
    awaitListed(WORK_QUEUE_PID + "~wrong", "BAD_VALUE", "capacity=1000", "bywash.policy");
    Container.call(wrong, "delete");
    Object array = configuration(CELLS_PID, "array", Map.of(QUEUE, "array", CELLS, "double[512]"));
    configurations.add(array);
    assertEquals(512L, Container.await("the array", () -> container.find("io.bywash.osgi.CellsService",
        filter("configured", "array"))).getProperty(CAPACITY));
    for (Object each : configurations) {
      Container.call(each, "delete");
    }
    awaitUntil("no structure of them", () -> structureCount("configured") == 0);
    awaitUntil("no file", () -> Files.notExists(bus.resolve("configured")));
  }

  @Test
  void aQueueThatAConfigurationHoldsHasAnOwnerAlthoughItsCreatorWasKilled() throws Exception {
    PublisherProcess killed = publisher("held");
    Object held = configuration("held", Map.of(SEGMENT, "held", RING_BYTES, 65536L, SUBSCRIBERS, 8));
    awaitListed(QUEUE_PID + "~held", "held", "OPEN");
    killed.kill();
    awaitUntil("this process to own it",
        () -> queue("held").filter(found -> found.getProperty(LOCAL).equals(true)).isPresent());
    assertEquals(ProcessHandle.current().pid(), awaitQueue("held").getProperty(OWNER_PID));
    Container.call(held, "delete");
    awaitWithdrawn("held");
  }

  @Test
  @SuppressWarnings("unchecked") // JDK types are the same in all bundles
  void aSegmentSpecServiceIsBuiltWhenItAppearsAndReleasedWhenItGoes() throws Exception {
    String type = "io.bywash.engine.SegmentSpec";
    IntFunction<Object> specs = (IntFunction<Object>) container.create("SpecSource");
    Map<String, Object> properties = Map.of(SEGMENT, "deployed", DIRECTORY, bus.toString());
    ServiceRegistration<?> deployed = container.register(type, specs.apply(16), properties);
    ended(() -> unregister(deployed));
    assertEquals(true, awaitStructure("deployed", "jobs").getProperty(LOCAL));
    awaitListed("of io.bywash.osgi.it", "deployed", "jobs", "OPEN");
    awaitUntil("its service to be given back", () -> deployed.getReference().getUsingBundles() == null);
    Object nothing = container.create("HangingForeigner", (Runnable) () -> {}, new AtomicInteger(), null);
    ServiceRegistration<?> empty = container.register(type, nothing, Map.of(SEGMENT, "empty"));
    awaitListed("of io.bywash.osgi.it", "empty", "REFUSED", "its bundle did not provide the service");
    empty.unregister();
    ServiceRegistration<?> differs = container.register(type, specs.apply(32), properties);
    ended(() -> unregister(differs));
    awaitListed("of io.bywash.osgi.it", "deployed", "REFUSED", "capacity is 16, wanted 32");
    deployed.unregister();
    awaitUntil("the other one", () -> structureCount("deployed") == 1
        && awaitStructure("deployed", "jobs").getProperty(CAPACITY).equals(32L));
    Files.delete(bus.resolve("deployed"));
    awaitUntil("another file", () -> Files.exists(bus.resolve("deployed")));
    awaitStructure("deployed", "jobs");
    differs.setProperties(dictionary(Map.of(SEGMENT, "moved", DIRECTORY, bus.toString())));
    awaitStructure("moved", "jobs");
    differs.unregister();
    awaitUntil("no file", () -> Files.notExists(bus.resolve("deployed")) && Files.notExists(bus.resolve("moved")));
    awaitUntil("no structure", () -> structureCount("deployed") + structureCount("moved") == 0);
  }

  private Object configuration(String pid, String name, Map<String, Object> keys) throws Exception {
    Map<String, Object> all = new HashMap<>(keys);
    all.putAll(Map.of(DIRECTORY, bus.toString(), SEGMENT, "configured"));
    Object configuration = Container.call(container.await(CONFIGURATION_ADMIN), "getFactoryConfiguration", pid, name,
        "?");
    Container.call(configuration, "update", dictionary(all));
    return configuration;
  }
}
