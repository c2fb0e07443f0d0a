package io.bywash.samples.calls;

import static java.util.concurrent.TimeUnit.SECONDS;

import io.bywash.engine.Entry;
import io.bywash.engine.call.Call;
import io.bywash.engine.call.Caller;
import io.bywash.engine.call.RequestClaim;
import io.bywash.samples.calls.Traffic.Figures;
import io.bywash.samples.calls.wire.Answer;
import io.bywash.samples.calls.wire.Work;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** Calls an endpoint many times, and checks each answer. The host has one, and so has the guest. */
final class Calling implements AutoCloseable {
  /** How long a call may take. Who was killed has to be started again in that time. */
  static final long TIMEOUT_NANOS = SECONDS.toNanos(60);

  private record Sent(long id, long nanos) {}

  private final Caller caller;
  private final Map<Long, Sent> inFlight = new HashMap<>();
  private volatile long answered;

  Calling(Entry endpoint) {
    caller = Caller.open(endpoint);
  }

  /** How many answers came ever. For other threads. */
  long answered() {
    return answered;
  }

  /**
   * Makes so many calls, with so many of them in flight at one time.
   *
   * @throws io.bywash.engine.call.CallFailedException when one of them gets no answer
   */
  Figures call(long firstId, int calls, int mostInFlight) {
    long[] latenciesNanos = new long[calls];
    int sent = 0;
    int right = 0;
    long bytes = 0;
    long start = System.nanoTime();
    for (int done = 0; done < calls; done++) {
      while (sent < calls && inFlight.size() < mostInFlight && send(firstId + sent)) {
        sent++;
      }
      try (Call call = caller.await(TIMEOUT_NANOS)) { // the next one that is done, in any order
        Sent request = inFlight.remove(call.number());
        Answer answer = Wire.answer(call.reply()); // not a copy: it is valid until the call is closed
        if (answer.id() == request.id && Traffic.isPayload(answer.payloadAsByteBuffer(), request.id, true)) {
          right++;
        }
        bytes += Traffic.payloadLength(request.id) + answer.payloadLength();
        latenciesNanos[done] = System.nanoTime() - request.nanos;
        answered++;
      }
    }
    long nanos = System.nanoTime() - start;
    Arrays.sort(latenciesNanos);
    return new Figures(calls, right, bytes, nanos, percentile(latenciesNanos, 50), percentile(latenciesNanos, 99));
  }

  /** False when all slots are in use. */
  private boolean send(long id) {
    long now = System.nanoTime();
    try (RequestClaim claim = caller.claim(caller.maxRequestBytes())) {
      if (claim == null) {
        return false;
      }
      Call call = Wire.ask(claim, id, Work.INVERT, 0).send(TIMEOUT_NANOS);
      inFlight.put(call.number(), new Sent(id, now));
      return true;
    }
  }

  private static long percentile(long[] sorted, int percent) {
    return sorted.length == 0 ? 0 : sorted[(int) ((sorted.length - 1L) * percent / 100)];
  }

  @Override
  public void close() {
    caller.close();
  }
}
