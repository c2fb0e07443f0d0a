package io.bywash.osgi.it;

import static io.bywash.osgi.BywashConstants.*;
import static io.bywash.osgi.it.Container.awaitUntil;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.broadcast.Publisher;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.ServiceReference;

/** Queues that configurations ask for. */
abstract class ConfigurationContract extends ListenerContract {
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
  void aSegmentIsMadeAnewForAQueueThatTwoConfigurationsAskForAndOneThatFindsNoRoom() throws Exception {
    List<Object> configurations = new ArrayList<>();
    for (String name : List.of("shared1", "shared2")) {
      configurations.add(configuration(name, Map.of(SEGMENT, "shared")));
      awaitListed("io.bywash.queue~" + name + " ", "OPEN");
    }
    configurations.add(configuration("shared3", Map.of(SEGMENT, "shared", QUEUE, "large", RING_BYTES, 8L << 20)));
    for (int number = 3; number > 0; number--) {
      awaitListed("io.bywash.queue~shared" + number + " ", "OPEN");
    }
    for (Object each : configurations) {
      Container.call(each, "delete");
    }
    awaitWithdrawn("shared");
    awaitUntil("no file", () -> Files.notExists(bus.resolve("shared")));
  }

  @Test
  void configurationsThatSpellOneDirectoryInTwoWaysShareItsSegments() throws Exception {
    String other = bus.resolve("..").resolve(bus.getFileName()).toString();
    Object small = configuration("spelled1", Map.of(SEGMENT, "spelled"));
    awaitListed("io.bywash.queue~spelled1 ", "OPEN");
    Object large = configuration("spelled2", Map.of(SEGMENT, "spelled", QUEUE, "large", RING_BYTES, 8L << 20,
        DIRECTORY, other));
    awaitListed("io.bywash.queue~spelled2 ", "OPEN"); // together they are the only users of the first segment
    awaitListed("io.bywash.queue~spelled1 ", "OPEN");
    Container.call(small, "delete");
    Container.call(large, "delete");
    awaitWithdrawn("spelled");
    awaitUntil("no file", () -> Files.notExists(bus.resolve("spelled")));
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

  @Test
  void aConfiguratorsJsonCreatesAQueueAsLongAsItsBundleIsThere() throws Exception {
    container.installFolder("configurator");
    Bundle bundle = container.installText("io.bywash.osgi.it.json", "osgi.configurator",
        "OSGI-INF/configurator/queues.json", """
        {
          ":configurator:resource-version": 1,
          "io.bywash.queue~json": {
            "bywash.segment": "json", "bywash.queue": "ticks", "bywash.directory": "%s",
            "bywash.ring.bytes": 8192, "bywash.subscribers": "3"
          }
        }
        """.formatted(bus));
    ended(() -> uninstall(bundle));
    assertEquals(8192L, awaitQueue("json").getProperty(CAPACITY));
    awaitListed("io.bywash.queue~json", "OPEN");
    assertFalse(listing().lines().anyMatch(line -> line.contains("queue~json") && line.contains("configurator")),
        listing());
    bundle.uninstall();
    awaitWithdrawn("json");
    awaitUntil("no file", () -> Files.notExists(bus.resolve("json")));
  }
}
