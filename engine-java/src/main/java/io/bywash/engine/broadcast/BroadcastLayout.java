package io.bywash.engine.broadcast;

import io.bywash.engine.internal.layout.SegmentLayout;

/**
 * The bytes of a broadcast queue behind the part that all structures have. Normative text: docs/SPEC.md.
 *
 * <pre>
 *   384  long published       position behind the last committed record       publisher, release
 *   512  long oldest          position of the oldest record not given up      publisher, release
 *   640  long blocked         times that a claim found no room                publisher, opaque
 *   648  long evicted         subscribers that were cut off                   publisher, opaque
 *  1024  128 x { long position, long sequence }   a record in each block       publisher
 *  4096  role 0: publisher; role 1 ...: subscribers. In a subscriber's role, behind its word:
 *            8  long evict after      ns that it may hold the publisher back     subscriber
 *          128  long position         what is before it may be overwritten       subscriber, release
 *          136  long sequence         of the next record to read                 subscriber, opaque
 *          144  long lost             messages that it lost                      subscriber, opaque
 *   ...  ring, from a page boundary on
 *
 *  A record, at a position that is a multiple of 16; a negative length is padding up to the end of the ring:
 *
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +---------------------------------------------------------------+
 *  |                     length of the message                     |
 *  +---------------------------------------------------------------+
 *  |                      type of the message                      |
 *  +---------------------------------------------------------------+
 *  |                                                               |
 *  |                           sequence                            |
 *  +---------------------------------------------------------------+
 *  |                            message                          ...
 * </pre>
 */
final class BroadcastLayout {
  static final int PUBLISHED = SegmentLayout.OWN_WORDS;
  static final int OLDEST = 512;
  static final int BLOCKED_COUNT = 640;
  static final int EVICTED_COUNT = 648;
  static final int BLOCK_INDEX = 1024;
  static final int BLOCK_ENTRY_BYTES = 16;
  /** The ring's blocks: room is given up, and positions are noted, a block at a time. */
  static final int BLOCK_COUNT = 64;
  /**
   * Blocks that positions are noted for: twice those of the ring, so that a block which was not given up keeps its
   * note.
   */
  static final int NOTED_BLOCKS = 2 * BLOCK_COUNT;

  static final int PUBLISHER_ROLE = 0;
  static final int FIRST_SUBSCRIBER_ROLE = 1;

  /** Words of a subscriber's role, from the role's first byte on. */
  static final int ROLE_EVICT_AFTER = 8;
  static final int ROLE_POSITION = 128; // this line is written by the role's holder only
  static final int ROLE_SEQUENCE = 136;
  static final int ROLE_LOST = 144;

  static final int RECORD_LENGTH = 0;
  static final int RECORD_TYPE = 4;
  static final int RECORD_SEQUENCE = 8;
  static final int RECORD_HEADER_BYTES = 16;
  static final int RECORD_ALIGNMENT = 16;

  /** Modes of a subscriber's role word. */
  static final int MODE_BLOCK = 1;
  static final int MODE_SKIP = 2;
  static final int MODE_FAIL = 3;
  static final int MODE_EVICT = 4;

  static {
    assert PUBLISHED >= SegmentLayout.WAITING_FOR_SPACE + 128 : "published shares a line with the waiting bitmap";
    assert OLDEST - PUBLISHED >= 128 : "readers poll published; oldest must not share its line";
    assert BLOCK_INDEX + NOTED_BLOCKS * BLOCK_ENTRY_BYTES <= SegmentLayout.SUMMARY_FOR_DATA
        : "the block index reaches into the summary of those that wait";
    assert ROLE_EVICT_AFTER >= SegmentLayout.ROLE_WORD + Long.BYTES : "a role's words overlap";
    assert ROLE_POSITION - ROLE_EVICT_AFTER >= 120 : "a position shares a line with the role's word";
    assert ROLE_LOST + Long.BYTES <= SegmentLayout.ROLE_BYTES : "a role's words reach into the next role";
    assert RECORD_HEADER_BYTES % RECORD_ALIGNMENT == 0 : "a header would not fit before the end of the ring";
  }

  private BroadcastLayout() {}

  /** The first word of a record's header: length and type. */
  static long header(int length, int type) {
    return Integer.toUnsignedLong(length) | (long) type << 32;
  }

  /** The bytes that a message of this length takes in the ring. */
  static long recordBytes(long lengthBytes) {
    return (RECORD_HEADER_BYTES + lengthBytes + RECORD_ALIGNMENT - 1) & -RECORD_ALIGNMENT;
  }
}
