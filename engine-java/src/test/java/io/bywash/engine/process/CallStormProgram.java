package io.bywash.engine.process;

import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Message;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.call.Call;
import io.bywash.engine.call.Caller;
import io.bywash.engine.call.Endpoint;
import io.bywash.engine.call.Request;
import io.bywash.engine.call.Responder;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import java.util.Random;

/**
 * Arguments: segment, role, seed. Calls or answers, says "ready", and goes on until it is killed. A request names its
 * caller and a number; the reply to it is made of both, so a caller notices one that is torn or not its own.
 */
final class CallStormProgram implements ChildProgram.Optimised {
  static final int WORDS = 12;
  static final SegmentSpec SPEC = SegmentSpec.of(Endpoint.of("calls", WORDS * 8, WORDS * 8).callers(6).slots(8)
      .responders(6).spec()).withParticipantCapacity(32);
  private static final long MIX = 0x9E37_79B9_7F4A_7C15L;
  private static final long SHORT_NANOS = 300_000;
  private static final long LONG_NANOS = 20_000_000_000L;

  private Random random;

  @Override
  public void run(String... arguments) {
    random = new Random(Long.parseLong(arguments[2]));
    try (Segment segment = Segment.attach(Path.of(arguments[0]), 0)) {
      Entry calls = segment.directory().find("calls", Kind.ENDPOINT);
      switch (arguments[1]) {
        case "caller" -> call(calls);
        case "slow" -> answerSlowly(calls);
        default -> answer(calls);
      }
    }
  }

  private void call(Entry entry) {
    long me = ProcessHandle.current().pid() << 32;
    Map<Call, Long> numbers = new HashMap<>();
    try (Caller caller = Caller.open(entry)) {
      ChildProgram.say("ready");
      for (long number = me; ; number++) {
        Call sent = caller.send(request(number), random.nextInt(8) == 0 ? SHORT_NANOS : LONG_NANOS);
        if (sent != null) {
          numbers.put(sent, number);
        }
        if (sent != null && random.nextInt(32) == 0) {
          sent.cancel();
        }
        for (Call done; (done = sent == null ? caller.await(LONG_NANOS) : caller.poll()) != null; sent = done) {
          long expected = numbers.remove(done);
          if (done.failure() == null) {
            check(done.reply(), expected);
          }
          done.close();
        }
      }
    }
  }

  static byte[] request(long number) {
    java.nio.ByteBuffer bytes = java.nio.ByteBuffer.allocate(WORDS * 8).order(java.nio.ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < WORDS; i++) {
      bytes.putLong(number + i);
    }
    return bytes.array();
  }

  /** Whether a message is the reply to the request of that number. */
  static void check(Message reply, long number) {
    for (int i = 0; i < WORDS; i++) {
      if (reply.length() != WORDS * 8 || reply.getLong(i * 8) != (number + i) * MIX) {
        throw new AssertionError("word " + i + " of the reply to request " + number + " is that to request "
            + reply.getLong(i * 8) * inverse());
      }
    }
  }

  /** Of the odd factor, modulo 2^64, by Newton's method. */
  private static long inverse() {
    long inverse = MIX;
    for (int i = 0; i < 6; i++) {
      inverse *= 2 - MIX * inverse;
    }
    return inverse;
  }

  static boolean answer(Request request) {
    long number = request.getLong(0);
    for (int i = 0; i < WORDS; i++) {
      if (request.getLong(i * 8) != number + i && !request.isCancelled()) {
        throw new AssertionError("word " + i + " of request " + number + " is " + request.getLong(i * 8));
      }
    }
    var claim = request.claimReply(WORDS * 8);
    for (int i = 0; i < WORDS; i++) {
      claim.putLong(i * 8, (number + i) * MIX);
    }
    return claim.send();
  }

  /** Takes its time in the middle of a request and of a reply, to be stopped there. */
  private void answerSlowly(Entry entry) {
    try (Responder responder = Responder.open(entry)) {
      ChildProgram.say("ready");
      while (true) {
        Request request = responder.receive(LONG_NANOS);
        if (request != null) {
          var claim = request.claimReply(WORDS * 8);
          for (int i = 0; i < WORDS; i++) {
            claim.putLong(i * 8, (request.getLong(0) + i) * MIX);
            spin(random.nextInt(100_000));
          }
          claim.send();
        }
      }
    }
  }

  static void spin(long nanos) {
    long start = System.nanoTime();
    while (System.nanoTime() - start < nanos) {
      Thread.onSpinWait();
    }
  }

  /** Answers, now and then later than others. */
  private void answer(Entry entry) {
    Queue<Request> later = new ArrayDeque<>();
    try (Responder responder = Responder.open(entry)) {
      ChildProgram.say("ready");
      while (true) {
        Request request = responder.receive(later.isEmpty() ? LONG_NANOS : 0);
        if (request != null && random.nextInt(4) == 0 && later.size() < 4) {
          later.add(request);
        } else if (request != null) {
          answer(request);
        } else if (!later.isEmpty()) {
          answer(later.remove());
        }
      }
    }
  }
}
