package io.bywash.engine.internal.segment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.internal.SegmentCore;
import io.bywash.engine.internal.SegmentFace;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.wait.WaitHub;
import io.bywash.engine.wait.WaitPolicy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Nobody joins, publishes or recovers: those who wait find and bury the dead. A participant that lost its lock, in
 * another pid namespace, stands for a dead process.
 */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PeerProbeTest {
  private static final long LONG_NANOS = TimeUnit.SECONDS.toNanos(100);

  @RegisterExtension final TempBus bus = new TempBus();

  private final List<Segment> attached = new ArrayList<>();

  @AfterEach
  void close() {
    attached.reversed().forEach(Segment::close);
  }

  private Segment create(int slots) {
    attached.add(Segment.create(bus.path("seg"),
        SegmentSpec.of(Broadcast.spec("queue", 4096, 4)).withParticipantCapacity(slots)));
    return attached.getFirst();
  }

  private Segment attach() {
    attached.add(Segment.attach(bus.path("seg"), 0));
    return attached.getLast();
  }

  private static SegmentEntry queue(Segment segment) {
    return (SegmentEntry) segment.directory().find("queue", Kind.BROADCAST);
  }

  private static void die(Segment segment) {
    SegmentCore core = SegmentFace.core(segment);
    int id = Owner.slotId(core.participants().self());
    core.region().setLongOpaque(core.geometry().slot(id) + SegmentLayout.SLOT_PID_NAMESPACE, 1);
    try {
      core.file().unlock(SegmentLayout.SLOT_LOCKS + id);
    } catch (IOException failure) {
      throw new AssertionError(failure);
    }
  }

  private static boolean isBuried(Segment looker, int id) {
    SegmentCore core = SegmentFace.core(looker);
    return Owner.state(core.region().getLongAcquire(core.geometry().slot(id))) == SegmentLayout.SLOT_FREE;
  }

  @ParameterizedTest
  @EnumSource(WaitPolicy.class)
  void whoeverWaitsInARoleBuriesTheDeadAndFreesTheirRoles(WaitPolicy policy) throws InterruptedException {
    Segment segment = create(2);
    Segment dead = attach();
    Publisher.open(queue(dead));
    try (Subscriber subscriber = Subscriber.open(queue(segment), SubscriberOptions.block().waiting(policy));
        Threads threads = new Threads()) {
      threads.start("waiter", () -> assertEquals(1, subscriber.poll(message -> {}, 1, LONG_NANOS)));
      die(dead);
      Threads.await(() -> isBuried(segment, 1), "the burial");
      assertEquals(SegmentLayout.ROLE_FREE, Owner.state(queue(segment).roleWord(0)));
      try (Publisher next = Publisher.open(queue(segment))) {
        next.offer(new byte[1]);
      }
      threads.join();
    }
  }

  @Test
  void theHubBuriesTheDeadWhileSomebodyWaitsThere() {
    Segment segment = create(2);
    Segment dead = attach();
    try (Subscriber subscriber = Subscriber.open(queue(segment))) {
      CompletableFuture<Void> ready = WaitHub.shared().whenReady(subscriber);
      die(dead);
      Threads.await(() -> isBuried(segment, 1), "the burial");
      assertFalse(ready.isDone(), "a death is no message");
      ready.cancel(false);
    }
  }

  @Test
  void whoeverPollsInVainAgainAndAgainBuriesTheDead() {
    Segment segment = create(2);
    Segment dead = attach();
    try (Subscriber subscriber = Subscriber.open(queue(segment))) {
      die(dead);
      Threads.await(() -> {
        subscriber.poll(message -> {}, 1);
        return isBuried(segment, 1);
      }, "the burial");
    }
  }

  @Test
  void inALargeSegmentEachSlotHasItsTurn() {
    Segment segment = create(256);
    List<Segment> dead = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      dead.add(attach());
    }
    try (Subscriber subscriber = Subscriber.open(queue(segment))) {
      dead.forEach(PeerProbeTest::die);
      Threads.await(() -> {
        subscriber.poll(message -> {}, 1);
        return segment.participants().size() == 1;
      }, "the burials");
    }
  }

  @Test
  void theLivingAreNotBuried() {
    Segment segment = create(2);
    Segment living = attach();
    try (Subscriber subscriber = Subscriber.open(queue(segment))) {
      for (int round = 0; round < 3; round++) {
        assertEquals(0, subscriber.poll(message -> {}, 1, 2 * PeerProbe.INTERVAL_NANOS));
      }
    }
    assertEquals(2, segment.participants().size());
    Publisher.open(queue(living)).close();
  }

  @Test
  void whoOnlyLooksOnBuriesNobody() {
    create(2);
    Segment dead = attach();
    Segment observer = Segment.observe(bus.path("seg"));
    attached.add(observer);
    die(dead);
    try (Subscriber subscriber = Subscriber.open(queue(observer), SubscriberOptions.skip())) {
      assertEquals(0, subscriber.poll(message -> {}, 1, 4 * PeerProbe.INTERVAL_NANOS));
    }
    assertFalse(isBuried(observer, 1));
  }
}
