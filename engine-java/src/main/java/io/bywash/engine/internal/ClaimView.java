package io.bywash.engine.internal;

import io.bywash.engine.Claim;
import io.bywash.engine.internal.memory.Region;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/** The bytes of one claim in a region, bounds-checked; a role adds what commit and abort do. Reused for every claim. */
public abstract class ClaimView implements Claim {
  private final Region region;
  private long offset;
  private int length = -1;

  protected ClaimView(Region region) {
    this.region = region;
  }

  protected final void begin(long newOffset, int newLength) {
    offset = newOffset;
    length = newLength;
  }

  /** No access is valid from now on. */
  protected final void end() {
    length = -1;
  }

  protected final boolean isOpen() {
    return length >= 0;
  }

  private long at(int index, int size) {
    return offset + Objects.checkFromIndexSize(index, size, Math.max(length, 0));
  }

  @Override
  public final int length() {
    return length;
  }

  @Override
  public final Claim putByte(int index, byte value) {
    region.setByte(at(index, Byte.BYTES), value);
    return this;
  }

  @Override
  public final Claim putShort(int index, short value) {
    region.setShort(at(index, Short.BYTES), value);
    return this;
  }

  @Override
  public final Claim putInt(int index, int value) {
    region.setInt(at(index, Integer.BYTES), value);
    return this;
  }

  @Override
  public final Claim putLong(int index, long value) {
    region.setLong(at(index, Long.BYTES), value);
    return this;
  }

  @Override
  public final Claim putDouble(int index, double value) {
    return putLong(index, Double.doubleToRawLongBits(value));
  }

  @Override
  public final Claim putBytes(int index, byte[] source, int sourceIndex, int count) {
    Objects.checkFromIndexSize(sourceIndex, count, source.length);
    region.copyFrom(at(index, count), source, sourceIndex, count);
    return this;
  }

  @Override
  public final Claim putBytes(int index, MemorySegment source, long sourceOffset, int count) {
    region.copyFrom(at(index, count), source, sourceOffset, count);
    return this;
  }
}
