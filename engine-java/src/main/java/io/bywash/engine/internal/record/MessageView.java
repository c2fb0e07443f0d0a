package io.bywash.engine.internal.record;

import io.bywash.engine.Message;
import io.bywash.engine.internal.memory.Region;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * A bounds-checked view of one message's bytes in an area of a region. The object is reused for every message of its
 * role; between two messages it has no bytes.
 */
public class MessageView implements Message {
  private final Region region;
  private final long areaOffset;
  private final long areaBytes;
  private long extent = Extent.NONE;
  private int type;
  private long sequence;

  /** A view of messages in an area of a region that begins at {@code areaOffset}, a multiple of 16. */
  public MessageView(Region region, long areaOffset, long areaBytes) {
    this.region = region;
    this.areaOffset = areaOffset;
    this.areaBytes = areaBytes;
  }

  /** Shows the message at {@code offset} of the area, a multiple of 16. */
  public void set(long offset, int newLength, int newType, long newSequence) {
    extent = Extent.of(offset, newLength, areaBytes);
    type = newType;
    sequence = newSequence;
  }

  /** As {@link #set}, for a caller that has made sure, with values that it read once, that it lies in the area. */
  public void setWithin(long offset, int newLength, int newType, long newSequence) {
    extent = Extent.within(offset, newLength);
    type = newType;
    sequence = newSequence;
  }

  /** Shows no message: every access fails from now on. */
  public void clear() {
    extent = Extent.NONE;
  }

  /** The region that the message lies in. */
  public Region region() {
    return region;
  }

  /**
   * The offset of the message in the region, if it has exactly {@code bytes} bytes; otherwise -1. This one check covers
   * everything that is then read there.
   *
   * @throws IndexOutOfBoundsException when the message is no longer valid
   */
  public long placeOf(int bytes) {
    long bounds = extent;
    if (Extent.length(bounds) != bytes) {
      checkedRange(bounds, 0, 0);
      return -1;
    }
    return at(bounds);
  }

  private long at(long bounds) {
    return areaOffset + Extent.offset(bounds);
  }

  private static int checked(long bounds, int index, int size) {
    return Objects.checkIndex(index, Extent.length(bounds) - size + 1); // in a loop the JIT checks this once
  }

  private static int checkedRange(long bounds, int index, int count) {
    if (bounds == Extent.NONE) {
      throw new IndexOutOfBoundsException("this message is not valid any more: its handler's call is over");
    }
    return Objects.checkFromIndexSize(index, count, Extent.length(bounds));
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
    long bounds = extent;
    return region.getByte(at(bounds), checked(bounds, index, Byte.BYTES));
  }

  @Override
  public short getShort(int index) {
    long bounds = extent;
    return region.getShort(at(bounds), checked(bounds, index, Short.BYTES));
  }

  @Override
  public int getInt(int index) {
    long bounds = extent;
    return region.getInt(at(bounds), checked(bounds, index, Integer.BYTES));
  }

  @Override
  public long getLong(int index) {
    long bounds = extent;
    return region.getLong(at(bounds), checked(bounds, index, Long.BYTES));
  }

  @Override
  public double getDouble(int index) {
    return Double.longBitsToDouble(getLong(index));
  }

  @Override
  public void getBytes(int index, byte[] target, int targetIndex, int count) {
    long bounds = extent;
    Objects.checkFromIndexSize(targetIndex, count, target.length);
    region.copyTo(at(bounds) + checkedRange(bounds, index, count), target, targetIndex, count);
  }

  @Override
  public void getBytes(int index, MemorySegment target, long targetOffset, int count) {
    long bounds = extent;
    region.copyTo(at(bounds) + checkedRange(bounds, index, count), target, targetOffset, count);
  }

  @Override
  public byte[] toBytes() {
    long bounds = extent;
    int length = Extent.length(bounds);
    byte[] bytes = new byte[length];
    region.copyTo(at(bounds) + checkedRange(bounds, 0, length), bytes, 0, length);
    return bytes;
  }

  @Override
  public MemorySegment asSegment() {
    long bounds = extent;
    return region.slice(at(bounds) + checkedRange(bounds, 0, 0), Extent.length(bounds)).asReadOnly();
  }
}
