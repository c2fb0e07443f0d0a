package io.bywash.engine.internal.record;

import io.bywash.engine.Claim;
import io.bywash.engine.internal.memory.Region;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * The bytes of one claim in a structure's data area, bounds-checked; a role adds what commit and abort do. Reused for
 * every claim.
 */
public abstract class ClaimView implements Claim {
  protected final Region region;
  private final long areaOffset;
  private long extent = Extent.NONE;

  /** Of claims in an area of a region, which begins at a multiple of 16. */
  protected ClaimView(Region region, long areaOffset) {
    this.region = region;
    this.areaOffset = areaOffset;
  }

  protected final boolean isOpen() {
    return extent != Extent.NONE;
  }

  /**
   * Opens the claim on {@code length} bytes from {@code offset} of the region on, which the caller knows to lie in the
   * area.
   */
  protected final void open(long offset, int length) {
    extent = Extent.within(offset - areaOffset, length);
  }

  /** Opens the claim on no bytes, so that nobody can open another one. */
  protected final void openEmpty() {
    extent = Extent.EMPTY;
  }

  /** Ends what {@link #openEmpty} began; whether nobody else has. */
  protected final boolean endEmpty() {
    boolean open = extent == Extent.EMPTY;
    extent = Extent.NONE;
    return open;
  }

  /** Ends the claim, so that no access is valid any more; answers its length, 0 when none was open. */
  protected final int end() {
    int length = Extent.length(extent);
    extent = Extent.NONE;
    return length;
  }

  /** What the claim lies in. */
  public final Region region() {
    return region;
  }

  /**
   * Where in the region the claim begins, if it has exactly {@code bytes} bytes: one check for all that is written
   * there. Else -1.
   *
   * @throws IndexOutOfBoundsException when it is not open
   */
  public final long placeOf(int bytes) {
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
      throw new IndexOutOfBoundsException("this claim is not valid any more: it was committed, staged or aborted");
    }
    return Objects.checkFromIndexSize(index, count, Extent.length(own));
  }

  @Override
  public final int length() {
    return Extent.length(extent);
  }

  @Override
  public final Claim putByte(int index, byte value) {
    long own = extent;
    region.setByte(at(own), checked(own, index, Byte.BYTES), value);
    return this;
  }

  @Override
  public final Claim putShort(int index, short value) {
    long own = extent;
    region.setShort(at(own), checked(own, index, Short.BYTES), value);
    return this;
  }

  @Override
  public final Claim putInt(int index, int value) {
    long own = extent;
    region.setInt(at(own), checked(own, index, Integer.BYTES), value);
    return this;
  }

  @Override
  public final Claim putLong(int index, long value) {
    long own = extent;
    region.setLong(at(own), checked(own, index, Long.BYTES), value);
    return this;
  }

  @Override
  public final Claim putDouble(int index, double value) {
    return putLong(index, Double.doubleToRawLongBits(value));
  }

  @Override
  public final Claim putBytes(int index, byte[] source, int sourceIndex, int count) {
    long own = extent;
    Objects.checkFromIndexSize(sourceIndex, count, source.length);
    region.copyFrom(at(own) + checkedRange(own, index, count), source, sourceIndex, count);
    return this;
  }

  @Override
  public final Claim putBytes(int index, MemorySegment source, long sourceOffset, int count) {
    long own = extent;
    region.copyFrom(at(own) + checkedRange(own, index, count), source, sourceOffset, count);
    return this;
  }

  @Override
  public final MemorySegment asSegment() {
    long own = extent;
    return region.slice(at(own) + checkedRange(own, 0, 0), Extent.length(own));
  }
}
