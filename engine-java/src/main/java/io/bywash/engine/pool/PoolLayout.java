package io.bywash.engine.pool;

import io.bywash.engine.internal.layout.SegmentLayout;

/**
 * The bytes of a pool after the part that all structures have. Normative text: docs/SPEC.md.
 *
 * <pre>
 *   384  long reclaimed   how many objects of dead users were freed     whoever frees them, atomic
 *  4096  roles: the users
 *   ...  from a page boundary on, each part a multiple of 128 bytes:
 *          long full[]    hints, one bit a word of taken[]: 1 if the word has no 0      any user, atomic
 *          long taken[]   hints, one bit an object: 0 if it is probably free            any user, atomic
 *          objects        a multiple of 128 bytes each
 *
 *  An object:
 *    0  long lease     whose it is; compare-and-set
 *    8  long version   for which lease it was written, and how often     holder, release
 *   16  data ...                                                         holder
 *
 *   63                                    28 27             12 11         1  0
 *  +----------------------------------------+-----------------+------------+--+
 *  |              generation                | role generation |  role + 1  |0 |   lease; role bits 0: free
 *  +----------------------------------------+-----------------+------------+--+
 *  |              generation                |           writes            |b |   version; b: being written
 *  +----------------------------------------+--------------------------------+
 *  |              generation                |             index              |   handle
 *  +----------------------------------------+--------------------------------+
 * </pre>
 */
final class PoolLayout {
  static final int RECLAIMED = SegmentLayout.OWN_WORDS;

  static final int OBJECT_LEASE = 0;
  static final int OBJECT_VERSION = 8;
  static final int OBJECT_DATA = 16;
  /** Objects of different users lie in different lines. */
  static final int OBJECT_ALIGNMENT = SegmentLayout.LINE_BYTES;

  /** In leases, versions and handles. */
  static final int GENERATION_SHIFT = 28;
  static final int ROLE_GENERATION_SHIFT = 12;
  static final int ROLE_SHIFT = 1;

  static final int MAX_CAPACITY = 1 << GENERATION_SHIFT;
  static final int MAX_OBJECT_BYTES = 1 << 20;

  private PoolLayout() {}

  /** The words of a bitmap with so many bits. */
  static int words(int bits) {
    return (bits + Long.SIZE - 1) / Long.SIZE;
  }

  /** Where the hints on single objects are, from the data's beginning on; those on whole words are in front. */
  static long takenOffset(int capacity) {
    return SegmentLayout.align((long) words(words(capacity)) * Long.BYTES, OBJECT_ALIGNMENT);
  }

  /** Where the objects are, from the data's beginning on. */
  static long objectsOffset(int capacity) {
    return takenOffset(capacity) + SegmentLayout.align((long) words(capacity) * Long.BYTES, OBJECT_ALIGNMENT);
  }

  /** The bytes from one object to the next. */
  static long strideBytes(long objectBytes) {
    return SegmentLayout.align(OBJECT_DATA + objectBytes, OBJECT_ALIGNMENT);
  }

  /** The size of all data. */
  static long dataBytes(int capacity, long objectBytes) {
    return objectsOffset(capacity) + capacity * strideBytes(objectBytes);
  }
}
