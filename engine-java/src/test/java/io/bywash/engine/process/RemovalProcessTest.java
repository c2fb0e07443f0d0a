package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.BusDirectory;
import io.bywash.engine.Lifetime;
import io.bywash.engine.Removal;
import io.bywash.engine.Removal.Outcome;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.inspect.Finding;
import io.bywash.engine.inspect.SegmentStatus;
import io.bywash.engine.inspect.Verification;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Removal on purpose between processes that are killed and paused. */
@Timeout(600)
class RemovalProcessTest {
  private static final SegmentSpec SPEC = SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 4096));

  @RegisterExtension final TempBus bus = new TempBus();

  @Test
  void aSegmentOfAPausedProcessStaysAndOfAKilledOneIsToldAndRemoved() {
    BusDirectory directory = BusDirectory.at(bus.directory());
    Segment creator = Segment.create(bus.path("used"), SPEC);
    try (ChildProcess user = ChildProcess.start(Programs.Hold.class, bus.path("used"), 1, "pb")) {
      user.await("ready");
      creator.close();
      user.pause();
      assertEquals(List.of(), directory.clean());
      Removal removal = directory.remove("used");
      assertEquals(Outcome.IN_USE, removal.outcome());
      assertEquals(List.of(user.pid()), removal.pids());
      user.kill();
      try (Segment observer = Segment.observe(bus.path("used"))) {
        List<Finding> findings = Verification.of(observer);
        assertEquals(1, findings.size(), findings.toString());
        String told = findings.getFirst().problem();
        assertTrue(told.startsWith("process " + user.pid() + " died and holds role"), told);
        assertEquals(findings, SegmentStatus.of(observer).leftByTheDead());
      }
    }
    assertEquals(List.of(Outcome.REMOVED), directory.clean().stream().map(Removal::outcome).toList());
    assertEquals(List.of(), bus.files());
  }

  @Test
  void afterARemoverWasKilledAtARandomMomentTheNextOneGoesOn() {
    killRemovers(3);
  }

  @Test
  @Tag("stress")
  void afterManyRemoversWereKilledAtRandomMomentsTheNextOneGoesOn() {
    killRemovers(100);
  }

  private void killRemovers(int rounds) {
    BusDirectory directory = BusDirectory.at(bus.directory());
    for (int round = 0; round < rounds; round++) {
      try (ChildProcess remover = ChildProcess.start(CreateAndRemoveForEver.class, bus.path("gone"))) {
        remover.await("removing");
        LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(50_000_000));
        remover.kill();
      }
      directory.clean();
      if (Files.exists(bus.path("gone"))) { // it is kept, but nobody has it
        try (Segment segment = Segment.attach(bus.path("gone"), 0)) {
          segment.recover();
          assertEquals(List.of(), Verification.of(segment));
        }
        assertEquals(Outcome.REMOVED, directory.remove("gone").outcome());
      }
      assertEquals(List.of(), bus.files());
    }
  }

  /** Argument: file. Creates and removes the segment until it is killed. */
  static final class CreateAndRemoveForEver implements ChildProgram {
    @Override
    public void run(String... arguments) {
      Path file = Path.of(arguments[0]);
      BusDirectory directory = BusDirectory.at(file.getParent());
      for (int i = 0; ; i++) {
        Segment.create(file, SPEC.withLifetime(Lifetime.KEPT)).close();
        Outcome outcome = directory.remove(file.getFileName().toString()).outcome();
        if (outcome != Outcome.REMOVED) {
          throw new AssertionError("it was not removed: " + outcome);
        }
        if (i == 0) {
          ChildProgram.say("removing");
        }
      }
    }
  }
}
