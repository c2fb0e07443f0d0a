package io.bywash.samples.monitor;

import static java.util.concurrent.TimeUnit.SECONDS;

import io.bywash.engine.BusException;
import io.bywash.samples.kit.Programs;
import io.bywash.samples.monitor.Watch.State;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Watches the workers of a task farm, one of which is stopped, goes on, and is killed. */
final class Monitor {
  private static final String HELP = """
      usage: bywash monitor [SEGMENT] [OPTION...]

      Prints once a second how the processes fare that tell about themselves in a segment's array "vitals". Without a
      segment, it starts a task farm, stops one of its workers for 6 s, lets it go on, and then kills it.

        --hung SECONDS   a process that has told nothing for so long is hung; 5, or BYWASH_MONITOR_HUNG
        --stop SECONDS   how long the worker is stopped; 6, or BYWASH_MONITOR_STOP
        --json           what was seen as one line on the standard output, everything else on the standard error
        --sabotage skip  the worker is not stopped: that the alarm is missing is noticed
        --help           this text

      Ends with 0 if what happened was seen, with 1 if not, with 2 if it was called wrongly.""";
  private static final long PERIOD_NANOS = SECONDS.toNanos(1);
  private static final int VICTIM = 1;
  /** So much longer than a worker is stopped does the farm stand still, unless that worker is killed before. */
  private static final int HOLD_SECONDS = 300;
  private static final String FARM = "io.bywash.samples.taskfarm/io.bywash.samples.taskfarm.TaskFarm";

  private final PrintStream out;
  private final long hungSeconds;
  private final long stopSeconds;

  private Monitor(PrintStream out, long hungSeconds, long stopSeconds) {
    this.out = out;
    this.hungSeconds = hungSeconds;
    this.stopSeconds = stopSeconds;
  }

  public static void main(String[] arguments) {
    List<String> options = Programs.options(HELP, arguments);
    boolean json = options.remove("--json");
    try {
      long hung = limit(options, "--hung", "BYWASH_MONITOR_HUNG", "5");
      long stop = limit(options, "--stop", "BYWASH_MONITOR_STOP", "6");
      boolean skip = !Programs.take(options, "--sabotage", "", "", "|skip").isEmpty();
      if (options.size() > 1 || !options.isEmpty() && options.getFirst().startsWith("-")) {
        throw new IllegalArgumentException(options + " is wrong");
      }
      Monitor monitor = new Monitor(json ? System.err : System.out, hung, stop);
      System.exit(options.isEmpty() ? monitor.demonstrate(skip, json) : monitor.watch(options.getFirst(), json));
    } catch (IllegalArgumentException wrong) {
      Programs.endWrongly("monitor", wrong);
    } catch (IOException | InterruptedException | BusException failure) {
      System.err.println("monitor: " + failure.getMessage());
      System.exit(1);
    }
  }

  private static long limit(List<String> options, String name, String variable, String otherwise) {
    return Long.parseLong(Programs.take(options, name, variable, otherwise, "[1-9]\\d{0,3}"));
  }

  /** Watches somebody else's processes until all of them have ended. */
  private int watch(String segment, boolean json) {
    try (Watch watch = new Watch(segment, SECONDS.toNanos(hungSeconds), SECONDS.toNanos(60), out)) {
      do {
        watch.look();
        LockSupport.parkNanos(PERIOD_NANOS);
      } while (watch.count(State.DEAD) < watch.outcome().processes() || watch.outcome().processes() == 0);
      watch.look();
      report(watch.outcome(), json);
      return 0;
    }
  }

  private int demonstrate(boolean skip, boolean json) throws IOException, InterruptedException {
    Process farm = Programs.builder(FARM, "--json", "--hold", Long.toString(stopSeconds + HOLD_SECONDS))
        .redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    String segment = "task-farm-" + farm.pid();
    Programs.leaveNothing(segment);
    try (Watch watch = new Watch(segment, SECONDS.toNanos(hungSeconds), SECONDS.toNanos(60), out)) {
      lookUntil(watch, () -> watch.count(State.WORKS) == 4 && watch.haveAllFoundFull(), 60);
      long victim = watch.process(VICTIM);
      if (!skip) {
        signal("STOP", victim);
        out.println("worker " + (VICTIM + 1) + " was stopped for " + stopSeconds + " s");
        lookUntil(watch, () -> watch.stateOf(VICTIM) == State.HUNG, stopSeconds);
        signal("CONT", victim);
        lookUntil(watch, () -> watch.stateOf(VICTIM) == State.WORKS, 60);
      }
      signal("KILL", victim);
      lookUntil(watch, () -> watch.stateOf(VICTIM) == State.DEAD, 60);
      lookUntil(watch, () -> !farm.isAlive() || watch.count(State.DEAD) == 4, 60);
      report(watch.outcome(), json);
      return watch.outcome().isOk() ? 0 : 1;
    }
  }

  private void report(Outcome outcome, boolean json) {
    out.println(outcome.toText());
    if (json) {
      System.out.println(outcome.toJson());
    }
  }

  /** Looks once a second until something is so, and for at least so many seconds if it is not. */
  private static void lookUntil(Watch watch, BooleanSupplier condition, long seconds) {
    long start = System.nanoTime();
    boolean last;
    do {
      last = System.nanoTime() - start >= SECONDS.toNanos(seconds); // asked first: one look is behind that time
      watch.look();
      if (condition.getAsBoolean()) {
        return;
      }
      LockSupport.parkNanos(last ? 0 : PERIOD_NANOS);
    } while (!last);
  }

  private static void signal(String name, long pid) throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-" + name, Long.toString(pid)).inheritIO().start().waitFor();
  }
}
