package io.bywash.engine.cell;

import static io.bywash.engine.cell.Stats.STATS;

import io.bywash.engine.Entry;
import io.bywash.engine.death.Scene;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.subject.DeathSubject;
import java.nio.file.Path;
import java.util.List;

/** A segment with an array of records, what was promised about each element, and atomics if they are added. */
final class CellScene extends Scene {
  /** The last element belongs to those who come later, and to who lives beside those who die. */
  static final int LENGTH = 3;

  RecordArray<Stats> array;
  Atomics atomics;
  private final long[] set = new long[LENGTH];
  private final long[] begun = new long[LENGTH];
  private long counted;
  private long counting;
  private long next = 1;

  CellScene(Path bus, DeathSubject<?> subject) {
    super(bus, subject);
  }

  /**
   * What the marks say.
   *
   * @param set which number each element was certainly set to last
   * @param begun which one it may have been set to since
   * @param counted what the counter among the atomics certainly was
   * @param counting what it may have become since
   */
  record Marks(List<Long> set, List<Long> begun, long counted, long counting) {
    static Marks of(List<Long> marks) {
      return new Marks(marks.subList(0, LENGTH), marks.subList(LENGTH, 2 * LENGTH), marks.get(2 * LENGTH),
          marks.get(2 * LENGTH + 1));
    }
  }

  @Override
  protected List<Long> marks() {
    return List.of(set[0], set[1], set[2], begun[0], begun[1], begun[2], counted, counting);
  }

  @Override
  protected void use() {
    opened().set(0).set(1).set(0);
  }

  @Override
  protected void leave() {
    array.close();
  }

  /** Elements that are locked, and half written. */
  @Override
  protected void holdEverything() {
    opened().set(0).set(1);
    breakOff(0);
    opened().set(1);
    opened();
    breakOff(1);
  }

  @Override
  protected void observe(Entry entry) {
    try (RecordArray<Stats> observed = RecordArray.open(entry, STATS)) {
      observed.get(0);
    }
    CellsStatus.of(entry);
  }

  @Override
  protected void forget() {
    array = null;
    atomics = null;
  }

  /** Opens the segment and the array. */
  CellScene opened() {
    open();
    array = keep(RecordArray.open(entry(), STATS));
    return this;
  }

  /** The atomics are added, and opened. */
  CellScene withAtomics() {
    opened();
    atomics = keep(Atomics.open(segment.directory().findOrAdd(CellSubject.atomics("added"))));
    return this;
  }

  CellScene set(int index) {
    begun[index] = next;
    if (!array.set(index, Stats.of(next), PATIENCE_NANOS)) {
      throw new AssertionError("somebody holds the lock of element " + index);
    }
    set[index] = next++;
    return this;
  }

  /** What an element was certainly set to last. */
  long lastOf(int index) {
    return set[index];
  }

  /** One died before it set an element, which is what it was. */
  void expectAsBefore(int index, long number) {
    set[index] = number;
  }

  /** Leaves an element as one does that dies in the middle of setting it. */
  private void breakOff(int index) {
    SegmentEntry row = (SegmentEntry) entry();
    long size = STATS.types().getFirst().sizeBytes();
    long element = row.offset() + index * CellsLayout.elementBytes(size);
    long lock = row.region().getLongVolatile(element + CellsLayout.ELEMENT_LOCK);
    long version = row.region().getLongVolatile(element + CellsLayout.ELEMENT_VERSION);
    row.region().setLongVolatile(element + CellsLayout.ELEMENT_LOCK,
        Owner.word(row.core().participants().self(), Owner.generation(lock) + 1, 0, CellsLayout.LOCKED));
    row.region().setLongVolatile(
        element + CellsLayout.ELEMENT_COPIES + (version + 1 & 1) * CellsLayout.copyBytes(size) + 8, -1);
  }

  /** Where the lock of an element is in the file. */
  long lock(int index) {
    return ((SegmentEntry) entry()).offset()
        + index * CellsLayout.elementBytes(STATS.types().getFirst().sizeBytes());
  }

  void count() {
    counting = counted + 1;
    atomics.longCell("count").getAndAdd(1);
    counted = counting;
  }

  void countTo(long number) {
    counting = number;
    atomics.longCell("count").set(number);
    counted = number;
  }

  void countBeyond(long number) {
    counting = number;
    atomics.longCell("count").getAndMax(number);
    counted = number;
  }
}
