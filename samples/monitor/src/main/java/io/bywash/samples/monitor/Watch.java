package io.bywash.samples.monitor;

import static io.bywash.samples.kit.Stats.STATS;

import io.bywash.engine.*;
import io.bywash.engine.cell.RecordArray;
import io.bywash.engine.inspect.StatusText;
import io.bywash.samples.kit.Stats;
import io.bywash.samples.kit.Vitals;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What is known of the processes that tell about themselves in one segment; it is attached by its name alone. */
final class Watch implements AutoCloseable {
  /** How a process fares: it works, tells nothing though it lives, has died, or has ended in good order. */
  enum State { WORKS, HUNG, DEAD }

  private final Segment segment;
  private final RecordArray<Stats> array;
  private final long hungNanos;
  private final PrintStream out;
  private final Map<Integer, Stats> told = new HashMap<>();
  private final Map<Integer, State> states = new HashMap<>();
  private long alarms;
  private long cleared;
  private long dead;
  private long processed;

  Watch(String name, long hungNanos, long timeoutNanos, PrintStream out) {
    this.segment = Segment.attach(name, timeoutNanos);
    this.array = RecordArray.open(segment.directory().find(Vitals.ENTRY, Kind.CELLS), STATS);
    this.hungNanos = hungNanos;
    this.out = out;
  }

  /** Looks at all processes, tells what has changed, and shows them. */
  void look() {
    List<List<String>> rows = new ArrayList<>();
    long sum = 0;
    for (int i = 0; i < array.length(); i++) {
      Stats now = array.get(i); // null when there was none yet, or when it is being set right now
      Stats stats = now == null ? told.get(i) : now;
      if (stats != null) {
        told.put(i, stats);
        State state = state(stats);
        note(i, stats, state);
        rows.add(row(i, stats, state));
        sum += stats.processed();
      }
    }
    processed = Math.max(processed, sum);
    out.println(new StatusText().table(List.of("ELEMENT", "PROCESS", "NAME", "STATE", "PROCESSED", "ERRORS", "FULL",
        "MEAN MICROS", "HEARTBEAT MS AGO"), rows));
  }

  private State state(Stats stats) {
    boolean lives = segment.participants().stream().anyMatch(each -> each.pid() == stats.process() && each.alive());
    return !lives ? State.DEAD : System.nanoTime() - stats.heartbeatNanos() > hungNanos ? State.HUNG : State.WORKS;
  }

  private void note(int index, Stats stats, State state) {
    State before = states.put(index, state);
    if (before == state) {
      return;
    }
    String who = stats.name() + ", process " + stats.process() + ",";
    switch (state) {
      case HUNG -> {
        alarms++;
        out.println("ALARM: " + who + " hangs: it lives, and has told nothing for " + hungNanos / 1_000_000 + " ms");
      }
      case DEAD -> {
        dead++;
        out.println("ALARM: " + who + " is dead");
      }
      default -> {
        cleared += before == State.HUNG ? 1 : 0;
        out.println(who + (before == State.HUNG ? " works again: the alarm is over" : " works"));
      }
    }
  }

  private static List<String> row(int index, Stats stats, State state) {
    return List.of(Integer.toString(index), Long.toString(stats.process()), stats.name(),
        state.name().toLowerCase(Locale.ROOT), Long.toString(stats.processed()),
        Long.toString(stats.errors()), Long.toString(stats.full()), Long.toString(stats.meanLatencyNanos() / 1_000),
        Long.toString(Math.max(0, System.nanoTime() - stats.heartbeatNanos()) / 1_000_000));
  }

  /** How many processes are in that state. */
  long count(State state) {
    return states.values().stream().filter(state::equals).count();
  }

  /** Whether each process has found its queue full, so that it stands with work in its hands. */
  boolean haveAllFoundFull() {
    return told.values().stream().allMatch(stats -> stats.full() > 0);
  }

  /** The process that tells in an element. */
  long process(int index) {
    return told.get(index).process();
  }

  State stateOf(int index) {
    return states.get(index);
  }

  Outcome outcome() {
    return new Outcome(states.size(), alarms, cleared, dead, processed);
  }

  @Override
  public void close() {
    array.close();
    segment.close();
  }
}
