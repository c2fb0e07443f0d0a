package io.bywash.samples.crashrecovery;

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
final class CrashRecoveryTest {
  private Path bus;
  @TempDir Path scratch;

  @BeforeEach
  void makeBus() throws IOException {
    bus = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-crash-recovery-test-");
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
            + Path.of("target/classes").toAbsolutePath(),
        "--enable-native-access=io.bywash.engine", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-m",
        "io.bywash.samples.crashrecovery/io.bywash.samples.crashrecovery.CrashRecovery"));
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
  void whatIsForeignOrLivesIsLeftAloneAndAConsumerThatIsKilledLosesNothing() throws Exception {
    Ended ended = run("--json");
    assertEquals("{\"ok\": true, \"foreignKept\": true, \"staleReplaced\": true, \"livingKept\": true, \"jobs\": 100,"
        + " \"done\": 100, \"twice\": 0, \"redelivered\": 2, \"skipped\": 1}", ended.out.strip(), ended.toString());
    assertEquals(0, ended.exitCode);
    assertTrue(ended.err.contains("in the middle of job 40") && ended.err.contains("job 70 was done"), ended.err);
  }

  @Test
  void aJobThatIsLeftOutIsMissed() throws Exception {
    Ended ended = run("--json", "--sabotage", "drop");
    assertTrue(ended.out.startsWith("{\"ok\": false, ") && ended.out.contains("\"done\": 99, "), ended.toString());
    assertEquals(1, ended.exitCode);
  }

  @Test
  void anyOtherDifferenceIsNotOk() {
    assertTrue(new Outcome(true, true, true, 10, 10, 0, 2, 1).isOk());
    assertFalse(new Outcome(false, true, true, 10, 10, 0, 2, 1).isOk(), "a foreign file was destroyed");
    assertFalse(new Outcome(true, false, true, 10, 10, 0, 2, 1).isOk(), "what the dead left was in the way");
    assertFalse(new Outcome(true, true, false, 10, 10, 0, 2, 1).isOk(), "a living segment was destroyed");
    assertFalse(new Outcome(true, true, true, 10, 9, 0, 2, 1).isOk(), "a job was lost");
    assertFalse(new Outcome(true, true, true, 10, 10, 1, 2, 1).isOk(), "a job was done twice");
    assertFalse(new Outcome(true, true, true, 10, 10, 0, 0, 1).isOk(), "nothing was redelivered");
    assertFalse(new Outcome(true, true, true, 10, 10, 0, 2, 0).isOk(), "a job that was done was not skipped");
    assertFalse(new Outcome(true, true, true, 0, 0, 0, 2, 1).isOk(), "there was nothing to do");
  }

  @Test
  void whoCallsItWronglyIsToldWhyWithExitCodeTwo() throws Exception {
    for (List<String> wrong : List.of(List.of("x"), List.of("--sabotage"), List.of("--sabotage", "x"))) {
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
}
