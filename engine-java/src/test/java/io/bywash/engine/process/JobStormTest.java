package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bywash.engine.Segment;
import io.bywash.engine.TempBus;
import io.bywash.engine.inspect.Verification;
import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.process.JobStormProgram.Event;
import io.bywash.engine.process.JobStormProgram.Ledger;
import io.bywash.engine.queue.Consumer;
import io.bywash.engine.queue.QueueStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * Processes full of producers and consumers, killed and paused at random moments. Afterwards their ledgers are read:
 * each message that was sent was acknowledged once, or may have been by somebody who was killed; none came again after
 * that, or without a reason; and each consumer got the messages of one producer in their order when it got them first.
 */
@Timeout(4 * 3600)
class JobStormTest {
  private static final int PROCESSES = 4;
  /** The longest time between two rounds, and the longest pause. */
  private static final int LIFE_NANOS = 8_000_000;
  private static final int PAUSE_NANOS = 12_000_000;

  @RegisterExtension final TempBus bus = new TempBus();
  @TempDir Path ledgers;

  private int started;
  private long seed;

  @Test
  void whatIsSentIsAcknowledgedOnceThoughProcessesAreKilledAndPaused() throws Exception {
    assumeTrue(NativeAccess.ENABLED, "in the short form only with native access; the long form has both");
    storm(200, 10);
  }

  @Test
  @Tag("stress")
  void whatIsSentIsAcknowledgedOnceThoughThousandsOfProcessesAreKilledAndPaused() throws Exception {
    for (int i = 0; i < 50; i++) {
      storm(200, 2);
    }
  }

  /** In each round some processes are paused; in one of {@code roundsOfAKill} one is killed, too, and replaced. */
  private void storm(int rounds, int roundsOfAKill) throws Exception {
    seed = Long.getLong("bywash.storm.seed", System.nanoTime());
    System.out.println("seed of the storm: -Dbywash.storm.seed=" + seed);
    Random random = new Random(seed);
    started = 0;
    List<ChildProcess> processes = new ArrayList<>();
    try (Segment segment = Segment.create(bus.path("storm"), JobStormProgram.SPEC)) {
      try {
        startMore(processes, PROCESSES);
        for (int round = 0; round < rounds; round++) {
          List<ChildProcess> paused = processes.stream().filter(each -> random.nextInt(PROCESSES) == 0).toList();
          ChildProcess.pause(paused);
          LockSupport.parkNanos(random.nextInt(PAUSE_NANOS));
          if (round % roundsOfAKill == 0) { // it may be one that is paused
            processes.remove(random.nextInt(processes.size())).kill();
          }
          ChildProcess.resume(paused.stream().filter(ChildProcess::isAlive).toList());
          if (processes.size() < PROCESSES) {
            assertOthersGoOn(segment, processes);
            startMore(processes, 1);
          }
          LockSupport.parkNanos(random.nextInt(LIFE_NANOS));
        }
        assertOthersGoOn(segment, processes);
        ChildProcess.eventually("much is sent", () -> status(segment).sentCount() > 30L * rounds);
        processes.forEach(ChildProcess::kill);
      } finally {
        processes.forEach(ChildProcess::close);
      }
      segment.recover();
      assertEquals(List.of(), Verification.of(segment));
      check(segment, rounds);
    }
  }

  /** The others are stopped until the new ones are there, which would take long beside them. */
  private void startMore(List<ChildProcess> processes, int count) {
    List<ChildProcess> before = List.copyOf(processes);
    ChildProcess.pause(before);
    List<ChildProcess> more = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      more.add(ChildProcess.start(JobStormProgram.class, bus.path("storm"), ledgers, started++, seed));
      processes.add(more.getLast());
    }
    more.forEach(each -> each.await("ready"));
    ChildProcess.resume(before);
    more.forEach(each -> each.tell("go"));
  }

  private static void assertOthersGoOn(Segment segment, List<ChildProcess> processes) {
    long before = status(segment).takenCount();
    ChildProcess.eventually("others send and take", () -> status(segment).takenCount() > before + 20);
    for (ChildProcess process : processes) {
      if (!process.isAlive()) {
        process.finish(); // fails with what it said
      }
    }
  }

  private static QueueStatus status(Segment segment) {
    return QueueStatus.of(segment.directory().find("jobs").orElseThrow());
  }

  /** What the ledgers say of one message. */
  private static final class Story {
    boolean begun;
    boolean sent;
    int acknowledgements;
    /** Deliveries of which their consumers did not note the end: they were killed. */
    int open;
    int mostDeliveries;
    int acknowledgedAt;
    final Map<Integer, Integer> byCount = new HashMap<>();
  }

  private void check(Segment segment, int rounds) throws IOException {
    Map<Long, Story> stories = new HashMap<>();
    Path last = ledgers.resolve("ledger" + started * JobStormProgram.ACTORS);
    Ledger own = new Ledger(last);
    try (Consumer consumer = Consumer.open(segment.directory().find("jobs").orElseThrow())) {
      List<Long> handled = new ArrayList<>();
      int count;
      do {
        count = consumer.poll(message -> {
          handled.add(JobStormProgram.number(message));
          own.note(Event.DELIVERED, handled.getLast(), message.deliveries());
        }, 10);
      } while (count > 0);
      handled.forEach(number -> own.note(Event.ACKNOWLEDGED, number, 0));
    }
    int outOfOrder = 0;
    for (int actor = 0; actor <= started * JobStormProgram.ACTORS; actor++) {
      Path ledger = ledgers.resolve("ledger" + actor);
      if (Files.exists(ledger)) {
        outOfOrder += readInto(stories, Ledger.read(ledger));
        Files.delete(ledger);
      }
    }
    long sent = 0;
    long redelivered = 0;
    for (Map.Entry<Long, Story> each : stories.entrySet()) {
      assertMakesSense(each.getKey(), each.getValue());
      sent += each.getValue().sent ? 1 : 0;
      redelivered += each.getValue().mostDeliveries > 1 ? 1 : 0;
    }
    // one that dies between taking a message and handing it over leaves it to another one's first delivery
    int mostLeft = started * JobStormProgram.CONSUMERS;
    assertTrue(outOfOrder <= mostLeft, outOfOrder + " first deliveries were out of order");
    QueueStatus status = status(segment);
    assertEquals(0, status.readyCount() + status.heldCount() + status.leftCount());
    assertTrue(sent > 20L * rounds, sent + " messages were sent");
    System.out.println("storm of a work queue: " + rounds + " rounds, " + started + " processes, " + sent
        + " messages, " + redelivered + " of them came again");
  }

  /** Answers how many first deliveries came behind that of a later message of the same producer. */
  private static int readInto(Map<Long, Story> stories, List<Long> notes) {
    Map<Long, Integer> open = new HashMap<>();
    Map<Long, Long> lastOf = new HashMap<>();
    int outOfOrder = 0;
    for (long note : notes) {
      long number = note >>> 16;
      Story story = stories.computeIfAbsent(number, key -> new Story());
      switch (Event.values()[(int) (note & 0xF) - 1]) {
        case BEGUN -> story.begun = true;
        case SENT -> story.sent = true;
        case DELIVERED -> {
          int deliveries = (int) (note >>> 4) & 0xFFF;
          open.put(number, deliveries);
          if (deliveries == 1) {
            long last = lastOf.merge(JobStormProgram.producer(number), number, Math::max);
            outOfOrder += number < last ? 1 : 0;
          }
          story.mostDeliveries = Math.max(story.mostDeliveries, deliveries);
          story.byCount.merge(deliveries, 1, Integer::sum);
        }
        case ACKNOWLEDGED -> {
          story.acknowledgements++;
          story.acknowledgedAt = open.remove(number);
        }
        case GIVEN_BACK, LEFT -> open.remove(number);
        default -> throw new AssertionError(note);
      }
    }
    open.keySet().forEach(number -> stories.get(number).open++);
    return outOfOrder;
  }

  private static void assertMakesSense(long number, Story story) {
    String what = "message " + Long.toHexString(number) + ": deliveries " + story.byCount + ", acknowledged "
        + story.acknowledgements + " times, at delivery " + story.acknowledgedAt + ", " + story.open + " open";
    assertTrue(story.begun || story.mostDeliveries == 0, "never sent: " + what);
    assertTrue(story.acknowledgements <= 1, "more than once: " + what);
    assertTrue(story.acknowledgements == 1 || story.open > 0 || !story.sent, "lost: " + what);
    assertTrue(story.acknowledgements == 0 || story.acknowledgedAt == story.mostDeliveries,
        "after its end: " + what);
    assertTrue(story.byCount.values().stream().allMatch(times -> times == 1), "twice the same: " + what);
  }
}
