package io.bywash.samples.calls;

import io.bywash.engine.call.ReplyClaim;
import io.bywash.engine.call.Request;
import io.bywash.engine.call.Responder;
import io.bywash.samples.calls.wire.Ask;
import io.bywash.samples.calls.wire.Work;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/** Answers requests, in several threads at one time, and counts what it gets. Host and guest have one each. */
final class Answering implements Responder.Handler {
  private final LongAdder received = new LongAdder();
  private final LongAdder intact = new LongAdder();
  private final AtomicInteger inside = new AtomicInteger();
  private final AtomicInteger mostInside = new AtomicInteger();
  private final AtomicBoolean spoilsNext;

  /** {@code spoilsOne}: one answer is wrong. */
  Answering(boolean spoilsOne) {
    spoilsNext = new AtomicBoolean(spoilsOne);
  }

  /** How many requests with a payload it got. */
  long received() {
    return received.sum();
  }

  /** How many of them had the payload that they should. */
  long intact() {
    return intact.sum();
  }

  @Override
  public void onRequest(Request request) {
    Ask ask = Wire.ask(request); // not a copy: it reads the request's slot
    switch (ask.work()) {
      case Work.INVERT -> {
        received.increment();
        intact.add(Traffic.isPayload(ask.payloadAsByteBuffer(), ask.id(), false) ? 1 : 0);
        boolean spoils = spoilsNext.get() && ask.payloadLength() > 0 && spoilsNext.compareAndSet(true, false);
        answer(request, ask, 0, spoils ? 1 : -1);
      }
      case Work.MEET -> answer(request, ask, meet(request, ask.together()), -1);
      // Whatever a handler throws, the caller gets.
      default -> throw new UnsupportedOperationException("request " + ask.id() + " is one that fails");
    }
  }

  private static void answer(Request request, Ask ask, int inside, int flip) {
    try (ReplyClaim claim = request.claimReply(Traffic.MAX_BYTES)) {
      Wire.answer(claim, ask, inside, flip).send(); // false when it is too late: that is counted by the endpoint
    }
  }

  /** Stays here until so many requests are here, or the caller has given up. Returns how many were. */
  private int meet(Request request, int together) {
    mostInside.accumulateAndGet(inside.incrementAndGet(), Math::max);
    while (mostInside.get() < together && !request.isCancelled()) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
    }
    inside.decrementAndGet();
    return mostInside.get();
  }
}
