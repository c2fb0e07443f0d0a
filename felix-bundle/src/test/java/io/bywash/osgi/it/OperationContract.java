package io.bywash.osgi.it;

import static io.bywash.osgi.BywashConstants.*;
import static io.bywash.osgi.it.Container.awaitUntil;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.Segment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.osgi.framework.ServiceReference;

/** What an operator does: change configurations, update bundles, and ask what is wrong. */
abstract class OperationContract extends ContainmentContract {
  private void change(Object configuration, Map<String, Object> properties) throws Exception {
    Map<String, Object> all = new HashMap<>(Map.of(DIRECTORY, bus.toString(), QUEUE, "ticks"));
    all.putAll(properties);
    Container.call(configuration, "update", dictionary(all));
  }

  private Object configured(String segment, Map<String, Object> properties) throws Exception {
    Object configuration = configuration(segment, properties);
    ended(() -> {
      Container.call(configuration, "delete");
      awaitUntil("no file of " + segment, () -> Files.notExists(bus.resolve(segment)));
    });
    return configuration;
  }

  @Test
  void onlyAChangeOfARelevantKeyTouchesAQueueAndAWrongOneChangesNothing() throws Exception {
    Object configuration = configured("trusted", Map.of(SEGMENT, "trusted"));
    ServiceReference<?> service = awaitQueue("trusted");
    publisherOfWhatExists("trusted").publish(10);
    Object inode = Files.getAttribute(bus.resolve("trusted"), "unix:ino");
    change(configuration, Map.of(SEGMENT, "trusted", "note", "hello", SPARE_BYTES, "8192"));
    awaitListed("io.bywash.queue~trusted", "OPEN", "note");
    container.bundle("org.apache.felix.log").update();
    for (String value : List.of("64K", "-5")) {
      change(configuration, Map.of(SEGMENT, "trusted", RING_BYTES, value));
      awaitListed("io.bywash.queue~trusted", "BAD_VALUE", RING_BYTES + "=" + value);
    }
    assertEquals(inode, Files.getAttribute(bus.resolve("trusted"), "unix:ino"));
    assertEquals(10, committed("trusted"));
    assertEquals(service, awaitQueue("trusted"));
    ends.removeLast().close(); // the publisher, or the segment would stay
    change(configuration, Map.of(SEGMENT, "trusted", RING_BYTES, "8192"));
    awaitUntil("a smaller ring", () -> queue("trusted").map(each -> each.getProperty(CAPACITY))
        .filter(Long.valueOf(8192)::equals).isPresent());
    assertNotEquals(inode, Files.getAttribute(bus.resolve("trusted"), "unix:ino"));
    awaitListed("io.bywash.queue~trusted", "trusted  ticks  OPEN");
  }

  @Test
  void aConfigurationIsCheckedBeforeAnythingIsAddedAndTriedAgain() throws Exception {
    configured("checked", Map.of(SEGMENT, "checked"));
    awaitQueue("checked");
    Object second = configuration("checked2", Map.of(SEGMENT, "checked", QUEUE, "tocks", LIFETIME, LIFETIME_KEPT));
    awaitListed("io.bywash.queue~checked2", "exists with lifetime WHILE_USED");
    change(second, Map.of(SEGMENT, "checked", QUEUE, "tocks", LIFETIME, "forever"));
    awaitListed("io.bywash.queue~checked2", LIFETIME + "=forever");
    try (Segment segment = Segment.observe(bus.resolve("checked"))) {
      assertEquals(List.of("ticks"), segment.directory().entries().stream().map(Entry::name).toList());
    }
    change(second, Map.of(SEGMENT, "checked", QUEUE, "tocks"));
    awaitListed("io.bywash.queue~checked2", "OPEN");
    Container.call(second, "delete");
    Object third = configuration("checked3", Map.of(RING_BYTES, "many"));
    awaitListed("io.bywash.queue~checked3", "BAD_VALUE", SEGMENT + " is missing", RING_BYTES + "=many");
    Container.call(third, "delete");
  }

  @Test
  void aQueueInADirectoryThatNobodyWatchesSaysSo() throws Exception {
    Path other = Files.createDirectory(bus.resolveSibling(bus.getFileName() + "-unwatched"));
    Object configuration = configuration("unwatched", Map.of(SEGMENT, "unwatched", DIRECTORY, other.toString()));
    awaitListed("io.bywash.queue~unwatched", "UNWATCHED", "no discovery watches its directory");
    Container.call(configuration, "delete");
    awaitUntil("no file", () -> Files.notExists(other.resolve("unwatched")));
    Files.delete(other.resolve(".lock"));
    Files.delete(other);
  }

  @Test
  void aListenerGetsEachMessageOnceAlthoughDiscoveryChanges() throws Exception {
    Path other = Files.createDirectory(bus.resolveSibling(bus.getFileName() + "-elsewhere"));
    PublisherProcess publisher = publisher("once");
    Listening listening = listen("once", () -> {});
    publisher.publish(50);
    listening.awaitSequences(50);
    discover(other);
    awaitWithdrawn("once");
    publisher.publish(50);
    discover(bus);
    listening.awaitSequences(100);
    publisher.publish(50);
    listening.awaitSequences(150);
    assertEquals(upTo(150), List.copyOf(listening.sequences()));
    Files.deleteIfExists(other.resolve(".lock"));
    Files.delete(other);
  }

  @Test
  void aNamedSubscriptionGoesOnWhereItWasAfterUpdatesOfItsBundleAndOfThis() throws Exception {
    PublisherProcess publisher = publisher("named");
    Listening first = listen("named", () -> {}, SUBSCRIPTION, "audit");
    publisher.publish(10);
    first.awaitSequences(10);
    listen("named", () -> {}, SUBSCRIPTION, "audit");
    awaitListed("named", "SUBSCRIPTION_TAKEN", "audit");
    ends.removeLast().close();
    first.registration().unregister();
    publisher.publish(10);
    Listening second = listen("named", () -> {}, SUBSCRIPTION, "audit");
    second.awaitSequences(10);
    assertEquals(LongStream.range(10, 20).boxed().toList(), List.copyOf(second.sequences()));
    container.bywash().stop();
    publisher.publish(10);
    container.updateBywash(); // the bundle of the listener is refreshed with it
    Listening third = listen("named", () -> {}, SUBSCRIPTION, "audit");
    awaitListed("named", "FEEDING");
    third.awaitSequences(10);
    assertEquals(LongStream.range(20, 30).boxed().toList(), List.copyOf(third.sequences()));
    third.registration().unregister();
    publisher.publish(20_000); // more than fits
    Listening fourth = listen("named", () -> {}, SUBSCRIPTION, "audit");
    awaitUntil("each message is received or lost", () -> fourth.sequences().size() + fourth.lost().get() == 20_000);
    assertTrue(fourth.lost().get() > 0);
    assertEquals(LongStream.range(30 + fourth.lost().get(), 20_030).boxed().toList(),
        List.copyOf(fourth.sequences()));
  }

  @Test
  void aDiscoveryThatCannotStartIsShownAndTriedAgainAndAllElseGoesOn() throws Exception {
    configured("survivor", Map.of(SEGMENT, "survivor"));
    awaitQueue("survivor");
    Object configuration = Container.call(container.await(CONFIGURATION_ADMIN), "getConfiguration", DISCOVERY_PID, "?");
    Container.call(configuration, "update", dictionary(Map.of(DIRECTORY, "/dev/shm/\0")));
    ended(() -> discover(bus));
    awaitListed("/dev/shm/", "InvalidPathException");
    awaitListed("io.bywash.queue~survivor", "UNWATCHED");
    Object later = configuration("late", Map.of(SEGMENT, "survivor", QUEUE, "tocks"));
    awaitListed("io.bywash.queue~late", "tocks", "UNWATCHED");
    assertTrue(queue("survivor").isEmpty());
    discover(bus);
    awaitQueue("survivor");
    assertFalse(listing().contains("InvalidPathException"));
    Container.call(later, "delete");
  }
}
