package io.bywash.osgi.it;

import static io.bywash.osgi.BywashConstants.*;
import static io.bywash.osgi.it.Container.awaitUntil;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Kind;
import io.bywash.engine.RoleTakenException;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.osgi.framework.Bundle;
import org.osgi.framework.ServiceListener;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;

/** What no bundle can do: hold a queue, discovery or another bundle hostage. */
abstract class ContainmentContract extends LifeCycleContract {
  private PublisherProcess smallPublisher(String segment) throws Exception {
    return ended(PublisherProcess.start(bus.resolve(segment), "ticks", 4096, 8));
  }

  @Test
  void aListenerThatHangsIsEvictedAfterItsTimeAndThenGoesOnWithAnExactLoss() throws Exception {
    PublisherProcess publisher = smallPublisher("evicted");
    Hang hang = new Hang();
    Listening listening = listen("evicted", hang, EVICT_AFTER_MILLIS, "200");
    publisher.publish(1);
    hang.awaitEntered();
    assertEquals(2001, publishMoreThanFits(publisher, "evicted").get());
    awaitUntil("an eviction", () -> status("evicted").evictedCount() == 1);
    hang.released.countDown();
    awaitUntil("each message is received or lost", () ->
        listening.sequences().size() + listening.lost().get() == 2001);
    awaitListed("evicted", "evict", "FEEDING", "evictions: 1");
    long lost = listening.lost().get();
    assertTrue(lost > 0);
    assertEquals(LongStream.concat(LongStream.of(0), LongStream.range(lost + 1, 2001)).boxed().toList(),
        List.copyOf(listening.sequences()));
  }

  @Test
  void aListenerThatWasEvictedGetsWhatIsThereBeforeTheQueueOfAKilledOwnerIsWithdrawn() throws Exception {
    PublisherProcess publisher = smallPublisher("heir");
    Hang hang = new Hang();
    Listening listening = listen("heir", hang, EVICT_AFTER_MILLIS, "200");
    Future<List<Object>> atWithdrawal = atWithdrawal("heir",
        () -> List.of(listening.sequences().size() + listening.lost().get(), listing()));
    awaitQueue("heir");
    publisher.publish(1);
    hang.awaitEntered();
    assertEquals(2001, publishMoreThanFits(publisher, "heir").get());
    publisher.kill();
    awaitListed("heir", "DRAINING");
    hang.released.countDown();
    List<Object> seen = atWithdrawal.get(Container.DEADLINE.toSeconds(), TimeUnit.SECONDS);
    assertEquals(2001L, seen.getFirst(), seen::toString);
    awaitWithdrawn("heir");
  }

  @Test
  void aListenerWithoutAPolicyKeepsTheOneForTheOwnerThatItJoinedWhoeverPublishesThen() throws Exception {
    Listening listening;
    try (Segment segment = Segment.create(bus.resolve("default"), SegmentSpec.of(Broadcast.spec("ticks", 65536)));
        Publisher publisher = Publisher.open(segment.directory().find("ticks", Kind.BROADCAST))) {
      listening = listen("default", () -> {});
      awaitListed("default", " block ", "FEEDING");
      for (int i = 0; i < 10; i++) {
        publisher.tryClaim(8).putLong(0, publisher.nextSequence()).commit();
      }
      listening.awaitSequences(10);
    }
    PublisherProcess other = publisherOfWhatExists("default");
    awaitUntil("the other owner", () -> isOwner("default", other));
    awaitListed("default", " block ", "FEEDING");
    other.publish(10);
    listening.awaitSequences(20);
    assertEquals(upTo(20), List.copyOf(listening.sequences()));
    listen("default", () -> {});
    awaitListed("default", " evict ", "FEEDING");
    awaitListed("default", " block ", "FEEDING");
  }

  private boolean isOwner(String segment, PublisherProcess process) {
    return queue(segment).filter(each -> each.getProperty(OWNER_PID).equals(process.pid())).isPresent();
  }

  @Test
  void aListenerThatComesBeforeThePublisherGetsThePolicyForTheQueuesOwner() throws Exception {
    Bundle user = container.installAnother("early.publisher");
    ended(() -> uninstall(user));
    Listening listening = listen("early", () -> {});
    Object configuration = configuration("early", Map.of(SEGMENT, "early"));
    ended(() -> {
      Container.call(configuration, "delete");
      awaitWithdrawn("early");
    });
    awaitListed("early", " block ", "FEEDING");
    PublisherProcess foreign = publisherOfWhatExists("early");
    awaitUntil("the foreign owner", () -> isOwner("early", foreign));
    awaitListed("early", " block ", "FEEDING");
    foreign.publish(10);
    foreign.close();
    awaitListed("early", " block ", "FEEDING");
    Object service = user.getBundleContext().getService(awaitQueue("early"));
    Container.create(user, "CarelessUser", service, "idle", (Runnable) () -> {});
    awaitUntil("its publisher", () -> status("early").publisher().isPresent());
    awaitListed("early", " block ", "FEEDING");
    user.uninstall();
    listening.awaitSequences(10);
    assertEquals(upTo(10), List.copyOf(listening.sequences()));
  }

  @Test
  void aListenerThatMustNotLoseIsNotFedAfterALossAndItsPropertiesAreChecked() throws Exception {
    PublisherProcess publisher = smallPublisher("fails");
    Hang hang = new Hang();
    Listening listening = listen("fails", hang, POLICY, POLICY_FAIL);
    publisher.publish(1);
    hang.awaitEntered();
    publisher.publish(2000);
    hang.released.countDown();
    awaitListed("fails", "fail", "OVERRUN");
    assertEquals(1, listening.sequences().size());
    listen("fails", () -> {}, EVICT_AFTER_MILLIS, "10s");
    awaitListed("fails", "BAD_PROPERTIES", EVICT_AFTER_MILLIS + "=10s");
  }

  /** The hostile bundle keeps the thread that registers one queue; then discovery changes. */
  @Test
  void aConsumerThatKeepsARegistrationDelaysNobodyIsNamedAndLeavesNoGhost() throws Exception {
    Bundle hostile = container.installAnother("hostile.consumer");
    ended(() -> uninstall(hostile));
    Hang hang = new Hang();
    ServiceListener keeper = (ServiceListener) Container.create(hostile, "HangingForeigner", hang,
        new AtomicInteger(), null);
    hostile.getBundleContext().addServiceListener(keeper, "(" + SEGMENT + "=kept)");
    PublisherProcess kept = publisher("kept");
    hang.awaitEntered();
    Listening listening = listen("free", () -> {});
    PublisherProcess free = publisher("free");
    awaitQueue("free");
    free.publish(10);
    listening.awaitSequences(10);
    free.close();
    listening.registration().unregister();
    awaitWithdrawn("free");
    awaitListed("The service of queue ticks of " + bus.resolve("kept"), "hostile.consumer", "HangingForeigner");
    hostile.getBundleContext().removeServiceListener(keeper);
    Path other = Files.createDirectory(bus.resolveSibling(bus.getFileName() + "-other"));
    discover(other);
    awaitListed(other + " ", DISCOVERY_PID);
    discover(bus);
    awaitUntil("the service of the new generation", () -> services("kept") == 2);
    hang.released.countDown();
    awaitUntil("only the service of the new generation", () -> services("kept") == 1);
    kept.close();
    awaitUntil("no ghost", () -> services("kept") == 0);
    Files.deleteIfExists(other.resolve(".lock"));
    Files.delete(other);
  }

  private long services(String segment) {
    return container.count(SERVICE, filter(segment, "ticks"));
  }

  @Test
  void aListenerWhoseServiceDoesNotComeDelaysNobodyAndABadOneIsNeverFetched() throws Exception {
    Bundle hostile = container.installAnother("hostile.provider");
    ended(() -> uninstall(hostile));
    Hang hang = new Hang();
    AtomicInteger fetched = new AtomicInteger();
    AtomicInteger fetchedBad = new AtomicInteger();
    Queue<Long> sequences = new ConcurrentLinkedQueue<>();
    Object listener = Container.create(hostile, "RecordingListener", sequences, new AtomicLong(), (Runnable) () -> {});
    Map<String, Object> properties = Map.of(SEGMENT, "fetched", QUEUE, "ticks");
    ServiceRegistration<?> registration = Container.register(hostile, LISTENER,
        Container.create(hostile, "HangingForeigner", hang, fetched, listener), properties);
    Container.register(hostile, LISTENER, Container.create(hostile, "HangingForeigner", hang, fetchedBad, listener),
        Map.of(SEGMENT, "fetched", QUEUE, "ticks", POLICY, "sometimes"));
    assertEquals(0, fetched.get(), "there is no queue");
    PublisherProcess publisher = publisher("fetched");
    hang.awaitEntered();
    Listening other = listen("fetched", () -> {});
    publisher.publish(10);
    other.awaitSequences(10);
    awaitListed("fetched", "JOINING");
    awaitListed("fetched", "BAD_PROPERTIES", "sometimes");
    hang.released.countDown();
    awaitUntil("all messages", () -> sequences.size() == 10);
    assertEquals(1, fetched.get());
    assertEquals(0, fetchedBad.get());
    registration.unregister();
  }

  @Test
  void aListenerThatGoesWhileItsPropertiesChangeLeavesNothingAndOneThatChangesIsGivenBack() throws Exception {
    PublisherProcess publisher = publisher("changing");
    Hang hang = new Hang();
    Listening listening = listen("changing", hang);
    publisher.publish(1);
    hang.awaitEntered();
    ServiceReference<?> reference = listening.registration().getReference();
    CompletableFuture<Void> changed = CompletableFuture.runAsync(() -> listening.registration()
        .setProperties(dictionary(Map.of(SEGMENT, "nowhere", QUEUE, "ticks"))));
    awaitUntil("the change to wait for the call", () -> !listing().contains("FEEDING"));
    listening.registration().unregister();
    hang.released.countDown();
    changed.get(Container.DEADLINE.toSeconds(), TimeUnit.SECONDS);
    awaitUntil("no listener", () -> !listing().contains("nowhere"));
    assertNull(reference.getBundle());

    Listening other = listen("changing", () -> {});
    awaitListed("changing", "FEEDING");
    other.registration().setProperties(dictionary(Map.of(SEGMENT, "nowhere", QUEUE, "ticks")));
    awaitListed("nowhere", "NO_QUEUE");
    awaitUntil("no use of the service", () -> other.registration().getReference().getUsingBundles() == null);
  }

  /** It is there when the bundle starts. */
  @Test
  void aPropertyThatThrowsWhenItIsReadHarmsNobody() throws Exception {
    Object hostile = new Object() {
      @Override
      public String toString() {
        throw new AssertionError("thrown on purpose by the test");
      }
    };
    Object listener = container.create("RecordingListener", new ConcurrentLinkedQueue<Long>(), new AtomicLong(),
        (Runnable) () -> {});
    ServiceRegistration<?> registration = container.register(LISTENER, listener,
        Map.of(SEGMENT, "thrown", QUEUE, "ticks", POLICY, hostile));
    ended(() -> unregister(registration));
    container.bywash().stop();
    container.bywash().start();
    publisher("thrown");
    awaitQueue("thrown");
    awaitListed("thrown", "BAD_PROPERTIES", POLICY + " is of type");
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
