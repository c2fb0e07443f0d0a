package io.bywash.samples.sensorpipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The sample as its users run it: as processes, in a bus directory of its own. */
@Timeout(240)
final class SensorPipelineTest {
  /** A tenth of what it does by default. */
  private static final List<String> SMALL = List.of("--json", "--samples", "300000", "--capacity", "100000");

  private Path bus;
  @TempDir Path scratch;

  @BeforeEach
  void makeBus() throws IOException {
    bus = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-sensor-pipeline-test-");
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
    long number(String key) {
      Matcher found = Pattern.compile("\"" + key + "\": (\\d+)").matcher(out);
      assertTrue(found.find(), this::toString);
      return Long.parseLong(found.group(1));
    }
  }

  private Ended run(Map<String, String> environment, List<String> arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(ProcessHandle.current().info().command().orElseThrow(), "-p",
        Path.of("../../engine-java/target/classes").toAbsolutePath() + File.pathSeparator
            + Path.of("../kit/target/classes").toAbsolutePath() + File.pathSeparator
            + Path.of("target/classes").toAbsolutePath(),
        "--enable-native-access=io.bywash.engine", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-m",
        "io.bywash.samples.sensorpipeline/io.bywash.samples.sensorpipeline.SensorPipeline"));
    command.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(scratch.resolve("out").toFile())
        .redirectError(scratch.resolve("err").toFile());
    builder.environment().put("BYWASH_DIR", bus.toString());
    builder.environment().putAll(environment);
    Process process = builder.start();
    try {
      assertTrue(process.waitFor(200, TimeUnit.SECONDS), "it does not end");
    } finally {
      process.destroy(); // it ends its processes, which SIGKILL would not let it do
    }
    return new Ended(process.waitFor(), Files.readString(scratch.resolve("out")),
        Files.readString(scratch.resolve("err")));
  }

  private Ended run(String... more) throws Exception {
    List<String> arguments = new ArrayList<>(SMALL);
    arguments.addAll(List.of(more));
    return run(Map.of(), arguments);
  }

  private static void assertExactAndRight(Ended ended, long samples) {
    assertEquals(0, ended.exitCode, ended.toString());
    assertTrue(ended.out.strip().matches("\\{\"ok\": true, .*}"), ended.toString());
    assertEquals(samples, ended.number("samples"));
    assertEquals(samples, ended.number("popped") + ended.number("dropped"));
    assertTrue(ended.number("dropped") > 0, ended.toString());
    assertEquals(ended.number("dropped"), ended.number("missing"));
  }

  @Test
  void samplesAreProcessedOrCountedAsDroppedAndTheSinesAreFound() throws Exception {
    Ended ended = run();
    assertExactAndRight(ended, 300_000);
    assertEquals(ended.number("spectra"), ended.number("right"));
    assertTrue(ended.err.contains("field channels of type 0 is \"8 float[8] channels\", wanted"), ended.err);
  }

  @Test
  void limitsComeFromTheArgumentsThenFromTheEnvironment() throws Exception {
    Map<String, String> environment = Map.of("SENSOR_SAMPLES", "120000", "SENSOR_CAPACITY", "20000");
    assertExactAndRight(run(environment, List.of("--json")), 120_000);
    assertExactAndRight(run(environment, List.of("--json", "--samples", "150000")), 150_000);
    Ended wrong = run(Map.of("SENSOR_SAMPLES", "many"), List.of("--json"));
    assertEquals(1, wrong.exitCode);
    assertTrue(wrong.err.contains("SENSOR_SAMPLES=many"), wrong.err);
  }

  @Test
  void aRecordingIsReplayed() throws Exception {
    Ended ended = run("--recording", Path.of("recording.csv").toString());
    assertExactAndRight(ended, 300_000);
    assertEquals(0, ended.number("right"), "no sines");
  }

  @Test
  void aSampleThatIsLeftOutIsNoticed() throws Exception {
    Ended ended = run("--sabotage", "drop");
    assertTrue(ended.out.startsWith("{\"ok\": false, "), ended.toString());
    assertEquals(299_999, ended.number("popped") + ended.number("dropped"));
    assertEquals(1, ended.exitCode);
  }

  @Test
  void aChannelOfAnotherFrequencyIsNoticed() throws Exception {
    Ended ended = run("--sabotage", "detune");
    assertTrue(ended.out.startsWith("{\"ok\": false, "), ended.toString());
    assertEquals(0, ended.number("right"));
    assertEquals(1, ended.exitCode);
  }

  @Test
  void anyOtherDifferenceIsNotOk() {
    assertTrue(new Outcome(10, 6, 4, 4, 2, 2, 2, false, 3, true).isOk());
    assertTrue(new Outcome(10, 6, 4, 4, 2, 2, 0, true, 3, true).isOk(), "replayed");
    assertFalse(new Outcome(10, 6, 3, 3, 2, 2, 2, false, 3, true).isOk(), "one was not counted");
    assertFalse(new Outcome(10, 10, 0, 0, 2, 2, 2, false, 3, true).isOk(), "nothing was dropped");
    assertFalse(new Outcome(10, 6, 4, 5, 2, 2, 2, false, 3, true).isOk(), "one more is missing");
    assertFalse(new Outcome(10, 6, 4, 4, 2, 1, 1, false, 3, true).isOk(), "a spectrum is missing");
    assertFalse(new Outcome(10, 6, 4, 4, 2, 2, 1, false, 3, true).isOk(), "a spectrum is wrong");
    assertFalse(new Outcome(10, 6, 4, 4, 0, 0, 0, false, 3, true).isOk(), "no spectrum");
    assertFalse(new Outcome(10, 6, 4, 4, 2, 2, 2, false, 3, false).isOk(), "another field was not refused");
    assertFalse(new Outcome(10, 6, 4, 4, 2, 2, 2, false, 2, true).isOk(), "a process told the monitor nothing");
  }

  /** The disturbance is stronger than the sines; only behind the low-pass filter they stand out. */
  @Test
  void withoutTheFilterTheDisturbanceIsFound() {
    float[][] sines = Signals.sines();
    float[] window = new float[Signals.WINDOW];
    for (int channel = 0; channel < Signals.CHANNELS; channel++) {
      int own = channel;
      IntStream.range(0, window.length).forEach(i -> window[i] = sines[i][own]);
      assertEquals(400, Signals.peak(window));
    }
    IntStream.range(0, window.length).forEach(i -> window[i] = (float) Math.cos(2 * Math.PI * 77 * i / 1024));
    assertEquals(77, Signals.peak(window));
  }

  @Test
  void whoCallsItWronglyIsToldWhyWithExitCodeTwo() throws Exception {
    for (List<String> wrong : List.of(List.of("x"), List.of("--sabotage"), List.of("--samples", "9999"),
        List.of("--capacity", "-1"))) {
      Ended ended = run(Map.of(), wrong);
      assertEquals(2, ended.exitCode, ended.toString());
      assertTrue(ended.out.isEmpty() && ended.err.contains(wrong.getFirst()), ended.toString());
    }
    assertEquals(0, run(Map.of(), List.of("--help")).exitCode);
  }

  @Test
  void noFileHasMoreThan200Lines() throws IOException {
    try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        assertTrue(Files.readAllLines(file).size() <= 200, file.toString());
      }
    }
  }
}
