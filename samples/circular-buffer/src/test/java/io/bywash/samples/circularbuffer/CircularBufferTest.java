package io.bywash.samples.circularbuffer;

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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The sample as its users run it: as processes, in a bus directory of its own. */
@Timeout(240)
final class CircularBufferTest {
  private Path bus;
  @TempDir Path scratch;

  @BeforeEach
  void makeBus() throws IOException {
    bus = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-circular-buffer-test-");
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

  private record Ended(int exitCode, String out, String err) {
    private boolean ok() {
      assertEquals(1, out.lines().count(), out + err);
      return out.startsWith("{\"ok\": true, ");
    }

    /** The number of that name in each of sent, both readers and overtaken. */
    private List<Long> numbers(String name) {
      Matcher matcher = Pattern.compile("\"" + name + "\": (\\d+)").matcher(out);
      return matcher.results().map(found -> Long.valueOf(found.group(1))).toList();
    }
  }

  private Process start(String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(ProcessHandle.current().info().command().orElseThrow(), "-p",
        Path.of("../../engine-java/target/classes").toAbsolutePath() + File.pathSeparator
            + Path.of("target/classes").toAbsolutePath(),
        "--enable-native-access=io.bywash.engine", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-m",
        "io.bywash.samples.circularbuffer/io.bywash.samples.circularbuffer.CircularBuffer"));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(scratch.resolve("out").toFile())
        .redirectError(scratch.resolve("err").toFile());
    builder.environment().put("BYWASH_DIR", bus.toString());
    return builder.start();
  }

  private Ended run(String... arguments) throws Exception {
    Process process = start(arguments);
    try {
      assertTrue(process.waitFor(200, TimeUnit.SECONDS), "it does not end");
    } finally {
      process.destroy(); // it ends its processes, which SIGKILL would not let it do
    }
    return new Ended(process.waitFor(), Files.readString(scratch.resolve("out")),
        Files.readString(scratch.resolve("err")));
  }

  @Test
  void inARingOf50MebibytesTwoReadersSeeEveryByteAndOneThatWasStoppedUntilItWasOvertakenSaysSoAndEndsWithOne()
      throws Exception {
    Ended ended = run("--json");
    assertTrue(ended.ok(), ended.toString());
    assertEquals(0, ended.exitCode);
    List<Long> messages = ended.numbers("messages");
    List<Long> bytes = ended.numbers("bytes");
    long sent = messages.getFirst();
    assertTrue(bytes.getFirst() > 4 * (50L << 20), ended.out);
    assertEquals(List.of(sent, sent, sent), messages.subList(0, 3));
    assertEquals(List.of(bytes.getFirst(), bytes.getFirst()), bytes.subList(1, 3));
    assertEquals(List.of(0L, 0L, 0L, 1L), ended.numbers("exit"));
    long lost = ended.numbers("lost").getLast();
    assertTrue(lost > 0, ended.out);
    String error = "was overtaken: " + lost + " messages from sequence " + messages.getLast() + " on";
    assertTrue(ended.err.contains(error), ended.err);
  }

  @Test
  void aBitThatIsFlippedOnItsWayIsSeenByBothReaders() throws Exception {
    Ended ended = run("--json", "--ring-mib", "1", "--sabotage", "corrupt");
    assertFalse(ended.ok(), ended.out);
    assertEquals(1, ended.exitCode);
    assertEquals(List.of(0L, 1L, 1L, 0L), ended.numbers("corrupt"));
  }

  @Test
  void aMessageThatIsLeftOutIsMissedByBothReaders() throws Exception {
    Ended ended = run("--json", "--ring-mib", "1", "--sabotage", "drop");
    assertFalse(ended.ok(), ended.out);
    assertEquals(1, ended.exitCode);
    long sent = ended.numbers("messages").getFirst();
    assertEquals(List.of(sent - 1, sent - 1), ended.numbers("messages").subList(1, 3));
  }

  @Test
  void anyOtherDifferenceBetweenWhatWasSentAndSeenIsNotOk() {
    Counts sent = new Counts(10, 1000, 77, 0, 0, 0);
    Counts stopped = new Counts(2, 200, 7, 0, 5, 1);
    assertTrue(new Outcome(4096, sent, sent, sent, stopped).isOk());
    assertFalse(new Outcome(4096, sent, sent, new Counts(10, 1000, 78, 0, 0, 0), stopped).isOk(), "another order");
    assertFalse(new Outcome(4096, sent, new Counts(10, 999, 77, 0, 0, 0), sent, stopped).isOk(), "another length");
    assertFalse(new Outcome(4096, sent, sent, new Counts(10, 1000, 77, 0, 0, 3), stopped).isOk(), "a reader failed");
    assertFalse(new Outcome(4096, sent, sent, sent, sent).isOk(), "the third reader was not overtaken");
    assertFalse(new Outcome(4096, sent, sent, sent, new Counts(2, 200, 7, 0, 5, 0)).isOk(), "it did not end with 1");
    assertFalse(new Outcome(4096, sent, sent, sent, new Counts(2, 200, 7, 1, 5, 1)).isOk(), "it saw a torn message");
    assertFalse(new Outcome(4096, sent, sent, sent, new Counts(2, 200, 7, 0, 9, 1)).isOk(), "it lost more than all");
    assertFalse(new Outcome(4096, Counts.NONE, Counts.NONE, Counts.NONE, stopped).isOk(), "nothing was sent");
  }

  @Test
  void whoCallsItWronglyIsToldWhyWithExitCodeTwo() throws Exception {
    for (List<String> wrong : List.of(List.of("x"), List.of("--ring-mib", "0"), List.of("--laps"),
        List.of("--sabotage", "x"))) {
      Ended ended = run(wrong.toArray(String[]::new));
      assertEquals(2, ended.exitCode, ended.toString());
      assertTrue(ended.out.isEmpty() && ended.err.contains(wrong.getFirst()), ended.toString());
      assertEquals(1, ended.err.lines().count(), ended.err);
    }
    assertEquals(0, run("--help").exitCode);
  }

  @Test
  void anInterruptedRunLeavesNoProcessAndNoSegment() throws Exception {
    Process process = start("--laps", "1000");
    List<ProcessHandle> children;
    try {
      while (process.children().count() < 4) { // the writer, and three readers; kill, now and then
        assertTrue(process.isAlive(), Files.readString(scratch.resolve("err")));
        Thread.onSpinWait();
      }
      children = process.children().toList();
    } finally {
      process.destroy();
    }
    assertTrue(process.waitFor(60, TimeUnit.SECONDS), "it does not end");
    for (ProcessHandle child : children) {
      assertFalse(child.isAlive(), "process " + child.pid() + " is left");
    }
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
