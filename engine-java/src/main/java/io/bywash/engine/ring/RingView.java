package io.bywash.engine.ring;

import io.bywash.engine.Entry;
import io.bywash.engine.record.RecordType;
import io.bywash.engine.record.Records;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * A look at the newest elements of a ring. It takes no role, nothing of it is shared, and neither the writer nor the
 * popper notices it. So there may be any number, also in segments that are attached read-only, and it need not be
 * closed.
 *
 * {@snippet :
 * RingView view = RingView.of(segment.directory().find("frames", Kind.RING));
 * List<Frame> lastMinute = view.lastN(FRAMES, 3_600); // the oldest of them first
 * }
 *
 * <p>Any thread may use it. After the segment was closed in this process, each method throws
 * {@link io.bywash.engine.SegmentClosedException}, and after the entry was removed,
 * {@link io.bywash.engine.EntryRemovedException}.
 */
public final class RingView {
  private final Elements elements;
  private final Decoder decoder;

  private RingView(Elements elements) {
    this.elements = elements;
    this.decoder = new Decoder(elements);
  }

  /**
   * Looks at a ring.
   *
   * @throws io.bywash.engine.SpecMismatchException when the entry is not a ring
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds something impossible
   */
  public static RingView of(Entry entry) {
    return new RingView(Elements.of(entry));
  }

  /** The size of each element in bytes. */
  public int elementBytes() {
    return elements.elementBytes;
  }

  /** How many elements were ever pushed into the ring. */
  public long pushedCount() {
    return elements.entry.look(elements::tail);
  }

  /**
   * Copies the newest elements into a segment, the oldest of them first, whether they were popped or not. Returns how
   * many: fewer than {@code count} when the ring holds fewer, or when the writer, in spite of several tries, was about
   * to overwrite the older ones before they were copied. Those that are returned are whole and lie without a gap behind
   * one another.
   *
   * @param offset of the first one in the segment, in bytes
   * @param count how many elements, from 0 on
   * @throws IndexOutOfBoundsException when the segment does not have room for so many
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds what no writer writes
   */
  public int lastN(MemorySegment target, long offset, int count) {
    Elements.checkCount(count);
    elements.checkRange(target, offset, count);
    return elements.entry.look(() -> elements.copy(0, count, true, target, offset).count());
  }

  /**
   * As {@link #lastN(MemorySegment, long, int)}, for records.
   *
   * @throws io.bywash.engine.SpecMismatchException when this ring is declared to hold other records
   * @throws IllegalArgumentException when {@code records} are not of one class of {@link #elementBytes}
   * @throws io.bywash.engine.record.RecordFormatException when an element does not hold such a record
   */
  public synchronized <T> List<T> lastN(Records<T> records, int count) {
    Elements.checkCount(count);
    RecordType<T> type = decoder.type(records);
    Elements.Copied copied = elements.entry.look(() -> {
      int most = (int) Math.min(count, Math.min(elements.tail(), elements.capacity));
      return elements.copy(0, most, true, decoder.room(most), 0);
    });
    List<T> found = new ArrayList<>(copied.count());
    decoder.decode(type, copied, found);
    return found;
  }

  /**
   * Elements that were copied.
   *
   * @param position of the first one: how many were pushed before it
   * @param count how many
   */
  public record Range(long position, int count) {}

  /**
   * Copies elements from a position on into a segment, for those who follow a ring. The first one is a later one where
   * the wanted one was overwritten. Those that are returned are whole and lie without a gap behind one another.
   *
   * @param position of the first element that is wanted, from 0 on; the next one is behind those that were returned
   *     before
   * @param offset of the first one in the segment, in bytes
   * @param count the most elements to copy, from 0 on
   * @throws IllegalArgumentException when {@code position} or {@code count} is negative
   * @throws IndexOutOfBoundsException when the segment does not have room for so many
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds what no writer writes
   */
  public Range from(long position, MemorySegment target, long offset, int count) {
    if (position < 0) {
      throw new IllegalArgumentException("position=" + position + " must not be negative");
    }
    Elements.checkCount(count);
    elements.checkRange(target, offset, count);
    return elements.entry.look(() -> {
      Elements.Copied copied = elements.copy(Math.min(position, elements.tail()), count, false, target, offset);
      return new Range(copied.from(), copied.count());
    });
  }
}
