package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.TempBus;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Segments that are damaged in thousands of ways: whoever touches them succeeds, or is told by an exception that is
 * documented. No crash, no endless loop, no large allocation, and a queue whose bytes were not touched works on.
 *
 * <p>To repeat a failure: {@code -Dbywash.damage.seed=SEED -Dbywash.damage.number=NUMBER}.
 */
@Timeout(4 * 3600)
class DamageTest {
  private static final List<String> SMALL_MEMORY = List.of("-Xmx64m", "-XX:MaxDirectMemorySize=32m");

  @RegisterExtension final TempBus bus = new TempBus();

  @Test
  void whoeverTouchesADamagedSegmentSucceedsOrIsToldWhatIsWrong() {
    damage(ChildProcess.Setup.own() == ChildProcess.Setup.NATIVE ? 5_000 : 2_000);
  }

  @Test
  @Tag("stress")
  void aMillionDamagedSegmentsNeitherCrashNorHangAnybody() {
    damage(1_000_000);
  }

  private void damage(long count) {
    long seed = Long.getLong("bywash.damage.seed", System.nanoTime());
    long first = Long.getLong("bywash.damage.number", 0);
    long numbers = Long.getLong("bywash.damage.number") == null ? count : 1;
    System.out.println("seed of the damage: -Dbywash.damage.seed=" + seed);
    try (ChildProcess child =
        ChildProcess.startBy(List.of(), SMALL_MEMORY, DamageProgram.class, bus.directory(), seed, first, numbers)) {
      for (long done = DamageProgram.REPORT_EVERY; done <= numbers; done += DamageProgram.REPORT_EVERY) {
        child.await("sound");
      }
      String outcomes = child.await("survived");
      child.finish();
      System.out.println(numbers + " damaged segments: " + outcomes);
      if (numbers >= 1_000) {
        for (String each : List.of("attach: DamagedSegmentException", "attach: SegmentFormatException", "attach: success",
            "poll: DamagedSegmentException", "poll: success", "publisher: DamagedSegmentException", "publish: success",
            "living publish: success", "find: DamagedSegmentException", "status: DamagedSegmentException")) {
          assertTrue(outcomes.contains(each), each + " never happened, so this proves little: " + outcomes);
        }
      }
    }
  }

  @Test
  void wordsThatAreDamagedWhileTheyAreUsedCrashNobodyAndLeaveTheQueueBesideThemSound() {
    damageLive(1_500);
  }

  @Test
  @Tag("stress")
  void wordsThatAreDamagedForMinutesWhileTheyAreUsedCrashNobody() {
    for (int i = 0; i < 10; i++) {
      damageLive(30_000);
    }
  }

  private void damageLive(long millis) {
    long seed = Long.getLong("bywash.damage.seed", System.nanoTime());
    System.out.println("seed of the damage: -Dbywash.damage.seed=" + seed);
    try (ChildProcess child = ChildProcess.startBy(List.of(), SMALL_MEMORY, LiveDamageProgram.class, bus.path("live"), seed,
        millis)) {
      String survived = child.await("survived");
      child.finish();
      System.out.println("scribbles, messages beside them, outcomes: " + survived);
      String[] counts = survived.split(" ");
      assertTrue(Long.parseLong(counts[0]) > 0 && Long.parseLong(counts[1]) > 0, survived);
      for (String reader : List.of("block", "skip", "fail", "evict", "status", "publisher")) {
        assertTrue(survived.contains(reader + ": DamagedSegmentException") && survived.contains(reader + ": success"),
            reader + " did not meet damage, or nothing else: " + survived);
      }
    }
  }
}
