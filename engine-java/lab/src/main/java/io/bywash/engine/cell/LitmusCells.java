package io.bywash.engine.cell;

import static java.lang.invoke.MethodHandles.lookup;

import io.bywash.engine.Entry;
import io.bywash.engine.Message;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.litmus.LitmusBus;
import io.bywash.engine.record.Records;

/** Cells in two attachments, and values that show whether they are torn: all of a value follows from its number. */
final class LitmusCells {
  static final int NOTHING = 0;
  static final int WHOLE = 1;
  static final int TORN = 2;

  private static final int BYTES = 64;
  private static final long MIX = 0x9E37_79B9_7F4A_7C15L;

  /** An element. */
  record Element(long a, long b, long c, long d, long e, long f) {
    static Element of(long number) {
      return new Element(number, number + 1, number + 2, number + 3, number + 4, number + 5);
    }

    boolean isWhole() {
      return equals(of(a));
    }
  }

  private static final Records<Element> ELEMENTS = Records.of(lookup(), Element.class);

  final LongCell first;
  final LongCell second;
  final LongCell firstElsewhere;
  final LongCell secondElsewhere;
  final NumberArray numbers;
  final NumberArray numbersElsewhere;
  final RecordArray<Element> setting;
  final RecordArray<Element> getting;
  final LatestWriter writer;
  final LatestReader reader;
  private final Region writing;
  private final Region reading;
  private final long plain;
  private final byte[] bytes = new byte[BYTES];
  private long number;

  LitmusCells() {
    LitmusBus.Pair pair = LitmusBus.create(SegmentSpec.of(Atomics.spec("atomics", "long first", "long second"),
        NumberArray.spec("numbers", 4, long.class), RecordArray.spec("records", 1, ELEMENTS),
        Latest.spec("latest", BYTES, 1, 2)).withEntryCapacity(4));
    Entry atomics = pair.first().directory().find("atomics").orElseThrow();
    Atomics one = Atomics.open(atomics);
    Atomics other = Atomics.open(pair.second().directory().find("atomics").orElseThrow());
    first = one.longCell("first");
    second = one.longCell("second");
    firstElsewhere = other.longCell("first");
    secondElsewhere = other.longCell("second");
    numbers = NumberArray.open(pair.first().directory().find("numbers").orElseThrow(), long.class);
    numbersElsewhere = NumberArray.open(pair.second().directory().find("numbers").orElseThrow(), long.class);
    setting = RecordArray.open(pair.first().directory().find("records").orElseThrow(), ELEMENTS);
    getting = RecordArray.open(pair.second().directory().find("records").orElseThrow(), ELEMENTS);
    writer = LatestWriter.open(pair.first().directory().find("latest").orElseThrow());
    reader = LatestReader.open(pair.second().directory().find("latest").orElseThrow());
    writing = one.region();
    reading = other.region();
    plain = ((SegmentEntry) atomics).offset() + CellsLayout.CELL_BYTES + 8; // behind the second cell's word
  }

  /** Writes a word with no ordering of its own. */
  void writePlain(long value) {
    writing.setLong(plain, value);
  }

  long readPlain() {
    return reading.getLong(plain);
  }

  /** All words are 0 again. */
  void clear() {
    writePlain(0);
    first.set(0);
    second.set(0);
    numbers.setLong(0, 0);
  }

  /** Sets the element to the next number. */
  void setElement() {
    if (!setting.set(0, Element.of(++number))) {
      throw new IllegalStateException("nobody else sets it");
    }
  }

  /** Whether the element is whole. */
  int getElement() {
    Element element = getting.get(0);
    return element == null ? NOTHING : element.isWhole() ? WHOLE : TORN;
  }

  /** Sets the latest value to the next number. */
  void setLatest() {
    number++;
    for (int i = 0; i < BYTES; i++) {
      bytes[i] = (byte) ((number + (i >>> 3)) * MIX >>> 8 * (i & 7));
    }
    writer.set(bytes, 0, BYTES, (int) number);
  }

  /** Whether the latest value is whole. */
  int getLatest() {
    Message value = reader.get();
    if (value == null) {
      return NOTHING;
    }
    boolean whole = value.length() == BYTES;
    for (int i = 0; whole && i < BYTES; i += Long.BYTES) {
      whole = value.getLong(i) == ((long) value.type() + (i >>> 3)) * MIX;
    }
    return whole ? WHOLE : TORN;
  }
}
