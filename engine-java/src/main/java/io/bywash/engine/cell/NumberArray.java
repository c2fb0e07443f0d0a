package io.bywash.engine.cell;

import static io.bywash.engine.cell.CellsLayout.NUMBERS;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.LayoutText;
import io.bywash.engine.internal.layout.Numbers;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.internal.role.EntryUse;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * An array of numbers that all processes share, for example a grid. Elements are {@code long}, {@code double},
 * {@code int} or {@code float}, and begin as 0.
 *
 * <p>One element is read and written as a whole, and who reads an element sees what its writer wrote before it. Bulk
 * reads and writes copy one element after another while others may write: each element in them is whole, if the segment
 * to copy to or from is aligned to the elements, as an array is, but they need not all be of one moment.
 *
 * <p>Nothing is taken, and so any number of processes may use the array. An object of this class is used by one thread
 * at a time. The exceptions of all methods are those of {@link Atomics}; an index that is out of range is an
 * {@link IndexOutOfBoundsException}, and access to elements of another type an {@link IllegalStateException}.
 */
public final class NumberArray implements AutoCloseable {
  private static final Map<String, Class<?>> TYPES =
      Map.of("long", long.class, "double", double.class, "int", int.class, "float", float.class);

  private final SegmentEntry entry;
  private final Region region;
  private final int length;
  private final int elementBytes;
  private final Class<?> type;
  private final EntryUse use;

  private NumberArray(SegmentEntry entry, Class<?> type) {
    this.entry = entry;
    this.region = entry.region();
    this.length = (int) entry.capacity();
    this.elementBytes = (int) entry.elementSizeBytes();
    this.type = type;
    this.use = EntryUse.of(entry, () -> {});
  }

  /**
   * Specifies an array.
   *
   * @param name of the entry
   * @param length how many elements it has, 1 to 2^31 - 1
   * @param type {@code long.class}, {@code double.class}, {@code int.class} or {@code float.class}
   */
  public static EntrySpec spec(String name, int length, Class<?> type) {
    String text = text(type);
    Numbers.checkPositive("length", length);
    int size = sizeBytes(type);
    return new EntrySpec(name, Kind.CELLS, length, size, text, 0, (long) length * size, List.of((long) NUMBERS));
  }

  private static int sizeBytes(Class<?> type) {
    return type == long.class || type == double.class ? Long.BYTES : Integer.BYTES;
  }

  private static String text(Class<?> type) {
    if (!TYPES.containsValue(type)) {
      throw new IllegalArgumentException("type=" + type + " is none of long, double, int and float");
    }
    return "0 " + sizeBytes(type) + " Element\n 0 " + type.getName() + " value\n";
  }

  /**
   * Begins to use an array.
   *
   * @throws SpecMismatchException when the entry is something else, or has elements of another type
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds something impossible
   */
  public static NumberArray open(Entry entry, Class<?> type) {
    String text = text(type);
    SegmentEntry segmentEntry = CellsEntry.of(entry, NUMBERS);
    return segmentEntry.core().whileMapped(() -> {
      if (segmentEntry.fingerprint() != LayoutText.fingerprint(text)) {
        throw new SpecMismatchException("Entry \"" + segmentEntry.name() + "\" of segment " + segmentEntry.core().path()
            + " has other elements: ", LayoutText.differences("", segmentEntry.layout(), text));
      }
      return new NumberArray(segmentEntry, typeOf(segmentEntry));
    });
  }

  /** The type of an entry's elements. */
  static Class<?> typeOf(SegmentEntry entry) {
    List<LayoutText.Type> types = CellsEntry.types(entry);
    List<LayoutText.Field> fields = types.getFirst().fields();
    Class<?> type = types.size() == 1 && fields.size() == 1 ? TYPES.get(fields.getFirst().type()) : null;
    if (type == null || sizeBytes(type) != entry.elementSizeBytes()) {
      throw entry.damaged("its layout is that of no array of numbers");
    }
    return type;
  }

  /** How many elements there are. */
  public int length() {
    return length;
  }

  private long place(int index, Class<?> wanted) {
    if (type != wanted) {
      throw new IllegalStateException("the elements of entry \"" + entry.name() + "\" are " + type + ", and not "
          + wanted);
    }
    return entry.offset() + (long) Objects.checkIndex(index, length) * elementBytes;
  }

  private long getLong(int index, Class<?> wanted) {
    long at = place(index, wanted);
    use.enter();
    try {
      return region.getLongAcquire(at); // [number] who sees an element sees what its writer wrote before it
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      use.done();
    }
  }

  private void setLong(int index, long value, Class<?> wanted) {
    long at = place(index, wanted);
    enterForWriting();
    try {
      region.setLongRelease(at, value); // [number]
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      use.done();
    }
  }

  private int getInt(int index, Class<?> wanted) {
    long at = place(index, wanted);
    use.enter();
    try {
      return region.getIntAcquire(at); // [number]
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      use.done();
    }
  }

  private void setInt(int index, int value, Class<?> wanted) {
    long at = place(index, wanted);
    enterForWriting();
    try {
      region.setIntRelease(at, value); // [number]
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      use.done();
    }
  }

  private void enterForWriting() {
    if (entry.core().isReadOnly()) {
      entry.core().requireParticipant();
    }
    use.enter();
  }

  /** The element at an index, 0 to {@link #length} - 1. */
  public long getLong(int index) {
    return getLong(index, long.class);
  }

  /** Sets the element at an index. */
  public void setLong(int index, long value) {
    setLong(index, value, long.class);
  }

  /** The element at an index, 0 to {@link #length} - 1. */
  public double getDouble(int index) {
    return Double.longBitsToDouble(getLong(index, double.class));
  }

  /** Sets the element at an index. */
  public void setDouble(int index, double value) {
    setLong(index, Double.doubleToRawLongBits(value), double.class);
  }

  /** The element at an index, 0 to {@link #length} - 1. */
  public int getInt(int index) {
    return getInt(index, int.class);
  }

  /** Sets the element at an index. */
  public void setInt(int index, int value) {
    setInt(index, value, int.class);
  }

  /** The element at an index, 0 to {@link #length} - 1. */
  public float getFloat(int index) {
    return Float.intBitsToFloat(getInt(index, float.class));
  }

  /** Sets the element at an index. */
  public void setFloat(int index, float value) {
    setInt(index, Float.floatToRawIntBits(value), float.class);
  }

  /**
   * Copies elements from {@code index} on to {@code target}, as many as fill it, for example
   * {@code array.read(100, MemorySegment.ofArray(longs))}.
   *
   * @param target a whole number of elements, in little-endian order if it is not an array
   */
  public void read(int index, MemorySegment target) {
    long at = range(index, target);
    use.enter();
    try {
      region.copyTo(at, target, 0, target.byteSize());
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      use.done();
    }
  }

  /** Copies {@code source} to the elements from {@code index} on. All else is as in {@link #read}. */
  public void write(int index, MemorySegment source) {
    long at = range(index, source);
    enterForWriting();
    try {
      region.copyFrom(at, source, 0, source.byteSize());
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      use.done();
    }
  }

  private long range(int index, MemorySegment elements) {
    if (elements.byteSize() % elementBytes != 0) {
      throw new IllegalArgumentException("a segment of " + elements.byteSize() + " bytes has no whole number of"
          + " elements of " + elementBytes);
    }
    Objects.checkFromIndexSize(index, elements.byteSize() / elementBytes, length);
    return entry.offset() + (long) index * elementBytes;
  }

  /**
   * A read-only view of {@code count} elements from {@code index} on, for reading in place. It checks bounds by itself.
   * Its content means nothing after this array was closed.
   */
  public MemorySegment asSegment(int index, int count) {
    Objects.checkFromIndexSize(index, count, length);
    use.enter();
    try {
      return region.slice(entry.offset() + (long) index * elementBytes, (long) count * elementBytes).asReadOnly();
    } finally {
      use.done();
    }
  }

  /** Stops using the array, which keeps its elements. Calling this again does nothing. */
  @Override
  public void close() {
    use.close();
  }
}
