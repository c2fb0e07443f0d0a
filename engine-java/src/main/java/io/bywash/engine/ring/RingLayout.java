package io.bywash.engine.ring;

import io.bywash.engine.internal.layout.SegmentLayout;

/**
 * The bytes of a ring after the part that all structures have. Normative text: docs/SPEC.md.
 *
 * <pre>
 *   384  long tail       how many elements were pushed                            writer, release
 *   392  long intent     up to where the writer may be writing now                writer, release
 *   512  long head       how many were popped or lost, and which count is valid   popper, release
 *   520  2 longs lost    how many of them were lost; one of the two is valid      popper, opaque
 *  4096  role 0: the writer, role 1: the popper
 *  8192  elements, without gaps, the one of position p in place p % places
 *
 *  The head, which changes in one store together with the count that is valid:
 *
 *   63                                                                  1  0
 *  +---------------------------------------------------------------------+--+
 *  |                              position                               |i |
 *  +---------------------------------------------------------------------+--+
 * </pre>
 */
final class RingLayout {
  static final int TAIL = SegmentLayout.OWN_WORDS;
  static final int INTENT = 392;
  static final int HEAD = 512;
  static final int LOST = 520;

  static final int WRITER_ROLE = 0;
  static final int POPPER_ROLE = 1;
  static final int ROLE_COUNT = 2;

  static final int MAX_CAPACITY = 1 << 30;
  static final int MAX_ELEMENT_BYTES = 1 << 20;

  /** How far the intent is moved at a time: this share of the capacity, but at least so many elements. */
  static final int BLOCKS = 64;
  static final int MIN_BLOCK = 8;

  static {
    assert TAIL >= SegmentLayout.WAITING_FOR_SPACE + 128 : "the tail shares a line with the waiting bitmap";
    assert HEAD - TAIL >= 128 : "writer and popper write to one line";
    assert LOST + 2 * Long.BYTES <= HEAD + 128 : "the counts do not fit the line of the head";
    assert HEAD + 128 <= SegmentLayout.SUMMARY_FOR_DATA : "the head shares a line with the summary";
  }

  private RingLayout() {}

  /** How many elements the writer may be ahead of the tail. */
  static int block(int capacity) {
    return Math.max(capacity / BLOCKS, MIN_BLOCK);
  }

  /** How many elements there is memory for. */
  static int places(int capacity) {
    return capacity + block(capacity);
  }

  /** The size of all elements. */
  static long dataBytes(int capacity, int elementBytes) {
    return (long) places(capacity) * elementBytes;
  }
}
