package io.bywash.samples.gameserver;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.cell.*;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/** What the processes have seen: cells to which they add, and which outlive each of them. */
final class Counts {
  /** What is counted. */
  enum Count {
    /** What players did, as servers took it from the network. */
    INPUTS,
    /** Requests for monsters, as servers took them; and of these, those for which there was no room. */
    REQUESTS, CROWDED,
    /** Hits of monsters that were dead already, as their stale handles told. */
    STALE,
    /** How often the AI has looked at all monsters, and at how many in all. */
    LOOKS, SEEN,
    /** Monsters that were not in their cell of the grid, as the AI saw it. */
    MISPLACED,
    /** Monsters that came because the AI had asked for them, as it saw it. */
    CAME,
    /** Reports of the analytics. */
    REPORTS,
    /** Frames that were missing in the history or came twice, and reports in which the leader had fewer kills. */
    GAPS, FALLEN,
    /** What found a queue full or a pool exhausted, and was dropped. */
    DROPPED;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  static final EntrySpec SPEC =
      Atomics.spec("counts", Stream.of(Count.values()).map(each -> "long " + each).toArray(String[]::new));

  private final Map<Count, LongCell> cells = new EnumMap<>(Count.class);

  Counts(Segment segment) {
    Atomics atomics = Atomics.open(segment.directory().find("counts", Kind.CELLS));
    for (Count each : Count.values()) {
      cells.put(each, atomics.longCell(each.toString()));
    }
  }

  void add(Count count, long delta) {
    cells.get(count).getAndAdd(delta);
  }

  long get(Count count) {
    return cells.get(count).get();
  }

  /** All of them, as they are now. */
  Map<Count, Long> toMap() {
    Map<Count, Long> map = new EnumMap<>(Count.class);
    cells.forEach((count, cell) -> map.put(count, cell.get()));
    return map;
  }
}
