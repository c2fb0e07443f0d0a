package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bywash.engine.Participant;
import io.bywash.engine.Segment;
import io.bywash.engine.TempBus;
import io.bywash.engine.internal.memory.NativeAccess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Sixteen processes that start to use the same name at the same moment, in every way, again and again. */
@Timeout(3600)
class StartUpRaceTest {
  private static final int PROCESSES = 16;
  private static final long PATIENCE_NANOS = 120_000_000_000L;
  private static final List<String> WAYS = List.of("create", "open", "attach");

  @RegisterExtension final TempBus bus = new TempBus();

  @Test
  void ofSixteenProcessesExactlyOneCreatesTheSegmentAndAllOthersAttachToIt() {
    assumeTrue(NativeAccess.ENABLED, "in the short form only with native access; the long form has both");
    race(15);
  }

  @Test
  @Tag("stress")
  void thousandsOfTimesExactlyOneOfSixteenProcessesCreatesTheSegment() {
    race(3_000);
  }

  private void race(int rounds) {
    List<ChildProcess> racers = new ArrayList<>();
    try {
      for (int i = 0; i < PROCESSES; i++) {
        racers.add(ChildProcess.startBy(List.of(), List.of("-Xmx32m"), LifecycleRaceTest.Racer.class,
            bus.path("race"), 1));
      }
      racers.forEach(racer -> racer.await("ready"));
      for (int round = 0; round < rounds; round++) {
        List<String> lives = start(racers);
        try (Segment observed = Segment.observe(bus.path("race"))) {
          assertOneCreatedAndAllAttached(lives, observed.participants());
        }
        together(racers, racers.stream().map(racer -> "close").toList());
        assertEquals(List.of(), bus.files(), "left in round " + round);
      }
    } finally {
      racers.forEach(ChildProcess::close);
    }
  }

  /** At least one of them may create it. */
  private static List<String> start(List<ChildProcess> racers) {
    List<String> orders = new ArrayList<>();
    int creator = ThreadLocalRandom.current().nextInt(PROCESSES);
    for (int i = 0; i < PROCESSES; i++) {
      orders.add("life:" + WAYS.get(ThreadLocalRandom.current().nextInt(i == creator ? 2 : 3)));
    }
    return together(racers, orders);
  }

  private static List<String> together(List<ChildProcess> racers, List<String> orders) {
    long moment = System.nanoTime() + 2_000_000; // the same clock in all processes of a host
    for (int i = 0; i < racers.size(); i++) {
      racers.get(i).tell(orders.get(i) + " " + moment);
    }
    return racers.stream().map(racer -> racer.await("done")).toList();
  }

  @Test
  void aFileThatIsReplacedAgainAndAgainIsNeverMixedUpWithTheOneBefore() throws Exception {
    Path name = bus.path("race");
    int noticed = 0;
    try (ChildProcess racer = ChildProcess.start(LifecycleRaceTest.Racer.class, name, 2)) {
      racer.await("ready");
      long start = System.nanoTime();
      for (int i = 0; System.nanoTime() - start < 1_000_000_000 || noticed <= 10; i++) {
        String met = "of " + i + " that replaced another one only " + noticed + " were met";
        assertTrue(System.nanoTime() - start < PATIENCE_NANOS, met);
        Segment next = Segment.create(bus.path("next"), LifecycleRaceTest.SPEC);
        racer.tell("life:attach " + System.nanoTime()); // in the middle of the replacement
        Files.move(next.path(), name, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        for (String life : racer.await("done").split(" ")) {
          noticed += life.startsWith(LifecycleRaceTest.id(next) + ":") ? 1 : 0;
        }
        racer.tell("close " + System.nanoTime());
        racer.await("done");
        next.close(); // it was created by another name, and leaves what has this one alone
        assertEquals(List.of("race"), bus.files(), "in round " + i);
      }
    }
    Segment.attach(name, 0).close();
    assertEquals(List.of(), bus.files());
  }

  /** Lives are "segment:slot:epoch". */
  private static void assertOneCreatedAndAllAttached(List<String> lives, List<Participant> participants) {
    Set<String> ids = new HashSet<>();
    lives.forEach(life -> ids.add(life.substring(0, life.indexOf(':'))));
    assertEquals(1, ids.size(), "several segments of one name: " + lives);
    assertEquals(1, lives.stream().filter(life -> life.endsWith(":0:1")).count(), "creators: " + lives);
    assertEquals(PROCESSES, new HashSet<>(lives).size(), "a life was given twice: " + lives);
    assertEquals(PROCESSES, participants.size());
    assertTrue(participants.stream().allMatch(Participant::alive));
    assertEquals(PROCESSES, participants.stream().map(Participant::pid).distinct().count());
  }
}
