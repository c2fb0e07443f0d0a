package io.bywash.engine.litmus;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.openjdk.jcstress.infra.Status;
import org.openjdk.jcstress.infra.collectors.TestResult;
import org.openjdk.jcstress.infra.runners.TestList;

/**
 * Runs the litmus tests of this module: no outcome that is forbidden may be seen. Each test is the engine's own code,
 * two ends of one ordering, side by side in thousands of small states.
 */
@Timeout(1200)
class LitmusTest {
  private static final String NATIVE = "--enable-native-access=ALL-UNNAMED";
  private static final String PORTABLE = "--illegal-native-access=deny";

  /** In a normal build each test runs in one of so many builds. */
  private static final int PARTS = 4;

  private final String selected = System.getProperty("bywash.lab.litmus");

  /** Of a part of the tests, since a JVM for each takes long; of all that were selected by name. */
  @Test
  void nothingForbiddenIsSeen() throws Exception {
    String some = selected.equals(".*") ? part() : selected;
    check(some, new LitmusRun("quick", NATIVE), 150, false);
  }

  private static String part() {
    List<String> names = new ArrayList<>(TestList.tests());
    Collections.shuffle(names);
    String part = names.stream().limit((names.size() + PARTS - 1) / PARTS).map(Pattern::quote)
        .collect(Collectors.joining("|", "^(", ")$"));
    System.out.println("litmus tests of this build (all: -Pstress, or -Dlitmus='.'): " + part);
    return part;
  }

  @Test
  @Tag("stress")
  void nothingForbiddenIsSeenInAnyTest() throws Exception {
    check(selected, new LitmusRun("all", NATIVE), 500, false);
  }

  @Test
  @Tag("stress")
  void nothingForbiddenIsSeenWhicheverCompilerWasAtWork() throws Exception {
    check(selected, new LitmusRun("compilers", NATIVE), 200, true);
  }

  @Test
  @Tag("stress")
  void nothingForbiddenIsSeenWhenTheCompilerReordersAtRandom() throws Exception {
    LitmusRun run = new LitmusRun("reordered", NATIVE, "-XX:+UnlockDiagnosticVMOptions", "-XX:+StressLCM",
        "-XX:+StressGCM", "-XX:+StressIGVN", "-XX:+StressCCP");
    check(selected, run, 1_000, false);
  }

  @Test
  @Tag("stress")
  void nothingForbiddenIsSeenWithoutNativeAccess() throws Exception {
    String withoutSleepers = "^(?!.*Waiting).*(" + selected + ")"; // without native access nobody wakes anybody
    check(withoutSleepers, new LitmusRun("portable", PORTABLE), 500, false);
  }

  private static void check(String pattern, LitmusRun run, int millis, boolean everyCompiler) throws Exception {
    Collection<TestResult> results = run.run(pattern, millis, everyCompiler);
    assertAllWereRun(pattern, results);
    List<String> failures = failures(results);
    // On a busy machine the time of a test may pass before its two sides have begun.
    for (int longer = 10; longer <= 1_000 && !idle(results).isEmpty(); longer *= 10) {
      String again = idle(results).stream().map(Pattern::quote).collect(Collectors.joining("|", "^(", ")$"));
      results = run.run(again, longer * millis, everyCompiler);
      failures.addAll(failures(results));
    }
    failures.addAll(idle(results));
    assertEquals(List.of(), failures);
  }

  private static void assertAllWereRun(String pattern, Collection<TestResult> results) {
    Pattern wanted = Pattern.compile(pattern);
    Set<String> all = TestList.tests().stream().filter(name -> wanted.matcher(name).find())
        .collect(Collectors.toCollection(TreeSet::new));
    Set<String> run = results.stream().map(TestResult::getName).collect(Collectors.toCollection(TreeSet::new));
    assertEquals(all, run, "the tests that match " + pattern + " and those that were run");
  }

  private static List<String> failures(Collection<TestResult> results) {
    List<String> failures = new ArrayList<>();
    for (TestResult result : results) {
      if (result.status() != Status.NORMAL || result.getTotalCount() > 0 && !result.grading().isPassed) {
        failures.add(describe(result));
      }
    }
    return failures;
  }

  /** Tests of which nothing was seen in some mode. */
  private static Set<String> idle(Collection<TestResult> results) {
    return results.stream().filter(result -> result.getTotalCount() == 0).map(TestResult::getName)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static String describe(TestResult result) {
    StringBuilder text = new StringBuilder("\n" + result.getName() + ": " + result.status());
    result.grading().gradingResults.values().forEach(seen -> text.append("\n  ").append(seen.count).append(" x \"")
        .append(seen.id).append("\" ").append(seen.expect).append(", ").append(seen.description));
    result.getMessages().forEach(message -> text.append("\n  ").append(message));
    result.getVmErr().forEach(line -> text.append("\n  ").append(line));
    return text.append('\n').toString();
  }
}
