package io.bywash.samples.gameserver;

import static java.util.concurrent.TimeUnit.SECONDS;

import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.cell.*;
import io.bywash.samples.gameserver.Counts.Count;
import io.bywash.samples.kit.Programs;
import java.io.IOException;
import java.io.PrintStream;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The processes of a match. Any of them can be killed, and is followed by another one. */
final class Match implements AutoCloseable {
  /** What a process is. */
  enum Part {
    ANALYTICS(Analytics.class), AI(Ai.class), SERVER(Server.class);

    private final Class<?> program;

    Part(Class<?> program) {
      this.program = program;
    }

    @Override
    public String toString() {
      return this == AI ? name() : name().toLowerCase(Locale.ROOT);
    }
  }

  /** So far must all others have come while one is dead. */
  private static final int FURTHER = 2;

  final Segment segment;
  final Counts counts;
  final LongCell tick;
  private final BooleanCell isActive;
  private final String reportMillis;
  private final String sabotage;
  private final PrintStream out;
  private final Map<Part, Process> processes = new EnumMap<>(Part.class);

  /** Begins one: the server makes the segment, and the others find it by its name. */
  Match(String name, String reportMillis, String sabotage, PrintStream out) throws IOException {
    this.reportMillis = reportMillis;
    this.sabotage = sabotage;
    this.out = out;
    start(Part.SERVER, name);
    this.segment = Segment.attach(name, SECONDS.toNanos(60));
    this.counts = new Counts(segment);
    this.tick = Atomics.open(segment.directory().find("tick", Kind.CELLS)).longCell("tick");
    this.isActive = Atomics.open(segment.directory().find("match_active", Kind.CELLS)).booleanCell("active");
    await("the match began", isActive::get);
    start(Part.AI, name);
    start(Part.ANALYTICS, name);
  }

  private void start(Part part, String name) throws IOException {
    processes.put(part, Programs.start(part.program, name, part == Part.SERVER ? sabotage : reportMillis));
  }

  /** How far a process and those before it have come: reports, looks, or frames. */
  private long progress(Part part) {
    return switch (part) {
      case ANALYTICS -> counts.get(Count.REPORTS);
      case AI -> counts.get(Count.LOOKS);
      case SERVER -> tick.get();
    };
  }

  /** Whether each process has done what it is there for. */
  boolean isUnderWay() {
    return Stream.of(Part.values()).allMatch(each -> progress(each) > 0);
  }

  /** Kills a process, waits until all others went on, starts another one, and waits until that goes on. */
  void killAndStartAgain(Part victim) throws IOException, InterruptedException {
    Process process = processes.remove(victim);
    process.destroyForcibly().waitFor(); // SIGKILL
    out.println("-- killed the " + victim + ", process " + process.pid());
    Map<Part, Long> before = processes.keySet().stream().collect(Collectors.toMap(each -> each, this::progress));
    long last = progress(victim);
    await("all others went on", () ->
        before.keySet().stream().allMatch(each -> progress(each) >= before.get(each) + FURTHER));
    out.println("-- meanwhile: " + before.keySet().stream().sorted().map(each ->
        each + " " + before.get(each) + " to " + progress(each)).collect(Collectors.joining(", ")));
    start(victim, segment.name());
    await("the new " + victim + " went on", () -> progress(victim) >= last + FURTHER);
    out.println("-- the " + victim + " is process " + processes.get(victim).pid() + " now, and goes on");
  }

  /** Waits until something is so while all processes live. */
  void await(String what, BooleanSupplier condition) {
    Programs.await(what, () -> {
      processes.forEach((part, process) -> {
        if (!process.isAlive()) {
          throw new IllegalStateException("the " + part + " has ended before " + what);
        }
      });
      return condition.getAsBoolean();
    });
  }

  /** Ends the match for all processes, and waits for them. */
  void end() throws InterruptedException {
    isActive.set(false);
    for (Map.Entry<Part, Process> each : processes.entrySet()) {
      if (each.getValue().waitFor() != 0) {
        throw new IllegalStateException("the " + each.getKey() + " failed");
      }
    }
  }

  @Override
  public void close() {
    segment.close();
  }
}
