package io.bywash.engine.cell;

import static io.bywash.engine.cell.CellsLayout.*;

import io.bywash.engine.Entry;
import io.bywash.engine.StructureStatus;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.memory.Region;
import java.util.ArrayList;
import java.util.List;

/**
 * The state of an entry of cells, read from any attachment, even a read-only one. Reading it costs nobody anything.
 * Cells have no roles, and are never full.
 *
 * @param form what the cells are: {@code atomics}, {@code array of numbers} or {@code array of records}
 * @param cellCount how many there are
 * @param values the names, types and values of atomics; empty for arrays
 * @param setCount how often elements of an array of records were set; 0 for the others, which do not count that
 * @param lockedCount how many elements of an array of records somebody is setting now, or died in setting
 */
public record CellsStatus(String form, int cellCount, List<Value> values, long setCount, int lockedCount)
    implements StructureStatus {
  private static final int SHOWN = 16;

  /**
   * One atomic.
   *
   * @param name the cell's name
   * @param type {@code long}, {@code int}, {@code boolean} or {@code double}
   * @param value the value: a {@link Long}, {@link Integer}, {@link Boolean} or {@link Double}
   */
  public record Value(String name, String type, Object value) {
    /** The value as a whole number, for tables: 1 for true, a double rounded. */
    long rounded() {
      return switch (value) {
        case Boolean truth -> truth ? 1 : 0;
        case Double number -> Math.round(number);
        default -> ((Number) value).longValue();
      };
    }
  }

  /**
   * Reads the state of cells.
   *
   * @throws io.bywash.engine.SpecMismatchException when the entry is of another kind
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds something impossible
   */
  public static CellsStatus of(Entry entry) {
    SegmentEntry segmentEntry = CellsEntry.of(entry);
    return segmentEntry.look(() -> look(segmentEntry));
  }

  static CellsStatus look(SegmentEntry entry) {
    int form = CellsEntry.form(entry);
    List<Value> values = new ArrayList<>();
    long sets = 0;
    int locked = 0;
    if (form == ATOMICS) {
      for (Atomics.Named cell : Atomics.names(entry)) {
        long word = entry.region().getLongOpaque(entry.offset() + cell.offset());
        values.add(new Value(cell.name(), cell.type(), Atomics.value(cell.type(), word)));
      }
    } else if (form == RECORDS) {
      Region region = entry.region();
      long elementBytes = elementBytes(entry.elementSizeBytes());
      for (int index = 0; index < entry.capacity(); index++) {
        long element = entry.offset() + index * elementBytes;
        sets += region.getLongOpaque(element + ELEMENT_VERSION);
        locked += Owner.state(region.getLongOpaque(element + ELEMENT_LOCK)) == UNLOCKED ? 0 : 1;
      }
    }
    return new CellsStatus(CellsEntry.formName(form), (int) entry.capacity(), List.copyOf(values), sets, locked);
  }

  /** {@inheritDoc} For atomics these are the values of the first {@value #SHOWN} cells, under their names. */
  @Override
  public List<Counter> counters() {
    if (!values.isEmpty()) {
      return values.stream().limit(SHOWN).map(each -> Counter.count(each.name(), each.rounded())).toList();
    }
    return form.equals(CellsEntry.formName(RECORDS))
        ? List.of(Counter.growing("set", setCount), Counter.count("locked", lockedCount)) : List.of();
  }

  @Override
  public boolean isUntouched() {
    return setCount == 0 && values.stream().allMatch(each -> each.rounded() == 0);
  }
}
