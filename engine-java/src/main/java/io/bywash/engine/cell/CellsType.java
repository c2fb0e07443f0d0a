package io.bywash.engine.cell;

import static io.bywash.engine.cell.CellsLayout.*;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Kind;
import io.bywash.engine.StructureStatus;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.directory.StructureType;
import io.bywash.engine.internal.layout.Owner;
import java.util.ArrayList;
import java.util.List;

/** What the engine's common code asks of cells. Not part of the public API. */
@SuppressWarnings("exports") // StructureType has no member for users
public final class CellsType extends StructureType {
  /** The only instance. */
  public static final CellsType INSTANCE = new CellsType();

  private static final int MAX_FINDINGS = 20;

  private CellsType() {
    super(Kind.CELLS);
  }

  @Override
  protected String damage(SegmentEntry entry) {
    int form = CellsEntry.form(entry);
    long count = entry.capacity();
    long size = entry.elementSizeBytes();
    boolean possible = entry.roleCount() == 0 && count >= 1 && count <= Integer.MAX_VALUE && switch (form) {
      case ATOMICS -> size == CELL_BYTES && count <= MAX_ATOMICS && count * size <= entry.sizeBytes();
      case NUMBERS -> (size == Integer.BYTES || size == Long.BYTES) && count * size <= entry.sizeBytes();
      case RECORDS -> size >= 1 && size <= MAX_ELEMENT_BYTES && count <= entry.sizeBytes() / elementBytes(size);
      default -> false;
    };
    return possible ? null : count + " cells of " + size + " bytes as " + CellsEntry.formName(form) + " do not fit its "
        + entry.sizeBytes() + " bytes and " + entry.roleCount() + " roles";
  }

  @Override
  protected String parameterDifference(long[] found, long[] wanted) {
    return "form is " + CellsEntry.formName(found[PARAMETER_FORM]) + ", wanted "
        + CellsEntry.formName(wanted[PARAMETER_FORM]);
  }

  @Override
  protected StructureStatus status(SegmentEntry entry) {
    return CellsStatus.look(entry);
  }

  @Override
  protected List<String> problems(SegmentEntry entry) {
    List<String> problems = new ArrayList<>();
    try {
      switch (CellsEntry.form(entry)) {
        case ATOMICS -> {
          for (Atomics.Named cell : Atomics.names(entry)) {
            long word = entry.region().getLongOpaque(entry.offset() + cell.offset());
            if (cell.type().equals("boolean") && (word & 0xFF) > 1) {
              problems.add("cell \"" + cell.name() + "\" holds " + (word & 0xFF) + " where false is 0 and true is 1");
            }
          }
        }
        case NUMBERS -> NumberArray.typeOf(entry);
        default -> {
          CellsEntry.types(entry);
          checkLocks(entry, problems);
        }
      }
    } catch (DamagedSegmentException damage) {
      problems.add(damage.getMessage());
    }
    return problems;
  }

  private static void checkLocks(SegmentEntry entry, List<String> problems) {
    long elementBytes = elementBytes(entry.elementSizeBytes());
    for (int index = 0; index < entry.capacity() && problems.size() < MAX_FINDINGS; index++) {
      long lock = entry.region().getLongOpaque(entry.offset() + index * elementBytes + ELEMENT_LOCK);
      int state = Owner.state(lock);
      if (state > LOCKED || state == LOCKED && Owner.slotId(lock) >= entry.core().geometry().slotCount()) {
        problems.add("element " + index + " has a lock in state " + state + " of slot " + Owner.slotId(lock));
      }
    }
  }
}
