package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.EvictedException;
import io.bywash.engine.Kind;
import io.bywash.engine.OverrunException;
import io.bywash.engine.Participant;
import io.bywash.engine.RoleTakenException;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TableFullException;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A process with every role, stopped for longer than any time-out: it is never taken for dead, keeps its slot and its
 * roles, and goes on where it stood. Who asked to be cut off after some time is, and who asked to lose messages loses
 * some.
 */
@Timeout(600)
class PausedRolesTest {
  private static final int RING_BYTES = 8192;
  private static final int MAX_BYTES = 200;
  private static final int SLOTS = 6;
  private static final long EVICT_AFTER_NANOS = 50_000_000;
  private static final String OWN = "own";
  private static final String GATED = "gated";
  private static final String FREE = "free";

  @RegisterExtension final TempBus bus = new TempBus();

  @Test
  void whoeverIsStoppedBeyondEveryTimeOutKeepsWhatItHasAndIsToldWhatItLost() {
    stop(3, 700_000_000);
  }

  @Test
  @Tag("stress")
  void whoeverIsStoppedForLongerThanLocksAreWaitedForKeepsWhatItHas() {
    stop(3, 12_000_000_000L);
  }

  /** Its first try took longer than anything is waited for, but nothing stood in its way. */
  @Test
  @Tag("stress")
  void whoeverIsStoppedForLongerThanThatWhileItCreatesAttachesToWhatAnotherOneCreatedMeanwhile() {
    try (ChildProcess stopped = ChildProcess.start(OpenLarge.class, bus.path("large"))) {
      ChildProcess.eventually("the creator is at work",
          () -> bus.files().stream().anyMatch(name -> name.startsWith(".large.")));
      stopped.pause();
      assertFalse(Files.exists(bus.path("large")), "it had created the segment before it was stopped");
      try (Segment segment = Segment.open(bus.path("large"), OpenLarge.SPEC)) {
        LockSupport.parkNanos(12_000_000_000L);
        stopped.resume();
        stopped.await("opened");
        assertEquals(2, segment.participants().size());
        stopped.tell("leave");
        stopped.finish();
      }
    }
  }

  private void stop(int times, long nanos) {
    SegmentSpec spec = SegmentSpec.of(Broadcast.spec(OWN, RING_BYTES), Broadcast.spec(GATED, RING_BYTES),
        Broadcast.spec(FREE, RING_BYTES)).withParticipantCapacity(SLOTS);
    try (Segment segment = Segment.create(bus.path("paused"), spec);
        Publisher gated = Publisher.open(segment.directory().find(GATED, Kind.BROADCAST));
        Publisher free = Publisher.open(segment.directory().find(FREE, Kind.BROADCAST));
        Subscriber own = Subscriber.open(segment.directory().find(OWN, Kind.BROADCAST));
        ChildProcess child = ChildProcess.start(EveryRole.class, segment.path())) {
      child.await("ready");
      Programs.Checker received = new Programs.Checker(MAX_BYTES, 0);
      for (int i = 0; i < times; i++) {
        child.pause();
        List<Participant> before = segment.participants();
        overtake(segment, gated, free, nanos);
        assertEquals(ids(before), ids(segment.participants()), "a stopped process lost its slot");
        assertTrue(segment.participants().stream().allMatch(Participant::alive));
        child.resume();
        goOn(child, gated, free);
        received.readUntil(own, 10 * (i + 1));
      }
      child.tell("leave");
      child.finish();
      assertEquals(0, gated.subscriberCount() + free.subscriberCount());
    }
  }

  private static List<String> ids(List<Participant> participants) {
    return participants.stream().map(each -> each.id() + " " + each.epoch() + " " + each.pid()).toList();
  }

  /** Does everything that might take something from the stopped process, for so long. */
  private static void overtake(Segment segment, Publisher gated, Publisher free, long nanos) {
    long start = System.nanoTime();
    while (gated.offer(new byte[MAX_BYTES])) { // up to the subscriber that holds this back
      assertTrue(gated.nextSequence() < 10_000, "nobody holds this publisher back");
    }
    do {
      assertThrows(RoleTakenException.class, () -> Publisher.open(segment.directory().find(OWN, Kind.BROADCAST)));
      assertNull(gated.claim(MAX_BYTES, 0, 60_000_000), "room was made of what a stopped one has not read");
      for (int i = 0; i < 100; i++) {
        Programs.publishNext(free, MAX_BYTES);
      }
      assertEquals(3, free.subscriberCount() + gated.subscriberCount());
      List<Segment> others = new ArrayList<>();
      for (int i = segment.participants().size(); i < SLOTS; i++) {
        others.add(Segment.attach(segment.path(), 0));
      }
      assertThrows(TableFullException.class, () -> Segment.attach(segment.path(), 0),
          "the slot of a stopped one was taken");
      others.forEach(Segment::close);
    } while (System.nanoTime() - start < nanos);
  }

  private static void goOn(ChildProcess child, Publisher gated, Publisher free) {
    child.tell("go " + gated.nextSequence() + " " + free.nextSequence());
    assertEquals("10", child.await("published"));
    assertEquals(Long.toString(gated.nextSequence()), child.await("blocked"));
    for (String lossy : List.of("skipped", "failed")) {
      String[] counts = child.await(lossy).split(" "); // received, lost, losses
      assertEquals(free.nextSequence(), Long.parseLong(counts[0]) + Long.parseLong(counts[1]));
      assertNotEquals(0, Long.parseLong(counts[1]), "nothing was lost, so this proves nothing");
      assertEquals(lossy.equals("failed") ? "1" : "0", counts[2], "overruns told by an exception");
    }
    child.await("evicted");
  }

  /** Takes every role; told "go" with two numbers, publishes ten messages, reads up to those, and says what it got. */
  static final class EveryRole implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      try (Segment segment = Segment.attach(Path.of(arguments[0]), PATIENCE_NANOS);
          Publisher publisher = Publisher.open(segment.directory().find(OWN, Kind.BROADCAST));
          Subscriber block = Subscriber.open(segment.directory().find(GATED, Kind.BROADCAST));
          Subscriber skip = join(segment, SubscriberOptions.skip());
          Subscriber fail = join(segment, SubscriberOptions.fail())) {
        Programs.Checker skipped = new Programs.Checker(MAX_BYTES, 0);
        Programs.Checker failed = new Programs.Checker(MAX_BYTES, 0);
        Subscriber evict = join(segment, SubscriberOptions.evictAfter(EVICT_AFTER_NANOS));
        ChildProgram.say("ready");
        for (String order = ChildProgram.hear(); order.startsWith("go "); order = ChildProgram.hear()) {
          for (int i = 0; i < 10; i++) {
            Programs.publishNext(publisher, MAX_BYTES);
          }
          ChildProgram.say("published 10");
          ChildProgram.say("blocked " + readInOrder(block, Long.parseLong(order.split(" ")[1])));
          long until = Long.parseLong(order.split(" ")[2]);
          skipped.readUntil(skip, until);
          ChildProgram.say("skipped " + skipped.received + " " + skipped.lost + " 0");
          ChildProgram.say("failed " + readFailing(fail, failed, until));
          evict = rejoin(segment, evict);
        }
        evict.close();
      }
    }

    private static Subscriber join(Segment segment, SubscriberOptions options) {
      return Subscriber.open(segment.directory().find(FREE, Kind.BROADCAST), options);
    }

    private static long readInOrder(Subscriber subscriber, long until) {
      while (subscriber.nextSequence() < until) {
        long next = subscriber.nextSequence();
        subscriber.poll(message -> {
          if (message.sequence() != next) {
            throw new AssertionError(message.sequence() + " came instead of " + next);
          }
        }, 1, PATIENCE_NANOS);
      }
      return subscriber.nextSequence();
    }

    private static String readFailing(Subscriber subscriber, Programs.Checker checker, long until) {
      int overruns = 0;
      while (subscriber.nextSequence() < until) {
        try {
          subscriber.poll(checker, 100, PATIENCE_NANOS);
        } catch (OverrunException overrun) {
          overruns++;
          checker.onLost(overrun.lostCount());
        }
      }
      return checker.received + " " + checker.lost + " " + overruns;
    }

    private static Subscriber rejoin(Segment segment, Subscriber evicted) {
      try (evicted) {
        evicted.poll(message -> {}, 1);
        throw new AssertionError("it held the publisher back for too long, and was not cut off");
      } catch (EvictedException told) {
        Subscriber next = join(segment, SubscriberOptions.evictAfter(EVICT_AFTER_NANOS));
        ChildProgram.say("evicted " + told.nextSequence()); // and joined again: it may be stopped from now on
        return next;
      }
    }
  }

  /** Opens a segment whose memory is not allocated at once. */
  static final class OpenLarge implements ChildProgram {
    static final SegmentSpec SPEC = SegmentSpec.of(Broadcast.spec(OWN, 1 << 29));

    @Override
    public void run(String... arguments) throws Exception {
      Segment segment = Segment.open(Path.of(arguments[0]), SPEC);
      ChildProgram.say("opened");
      ChildProgram.hear();
      segment.close();
    }
  }
}
