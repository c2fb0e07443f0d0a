package io.bywash.engine.internal.record;

import io.bywash.engine.Message;
import io.bywash.engine.internal.memory.Region;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * The bytes of one message in an area of a region, bounds-checked. Reused for every message; it has no bytes between
 * messages.
 */
public class MessageView implements Message {
  private final Region region;
  private final long areaOffset;
  private final long areaBytes;
  private long extent = Extent.NONE;
  private int type;
  private long sequence;

  /** Of messages in an area of a region, which begins at a multiple of 16. */
  public MessageView(Region region, long areaOffset, long areaBytes) {
    this.region = region;
    this.areaOffset = areaOffset;
    this.areaBytes = areaBytes;
  }

  /** The message at {@code offset} of the area, a multiple of 16. */
  public void set(long offset, int newLength, int newType, long newSequence) {
    extent = Extent.of(offset, newLength, areaBytes);
    type = newType;
    sequence = newSequence;
  }

  /** The same where the caller has made sure, by values that it read once, that it lies in the area. */
  public void setWithin(long offset, int newLength, int newType, long newSequence) {
    extent = Extent.within(offset, newLength);
    type = newType;
    sequence = newSequence;
  }

  /** No access is valid from now on. */
  public void clear() {
    extent = Extent.NONE;
  }

  /** What the message lies in. */
  public Region region() {
    return region;
  }

  /**
   * Where in the region the message begins, if it has exactly {@code bytes} bytes: one check for all that is read
   * there. Else -1.
   *
   * @throws IndexOutOfBoundsException when it is not valid any more
   */
  public long placeOf(int bytes) {
    long own = extent;
    if (Extent.length(own) != bytes) {
      checkedRange(own, 0, 0);
      return -1;
    }
    return at(own);
  }

  private long at(long own) {
    return areaOffset + Extent.offset(own);
  }

  private static int checked(long own, int index, int size) {
    return Objects.checkIndex(index, Extent.length(own) - size + 1); // in a loop the JIT checks this once
  }

  private static int checkedRange(long own, int index, int count) {
    if (own == Extent.NONE) {
      throw new IndexOutOfBoundsException("this message is not valid any more: its handler's call is over");
    }
    return Objects.checkFromIndexSize(index, count, Extent.length(own));
  }

  @Override
  public int length() {
    return Extent.length(extent);
  }

  @Override
  public int type() {
    return type;
  }

  @Override
  public long sequence() {
    return sequence;
  }

  @Override
  public byte getByte(int index) {
    long own = extent;
    return region.getByte(at(own), checked(own, index, Byte.BYTES));
  }

  @Override
  public short getShort(int index) {
    long own = extent;
    return region.getShort(at(own), checked(own, index, Short.BYTES));
  }

  @Override
  public int getInt(int index) {
    long own = extent;
    return region.getInt(at(own), checked(own, index, Integer.BYTES));
  }

  @Override
  public long getLong(int index) {
    long own = extent;
    return region.getLong(at(own), checked(own, index, Long.BYTES));
  }

  @Override
  public double getDouble(int index) {
    return Double.longBitsToDouble(getLong(index));
  }

  @Override
  public void getBytes(int index, byte[] target, int targetIndex, int count) {
    long own = extent;
    Objects.checkFromIndexSize(targetIndex, count, target.length);
    region.copyTo(at(own) + checkedRange(own, index, count), target, targetIndex, count);
  }

  @Override
  public void getBytes(int index, MemorySegment target, long targetOffset, int count) {
    long own = extent;
    region.copyTo(at(own) + checkedRange(own, index, count), target, targetOffset, count);
  }

  @Override
  public byte[] toBytes() {
    long own = extent;
    int length = Extent.length(own);
    byte[] bytes = new byte[length];
    region.copyTo(at(own) + checkedRange(own, 0, length), bytes, 0, length);
    return bytes;
  }

  @Override
  public MemorySegment asSegment() {
    long own = extent;
    return region.slice(at(own) + checkedRange(own, 0, 0), Extent.length(own)).asReadOnly();
  }
}
