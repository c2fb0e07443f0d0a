package io.bywash.engine.internal.record;

/**
 * The offset and the length of a message in its area, in one long. Whoever reads the long once has an offset and a
 * length that belong together, whatever other threads do. Every extent that is ever made lies within its area, so an
 * access that is checked against its length cannot leave the area.
 *
 * <pre>
 *   63                                31 30                        0
 *  +------------------------------------+---------------------------+
 *  |       first byte / 16 in area      |      length in bytes      |
 *  +------------------------------------+---------------------------+
 * </pre>
 */
final class Extent {
  /** No bytes: every access is out of bounds. */
  static final long NONE = 0;

  private static final int LENGTH_BITS = 31;
  /** No bytes either, but different from {@link #NONE}. */
  static final long EMPTY = 1L << LENGTH_BITS;
  /** Nor here. */
  static final long SPOILED = 2L << LENGTH_BITS;

  private static final long LENGTH_MASK = (1L << LENGTH_BITS) - 1;
  private static final int ALIGNMENT_BITS = 4;

  private Extent() {}

  /**
   * The extent of {@code length} bytes at {@code offset}, a multiple of 16, in an area of {@code areaBytes}.
   *
   * @throws IllegalStateException when it does not lie in the area, which happens only if two threads use one role
   */
  static long of(long offset, int length, long areaBytes) {
    if ((offset | length | areaBytes - offset - length) < 0) {
      throw outside(offset, length, areaBytes);
    }
    return within(offset, length);
  }

  /** As {@link #of}, for a caller that has made sure, with values that it read once, that it lies in the area. */
  static long within(long offset, int length) {
    return offset << LENGTH_BITS - ALIGNMENT_BITS | length;
  }

  private static IllegalStateException outside(long offset, int length, long areaBytes) {
    return new IllegalStateException("a message of " + length + " bytes at byte " + offset + " does not lie"
        + " within " + areaBytes + " bytes: the role is used by two threads at once. Take a role for each thread.");
  }

  static long offset(long extent) {
    return extent >>> LENGTH_BITS << ALIGNMENT_BITS;
  }

  static int length(long extent) {
    return (int) (extent & LENGTH_MASK);
  }
}
