package io.bywash.engine.queue;

import io.bywash.engine.internal.layout.SegmentLayout;

/**
 * The bytes of a work queue after the part that all structures have. Normative text: docs/SPEC.md.
 *
 * <pre>
 *   384  long tail            no higher than the next position to send at    any producer, opaque
 *   512  long head            no higher than the next position to take at    any consumer, opaque
 *  4096  roles. In a role, after its word:
 *          128  long mine             the slot that it owns                  holder, compare-and-set
 *          136  long moves            how often that slot was taken out      holder, opaque
 *          144  long want             the slot that it is about to take out  holder, release
 *          152  long at               in which exchange it is                holder, release
 *          160  long held since       nanoseconds; information only          holder, opaque
 *          168  long redelivered, dropped, dead letters; information only    holder, opaque
 *   ...  cells, 8 bytes each, from a page boundary on
 *   ...  slots, from a multiple of 128 on, one for each cell and for each role
 *
 *  A cell, stored as its exclusive or with its own index, so that zeros mean turn 0, empty, the slot of that index:
 *
 *   63                                                B+1  B  B-1                     0
 *  +------------------------------------------------------+--+-----------------------+
 *  |                         turn                         |F |         slot          |
 *  +------------------------------------------------------+--+-----------------------+
 *
 *  "mine" of role r, whose slot is stored as its exclusive or with C + r:
 *
 *   63                           32 31                           8 7                0
 *  +-------------------------------+------------------------------+-----------------+
 *  |          generation           |            slot              |      state      |
 *  +-------------------------------+------------------------------+-----------------+
 *
 *  A slot, a multiple of 128 bytes:
 *
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +---------------------------------------------------------------+
 *  |                                                               |
 *  |                            moves                              |
 *  +---------------------------------------------------------------+
 *  |                                                               |
 *  |                           sequence                            |
 *  +---------------------------------------------------------------+
 *  |                     length of the message                     |
 *  +---------------------------------------------------------------+
 *  |                      type of the message                      |
 *  +---------------------------------------------------------------+
 *  |                          deliveries                           |
 *  +---------------------------------------------------------------+
 *  |                      why it is a dead letter                  |
 *  +---------------------------------------------------------------+
 *  |                                                               |
 *  |              sequence where it became a dead letter           |
 *  +---------------------------------------------------------------+
 *  |                                                               |
 *  |                           reserved                            |
 *  +---------------------------------------------------------------+
 *  |                            message                          ...
 * </pre>
 */
final class QueueLayout {
  static final int TAIL = SegmentLayout.OWN_WORDS;
  static final int HEAD = 512;

  /** Offsets of words in a role; only its holder writes them. */
  static final int ROLE_MINE = 128;
  static final int ROLE_MOVES = 136;
  static final int ROLE_WANT = 144;
  static final int ROLE_AT = 152;
  static final int ROLE_HELD_SINCE = 160;
  static final int ROLE_REDELIVERED = 168;
  static final int ROLE_DROPPED = 176;
  static final int ROLE_DEAD_LETTERS = 184;

  /** Modes of a role's word. */
  static final int MODE_PRODUCER = 1;
  static final int MODE_CONSUMER = 2;

  /** States of the slot that a role owns. */
  static final int SPARE = 0;
  static final int HELD = 1;

  static final int SLOT_MOVES = 0;
  static final int SLOT_SEQUENCE = 8;
  static final int SLOT_LENGTH = 16;
  static final int SLOT_TYPE = 20;
  static final int SLOT_DELIVERIES = 24;
  static final int SLOT_REASON = 28;
  static final int SLOT_ORIGIN = 32;
  static final int SLOT_HEADER_BYTES = 48;
  static final int SLOT_ALIGNMENT = 128;

  /** Why a message is a dead letter. */
  static final int NO_DEAD_LETTER = 0;
  static final int DELIVERED_TOO_OFTEN = 1;

  /** How many bits of "mine" are below the slot, and below the generation. */
  static final int MINE_SLOT_SHIFT = 8;
  static final int MINE_GENERATION_SHIFT = 32;

  /** Positions between two stores of a hint. */
  static final int HINT_EVERY = 8;

  /** Parameters of the row. */
  static final int PARAMETER_POLICY = 0;
  static final int PARAMETER_LIMIT = 1;
  static final int PARAMETER_DEAD_LETTERS = 2; // the name of that queue, in 6 longs
  static final int DEAD_LETTERS_MAX_BYTES = 48;

  /** Values of the first parameter. */
  static final int REDELIVER = 0;
  static final int DROP = 1;
  /** As REDELIVER, but a message for which the queue for dead letters has no room is dropped. */
  static final int REDELIVER_OR_DROP = 2;

  static final int MAX_CAPACITY = 1 << 20;

  static {
    assert TAIL >= SegmentLayout.WAITING_FOR_SPACE + 128 : "the tail shares a line with the waiting bitmap";
    assert HEAD - TAIL >= 128 : "producers and consumers write to one line";
    assert HEAD + 128 <= SegmentLayout.SUMMARY_FOR_DATA : "the head shares a line with the summary";
    assert ROLE_DEAD_LETTERS + Long.BYTES <= SegmentLayout.ROLE_BYTES : "a role's words reach into the next role";
    assert SLOT_HEADER_BYTES % 16 == 0 : "messages begin at a multiple of 16";
    assert PARAMETER_DEAD_LETTERS + DEAD_LETTERS_MAX_BYTES / Long.BYTES <= SegmentLayout.PARAMETER_COUNT
        : "the name of the dead letters' queue does not fit the parameters";
  }

  private QueueLayout() {}

  /** The size of a slot for messages of up to that length. */
  static long slotBytes(long maxMessageBytes) {
    return SegmentLayout.align(SLOT_HEADER_BYTES + maxMessageBytes, SLOT_ALIGNMENT);
  }

  /** Where the slots begin, as an offset from the first cell. */
  static long slotsOffset(long capacity) {
    return SegmentLayout.align(capacity * Long.BYTES, SLOT_ALIGNMENT);
  }

  /** The size of cells and slots. */
  static long dataBytes(long capacity, int roleCount, long maxMessageBytes) {
    return slotsOffset(capacity) + (capacity + roleCount) * slotBytes(maxMessageBytes);
  }
}
