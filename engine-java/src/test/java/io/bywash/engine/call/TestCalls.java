package io.bywash.engine.call;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Message;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.inspect.Verification;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** A segment with an endpoint, attached twice, as two processes would; requests and replies are numbers. */
final class TestCalls implements AutoCloseable {
  static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(100);
  /** Long enough for the thread that gives up, and no wait for anybody else. */
  static final long SOON_NANOS = 1_000_000;
  static final String NAME = "calls";
  static final int MAX_REQUEST = 200;
  static final int MAX_REPLY = 150;

  final Segment first;
  final Segment second;
  final Entry calls;
  final Entry elsewhere;

  private TestCalls(Path file, EntrySpec spec) {
    first = Segment.create(file, SegmentSpec.of(spec));
    second = Segment.attach(file, 0);
    calls = first.directory().find(NAME).orElseThrow();
    elsewhere = second.directory().find(NAME).orElseThrow();
  }

  static Endpoint endpoint() {
    return Endpoint.of(NAME, MAX_REQUEST, MAX_REPLY).callers(3).slots(4).responders(3);
  }

  static TestCalls of(Path file) {
    return of(file, endpoint());
  }

  static TestCalls of(Path file, Endpoint endpoint) {
    return new TestCalls(file, endpoint.spec());
  }

  /** Waits for a segment's end: a client's thread ends a moment after its close, and the segment with it. */
  static void awaitEnd(Path file) {
    for (long start = System.nanoTime(); Files.exists(file) && System.nanoTime() - start < PATIENCE_NANOS; ) {
      LockSupport.parkNanos(1_000_000);
    }
  }

  Caller caller() {
    return Caller.open(calls);
  }

  Responder responder() {
    return Responder.open(elsewhere);
  }

  /** A request or reply of any length that says which number it has. */
  static byte[] content(long number) {
    byte[] bytes = new byte[8 + (int) Math.floorMod(number * 7, 140L)];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = i < 8 ? (byte) (number >>> 8 * i) : (byte) (number + i);
    }
    return bytes;
  }

  /** The number of a whole message. */
  static long number(Message message) {
    long number = message.getLong(0);
    byte[] bytes = message.toBytes();
    org.junit.jupiter.api.Assertions.assertArrayEquals(content(number), bytes);
    return number;
  }

  /** The reply to a request with that number. */
  static long answer(long number) {
    return number * 3 + 1;
  }

  static Call send(Caller caller, long number) {
    Call call = caller.send(content(number), PATIENCE_NANOS);
    assertNotNull(call, "all slots are in use");
    return call;
  }

  static Request take(Responder responder) {
    Request request = responder.receive(PATIENCE_NANOS);
    assertNotNull(request, "no request comes");
    return request;
  }

  static boolean answer(Request request) {
    return request.reply(content(answer(number(request))));
  }

  static void assertAnswered(Call call, long number) {
    assertTrue(call.isDone());
    assertEquals(answer(number), number(call.reply()));
  }

  static CallFailedException assertFailed(Call call, CallFailedException.Reason reason) {
    assertTrue(call.isDone());
    CallFailedException failure = assertThrows(CallFailedException.class, call::reply);
    assertEquals(reason, failure.reason(), failure.getMessage());
    return failure;
  }

  EndpointStatus status() {
    return EndpointStatus.of(calls);
  }

  void assertSound() {
    assertEquals(List.of(), Verification.of(first));
  }

  @Override
  public void close() {
    second.close();
    first.close();
  }
}
