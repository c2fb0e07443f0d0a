package io.bywash.engine.internal;

import io.bywash.engine.Claim;
import io.bywash.engine.internal.memory.Region;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/** The bytes of one claim in a region, bounds-checked; a role adds what commit and abort do. Reused for every claim. */
public abstract class ClaimView implements Claim {
  protected final Region region;
  /** Where the message's first byte is in the region. */
  protected long offset;
  /** Negative while nothing is claimed: no access is valid then. */
  protected int length = -1;

  protected ClaimView(Region region) {
    this.region = region;
  }

  protected final boolean isOpen() {
    return length >= 0;
  }

  private int checked(int index, int size) {
    return Objects.checkIndex(index, length - size + 1); // in a loop the JIT checks this once
  }

  @Override
  public final int length() {
    return length;
  }

  @Override
  public final Claim putByte(int index, byte value) {
    region.setByte(offset, checked(index, Byte.BYTES), value);
    return this;
  }

  @Override
  public final Claim putShort(int index, short value) {
    region.setShort(offset, checked(index, Short.BYTES), value);
    return this;
  }

  @Override
  public final Claim putInt(int index, int value) {
    region.setInt(offset, checked(index, Integer.BYTES), value);
    return this;
  }

  @Override
  public final Claim putLong(int index, long value) {
    region.setLong(offset, checked(index, Long.BYTES), value);
    return this;
  }

  @Override
  public final Claim putDouble(int index, double value) {
    return putLong(index, Double.doubleToRawLongBits(value));
  }

  @Override
  public final Claim putBytes(int index, byte[] source, int sourceIndex, int count) {
    Objects.checkFromIndexSize(sourceIndex, count, source.length);
    region.copyFrom(offset + checked(index, count), source, sourceIndex, count);
    return this;
  }

  @Override
  public final Claim putBytes(int index, MemorySegment source, long sourceOffset, int count) {
    region.copyFrom(offset + checked(index, count), source, sourceOffset, count);
    return this;
  }
}
