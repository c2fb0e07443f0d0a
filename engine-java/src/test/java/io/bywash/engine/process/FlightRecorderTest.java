package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.EvictedException;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.call.Call;
import io.bywash.engine.call.Caller;
import io.bywash.engine.call.Endpoint;
import io.bywash.engine.call.Request;
import io.bywash.engine.call.Responder;
import io.bywash.engine.inspect.SegmentBean;
import io.bywash.engine.internal.waiting.WaitRoom;
import io.bywash.engine.queue.Consumer;
import io.bywash.engine.queue.Delivery;
import io.bywash.engine.queue.Producer;
import io.bywash.engine.queue.WorkQueue;
import io.bywash.engine.ring.Ring;
import io.bywash.engine.ring.RingPopper;
import io.bywash.engine.ring.RingWriter;
import io.bywash.engine.wait.WaitPolicy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** What Java Flight Recorder is told, and that nobody needs it. */
@Tag("once")
@Timeout(180)
class FlightRecorderTest {
  private static final SegmentSpec SPEC = SegmentSpec.of(Broadcast.spec("ticks", 4096), Ring.spec("samples", 4, 8),
      WorkQueue.spec("jobs", 2, 16), Endpoint.of("prices", 16, 16).spec(),
      Endpoint.of("quotes", 16, 16).redelivers().spec());
  private static final byte[] MESSAGE = new byte[8];
  private static final int TURN = 300; // messages: more than any of these structures holds
  private static final int LOOKS = 10;

  @RegisterExtension final TempBus bus = new TempBus();

  /** Arguments: the segment, and where to write the recording; none without a recorder. */
  private static final class Everything implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      Path segment = Path.of(arguments[0]);
      if (arguments.length == 1) {
        assertTrue(ModuleLayer.boot().findModule("jdk.jfr").isEmpty());
        try (Segment another = Segment.create(segment.resolveSibling("another"), SPEC)) {
          assertThrows(IllegalStateException.class, () -> SegmentBean.register(another)); // nor is there JMX
        }
        happen(segment);
      } else {
        record(segment, Path.of(arguments[1]));
      }
    }
  }

  private static void record(Path segment, Path file) throws Exception {
    try (Recording recording = new Recording()) {
      recording.start();
      happen(segment);
      recording.stop();
      recording.dump(file);
    }
  }

  /** All that is told, one after the other. */
  private static void happen(Path path) throws Exception {
    try (Segment segment = Segment.open(path, SPEC)) {
      fallBehind(segment.directory().find("ticks").orElseThrow());
      fill(segment.directory().find("samples").orElseThrow());
      answerTooLate(segment.directory().find("prices").orElseThrow());
      handOver(segment.directory().find("quotes").orElseThrow());
      lookInVain(segment.directory().find("ticks").orElseThrow());
      inherit(segment, segment.directory().find("jobs").orElseThrow());
      bePaused(segment.directory().find("ticks").orElseThrow());
    }
    ChildProgram.say("done");
  }

  private static void fallBehind(Entry ticks) {
    try (Publisher publisher = Publisher.open(ticks);
        Subscriber late = Subscriber.open(ticks, SubscriberOptions.skip());
        Subscriber slow = Subscriber.open(ticks, SubscriberOptions.evictAfter(1_000_000))) {
      for (int i = 0; i < TURN; i++) {
        assertTrue(publisher.offer(MESSAGE, 0, MESSAGE.length, 0, ChildProgram.PATIENCE_NANOS));
      }
      late.poll(message -> {}, 1);
      assertTrue(late.lostCount() > 0);
      try {
        slow.poll(message -> {}, 1);
        throw new AssertionError("nobody was evicted");
      } catch (EvictedException expected) {
        // as it is to be
      }
    }
  }

  private static void fill(Entry samples) {
    try (RingWriter writer = RingWriter.open(samples); RingPopper popper = RingPopper.open(samples)) {
      while (writer.push(MESSAGE)) {
        // until it is full
      }
      writer.pushOverwrite(MESSAGE);
      assertTrue(popper.pop(MESSAGE));
      assertEquals(1, popper.lostCount());
    }
  }

  private static void answerTooLate(Entry prices) {
    try (Responder responder = Responder.open(prices); Caller caller = Caller.open(prices)) {
      Call call = caller.send(MESSAGE, ChildProgram.PATIENCE_NANOS);
      Request request = responder.receive(ChildProgram.PATIENCE_NANOS);
      assertTrue(call.cancel());
      assertTrue(!request.reply(MESSAGE));
      while (caller.send(MESSAGE, ChildProgram.PATIENCE_NANOS) != null) {
        // until all its slots are in use
      }
    }
  }

  private static void handOver(Entry quotes) {
    try (Caller caller = Caller.open(quotes)) {
      Call call = caller.send(MESSAGE, ChildProgram.PATIENCE_NANOS);
      try (Responder leaving = Responder.open(quotes)) {
        assertNotNull(leaving.receive(ChildProgram.PATIENCE_NANOS));
      }
      try (Responder next = Responder.open(quotes)) {
        assertTrue(next.receive(ChildProgram.PATIENCE_NANOS).reply(MESSAGE));
      }
      assertTrue(call.await(ChildProgram.PATIENCE_NANOS));
    }
  }

  /** A publisher looks again and again while nobody makes room: it is not late, since nobody should have woken it. */
  private static void lookInVain(Entry ticks) {
    try (Publisher publisher = Publisher.open(ticks);
        Subscriber still = Subscriber.open(ticks, SubscriberOptions.block())) {
      while (publisher.offer(MESSAGE)) {
        // until it is full
      }
      long before = BroadcastStatus.of(ticks).blockedCount();
      while (BroadcastStatus.of(ticks).blockedCount() < before + LOOKS) {
        assertFalse(publisher.offer(MESSAGE, 0, MESSAGE.length, 0, LOOKS * WaitRoom.PROBE_NANOS));
      }
      assertEquals(1, still.poll(message -> {}, 1));
    }
  }

  /** Gets the job that another process dies with. */
  private static void inherit(Segment segment, Entry jobs) throws Exception {
    try (Producer producer = Producer.open(jobs); Consumer consumer = Consumer.open(jobs)) {
      assertTrue(producer.offer(MESSAGE));
      ChildProgram.say("offered");
      ChildProgram.hear();
      while (producer.offer(MESSAGE)) {
        // until it is full
      }
      Delivery left = consumer.take(ChildProgram.PATIENCE_NANOS);
      assertEquals(2, left.deliveries());
      left.ack();
      while (consumer.poll(message -> {}, TURN) > 0) {
        // a segment stays as long as there are jobs in it
      }
      segment.recover();
    }
  }

  private static void bePaused(Entry ticks) throws Exception {
    try (Subscriber subscriber = Subscriber.open(ticks, SubscriberOptions.skip().waiting(WaitPolicy.PARK))) {
      ChildProgram.say("waiting");
      AtomicBoolean over = new AtomicBoolean();
      Thread.ofVirtual().start(() -> over.set(isToldToGoOn()));
      while (!over.get()) {
        subscriber.poll(message -> {}, 1, 50_000_000);
      }
    }
  }

  private static boolean isToldToGoOn() {
    try {
      return ChildProgram.hear().equals("go on");
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** Arguments: the segment. Takes a job, and dies with it. */
  private static final class Victim implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      try (Segment segment = Segment.attach(Path.of(arguments[0]), PATIENCE_NANOS);
          Consumer consumer = Consumer.open(segment.directory().find("jobs").orElseThrow())) {
        ChildProgram.say("took " + (consumer.take(PATIENCE_NANOS) != null));
        ChildProgram.hear();
      }
    }
  }

  /** Plays the other processes' part until the program has done everything; returns the pid of the one that died. */
  private long play(ChildProcess everything) {
    everything.await("offered");
    long victimPid;
    try (ChildProcess victim = ChildProcess.start(Victim.class, bus.path("flight"))) {
      victimPid = victim.pid();
      victim.await("took");
      victim.kill();
    }
    everything.tell("go on");
    everything.await("waiting");
    for (int i = 0; i < 10; i++) { // one may miss the wait by a hair
      everything.pause();
      java.util.concurrent.locks.LockSupport.parkNanos(10_000_000);
      everything.resume();
    }
    everything.tell("go on");
    everything.await("done");
    everything.finish();
    return victimPid;
  }

  @Test
  void aRecordingHasEachKindOfEventWithWhereItHappened(@TempDir Path directory) throws Exception {
    Path file = directory.resolve("flight.jfr");
    long victimPid;
    try (ChildProcess everything = ChildProcess.start(Everything.class, bus.path("flight"), file)) {
      victimPid = play(everything);
    }
    List<RecordedEvent> events = RecordingFile.readAllEvents(file).stream()
        .filter(event -> event.getEventType().getName().startsWith("io.bywash.")).toList();
    Set<String> seen = new TreeSet<>();
    int lateLooks = 0;
    for (RecordedEvent event : events) {
      String name = event.getEventType().getName().substring("io.bywash.".length());
      assertEquals(bus.path("flight").toString(), event.getString("segment"));
      seen.add(event.hasField("entry") ? name + " " + event.getString("entry") : name);
      switch (name) {
        case "Eviction" -> assertTrue(event.getDuration("blockedNanos").toNanos() >= 1_000_000, event.toString());
        case "Overrun" -> assertTrue(event.getLong("lostCount") > 0, event.toString());
        case "Death" -> assertEquals(victimPid, event.getLong("deadPid"), event.toString());
        case "SlowWake" -> {
          long late = event.getDuration("lateNanos").toNanos();
          assertTrue(late >= 1_000_000, event.toString());
          lateLooks += event.getInt("role") == 0 && late >= WaitRoom.PROBE_NANOS / 2 ? 1 : 0;
        }
        default -> { }
      }
    }
    assertTrue(lateLooks < LOOKS / 2, lateLooks + " of " + LOOKS + " looks are said to have been late");
    seen.removeAll(Set.of("SlowWake jobs", "SlowWake prices", "SlowWake quotes")); // a machine that has much to do
    assertEquals(new TreeSet<>(List.of("WriterBlocked ticks", "WriterBlocked samples", "WriterBlocked jobs",
        "WriterBlocked prices", "Overrun ticks", "Overrun samples", "Eviction ticks", "Recovery jobs", "Death",
        "SlowWake ticks", "Redelivery jobs", "Redelivery quotes", "LateReply prices")), seen);
  }

  @Test
  void withoutTheModuleOfTheFlightRecorderEverythingWorks() {
    try (ChildProcess everything = ChildProcess.startBy(List.of(), List.of("--limit-modules", "java.base"),
        Uncached.class, bus.path("flight"))) {
      play(everything);
    }
  }

  /** In a JVM with other modules than the one that the cache was made with. */
  private static final class Uncached implements ChildProgram.Uncached {
    @Override
    public void run(String... arguments) throws Exception {
      new Everything().run(arguments);
    }
  }
}
