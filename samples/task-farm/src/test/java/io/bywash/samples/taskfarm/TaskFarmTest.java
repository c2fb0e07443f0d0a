package io.bywash.samples.taskfarm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The sample as its users run it: as processes, in a bus directory of its own. */
@Timeout(240)
final class TaskFarmTest {
  private Path bus;
  @TempDir Path scratch;

  @BeforeEach
  void makeBus() throws IOException {
    bus = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-task-farm-test-");
  }

  @AfterEach
  void nothingIsLeft() throws IOException {
    Files.deleteIfExists(bus.resolve(".lock"));
    try (Stream<Path> files = Files.list(bus)) {
      List<Path> left = files.toList();
      for (Path file : left) {
        Files.delete(file);
      }
      Files.delete(bus);
      assertEquals(List.of(), left, "left in the bus directory");
    }
  }

  private record Ended(int exitCode, String out, String err) {}

  private Ended run(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(ProcessHandle.current().info().command().orElseThrow(), "-p",
        Path.of("../../engine-java/target/classes").toAbsolutePath() + File.pathSeparator
            + Path.of("../kit/target/classes").toAbsolutePath() + File.pathSeparator
            + Path.of("target/classes").toAbsolutePath(),
        "--enable-native-access=io.bywash.engine", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-m",
        "io.bywash.samples.taskfarm/io.bywash.samples.taskfarm.TaskFarm"));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(scratch.resolve("out").toFile())
        .redirectError(scratch.resolve("err").toFile());
    builder.environment().put("BYWASH_DIR", bus.toString());
    Process process = builder.start();
    try {
      assertTrue(process.waitFor(200, TimeUnit.SECONDS), "it does not end");
    } finally {
      process.destroy(); // it ends its processes, which SIGKILL would not let it do
    }
    return new Ended(process.waitFor(), Files.readString(scratch.resolve("out")),
        Files.readString(scratch.resolve("err")));
  }

  @Test
  void aWorkerThatIsKilledWithATaskInItsHandsCostsNoTask() throws Exception {
    Ended ended = run("--json");
    assertEquals(1, ended.out.lines().count(), ended.toString());
    assertTrue(ended.out.matches("\\{\"ok\": true, \"tasks\": 1000, \"accepted\": 1000, \"duplicates\": \\d+,"
        + " \"wrong\": 0, \"redelivered\": [1-9]\\d*, \"killed\": 1, \"overflows\": 1}\\s*"), ended.toString());
    assertEquals(0, ended.exitCode);
    assertTrue(ended.err.contains("worker 1") && ended.err.contains("REDELIVERED"), ended.err);
  }

  @Test
  void aTaskThatIsForgottenIsMissed() throws Exception {
    Ended ended = run("--json", "--sabotage", "drop");
    assertTrue(ended.out.startsWith("{\"ok\": false, \"tasks\": 1000, \"accepted\": 999, "), ended.toString());
    assertEquals(1, ended.exitCode);
  }

  @Test
  void anyOtherDifferenceIsNotOk() {
    assertTrue(new Outcome(10, 10, 2, 0, 1, 1, 1).isOk());
    assertFalse(new Outcome(10, 9, 0, 0, 1, 1, 1).isOk(), "a result is missing");
    assertFalse(new Outcome(10, 10, 0, 1, 1, 1, 1).isOk(), "a result was wrong");
    assertFalse(new Outcome(10, 10, 0, 0, 0, 1, 1).isOk(), "nothing was redelivered");
    assertFalse(new Outcome(10, 10, 0, 0, 1, 0, 1).isOk(), "nobody was killed");
    assertFalse(new Outcome(10, 10, 0, 0, 1, 1, 0).isOk(), "nothing was too much");
    assertFalse(new Outcome(0, 0, 0, 0, 1, 1, 1).isOk(), "there was nothing to do");
  }

  @Test
  void whoCallsItWronglyIsToldWhyWithExitCodeTwo() throws Exception {
    for (List<String> wrong : List.of(List.of("x"), List.of("--sabotage"), List.of("--sabotage", "x"),
        List.of("--hold"), List.of("--hold", "x"))) {
      Ended ended = run(wrong.toArray(String[]::new));
      assertEquals(2, ended.exitCode, ended.toString());
      assertTrue(ended.out.isEmpty() && ended.err.contains(wrong.getFirst()), ended.toString());
    }
    assertEquals(0, run("--help").exitCode);
  }

  @Test
  void itHasAtMost200LinesOfCodeBesidesItsHelp() throws IOException {
    long lines = 0;
    try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String code = Files.readString(file).replaceAll("(?s)\"\"\".*?\"\"\"", "");
        lines += code.lines().filter(line -> !line.matches("\\s*(//.*|/?\\*.*|import .*|package .*|)")).count();
      }
    }
    assertTrue(lines <= 200, lines + " lines");
  }

  @Test
  void theWorkerInTheReadmeIsTheWorkerHere() throws IOException {
    String readme = Files.readString(Path.of("../../README.md"));
    int begin = readme.indexOf("```java\n", readme.indexOf("A worker acknowledges a task")) + 8;
    String block = readme.substring(begin, readme.indexOf("```", begin));
    assertTrue(block.contains("task.ack();"), block);
    List<String> worker =
        Files.readAllLines(Path.of("src/main/java/io/bywash/samples/taskfarm/Worker.java"));
    List<String> lines = worker.stream().map(String::strip).toList();
    assertEquals(List.of(), block.lines().map(String::strip).filter(line -> !lines.contains(line)).toList());
  }
}
