package io.bywash.engine.cell;

import static io.bywash.engine.cell.CellsLayout.*;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.LayoutText;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.internal.role.EntryUse;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Named atomic values that all processes share: flags, counters, what was processed last. One entry has up to
 * {@value #MAX_CELLS}, and each of them takes less than 128 bytes. A process that dies has changed a value, or not.
 *
 * {@snippet :
 * EntrySpec state = Atomics.spec("state", "int workersReady", "boolean shutdown", "long lastProcessedId");
 * try (Atomics atomics = Atomics.open(segment.directory().find("state", Kind.CELLS))) {
 *   atomics.intCell("workersReady").getAndAdd(1);
 *   while (!atomics.booleanCell("shutdown").get()) {
 *     // work
 *   }
 * }
 * }
 *
 * <p>Nothing is taken, and so any number of processes may use the cells. An object of this class and its cells are used
 * by one thread at a time. After {@link #close}, or after the segment was closed in this process, all methods throw
 * {@link io.bywash.engine.SegmentClosedException}. A segment that is attached read-only allows reads only; writes throw
 * {@link IllegalStateException}. When the entry is removed, methods throw
 * {@link io.bywash.engine.EntryRemovedException} after about a thousand uses at the latest.
 */
public final class Atomics implements AutoCloseable {
  /** The largest number of cells in one entry. */
  public static final int MAX_CELLS = MAX_ATOMICS;

  private static final Set<String> TYPES = Set.of("long", "int", "boolean", "double");
  private static final String CELL = "[A-Za-z0-9_$]{1," + CELL_NAME_MAX_BYTES + "}";

  private final SegmentEntry entry;
  private final List<Named> names;
  private final EntryUse use;

  private Atomics(SegmentEntry entry) {
    this.entry = entry;
    this.names = names(entry);
    this.use = EntryUse.of(entry, () -> {});
  }

  /** A cell, by what the layout says of it; the offset counts from the first one. */
  record Named(String name, String type, long offset) {}

  /**
   * Specifies an entry of atomics. All of them begin as 0 or false.
   *
   * @param name of the entry
   * @param cells 1 to {@value #MAX_CELLS}, each a type and a name, for example {@code "long lastProcessedId"}. The type
   *     is long, int, boolean or double; the name has 1 to 40 characters of {@code A-Z a-z 0-9 _ $}
   */
  public static EntrySpec spec(String name, String... cells) {
    if (cells.length < 1 || cells.length > MAX_CELLS) {
      throw new IllegalArgumentException("cells=" + cells.length + " are not between 1 and " + MAX_CELLS);
    }
    StringBuilder text = new StringBuilder("0 " + cells.length * CELL_BYTES + " Atomics\n");
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < cells.length; i++) {
      String[] words = cells[i].split(" ", -1);
      if (words.length != 2 || !TYPES.contains(words[0]) || !words[1].matches(CELL)) {
        throw new IllegalArgumentException("cells[" + i + "]=\"" + cells[i] + "\" is not one of the types "
            + TYPES.stream().sorted().collect(Collectors.joining(", ")) + ", a space, and a name of 1 to "
            + CELL_NAME_MAX_BYTES + " letters, digits, _ and $");
      }
      if (!seen.add(words[1])) {
        throw new IllegalArgumentException("cells[" + i + "]=\"" + cells[i] + "\" has a name that came before");
      }
      text.append(' ').append(i * CELL_BYTES).append(' ').append(cells[i]).append('\n');
    }
    return new EntrySpec(name, Kind.CELLS, cells.length, CELL_BYTES, text.toString(), 0,
        (long) cells.length * CELL_BYTES, List.of((long) ATOMICS));
  }

  /**
   * Begins to use the atomics of an entry. Their names and types are read from the entry: nothing else need be known.
   *
   * @throws SpecMismatchException when the entry is something else
   * @throws DamagedSegmentException when shared memory holds something impossible
   */
  public static Atomics open(Entry entry) {
    SegmentEntry segmentEntry = CellsEntry.of(entry, ATOMICS);
    return segmentEntry.core().whileMapped(() -> new Atomics(segmentEntry));
  }

  /** The cells of an entry, in their order. */
  static List<Named> names(SegmentEntry entry) {
    List<Named> names = new ArrayList<>();
    List<LayoutText.Type> types = CellsEntry.types(entry);
    for (LayoutText.Field field : types.getFirst().fields()) {
      if (field.offset() != (long) names.size() * CELL_BYTES || !TYPES.contains(field.type())) {
        throw entry.damaged("cell \"" + field.name() + "\" is said to be \"" + field.type() + "\" at byte "
            + field.offset());
      }
      names.add(new Named(field.name(), field.type(), field.offset()));
    }
    if (types.size() != 1 || names.size() != entry.capacity()) {
      throw entry.damaged("its layout names " + names.size() + " cells, and it has " + entry.capacity());
    }
    return names;
  }

  /** What a word of that type means. */
  static Object value(String type, long word) {
    return switch (type) {
      case "long" -> word;
      case "int" -> (int) word;
      case "boolean" -> BooleanCell.isTrue(word);
      default -> Double.longBitsToDouble(word);
    };
  }

  /** The names of the cells, in their order. */
  public List<String> names() {
    return names.stream().map(Named::name).toList();
  }

  /**
   * The cell of that name.
   *
   * @throws SpecMismatchException when it is of another type, or when there is none; the message names the cell
   */
  public LongCell longCell(String name) {
    return new LongCell(this, find(name, "long"));
  }

  /** As {@link #longCell}, for an int. */
  public IntCell intCell(String name) {
    return new IntCell(this, find(name, "int"));
  }

  /** As {@link #longCell}, for a boolean. */
  public BooleanCell booleanCell(String name) {
    return new BooleanCell(this, find(name, "boolean"));
  }

  /** As {@link #longCell}, for a double. */
  public DoubleCell doubleCell(String name) {
    return new DoubleCell(this, find(name, "double"));
  }

  private long find(String name, String type) {
    Named found = names.stream().filter(each -> each.name.equals(name)).findFirst().orElse(null);
    if (found == null || !found.type.equals(type)) {
      String there = found == null ? "missing; there are " + String.join(", ", names()) : found.type;
      throw new SpecMismatchException("Entry \"" + entry.name() + "\" of segment " + entry.core().path()
          + " has other cells: ", List.of("cell \"" + name + "\" is " + there + ", wanted " + type));
    }
    return entry.offset() + found.offset;
  }

  EntryUse use() {
    return use;
  }

  Region region() {
    return entry.region();
  }

  boolean isWritable() {
    return !entry.core().isReadOnly();
  }

  /** The exception for a write in a segment that is attached read-only. */
  IllegalStateException readOnly() {
    return new IllegalStateException("Segment " + entry.core().path() + " is attached read-only; attach it for writing"
        + " to change cells of entry \"" + entry.name() + "\".");
  }

  DamagedSegmentException truncated(InternalError fault) {
    return entry.core().truncated(fault);
  }

  /** The exception for a cell whose word nobody can change, since others change it whenever that is tried. */
  DamagedSegmentException restless(long offset) {
    return entry.damaged("cell \"" + names.get((int) ((offset - entry.offset()) / CELL_BYTES)).name
        + "\" does not stand still for long enough to be changed");
  }

  /** Stops using the cells, which keep their values. Calling this again does nothing. */
  @Override
  public void close() {
    use.close();
  }
}
