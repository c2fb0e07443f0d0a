package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.Segment;
import io.bywash.engine.TempBus;
import io.bywash.engine.inspect.Verification;
import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.ring.RingPopper;
import io.bywash.engine.ring.RingStatus;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
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
 * A writer, a popper and a viewer as processes, killed and paused at random moments, and followed by others. Each
 * element is popped once, or counted as lost, and nobody sees a torn one.
 */
@Timeout(4 * 3600)
class RingStormTest {
  private static final int LIFE_NANOS = 120_000_000;
  private static final int PAUSE_NANOS = 80_000_000;
  private static final List<String> ROLES = List.of("writer", "popper", "view");

  @RegisterExtension final TempBus bus = new TempBus();
  @TempDir Path ledgers;

  private final Map<String, ChildProcess> processes = new LinkedHashMap<>();
  private Random random;

  @Test
  void eachElementIsPoppedOnceOrCountedAsLostThoughBothSidesAreKilledAndPaused() throws Exception {
    assumeTrue(NativeAccess.ENABLED, "in the short form only with native access; the long form has both");
    storm(4);
  }

  @Test
  @Tag("stress")
  void eachElementIsPoppedOnceOrCountedAsLostThoughBothSidesAreKilledThousandsOfTimes() throws Exception {
    for (int i = 0; i < 50; i++) {
      storm(40);
    }
  }

  private void storm(int kills) throws Exception {
    long seed = Long.getLong("bywash.storm.seed", System.nanoTime());
    System.out.println("seed of the storm: -Dbywash.storm.seed=" + seed);
    random = new Random(seed);
    Path ledger = Files.write(ledgers.resolve("ledger" + seed), new byte[2 * Long.BYTES]);
    try (Segment segment = Segment.create(bus.path("storm"), RingStormProgram.SPEC)) {
      Entry ring = segment.directory().find("ring").orElseThrow();
      try {
        for (String role : ROLES) {
          start(role, ledger);
        }
        for (int kill = 0; kill < kills; kill++) {
          String paused = ROLES.get(random.nextInt(2));
          processes.get(paused).pause();
          LockSupport.parkNanos(random.nextInt(PAUSE_NANOS));
          processes.get(paused).resume();
          LockSupport.parkNanos(random.nextInt(LIFE_NANOS));
          String killed = ROLES.get(kill % 2);
          processes.get(killed).kill();
          assertOtherGoesOn(ring, killed);
          start(killed, ledger);
          assertBothGoOn(ring);
        }
        processes.values().forEach(RingStormTest::assertLives);
        processes.values().forEach(ChildProcess::kill);
      } finally {
        processes.values().forEach(ChildProcess::close);
      }
      segment.recover();
      assertEquals(List.of(), Verification.of(segment));
      try (RingPopper popper = RingPopper.open(ring)) {
        new RingStormProgram().drain(popper);
        RingStatus status = RingStatus.of(ring);
        System.out.println(status.pushedCount() + " pushed, " + popper.poppedCount() + " popped, " + popper.lostCount()
            + " lost");
        assertEquals(status.pushedCount(), popper.poppedCount() + popper.lostCount());
        assertTrue(popper.lostCount() > 0 && popper.poppedCount() > 0);
      }
    }
  }

  private void start(String role, Path ledger) {
    ChildProcess child =
        ChildProcess.start(RingStormProgram.class, bus.path("storm"), ledger, role, random.nextLong());
    processes.put(role, child);
    child.await("ready");
  }

  /** Nobody waits for the dead: a writer goes on by overwriting, and a popper has all that was pushed. */
  private static void assertOtherGoesOn(Entry ring, String killed) {
    RingStatus before = RingStatus.of(ring);
    ChildProcess.eventually("the other one goes on without the " + killed, () -> {
      RingStatus now = RingStatus.of(ring);
      return killed.equals("popper") ? now.pushedCount() > before.pushedCount() + RingStormProgram.CAPACITY
          : now.readyCount() == 0;
    });
  }

  private void assertBothGoOn(Entry ring) {
    RingStatus before = RingStatus.of(ring);
    ChildProcess.eventually("both go on", () -> {
      RingStatus now = RingStatus.of(ring);
      processes.values().forEach(RingStormTest::assertLives);
      return now.pushedCount() > before.pushedCount() && now.poppedCount() > before.poppedCount();
    });
  }

  private static void assertLives(ChildProcess process) {
    if (!process.isAlive()) {
      process.finish(); // fails with what it said
      throw new AssertionError("process " + process.pid() + " ended");
    }
  }
}
