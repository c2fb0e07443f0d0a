package io.bywash.samples.sensorpipeline;

import static java.lang.invoke.MethodHandles.lookup;

import io.bywash.engine.*;
import io.bywash.engine.cell.RecordArray;
import io.bywash.engine.record.*;
import io.bywash.engine.ring.*;
import io.bywash.samples.kit.*;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Starts a collector, a processor and a sink, shows how the ring between the first two fills, and adds up. */
final class SensorPipeline {
  private static final String HELP = """
      usage: bywash sensor-pipeline [OPTION...]

      One process collects 3,000,000 samples of eight channels, one filters them and finds the strongest frequencies,
      one compares these with the sines that were generated. The second one stands still for a while, so that the ring
      between the first two overflows: the oldest samples are dropped, and counted.

        --json              what was counted as one line on the standard output, everything else on the standard error
        --samples N         how many samples (default: the environment's SENSOR_SAMPLES, or 3000000)
        --capacity N        of the ring, in samples (default: the environment's SENSOR_CAPACITY, or 1000000)
        --recording FILE    replays a CSV file, for example samples/sensor-pipeline/recording.csv, in place of the sines
        --sabotage HOW      drop leaves out a sample, detune changes the frequency of a channel: both are noticed
        --help              this text

      Ends with 0 if nothing is missing but what was counted, with 1 if not, with 2 if it was called wrongly.""";
  static final int PROCESSES = 3;
  private static final String SEGMENT = "sensor-pipeline-" + ProcessHandle.current().pid();

  /** As {@link Signals.Sample} was in an older program. */
  private record Sample(long number, @Length(Signals.CHANNELS) double[] channels) {}

  private final List<String> options;
  private final PrintStream out;
  private long shown;

  private SensorPipeline(List<String> options) {
    this.options = options;
    this.out = options.contains("--json") ? System.err : System.out;
  }

  public static void main(String[] arguments) {
    List<String> options = List.of(arguments);
    if (options.contains("--help")) {
      System.out.println(HELP);
      return;
    }
    if (!(String.join(" ", options) + " ").matches("((--json|--(samples|capacity) [1-9][0-9]{4,7}|--recording \\S+"
        + "|--sabotage (drop|detune)) )*| ")) {
      System.err.println("sensor-pipeline: " + options + " is wrong. 'bywash sensor-pipeline --help' lists the options,"
          + " numbers have 5 to 8 digits.");
      System.exit(2);
    }
    Runtime.getRuntime().addShutdownHook(new Thread(SensorPipeline::cleanUp));
    Outcome outcome = new Outcome(0, 0, 0, 0, 0, 0, 0, false, 0, false);
    try {
      outcome = new SensorPipeline(options).run();
    } catch (IOException | InterruptedException | IllegalStateException failure) {
      System.err.println("sensor-pipeline: " + failure.getMessage());
    }
    if (options.contains("--json")) {
      System.out.println(outcome.toJson());
    }
    System.exit(outcome.isOk() ? 0 : 1);
  }

  private String option(String name, String otherwise) {
    int index = options.indexOf(name);
    return index < 0 ? otherwise : options.get(index + 1);
  }

  /** From the arguments, else from the environment. */
  private String limit(String name, String variable, String otherwise) {
    String value = option(name, System.getenv().getOrDefault(variable, otherwise));
    if (!value.matches("[1-9][0-9]{4,7}")) {
      throw new IllegalStateException(variable + "=" + value + " is no number of 5 to 8 digits");
    }
    return value;
  }

  private Outcome run() throws IOException, InterruptedException {
    int capacity = Integer.parseInt(limit("--capacity", "SENSOR_CAPACITY", "1000000"));
    SegmentSpec spec = SegmentSpec.of(Ring.spec("samples", capacity, Signals.SAMPLES),
        Ring.spec("spectra", 100, Signals.SPECTRA), Vitals.spec(PROCESSES));
    try (Segment segment = Segment.create(SEGMENT, spec)) {
      Entry ring = segment.directory().find("samples", Kind.RING);
      boolean refused = isRefused(ring);
      String recording = option("--recording", "");
      List<String> collecting = new ArrayList<>(List.of(limit("--samples", "SENSOR_SAMPLES", "3000000"),
          option("--sabotage", "none")));
      if (!recording.isEmpty()) {
        collecting.add(recording);
      }
      Process sink = start("Sink", List.of());
      Process processor = start("Processor", List.of());
      Process collector = start("Collector", collecting);
      do {
        show(RingStatus.of(ring));
        if (!collector.isAlive() && collector.exitValue() != 0) {
          throw new IllegalStateException("the collector failed");
        }
      } while (!processor.waitFor(250, TimeUnit.MILLISECONDS));
      show(RingStatus.of(ring));
      long[] processed = numbers(processor, 5);
      long[] received = numbers(sink, 2);
      Outcome outcome = new Outcome(processed[3], processed[0], processed[1], processed[2], processed[4], received[0],
          received[1], !recording.isEmpty(), reporting(segment), refused);
      out.println(outcome.toText());
      return outcome;
    }
  }

  /** Whether a program with another field in its samples is told so, and which. */
  private boolean isRefused(Entry ring) {
    try {
      RingView.of(ring).lastN(Records.of(lookup(), Sample.class), 1);
      return false;
    } catch (SpecMismatchException mismatch) {
      out.println("an older program: " + mismatch.getMessage() + "\n");
      return mismatch.getMessage().contains("field channels");
    }
  }

  /** How many processes have told what they processed, each in its own element. */
  private static int reporting(Segment segment) {
    int reporting = 0;
    try (RecordArray<Stats> vitals = RecordArray.open(segment.directory().find(Vitals.ENTRY, Kind.CELLS),
        Stats.STATS)) {
      for (int i = 0; i < PROCESSES; i++) {
        Stats stats = vitals.get(i);
        reporting += stats != null && stats.processed() > 0 ? 1 : 0;
      }
    }
    return reporting;
  }

  /** A line, if anything has moved since the last one. */
  private void show(RingStatus status) {
    if (status.pushedCount() + status.poppedCount() == shown) {
      return;
    }
    shown = status.pushedCount() + status.poppedCount();
    int bar = (int) (40 * status.fill().orElse(0.0));
    out.printf("|%s%s|  %,9d pushed  %,9d processed  %,9d dropped%n", "#".repeat(bar), " ".repeat(40 - bar),
        status.pushedCount(), status.poppedCount(), status.lostCount());
  }

  private static long[] numbers(Process process, int count) throws IOException, InterruptedException {
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    if (process.waitFor() != 0 || said.split(" ").length != count) {
      throw new IllegalStateException("a process failed; it said \"" + said + "\"");
    }
    return List.of(said.split(" ")).stream().mapToLong(Long::parseLong).toArray();
  }

  private static Process start(String program, List<String> arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(ProcessHandle.current().info().command().orElseThrow(), "-p",
        System.getProperty("jdk.module.path"), "--enable-native-access=io.bywash.engine", "-XX:+UseSerialGC", "-m",
        "io.bywash.samples.sensorpipeline/io.bywash.samples.sensorpipeline." + program, SEGMENT));
    command.addAll(arguments);
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  /** Whatever the end is: no process and no segment is left. */
  private static void cleanUp() {
    ProcessHandle.current().children().forEach(child -> {
      child.destroyForcibly();
      child.onExit().join();
    });
    BusDirectory.standard().remove(SEGMENT);
  }
}
