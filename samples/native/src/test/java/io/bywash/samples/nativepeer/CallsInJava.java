package io.bywash.samples.nativepeer;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.Message;
import io.bywash.engine.Segment;
import io.bywash.engine.call.Call;
import io.bywash.engine.call.CallFailedException.Reason;
import io.bywash.engine.call.Caller;
import io.bywash.engine.call.Endpoint;
import io.bywash.engine.call.ReplyClaim;
import io.bywash.engine.call.Request;
import io.bywash.engine.call.RequestClaim;
import io.bywash.engine.call.Responder;
import io.bywash.engine.wait.WaitPolicy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * The Java side of calls whose other side is {@code calls.c}: a request is a message of {@link Numbered}, its reply the
 * message {@link #replyTo}, and both have a type that depends on the request's number.
 */
final class CallsInJava {
  static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);

  private CallsInJava() {}

  /** As in JUnit, which processes that are killed do not have. */
  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new AssertionError(otherwise);
    }
  }

  static Endpoint endpoint(String name) {
    return Endpoint.of(name, Numbered.MAX_LENGTH, Numbered.MAX_LENGTH).callers(4).slots(16).responders(4);
  }

  static EntrySpec plain() {
    return endpoint("plain").spec();
  }

  static EntrySpec redelivered() {
    return endpoint("again").redelivers().spec();
  }

  static Caller caller(Segment segment, String entry, WaitPolicy policy) {
    return Caller.open(segment.directory().find(entry, Kind.ENDPOINT), policy);
  }

  static Responder responder(Segment segment, String entry, WaitPolicy policy) {
    return Responder.open(segment.directory().find(entry, Kind.ENDPOINT), policy);
  }

  static long replyTo(long number) {
    return 3 * number + 1;
  }

  /** Sends request {@code number}, and null when all slots are in use; every second one is written in place. */
  static Call send(Caller caller, long number) {
    byte[] bytes = Numbered.message(number);
    if (number % 2 == 0) {
      return caller.send(bytes, 0, bytes.length, (int) number, PATIENCE_NANOS);
    }
    try (RequestClaim claim = caller.claim(caller.maxRequestBytes(), (int) number)) {
      if (claim == null) {
        return null;
      }
      int start = claim.length() - bytes.length;
      claim.putBytes(start, bytes, 0, bytes.length);
      return claim.trim(start, bytes.length).send(PATIENCE_NANOS);
    }
  }

  static void checkReply(Message reply, long number) {
    require(replyTo(number) == Numbered.check(reply.toBytes()) && reply.type() == (int) number,
        "the reply to another request than " + number);
  }

  /** Makes so many calls, as many at one time as it can, and cancels some. How many ended out of order. */
  static long callAll(Caller caller, long first, long count) {
    Map<Long, Long> asked = new HashMap<>();
    long next = first;
    long outOfOrder = 0;
    long last = 0;
    for (long done = 0; done < count; done++) {
      for (Call call; next < first + count && (call = send(caller, next)) != null; ) {
        asked.put(call.number(), next++);
        if (next % 97 == 0) {
          call.cancel();
        }
      }
      try (Call call = caller.await(PATIENCE_NANOS)) {
        require(call != null, "a call has no end");
        long number = asked.remove(call.number());
        if (call.failure() != Reason.CANCELLED) {
          checkReply(call.reply(), number);
        }
        outOfOrder += call.number() < last ? 1 : 0;
        last = call.number();
      }
    }
    return outOfOrder;
  }

  /** The number of a request, which has to be whole. */
  static long asked(Request request) {
    long number = Numbered.check(request.toBytes());
    require(request.type() == (int) number, "request " + number + " has type " + request.type());
    return number;
  }

  /** Answers a request; false when it was too late. */
  static boolean answer(Request request) {
    long number = asked(request);
    byte[] bytes = Numbered.message(replyTo(number));
    if (number % 2 == 0) {
      return request.reply(bytes, 0, bytes.length, (int) number);
    }
    try (ReplyClaim claim = request.claimReply(Numbered.MAX_LENGTH, (int) number)) {
      int start = claim.length() - bytes.length;
      claim.putBytes(start, bytes, 0, bytes.length);
      return claim.trim(start, bytes.length).send();
    }
  }

  /** Answers requests in any order, with up to {@code most} in its hands, as long as it is to go on. */
  static void serve(Responder responder, int most, BooleanSupplier goesOn) {
    List<Request> held = new ArrayList<>();
    while (goesOn.getAsBoolean()) {
      Request request = responder.receive(held.isEmpty() ? TimeUnit.MILLISECONDS.toNanos(100) : 0);
      if (request != null) {
        held.add(request);
      }
      if (!held.isEmpty() && (request == null || held.size() == most)) {
        answer(held.remove(ThreadLocalRandom.current().nextInt(held.size())));
      }
    }
    held.forEach(CallsInJava::answer);
  }
}
