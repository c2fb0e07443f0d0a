package io.bywash.osgi.it;

import static io.bywash.osgi.BywashConstants.*;
import static io.bywash.osgi.it.Container.awaitUntil;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bywash.engine.BusDirectory;
import io.bywash.engine.Entry;
import io.bywash.engine.Lifetime;
import io.bywash.engine.Removal;
import io.bywash.engine.Segment;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.osgi.framework.ServiceReference;

/** What an operator does: change configurations, update bundles, and ask what is wrong. */
abstract class OperationContract extends ContainmentContract {
  void change(Object configuration, Map<String, Object> properties) throws Exception {
    Map<String, Object> all = new HashMap<>(Map.of(DIRECTORY, bus.toString(), QUEUE, "ticks"));
    all.putAll(properties);
    Container.call(configuration, "update", dictionary(all));
  }

  Object configured(String segment, Map<String, Object> properties) throws Exception {
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
    assertFalse(listing().contains("osgi.ds."), listing());
  }

  private void awaitRing(String segment, long bytes) {
    awaitUntil("a ring of " + bytes, () -> queue(segment).map(each -> each.getProperty(CAPACITY))
        .filter(Long.valueOf(bytes)::equals).isPresent());
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aChangeReplacesTheQueueOfAListenerWhichIsFedFromTheNextOne(boolean secondConfiguration) throws Exception {
    String segment = secondConfiguration ? "changed2" : "changed1";
    Object configuration = configured(segment, Map.of(SEGMENT, segment));
    awaitQueue(segment);
    if (secondConfiguration) {
      Object second = configuration(segment + "-second", Map.of(SEGMENT, segment, QUEUE, "tocks"));
      ended(() -> Container.call(second, "delete"));
      awaitListed("io.bywash.queue~" + segment + "-second", "OPEN");
    }
    Listening listening = listen(segment, () -> {});
    awaitListed(segment, "FEEDING");
    for (long bytes : List.of(8192L, 1L << 21)) {
      change(configuration, Map.of(SEGMENT, segment, RING_BYTES, bytes));
      awaitRing(segment, bytes);
      awaitListed("io.bywash.queue~" + segment + " ", "OPEN");
      listening.sequences().clear();
      PublisherProcess publisher = publisherOfWhatExists(segment);
      publisher.publish(10);
      listening.awaitSequences(10);
      assertEquals(upTo(10), List.copyOf(listening.sequences()));
      publisher.close();
    }
  }

  @Test
  void aChangeThatAPublisherStandsInTheWayOfTouchesNothingAndIsMadeWhenThatHasGone() throws Exception {
    Object configuration = configured("busy", Map.of(SEGMENT, "busy"));
    awaitQueue("busy");
    Listening listening = listen("busy", () -> {});
    PublisherProcess publisher = publisherOfWhatExists("busy");
    change(configuration, Map.of(SEGMENT, "busy", RING_BYTES, "8192"));
    awaitListed("io.bywash.queue~busy ", "REFUSED", "in use", publisher.pid() + " owns it", "What was there before");
    publisher.publish(10);
    listening.awaitSequences(10);
    assertEquals(1L << 20, awaitQueue("busy").getProperty(CAPACITY));
    publisher.close();
    awaitRing("busy", 8192);
    awaitListed("io.bywash.queue~busy ", "OPEN");
  }

  @Test
  void aConfigurationWhoseNextSegmentCannotBeHadKeepsItsQueueAndMovesWhenItCan() throws Exception {
    Object configuration = configured("moves", Map.of(SEGMENT, "moves"));
    ServiceReference<?> service = awaitQueue("moves");
    Object inode = Files.getAttribute(bus.resolve("moves"), "unix:ino");
    Files.writeString(bus.resolve("moved"), "in the way");
    change(configuration, Map.of(SEGMENT, "moved"));
    awaitListed("io.bywash.queue~moves", "moved", "REFUSED", "not a Bywash segment", "What was there before");
    assertEquals(inode, Files.getAttribute(bus.resolve("moves"), "unix:ino"));
    assertEquals(service, awaitQueue("moves"));
    Files.delete(bus.resolve("moved"));
    awaitQueue("moved");
    awaitWithdrawn("moves");
    awaitUntil("no file of what was left", () -> Files.notExists(bus.resolve("moves")));
    awaitListed("io.bywash.queue~moves", "moved", "OPEN");
  }

  @Test
  void twoConfigurationsWhoseQueuesDifferChangePlaces() throws Exception {
    Object first = configuration("place1", Map.of(SEGMENT, "place1"));
    Object second = configuration("place2", Map.of(SEGMENT, "place2", RING_BYTES, "8192"));
    ended(() -> {
      Container.call(first, "delete");
      Container.call(second, "delete");
      awaitUntil("no files", () -> Files.notExists(bus.resolve("place1")) && Files.notExists(bus.resolve("place2")));
    });
    awaitListed("io.bywash.queue~place1 ", "OPEN");
    awaitListed("io.bywash.queue~place2 ", "OPEN");
    change(first, Map.of(SEGMENT, "place2"));
    awaitListed("io.bywash.queue~place1 ", "place2", "REFUSED", "What was there before");
    change(second, Map.of(SEGMENT, "place1", RING_BYTES, "8192"));
    awaitListed("io.bywash.queue~place1 ", "place2", "OPEN");
    awaitListed("io.bywash.queue~place2 ", "place1", "OPEN");
    awaitRing("place1", 8192);
  }

  @Test
  void aSegmentIsNotMadeAnewWhileAConfigurationThatCannotMoveYetKeepsItsQueueThere() throws Exception {
    Object moving = configured("stays", Map.of(SEGMENT, "stays"));
    ServiceReference<?> service = awaitQueue("stays");
    Files.writeString(bus.resolve("goal"), "in the way");
    change(moving, Map.of(SEGMENT, "goal"));
    awaitListed("io.bywash.queue~stays ", "goal", "REFUSED", "What was there before");
    Object large = configuration("large", Map.of(SEGMENT, "stays", QUEUE, "large", RING_BYTES, 8L << 20));
    ended(() -> Container.call(large, "delete"));
    awaitListed("io.bywash.queue~large ", "stays", "REFUSED", "bytes");
    assertEquals(service, awaitQueue("stays"));
    Files.delete(bus.resolve("goal"));
    awaitListed("io.bywash.queue~stays ", "goal", "OPEN");
    awaitListed("io.bywash.queue~large ", "stays", "OPEN");
  }

  @Test
  void aQueueThatTwoConfigurationsAskForIsReplacedWhenBothAskForTheNextOne() throws Exception {
    Object first = configured("twice", Map.of(SEGMENT, "twice"));
    awaitQueue("twice");
    Object second = configuration("twice-again", Map.of(SEGMENT, "twice"));
    ended(() -> Container.call(second, "delete"));
    awaitListed("io.bywash.queue~twice-again", "OPEN");
    change(first, Map.of(SEGMENT, "twice", RING_BYTES, "8192"));
    awaitListed("io.bywash.queue~twice ", "REFUSED", "capacity is 1048576, wanted 8192", "What was there before");
    change(second, Map.of(SEGMENT, "twice", RING_BYTES, "8192"));
    awaitListed("io.bywash.queue~twice ", "OPEN");
    awaitListed("io.bywash.queue~twice-again", "OPEN");
    awaitRing("twice", 8192);
  }

  @Test
  void anotherLifetimeIsGivenToASegmentThatNobodyElseUses() throws Exception {
    Object first = configuration("life1", Map.of(SEGMENT, "life"));
    Object second = configuration("life2", Map.of(SEGMENT, "life", QUEUE, "tocks"));
    ended(() -> {
      Container.call(first, "delete");
      Container.call(second, "delete");
      awaitUntil("its end", () -> BusDirectory.at(bus).remove("life").outcome() != Removal.Outcome.IN_USE);
    });
    awaitListed("io.bywash.queue~life1", "OPEN");
    awaitListed("io.bywash.queue~life2", "OPEN");
    Segment other = Segment.attach(bus.resolve("life"), 0);
    change(first, Map.of(SEGMENT, "life", LIFETIME, LIFETIME_KEPT));
    change(second, Map.of(SEGMENT, "life", QUEUE, "tocks", LIFETIME, LIFETIME_KEPT));
    awaitListed("io.bywash.queue~life1", "REFUSED", "exists with lifetime WHILE_USED", "What was there before");
    awaitListed("io.bywash.queue~life2", "REFUSED", "exists with lifetime WHILE_USED", "What was there before");
    awaitQueue("life");
    other.close();
    awaitListed("io.bywash.queue~life1", "OPEN");
    awaitListed("io.bywash.queue~life2", "OPEN");
    try (Segment kept = Segment.observe(bus.resolve("life"))) {
      assertEquals(Lifetime.KEPT, kept.lifetime());
    }
  }

  /** What the log services were told that has these words in it. */
  private List<String> logged(List<String> words) throws Exception {
    List<String> messages = Collections.synchronizedList(new ArrayList<>());
    String type = "org.osgi.service.log.LogReaderService";
    for (ServiceReference<?> reference : container.context().getAllServiceReferences(type, null)) {
      Object reader = container.context().getService(reference);
      ClassLoader loader = reference.getBundle().loadClass("org.osgi.service.log.LogListener").getClassLoader();
      Object listener = Proxy.newProxyInstance(loader,
          new Class<?>[] {loader.loadClass("org.osgi.service.log.LogListener")}, (self, method, arguments) -> {
            if (method.getName().equals("logged")) {
              String message = (String) Container.call(arguments[0], "getMessage");
              if (words.stream().allMatch(message::contains)) {
                messages.add(message);
              }
            }
            return method.getName().equals("equals") ? (Object) (self == arguments[0])
                : method.getName().equals("hashCode") ? (Object) System.identityHashCode(self) : null;
          });
      Container.call(reader, "addLogListener", listener);
      ended(() -> Container.call(reader, "removeLogListener", listener));
    }
    return messages;
  }

  private String reasonOf(String configuration) {
    return listing().lines().filter(line -> line.contains(configuration)).findFirst().orElse("");
  }

  @Test
  void aConfigurationThatDoesNotFitIsLoggedOnceHoweverTheFreeSpaceChangesAndDelaysNobody() throws Exception {
    List<String> messages = logged(List.of("io.bywash.queue~huge", "does not get"));
    List<String> sentinels = logged(List.of("io.bywash.queue~sentinel"));
    long more = 2 * Long.highestOneBit(Files.getFileStore(bus).getTotalSpace()); // than the file system has
    assumeTrue(more <= 1L << 40, "the largest ring fits");
    Object huge = configuration("huge", Map.of(SEGMENT, "huge", RING_BYTES, Math.max(more, 1L << 37)));
    ended(() -> Container.call(huge, "delete"));
    awaitListed("io.bywash.queue~huge", "REFUSED", "bytes, but");
    String before = reasonOf("io.bywash.queue~huge");
    Path ballast = bus.resolveSibling(bus.getFileName() + "-ballast");
    ended(() -> Files.delete(ballast));
    Files.write(ballast, new byte[3 << 20]);
    publisher("beside");
    awaitQueue("beside");
    awaitUntil("another try", () -> !reasonOf("io.bywash.queue~huge").equals(before));
    Object sentinel = configuration("sentinel", Map.of(SEGMENT, "sentinel", RING_BYTES, "many"));
    ended(() -> Container.call(sentinel, "delete"));
    awaitUntil("what was logged before that", () -> !sentinels.isEmpty());
    assertEquals(1, messages.size(), messages::toString);
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
