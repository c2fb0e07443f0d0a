package io.bywash.engine.cell;

import static io.bywash.engine.cell.CellsLayout.*;

import io.bywash.engine.Entry;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.LayoutText;
import java.util.List;

/** Entries of cells, and what stands in their rows. */
final class CellsEntry {
  /** What the three forms are called, by their numbers. */
  private static final List<String> FORMS = List.of("", "atomics", "array of numbers", "array of records");

  private static final String OTHERWISE = "is something else";

  private CellsEntry() {}

  /** The entry, which must be sound and have that form, in a segment that is open. */
  static SegmentEntry of(Entry entry, int form) {
    SegmentEntry segmentEntry = of(entry);
    if (form(segmentEntry) != form) {
      throw mismatch(segmentEntry, "form is " + formName(form(segmentEntry)) + ", wanted " + formName(form));
    }
    return segmentEntry;
  }

  /** The entry, which must be a sound one of cells, in a segment that is open. */
  static SegmentEntry of(Entry entry) {
    return CellsType.INSTANCE.requireSound(entry, OTHERWISE);
  }

  private static SpecMismatchException mismatch(SegmentEntry entry, String difference) {
    return new SpecMismatchException("Entry \"" + entry.name() + "\" of segment " + entry.core().path() + " "
        + OTHERWISE + ": ", List.of(difference));
  }

  static int form(SegmentEntry entry) {
    return (int) entry.parameters()[PARAMETER_FORM];
  }

  static String formName(long form) {
    return form >= ATOMICS && form <= RECORDS ? FORMS.get((int) form) : "form " + form;
  }

  /** The types in the entry's layout, which must be what its fingerprint says. */
  static List<LayoutText.Type> types(SegmentEntry entry) {
    String text = entry.layout();
    try {
      if (LayoutText.fingerprint(text) == entry.fingerprint()) {
        return LayoutText.parse(text);
      }
    } catch (IllegalArgumentException otherForm) {
      // as damaged as one with another fingerprint
    }
    throw entry.damaged("its layout is not the one that it was created with");
  }
}
