package io.bywash.engine.internal;

import io.bywash.engine.Message;
import io.bywash.engine.internal.memory.Region;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/** The bytes of one message in a region, bounds-checked. Reused for every message; its length is -1 between messages. */
public final class MessageView implements Message {
  private Region region;
  private long offset;
  private int length = -1;
  private int type;
  private long sequence;

  /** The region in which the messages from now on stand. */
  public void in(Region newRegion) {
    region = newRegion;
  }

  /** The message at {@code newOffset}. */
  public void set(long newOffset, int newLength, int newType, long newSequence) {
    offset = newOffset;
    length = newLength;
    type = newType;
    sequence = newSequence;
  }

  /** No access is valid from now on. */
  public void clear() {
    length = -1;
  }

  private int checked(int index, int size) {
    return Objects.checkIndex(index, length - size + 1); // in a loop the JIT checks this once
  }

  @Override
  public int length() {
    return length;
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
    return region.getByte(offset, checked(index, Byte.BYTES));
  }

  @Override
  public short getShort(int index) {
    return region.getShort(offset, checked(index, Short.BYTES));
  }

  @Override
  public int getInt(int index) {
    return region.getInt(offset, checked(index, Integer.BYTES));
  }

  @Override
  public long getLong(int index) {
    return region.getLong(offset, checked(index, Long.BYTES));
  }

  @Override
  public double getDouble(int index) {
    return Double.longBitsToDouble(getLong(index));
  }

  @Override
  public void getBytes(int index, byte[] target, int targetIndex, int count) {
    Objects.checkFromIndexSize(targetIndex, count, target.length);
    region.copyTo(offset + checked(index, count), target, targetIndex, count);
  }

  @Override
  public void getBytes(int index, MemorySegment target, long targetOffset, int count) {
    region.copyTo(offset + checked(index, count), target, targetOffset, count);
  }

  @Override
  public byte[] toBytes() {
    if (length < 0) {
      throw new IndexOutOfBoundsException("this message is not valid any more: its handler's call is over");
    }
    byte[] bytes = new byte[length];
    getBytes(0, bytes, 0, length);
    return bytes;
  }
}
