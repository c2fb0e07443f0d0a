package io.bywash.engine.call;

import static io.bywash.engine.call.CallLayout.*;

import io.bywash.engine.internal.record.ClaimView;
import io.bywash.engine.record.RecordType;
import java.lang.ref.Reference;
import java.util.Objects;

/** The request that a caller writes. */
final class RequestWriter extends ClaimView implements RequestClaim {
  private final CallerRole caller;
  private final Slots slots;
  private int type;
  private int start;
  private int sent;
  /** Whether the claim is open only because a record is written. */
  private boolean writing;

  RequestWriter(CallerRole caller, Slots slots) {
    super(slots.region, slots.dataOffset);
    this.caller = caller;
    this.slots = slots;
  }

  /** Opens a claim on the payload of a slot. */
  RequestClaim open(long slot, int length, int newType) {
    type = newType;
    start = 0;
    sent = length;
    open(slot + AREA_PAYLOAD, length);
    return this;
  }

  boolean isWriting() {
    return isOpen();
  }

  /** Whether a record's own code runs. */
  boolean isInRecord() {
    return writing;
  }

  /** Writes a record to a slot. A claim without bytes is open while the record's own code runs. */
  <T> void write(long slot, RecordType<T> recordType, T record) {
    openEmpty();
    writing = true;
    boolean unused = false;
    try {
      recordType.write(slots.region, slot + AREA_PAYLOAD, record);
    } catch (InternalError fault) {
      throw slots.entry.core().truncated(fault);
    } finally {
      writing = false;
      unused = endEmpty();
    }
    if (!unused) {
      caller.checkUsable();
      throw new IllegalStateException("the record has used the caller that was about to send it");
    }
  }

  @Override
  public RequestClaim trim(int newStart, int length) {
    checkOpen();
    Objects.checkFromIndexSize(newStart, length, length());
    start = newStart;
    sent = length;
    return this;
  }

  @Override
  public Call send(long timeoutNanos) {
    CallerRole.checkTimeout(timeoutNanos);
    checkOpen();
    end();
    try {
      return caller.send(start, sent, type, timeoutNanos);
    } finally {
      caller.exit();
      Reference.reachabilityFence(caller);
    }
  }

  @Override
  public void commit() {
    checkOpen();
    end();
    try {
      caller.inFlight.sendOneWay(start, sent, type);
    } finally {
      caller.exit();
      Reference.reachabilityFence(caller);
    }
  }

  private void checkOpen() {
    if (!isOpen() || writing) {
      throw new IllegalStateException("there is nothing to send: the claim was sent or aborted before");
    }
  }

  @Override
  public void abort() {
    if (writing) {
      spoilEmpty();
    } else if (isOpen()) {
      end();
      caller.exit();
    }
  }
}
