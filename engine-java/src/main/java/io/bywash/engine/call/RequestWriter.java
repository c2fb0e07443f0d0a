package io.bywash.engine.call;

import static io.bywash.engine.call.CallLayout.*;

import io.bywash.engine.internal.record.ClaimView;
import java.lang.ref.Reference;
import java.util.Objects;

/** The request that a caller writes. */
final class RequestWriter extends ClaimView implements RequestClaim {
  private final Caller caller;
  private int type;
  private int start;
  private int sent;

  RequestWriter(Caller caller, Slots slots) {
    super(slots.region, slots.dataOffset);
    this.caller = caller;
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

  /** Opens a claim without bytes, while the code of a record runs. */
  void beginRecord() {
    openEmpty();
  }

  boolean endRecord() {
    return endEmpty();
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
    Caller.checkTimeout(timeoutNanos);
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
      caller.sendOneWay(start, sent, type);
    } finally {
      caller.exit();
      Reference.reachabilityFence(caller);
    }
  }

  private void checkOpen() {
    if (!isOpen()) {
      throw new IllegalStateException("there is nothing to send: the claim was sent or aborted before");
    }
  }

  @Override
  public void abort() {
    if (isOpen()) {
      end();
      caller.exit();
    }
  }
}
