package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.TempBus;
import io.bywash.engine.subject.Subject;
import io.bywash.engine.subject.Subjects;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Segments that are damaged in thousands of ways: whoever touches them succeeds, or is told by an exception that is
 * documented. No crash, no endless loop, no large allocation, and a structure whose bytes were not touched works on.
 *
 * <p>To repeat a failure: {@code -Dbywash.damage.seed=SEED -Dbywash.damage.number=NUMBER}.
 */
@Tag("once")
@Timeout(4 * 3600)
class DamageTest {
  /** Where the optimising compiler takes longer than it saves. */
  private static final int FEW = 20_000;
  /** How often so many more are damaged when something has not happened yet. */
  private static final int MOST_MORE = 50;
  private static final List<String> SMALL_MEMORY = List.of("-Xmx64m", "-XX:MaxDirectMemorySize=32m");

  @RegisterExtension final TempBus bus = new TempBus();

  static List<Subject> subjects() {
    return Subjects.all();
  }

  @ParameterizedTest
  @MethodSource("subjects")
  void whoeverTouchesADamagedSegmentSucceedsOrIsToldWhatIsWrong(Subject subject) throws IOException {
    damage(subject, 1, subject.damage().imagesInVerify());
  }

  @ParameterizedTest
  @MethodSource("subjects")
  @Tag("stress")
  void aMillionDamagedSegmentsNeitherCrashNorHangAnybody(Subject subject) throws IOException {
    damage(subject, 4, 250_000);
  }

  /** Several processes, each with so many segments of its own. */
  private void damage(Subject subject, int processes, long each) throws IOException {
    long seed = Long.getLong("bywash.damage.seed", System.nanoTime());
    System.out.println("seed of the damage: -Dbywash.damage.seed=" + seed);
    if (Long.getLong("bywash.damage.number") != null) {
      awaitAll(subject, List.of(start(subject, bus.directory(), seed, Long.getLong("bywash.damage.number"), 1)), 1);
      return;
    }
    String outcomes = damage(subject, processes, seed, 0, each);
    for (int more = 0; each >= 400 && !neverHappened(subject, outcomes).isEmpty() && more < MOST_MORE; more++) {
      outcomes += damage(subject, 1, seed, (processes + more) * each, each); // some happen seldom
    }
    List<String> missing = each >= 400 ? neverHappened(subject, outcomes) : List.of();
    assertEquals(List.of(), missing, "they never happened, so this proves little: " + outcomes);
  }

  /** What became of all that was tried. */
  private String damage(Subject subject, int processes, long seed, long first, long each) throws IOException {
    String outcomes;
    List<ChildProcess> children = new ArrayList<>();
    try {
      for (int i = 0; i < processes; i++) {
        children.add(start(subject, Files.createDirectory(bus.path("part" + i)), seed, first + i * each, each));
      }
      outcomes = awaitAll(subject, children, each);
    } finally {
      children.forEach(ChildProcess::close);
    }
    for (int i = 0; i < processes; i++) {
      Files.deleteIfExists(bus.path("part" + i).resolve(".lock"));
      Files.delete(bus.path("part" + i)); // it is empty
    }
    return outcomes;
  }

  private static List<String> neverHappened(Subject subject, String outcomes) {
    return Stream.concat(Stream.of("attach: DamagedSegmentException", "attach: SegmentFormatException",
        "attach: success", "find: DamagedSegmentException"), subject.damage().expectedOutcomes().stream())
        .filter(wanted -> !outcomes.contains(wanted)).toList();
  }

  private static ChildProcess start(Subject subject, Path directory, long seed, long first, long count) {
    List<String> options = new ArrayList<>(SMALL_MEMORY);
    if (count <= FEW) {
      options.add("-XX:TieredStopAtLevel=1");
    }
    return ChildProcess.startBy(List.of(), options, DamageProgram.class, directory, subject.name(), seed, first, count);
  }

  private static String awaitAll(Subject subject, List<ChildProcess> children, long each) {
    StringBuilder all = new StringBuilder();
    for (long done = DamageProgram.REPORT_EVERY; done <= each; done += DamageProgram.REPORT_EVERY) {
      children.forEach(child -> child.await("sound"));
    }
    for (ChildProcess child : children) {
      String outcomes = child.await("survived");
      child.finish();
      System.out.println(subject.name() + ": " + each + " damaged segments: " + outcomes);
      all.append(outcomes).append('\n');
    }
    return all.toString();
  }

  @ParameterizedTest
  @MethodSource("subjects")
  void wordsThatAreDamagedWhileTheyAreUsedCrashNobodyAndLeaveTheQueueBesideThemSound(Subject subject)
      throws IOException {
    damageLive(subject, 1_500);
  }

  @ParameterizedTest
  @MethodSource("subjects")
  @Tag("stress")
  void wordsThatAreDamagedForMinutesWhileTheyAreUsedCrashNobody(Subject subject) throws IOException {
    for (int i = 0; i < 10; i++) {
      damageLive(subject, 30_000);
    }
  }

  private void damageLive(Subject subject, long millis) throws IOException {
    long seed = Long.getLong("bywash.damage.seed", System.nanoTime());
    System.out.println("seed of the damage: -Dbywash.damage.seed=" + seed);
    try (ChildProcess child = ChildProcess.startBy(List.of(), SMALL_MEMORY, LiveDamageProgram.class, bus.path("live"),
        subject.name(), seed, millis)) {
      String survived = child.await("survived");
      child.finish();
      System.out.println(subject.name() + ": scribbles, messages beside them, outcomes: " + survived);
      String[] counts = survived.split(" ");
      assertTrue(Long.parseLong(counts[0]) > 0 && Long.parseLong(counts[1]) > 0, survived);
      for (String role : subject.damage().busyUses().keySet()) {
        assertTrue(survived.contains(role + ": DamagedSegmentException") && survived.contains(role + ": success"),
            role + " did not meet damage, or nothing else: " + survived);
      }
    }
    Files.deleteIfExists(bus.path("live")); // where the damaged structure says that it still holds something
  }
}
