package io.bywash.samples.containers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Lifetime;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
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

/** The sample as its users run it, in a bus directory of its own. */
@Timeout(240)
final class ContainersIT {
  @TempDir Path scratch;
  private Path bus;

  @BeforeEach
  void makeBus() throws IOException {
    bus = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-containers-test-");
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

  private Process start(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(ProcessHandle.current().info().command().orElseThrow(), "-cp",
        System.getProperty("java.class.path"), "--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC", "-Djava.io.tmpdir=" + Files.createDirectories(scratch.resolve("temporary")),
        "-Dbywash.container=" + System.getProperty("bywash.test.felix"),
        "-Dbywash.containers.bundle=" + System.getProperty("bywash.test.bundle"), Containers.class.getName()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(scratch.resolve("out").toFile())
        .redirectError(scratch.resolve("err").toFile());
    builder.environment().put("BYWASH_DIR", bus.toString());
    return builder.start();
  }

  private Ended run(String... arguments) throws Exception {
    return end(start(arguments));
  }

  private Ended end(Process process) throws Exception {
    try {
      assertTrue(process.waitFor(200, TimeUnit.SECONDS), "it does not end");
    } finally {
      process.destroy(); // it ends its containers, which SIGKILL would not let it do
    }
    int exitCode = process.waitFor();
    assertEquals(0, temporaryFiles(), "left in the folder for temporary files");
    return new Ended(exitCode, Files.readString(scratch.resolve("out")),
        Files.readString(scratch.resolve("err")));
  }

  private long temporaryFiles() throws IOException {
    try (Stream<Path> files = Files.list(scratch.resolve("temporary"))) {
      return files.count();
    }
  }

  @Test
  void nothingIsLostWhenTheExchangeIsKilledAndComesBackAndASegmentOfThatNameIsLeftAlone() throws Exception {
    Path own = bus.resolve("containers");
    Segment.create(own, SegmentSpec.of(Broadcast.spec("own", 4096)).withLifetime(Lifetime.KEPT)).close();
    Ended ended = run("--seconds", "2", "--json");
    assertTrue(Files.deleteIfExists(own), "somebody's own segment was removed: " + ended);
    assertTrue(ended.out.matches("\\{\"ok\": true, \"published\": [1-9]\\d*, .*}\\s*"), ended.toString());
    assertEquals(0, ended.exitCode);
    assertTrue(ended.err.contains("the exchange was killed") && ended.err.contains("the exchange is back"), ended.err);
  }

  @Test
  void itLeavesNothingWhenItIsInterrupted() throws Exception {
    Process process = start();
    while (!Files.readString(scratch.resolve("out")).contains("the exchange is process")) {
      assertTrue(process.isAlive(), "it has ended");
      Thread.onSpinWait();
    }
    process.destroy(); // SIGTERM
    assertEquals(143, end(process).exitCode);
  }

  @Test
  void anOrderThatIsAcknowledgedAndNotFilledIsNoticed() throws Exception {
    Ended ended = run("--seconds", "2", "--json", "--sabotage", "drop");
    assertTrue(ended.out.startsWith("{\"ok\": false, "), ended.toString());
    assertEquals(1, ended.exitCode);
  }

  @Test
  void whoCallsItWronglyIsToldWhyWithExitCodeTwo() throws Exception {
    Ended ended = run("--seconds", "x");
    assertEquals(2, ended.exitCode, ended.toString());
    assertTrue(ended.err.contains("--seconds x"), ended.toString());
  }

  @Test
  void anyDifferenceIsNotOk() {
    long[] right = {10, 10, 10, 0, 5, 5, 0, 1, 1};
    assertTrue(outcome(right).isOk());
    for (int i = 0; i < right.length; i++) {
      long[] wrong = right.clone();
      wrong[i] = right[i] == 1 ? 0 : right[i] + 1;
      assertFalse(outcome(wrong).isOk(), outcome(wrong).toString());
    }
    assertFalse(outcome(new long[9]).isOk());
  }

  private static Outcome outcome(long... counts) {
    return new Outcome(counts[0], counts[1], counts[2], counts[3], counts[4], counts[5], counts[6], counts[7],
        counts[8]);
  }
}
