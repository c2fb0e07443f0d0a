package io.bywash.engine.call;

import io.bywash.engine.internal.layout.SegmentLayout;

/**
 * The bytes of an endpoint after the part that all structures have. Normative text: docs/SPEC.md.
 *
 * <pre>
 *  4096  roles: first all responders, then all callers. In a role, after its word; information only:
 *          128  long requests      sent, or taken                        holder, opaque
 *          136  long missed        deadlines missed, or late replies     holder, opaque
 *          144  long elided        wakes that nobody needed              holder, opaque
 *          152  long rung          wakes                                 holder, opaque
 *          160  long latency       nanoseconds, smoothed                 holder, opaque
 *          168  long answered      replies received, or sent             holder, opaque
 *   ...  slots, from a page boundary on: those of the first caller, then those of the second, and so on
 *
 *  A slot is three areas, each a multiple of 128 bytes, each written by one side at a time:
 *
 *    request   0  long request word      turn and kind, written last    caller, release
 *              8  int start   12 int length   16 int type   20 reserved
 *             24  long deadline, on the monotonic clock; information only
 *             32  payload, up to the longest request
 *    reply     0  long reply word        turn and outcome               both sides, compare-and-set
 *              8  int start   12 int length   16 int type   20 int status
 *             24  reserved
 *             32  payload, up to the longest reply
 *    claim     0  long claim word                                       both sides, compare-and-set
 *
 *  Request word and reply word:
 *
 *   63                                                               2 1       0
 *  +------------------------------------------------------------------+---------+
 *  |                               turn                               |  state  |
 *  +------------------------------------------------------------------+---------+
 *
 *  Claim word:
 *
 *   63                                 28 27              12 11          2 1    0
 *  +-------------------------------------+------------------+-------------+------+
 *  |           turn modulo 2^36          |    generation    |  responder  | state|
 *  +-------------------------------------+------------------+-------------+------+
 * </pre>
 */
final class CallLayout {
  /** Offsets of words in a role; only its holder writes them. */
  static final int ROLE_REQUESTS = 128;
  static final int ROLE_MISSED = 136;
  static final int ROLE_ELIDED = 144;
  static final int ROLE_RUNG = 152;
  static final int ROLE_LATENCY = 160;
  static final int ROLE_ANSWERED = 168;

  /** Modes of a role's word. */
  static final int MODE_RESPONDER = 1;
  static final int MODE_CALLER = 2;

  /** Words of a request, and of a reply, from the beginning of its area on. */
  static final int AREA_WORD = 0;
  static final int AREA_START = 8;
  static final int AREA_LENGTH = 12;
  static final int AREA_TYPE = 16;
  static final int REPLY_STATUS = 20;
  static final int REQUEST_DEADLINE = 24;
  static final int AREA_PAYLOAD = 32;
  static final int AREA_ALIGNMENT = 128;
  static final int CLAIM_BYTES = 128;

  /** How many bits of a request or reply word are below the turn. */
  static final int TURN_SHIFT = 2;

  /** States of a request word: what the turn was used for. */
  static final int NOTHING = 0;
  static final int CALL = 1;
  static final int ONE_WAY = 2;
  /** The slot was still in use for an earlier turn, so this turn's number was not used. */
  static final int SKIPPED = 3;

  /** States of a reply word. */
  static final int REPLIED = 1;
  static final int ABANDONED = 2;

  /** Values of the status in a reply. */
  static final int STATUS_OK = 0;
  /** The payload is the type and the message of what the handler threw. */
  static final int STATUS_FAILED = 1;

  /** States of a claim word. */
  static final int DONE = 0;
  static final int CLAIMED = 1;
  static final int WITHDRAWN = 2;
  /** As {@link #CLAIMED}; the request word may be of a later turn, so this says what the request was. */
  static final int CLAIMED_ONE_WAY = 3;

  static final int CLAIM_ROLE_SHIFT = 2;
  static final int CLAIM_GENERATION_SHIFT = 12;
  static final int CLAIM_TURN_SHIFT = 28;

  /** Parameters of the row. */
  static final int PARAMETER_CALLERS = 0;
  static final int PARAMETER_SLOTS = 1;
  static final int PARAMETER_MAX_REQUEST = 2;
  static final int PARAMETER_MAX_REPLY = 3;
  static final int PARAMETER_POLICY = 4;

  /** Values of the last parameter: what becomes of a request whose responder is gone. */
  static final int FAIL = 0;
  static final int REDELIVER = 1;

  static final int MAX_SLOTS = 1024;

  static {
    assert ROLE_ANSWERED + Long.BYTES <= SegmentLayout.ROLE_BYTES : "a role's words reach into the next role";
    assert AREA_PAYLOAD % 16 == 0 : "payloads begin at a multiple of 16";
    assert REQUEST_DEADLINE + Long.BYTES <= AREA_PAYLOAD : "the header of a request reaches into its payload";
    assert CLAIM_GENERATION_SHIFT - CLAIM_ROLE_SHIFT == 10 : "a claim has room for 1,024 responders";
    assert CLAIM_TURN_SHIFT - CLAIM_GENERATION_SHIFT == 16 : "a claim has room for the generation of a role";
  }

  private CallLayout() {}

  /** The size of a request's or reply's area. */
  static long areaBytes(long maxBytes) {
    return SegmentLayout.align(AREA_PAYLOAD + maxBytes, AREA_ALIGNMENT);
  }

  static long slotBytes(long maxRequestBytes, long maxReplyBytes) {
    return areaBytes(maxRequestBytes) + areaBytes(maxReplyBytes) + CLAIM_BYTES;
  }

  /** The size of all slots of all callers. */
  static long dataBytes(long callers, long slots, long maxRequestBytes, long maxReplyBytes) {
    return callers * slots * slotBytes(maxRequestBytes, maxReplyBytes);
  }
}
