package io.bywash.samples.crashrecovery;

import io.bywash.engine.*;
import io.bywash.engine.cell.Atomics;
import io.bywash.engine.queue.*;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Starts processes over a foreign file, over what killed ones left, beside a living one; and kills some. */
final class CrashRecovery {
  private static final String HELP = """
      usage: bywash crash-recovery [OPTION...]

      Programs that share a segment start in any order, over whatever lies under its name: a file that is no segment is
      refused and left alone, one of killed processes is in nobody's way, one in use stays. Then a consumer is killed
      in the middle of a message, and the next one goes on; and one right after it has done a job, which the next skips.

        --json           what happened as one line on the standard output, everything else on the standard error
        --sabotage drop  a job is left out: that is noticed
        --help           this text

      Ends with 0 if nothing was lost or destroyed, with 1 if so, with 2 if it was called wrongly.""";
  private static final int JOBS = 100;
  private static final int DEADLY = 40;
  private static final int DEADLY_LATE = 70;
  private static final int NONE = 0;
  private static final String SEGMENT = "crash-recovery-" + ProcessHandle.current().pid();

  private final PrintStream out;
  private final List<Integer> handled = new ArrayList<>();

  private CrashRecovery(PrintStream out) {
    this.out = out;
  }

  public static void main(String[] arguments) {
    List<String> options = List.of(arguments);
    if (options.contains("--help")) {
      System.out.println(HELP);
      return;
    }
    boolean json = options.contains("--json");
    boolean drop = String.join(" ", options).contains("--sabotage drop");
    if (options.size() != (json ? 1 : 0) + (drop ? 2 : 0)) {
      System.err.println("crash-recovery: " + options + " is wrong. 'bywash crash-recovery --help' lists the options.");
      System.exit(2);
    }
    Runtime.getRuntime().addShutdownHook(new Thread(CrashRecovery::cleanUp));
    CrashRecovery sample = new CrashRecovery(json ? System.err : System.out);
    Outcome outcome = new Outcome(false, false, false, 0, 0, 0, 0, 0);
    try {
      outcome = sample.run(drop ? JOBS / 2 : NONE);
      sample.out.println(outcome.toText());
    } catch (IOException | InterruptedException | BusException failure) {
      System.err.println("crash-recovery: " + failure.getMessage());
    }
    if (json) {
      System.out.println(outcome.toJson());
    }
    System.exit(outcome.isOk() ? 0 : 1);
  }

  private Outcome run(int forgotten) throws IOException, InterruptedException {
    boolean foreignKept = foreign();
    boolean staleReplaced = stale();
    boolean livingKept = living();
    start("produce", JOBS, forgotten).waitFor(); // before any consumer is there
    out.println("a producer has come and gone; the segment stays, since it " + retained());
    try (Segment segment = Segment.open(SEGMENT, Job.SPEC)) { // or the last consumer would remove it with its counts
      consume(DEADLY);
      out.println("a consumer was killed in the middle of job " + DEADLY + "; " + handled.size() + " were done before");
      consume(-DEADLY_LATE);
      out.println("a consumer was killed when job " + DEADLY_LATE + " was done, and not yet acknowledged");
      consume(NONE);
      QueueStatus status = QueueStatus.of(segment.directory().find("jobs", Kind.WORK_QUEUE));
      Set<Integer> done = new HashSet<>(handled);
      try (Atomics progress = Atomics.open(segment.directory().find("progress", Kind.CELLS))) {
        return new Outcome(foreignKept, staleReplaced, livingKept, JOBS, done.size(), handled.size() - done.size(),
            status.redeliveredCount(), progress.longCell("skipped").get());
      }
    }
  }

  /** Under the segment's name lies something else. */
  private boolean foreign() throws IOException {
    Path file = BusDirectory.standard().path(SEGMENT);
    Segment.open(SEGMENT, Job.SPEC).close(); // makes the directory
    Files.writeString(file, "a file that is no segment");
    try (Segment opened = Segment.open(SEGMENT, Job.SPEC)) {
      out.println("a foreign file was taken for " + opened);
      return false;
    } catch (SegmentFormatException refused) {
      out.println("a foreign file was refused: " + refused.getMessage());
      return Files.readString(file).equals("a file that is no segment");
    } finally {
      Files.delete(file);
    }
  }

  /** Somebody made a segment of another shape, and was killed. */
  private boolean stale() throws IOException, InterruptedException {
    start("die at once").waitFor();
    boolean left = Files.exists(BusDirectory.standard().path(SEGMENT));
    try (Segment segment = Segment.open(SEGMENT, Job.SPEC)) {
      out.println("what a killed process had left was replaced by " + segment);
      return left;
    }
  }

  /** Somebody lives in it: whoever wants another one, or to remove it, is refused. */
  private boolean living() throws IOException, InterruptedException {
    Process process = start("live");
    process.inputReader().readLine();
    boolean kept = BusDirectory.standard().remove(SEGMENT).outcome() == Removal.Outcome.IN_USE;
    try (Segment other = Segment.open(SEGMENT, Job.OLDER_SPEC)) {
      out.println("a living segment was taken for " + other);
      kept = false;
    } catch (SpecMismatchException refused) {
      out.println("a living segment was left alone: " + refused.getMessage());
    }
    process.getOutputStream().close();
    return process.waitFor() == 0 && kept;
  }

  private static String retained() {
    try (Segment segment = Segment.observe(SEGMENT)) {
      int ready = QueueStatus.of(segment.directory().find("jobs", Kind.WORK_QUEUE)).readyCount();
      return "holds " + ready + " messages";
    }
  }

  private void consume(int deadly) throws IOException, InterruptedException {
    Process consumer = start("consume", deadly);
    consumer.inputReader().lines().map(Integer::valueOf).forEach(handled::add);
    consumer.waitFor();
  }

  private static Process start(String what, int... numbers) throws IOException {
    List<String> command = new ArrayList<>(List.of(ProcessHandle.current().info().command().orElseThrow(), "-p",
        System.getProperty("jdk.module.path"), "--enable-native-access=io.bywash.engine", "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1", "-m",
        "io.bywash.samples.crashrecovery/io.bywash.samples.crashrecovery.Job", SEGMENT, what));
    for (int number : numbers) {
      command.add(Integer.toString(number));
    }
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
