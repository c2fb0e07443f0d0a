package io.bywash.engine.call;

import io.bywash.engine.Kind;
import io.bywash.engine.Message;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.litmus.LitmusBus;

/**
 * An endpoint with one slot, its caller in one attachment, and two responders in another. Requests and replies show
 * whether they are torn: each word is made of the number in their type.
 */
final class LitmusCalls {
  static final int NOTHING = 0;
  static final int WHOLE = 1;
  static final int TORN = 2;
  static final int LATE = 3;

  private static final int WORDS = 16;
  private static final long MIX = 0x9E37_79B9_7F4A_7C15L;
  private static final long TIMEOUT_NANOS = 60_000_000_000L;

  final Caller caller;
  final Responder responder;
  final Responder other;
  private final SegmentEntry reading;
  private final SegmentEntry writing;
  private final long slot;
  private final long replyOffset;
  private int number;
  private Call call;

  LitmusCalls() {
    LitmusBus.Pair pair = LitmusBus.create(SegmentSpec.of(Endpoint.of("calls", WORDS * Long.BYTES, WORDS * Long.BYTES)
        .callers(1).slots(1).responders(2).spec()).withEntryCapacity(1));
    reading = (SegmentEntry) pair.second().directory().find("calls", Kind.ENDPOINT);
    writing = (SegmentEntry) pair.first().directory().find("calls", Kind.ENDPOINT);
    Slots slots = Slots.of(reading);
    slot = slots.slot(0, 0);
    replyOffset = slots.reply(slot);
    caller = Caller.open(writing);
    responder = Responder.open(reading);
    other = Responder.open(reading);
  }

  /** The request word, read without an ordering. */
  long requestWord() {
    return reading.region().getLongOpaque(slot);
  }

  /** The reply word, read without an ordering. */
  long replyWord() {
    return writing.region().getLongOpaque(replyOffset);
  }

  /** Sends the next request; false when the slot is in use. */
  boolean send() {
    RequestClaim claim = caller.claim(WORDS * Long.BYTES, number + 1);
    if (claim == null) {
      return false;
    }
    number++;
    for (int i = 0; i < WORDS; i++) {
      claim.putLong(i * Long.BYTES, (number + i) * MIX);
    }
    call = claim.send(TIMEOUT_NANOS);
    return true;
  }

  static int look(Message message) {
    if (message == null) {
      return NOTHING;
    }
    boolean whole = message.length() == WORDS * Long.BYTES;
    for (int i = 0; whole && i < WORDS; i++) {
      whole = message.getLong(i * Long.BYTES) == (message.type() + i) * MIX;
    }
    return whole ? WHOLE : TORN;
  }

  /** Takes the request and answers it: whether it was whole, and in time. */
  static int answer(Request request) {
    int look = look(request);
    return look == WHOLE ? reply(request) ? WHOLE : LATE : look;
  }

  static boolean reply(Request request) {
    int number = request.type();
    ReplyClaim claim = request.claimReply(WORDS * Long.BYTES, number);
    for (int i = 0; i < WORDS; i++) {
      claim.putLong(i * Long.BYTES, (number + i) * MIX);
    }
    return claim.send();
  }

  /** Whether the reply is there, and whole, and that of the call. */
  int finish() {
    if (!call.isDone() || call.failure() != null) {
      return NOTHING;
    }
    Message reply = call.reply();
    return reply.type() == number ? look(reply) : TORN;
  }

  boolean cancel() {
    return call.cancel();
  }

  /** Gives up the slot of the call, which is done. */
  void clearCall() {
    call.close();
  }

  /** Has no request in flight any more. */
  void clear() {
    for (Responder each : new Responder[] {responder, other}) {
      for (Request request; (request = each.receive()) != null; ) {
        request.reply(new byte[0]);
      }
    }
    while (caller.poll() != null) {
      // each call is returned once
    }
    if (call != null) {
      call.close();
    }
  }
}
