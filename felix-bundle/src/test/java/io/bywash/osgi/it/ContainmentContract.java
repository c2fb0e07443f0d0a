package io.bywash.osgi.it;

import static io.bywash.osgi.BywashConstants.*;
import static io.bywash.osgi.it.Container.awaitUntil;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceListener;
import org.osgi.framework.ServiceRegistration;

/** What no bundle can do: hold a queue, discovery or another bundle hostage. */
abstract class ContainmentContract extends ContainerContract {
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
  void aListenerWithoutAPolicyBlocksAPublisherOfItsOwnProcessAndIsEvictedByAnother() throws Exception {
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
    publisherOfWhatExists("default").publish(10);
    awaitListed("default", " evict ", "FEEDING");
    listening.awaitSequences(20);
    assertEquals(upTo(20), List.copyOf(listening.sequences()));
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

  private int services(String segment) {
    try {
      var found = container.context().getAllServiceReferences(SERVICE, filter(segment, "ticks"));
      return found == null ? 0 : found.length;
    } catch (InvalidSyntaxException wrong) {
      throw new AssertionError(wrong);
    }
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
}
