package io.bywash.engine.internal.record;

import io.bywash.engine.Claim;
import io.bywash.engine.internal.memory.Region;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * A bounds-checked view of one claim's bytes in a structure's data. Each role adds what commit and abort do. The object
 * is reused for every claim of its role.
 */
public abstract class ClaimView implements Claim {
  protected final Region region;
  private final long areaOffset;
  private long extent = Extent.NONE;

  /** A view of claims in an area of a region that begins at {@code areaOffset}, a multiple of 16. */
  protected ClaimView(Region region, long areaOffset) {
    this.region = region;
    this.areaOffset = areaOffset;
  }

  protected final boolean isOpen() {
    return extent != Extent.NONE;
  }

  /**
   * Opens the claim on {@code length} bytes of the region from {@code offset} on. The caller has made sure that they
   * lie in the area.
   */
  protected final void open(long offset, int length) {
    extent = Extent.within(offset - areaOffset, length);
  }

  /** Opens the claim without any bytes, so that no other one can be opened while a record is written. */
  protected final void openEmpty() {
    extent = Extent.EMPTY;
  }

  /** Whether a record is being written: {@link #endEmpty} has not ended what {@link #openEmpty} opened. */
  public final boolean isWritingRecord() {
    return extent == Extent.EMPTY || extent == Extent.SPOILED;
  }

  /** Has {@link #endEmpty} find that the record has ended its claim, which stays open until then. */
  protected final void spoilEmpty() {
    extent = Extent.SPOILED;
  }

  /** Ends the claim that {@link #openEmpty} opened; false when the record's own code has ended it. */
  protected final boolean endEmpty() {
    boolean open = extent == Extent.EMPTY;
    extent = Extent.NONE;
    return open;
  }

  /** Ends the claim, so that every access fails from now on. Returns its length; 0 when no claim was open. */
  protected final int end() {
    int length = Extent.length(extent);
    extent = Extent.NONE;
    return length;
  }

  /** The region that the claim lies in. */
  public final Region region() {
    return region;
  }

  /**
   * The offset of the claim in the region, if it has exactly {@code bytes} bytes; otherwise -1. This one check covers
   * everything that is then written there.
   *
   * @throws IndexOutOfBoundsException when the claim is not open
   */
  public final long placeOf(int bytes) {
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
      throw new IndexOutOfBoundsException("this claim is not valid any more: it was committed, staged or aborted");
    }
    return Objects.checkFromIndexSize(index, count, Extent.length(bounds));
  }

  @Override
  public final int length() {
    return Extent.length(extent);
  }

  @Override
  public final Claim putByte(int index, byte value) {
    long bounds = extent;
    region.setByte(at(bounds), checked(bounds, index, Byte.BYTES), value);
    return this;
  }

  @Override
  public final Claim putShort(int index, short value) {
    long bounds = extent;
    region.setShort(at(bounds), checked(bounds, index, Short.BYTES), value);
    return this;
  }

  @Override
  public final Claim putInt(int index, int value) {
    long bounds = extent;
    region.setInt(at(bounds), checked(bounds, index, Integer.BYTES), value);
    return this;
  }

  @Override
  public final Claim putLong(int index, long value) {
    long bounds = extent;
    region.setLong(at(bounds), checked(bounds, index, Long.BYTES), value);
    return this;
  }

  @Override
  public final Claim putDouble(int index, double value) {
    return putLong(index, Double.doubleToRawLongBits(value));
  }

  @Override
  public final Claim putBytes(int index, byte[] source, int sourceIndex, int count) {
    long bounds = extent;
    Objects.checkFromIndexSize(sourceIndex, count, source.length);
    region.copyFrom(at(bounds) + checkedRange(bounds, index, count), source, sourceIndex, count);
    return this;
  }

  @Override
  public final Claim putBytes(int index, MemorySegment source, long sourceOffset, int count) {
    long bounds = extent;
    region.copyFrom(at(bounds) + checkedRange(bounds, index, count), source, sourceOffset, count);
    return this;
  }

  @Override
  public final MemorySegment asSegment() {
    long bounds = extent;
    return region.slice(at(bounds) + checkedRange(bounds, 0, 0), Extent.length(bounds));
  }
}
