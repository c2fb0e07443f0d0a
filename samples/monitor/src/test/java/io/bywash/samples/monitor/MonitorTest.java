package io.bywash.samples.monitor;

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
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The sample as its users run it: as processes, in a bus directory of its own. */
@Timeout(240)
@Execution(ExecutionMode.CONCURRENT) // each waits most of the time
final class MonitorTest {
  private Path bus;
  @TempDir Path scratch;

  @BeforeEach
  void makeBus() throws IOException {
    bus = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-monitor-test-");
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
            + Path.of("../task-farm/target/classes").toAbsolutePath() + File.pathSeparator
            + Path.of("target/classes").toAbsolutePath(),
        "--enable-native-access=io.bywash.engine", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-m",
        "io.bywash.samples.monitor/io.bywash.samples.monitor.Monitor"));
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
  void theWorkerThatIsStoppedHangsWithAnAlarmThatIsClearedAndTheOneThatIsKilledIsDead() throws Exception {
    // On a busy machine a worker may tell nothing for seconds, which is no reason for an alarm here.
    Ended ended = run("--json", "--hung", "12", "--stop", "60");
    assertEquals(1, ended.out.lines().count(), ended.toString());
    assertTrue(ended.out.matches("\\{\"ok\": true, \"processes\": 4, \"alarms\": 1, \"cleared\": 1,"
        + " \"dead\": [1-4], \"processed\": [1-9]\\d*}\\s*"), ended.toString());
    assertEquals(0, ended.exitCode);
    for (String told : List.of("ALARM: worker 2", "hangs", "the alarm is over", "is dead", "HEARTBEAT")) {
      assertTrue(ended.err.contains(told), told + ": " + ended.err);
    }
  }

  @Test
  void aWorkerThatIsNotStoppedGivesNoAlarmWhichIsNotOk() throws Exception {
    Ended ended = run("--json", "--hung", "60", "--stop", "1", "--sabotage", "skip");
    assertTrue(ended.out.startsWith("{\"ok\": false, \"processes\": 4, \"alarms\": 0, "), ended.toString());
    assertEquals(1, ended.exitCode);
  }

  @Test
  void whoCallsItWronglyIsToldWhyWithExitCodeTwo() throws Exception {
    for (List<String> wrong : List.of(List.of("--x"), List.of("--sabotage"), List.of("--hung", "x"),
        List.of("--stop", "0"), List.of("a", "b"))) {
      Ended ended = run(wrong.toArray(String[]::new));
      assertEquals(2, ended.exitCode, ended.toString());
      assertTrue(ended.out.isEmpty() && ended.err.contains(wrong.getFirst()), ended.toString());
    }
    assertEquals(0, run("--help").exitCode);
  }

  @Test
  void anyOtherDifferenceIsNotOk() {
    assertTrue(new Outcome(4, 1, 1, 1, 10).isOk());
    assertFalse(new Outcome(3, 1, 1, 1, 10).isOk(), "a process is missing");
    assertFalse(new Outcome(4, 1, 0, 1, 10).isOk(), "the alarm is not over");
    assertFalse(new Outcome(4, 1, 1, 0, 10).isOk(), "nobody is dead");
    assertFalse(new Outcome(4, 2, 1, 1, 10).isOk(), "a false alarm");
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
}
