package io.bywash.engine.cell;

import io.bywash.engine.internal.layout.SegmentLayout;

/**
 * The bytes of a latest value after the part that all structures have. Normative text: docs/SPEC.md.
 *
 * <pre>
 *   384  long latest     which buffer of which writer has the latest value     any writer, compare-and-set
 *  4096  roles: writers first, then readers
 *   ...  buffers, from a page boundary on, four for each writer
 *
 *  63                                      12 11        2 1    0
 *  +-----------------------------------------+-----------+------+
 *  |                version                  |   role    |buffer|
 *  +-----------------------------------------+-----------+------+
 *
 *  A buffer, a multiple of 128 bytes, written by the holder of its writer's role:
 *    0  long stamp       the version of the value in it; 0 while it is written
 *    8  int length      12 int type      16 value ...
 * </pre>
 */
final class LatestLayout {
  static final int LATEST = SegmentLayout.OWN_WORDS;

  static final int BUFFER_STAMP = 0;
  static final int BUFFER_LENGTH = 8;
  static final int BUFFER_TYPE = 12;
  static final int BUFFER_HEADER_BYTES = 16;
  static final int BUFFER_ALIGNMENT = 128;
  static final int BUFFERS_A_WRITER = 4;

  /** How many bits of the latest word are below the role, and below the version. */
  static final int ROLE_SHIFT = 2;
  static final int VERSION_SHIFT = 12;

  /** Modes of a role's word. */
  static final int MODE_WRITER = 1;
  static final int MODE_READER = 2;

  /** Parameter of the row: how many of the roles are writers. */
  static final int PARAMETER_WRITERS = 0;

  private LatestLayout() {}

  /** The bytes from one buffer to the next. */
  static long bufferBytes(long maxValueBytes) {
    return SegmentLayout.align(BUFFER_HEADER_BYTES + maxValueBytes, BUFFER_ALIGNMENT);
  }
}
