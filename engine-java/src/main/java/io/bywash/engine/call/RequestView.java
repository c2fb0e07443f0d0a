package io.bywash.engine.call;

import static io.bywash.engine.call.CallLayout.*;

import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.internal.record.ClaimView;
import io.bywash.engine.internal.record.MessageView;
import io.bywash.engine.record.RecordType;
import io.bywash.engine.record.Records;
import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;

/** A request that a responder has claimed, and its answer. */
final class RequestView extends MessageView implements Request {
  /** Stages: to be answered; being answered, by one thread; over. */
  private static final int OPEN = 0;
  private static final int ANSWERING = 1;
  private static final int OVER = 2;

  private final Responder responder;
  private final Slots slots;
  private final Region region;
  private final AtomicInteger stage = new AtomicInteger(OVER);
  private int caller;
  private long slot;
  private long turn;
  /** The claim word of this turn. */
  private long claim;
  /** The reply word before this turn. */
  private long before;
  private boolean oneWay;
  private ReplyWriter writer;
  /** Whether the answer holds the role; inside the responder's own operation it need not. */
  private boolean holds;

  /** A view of requests that begin at {@code shift} behind a multiple of 16. */
  RequestView(Responder responder, Slots slots, int shift) {
    super(slots.region, slots.dataOffset + shift, slots.dataBytes - shift);
    this.responder = responder;
    this.slots = slots;
    this.region = slots.region;
  }

  /** Shows a request that was just claimed; its extent was checked. */
  void open(int newCaller, long newSlot, long newTurn, long newClaim, long newBefore, boolean isOneWay, long extent) {
    caller = newCaller;
    slot = newSlot;
    turn = newTurn;
    claim = newClaim;
    before = newBefore;
    oneWay = isOneWay;
    int start = (int) extent & -16;
    set(slot + AREA_PAYLOAD + start - slots.dataOffset, (int) (extent >>> Integer.SIZE),
        region.getInt(slot + AREA_TYPE), turn << slots.turnShift | slots.indexOf(caller, slot));
    stage.set(OPEN);
  }

  boolean isOver() {
    return stage.get() == OVER;
  }

  @Override
  public int maxReplyBytes() {
    return slots.maxReplyBytes;
  }

  @Override
  public int caller() {
    return caller;
  }

  @Override
  public boolean isOneWay() {
    return oneWay;
  }

  @Override
  public boolean isCancelled() {
    return !oneWay && !isOver() && responder.whileHeld(() -> slots.replyWord(slot) != before);
  }

  @Override
  public long remainingNanos() {
    if (oneWay || isOver()) {
      return oneWay ? Long.MAX_VALUE : 0;
    }
    return responder.whileHeld(() -> Math.max(region.getLong(slot + REQUEST_DEADLINE) - System.nanoTime(), 0));
  }

  // ---- answering

  @Override
  public boolean reply(byte[] source, int index, int length, int type) {
    Objects.checkFromIndexSize(index, length, source.length);
    checkLength(length);
    begin();
    boolean copied = false;
    try {
      region.copyFrom(payload(), source, index, length);
      copied = true;
    } catch (InternalError fault) {
      throw slots.entry.core().truncated(fault);
    } finally {
      if (!copied) {
        drop();
      }
    }
    return answer(0, length, type, STATUS_OK);
  }

  @Override
  public <T> boolean reply(Records<T> records, T record) {
    RecordType<T> type = responder.checked(records).typeOf(record);
    checkLength(type.sizeBytes());
    begin();
    boolean written = false;
    try {
      type.write(region, payload(), record);
      written = true;
    } catch (InternalError fault) {
      throw slots.entry.core().truncated(fault);
    } finally {
      if (!written) {
        drop();
      }
    }
    return answer(0, type.sizeBytes(), type.number(), STATUS_OK);
  }

  @Override
  public ReplyClaim claimReply(int length, int type) {
    checkLength(length);
    begin();
    writer = writer == null ? new ReplyWriter() : writer;
    return writer.claim(length, type);
  }

  @Override
  public boolean fail(String message) {
    return fail("", Objects.requireNonNull(message, "message"));
  }

  @Override
  public boolean fail(Throwable cause) {
    String message;
    try {
      message = Objects.toString(cause.getMessage(), "");
    } catch (RuntimeException | Error failure) { // that is the user's code; its caller must not wait for that
      message = "";
    }
    return fail(cause.getClass().getName(), message);
  }

  private boolean fail(String type, String message) {
    byte[] text = (type + "\n" + message).getBytes(StandardCharsets.UTF_8);
    int length = Math.min(text.length, slots.replyRoom());
    while (length < text.length && (text[length] & 0xC0) == 0x80) { // in the middle of a character
      length--;
    }
    begin();
    try {
      region.copyFrom(payload(), text, 0, length);
    } catch (InternalError fault) {
      drop();
      throw slots.entry.core().truncated(fault);
    }
    return answer(0, length, 0, STATUS_FAILED);
  }

  private long payload() {
    return slots.reply(slot) + AREA_PAYLOAD;
  }

  private void checkLength(int length) {
    if (length < 0 || length > slots.maxReplyBytes) {
      throw new IllegalArgumentException("length=" + length + ": a reply of endpoint \"" + slots.entry.name()
          + "\" has 0 to " + slots.maxReplyBytes + " bytes");
    }
  }

  /** Begins the answer: from here on to its end nobody else can answer, and the role is not given back. */
  private void begin() {
    if (!stage.compareAndSet(OPEN, ANSWERING)) {
      throw new IllegalStateException(isOver() ? "request " + sequence() + " was answered before"
          : "request " + sequence() + " has an open claim, or is being answered by another thread");
    }
    boolean begun = false;
    try {
      holds = responder.holdFromOutside();
      begun = true;
    } finally {
      if (!begun) {
        end();
      }
    }
  }

  private void letGo() {
    if (holds) {
      responder.letGo();
    }
  }

  /** Gives the answer up; the request is still to be answered. */
  private void drop() {
    letGo();
    stage.set(OPEN); // only now may another thread begin an answer
  }

  private void end() {
    stage.set(OVER);
    clear();
  }

  /** Drops a claim that a handler has left open. */
  void abortClaim() {
    if (writer != null) {
      writer.abort();
    }
  }

  /** Sends what was written, and ends the request. */
  private boolean answer(int start, int length, int type, int status) {
    try {
      responder.checkOurs();
      boolean isInTime = oneWay;
      if (!oneWay) {
        long area = slots.reply(slot);
        region.setLong(area + AREA_START, Integer.toUnsignedLong(start) | (long) length << Integer.SIZE);
        region.setLong(area + AREA_TYPE, Integer.toUnsignedLong(type) | (long) status << Integer.SIZE);
        isInTime = slots.changeReply(slot, before, turn, REPLIED);
      }
      responder.answered(caller, slot, claim, oneWay, isInTime);
      return isInTime;
    } catch (InternalError fault) {
      throw slots.entry.core().truncated(fault);
    } finally {
      end();
      letGo();
      Reference.reachabilityFence(responder);
    }
  }

  /** The reply that is being written in place. */
  private final class ReplyWriter extends ClaimView implements ReplyClaim {
    private int type;
    private int start;
    private int sent;

    ReplyWriter() {
      super(slots.region, slots.dataOffset);
    }

    ReplyClaim claim(int length, int newType) {
      type = newType;
      start = 0;
      sent = length;
      open(payload(), length);
      return this;
    }

    @Override
    public ReplyClaim trim(int newStart, int length) {
      checkOpen();
      Objects.checkFromIndexSize(newStart, length, length());
      start = newStart;
      sent = length;
      return this;
    }

    @Override
    public boolean send() {
      checkOpen();
      super.end();
      return answer(start, sent, type, STATUS_OK);
    }

    private void checkOpen() {
      if (!isOpen()) {
        throw new IllegalStateException("there is nothing to send: the claim was sent or aborted before");
      }
    }

    @Override
    public void abort() {
      if (isOpen()) {
        super.end();
        drop();
      }
    }
  }
}
