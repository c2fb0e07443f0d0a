package io.bywash.engine.call;

import static io.bywash.engine.call.CallLayout.*;
import static io.bywash.engine.call.TestCalls.PATIENCE_NANOS;
import static io.bywash.engine.call.TestCalls.answer;
import static io.bywash.engine.call.TestCalls.assertAnswered;
import static io.bywash.engine.call.TestCalls.content;
import static io.bywash.engine.call.TestCalls.number;
import static io.bywash.engine.call.TestCalls.send;
import static io.bywash.engine.call.TestCalls.take;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Impossible words of one caller or one responder, which are its own affair. */
class DamagedCallTest {
  @RegisterExtension
  final TempBus bus = new TempBus();

  private TestCalls calls() {
    return TestCalls.of(bus.path("segment"));
  }

  // ---- replies

  /** Replies as no responder does: with one byte too many. */
  private static void answerWrongly(TestCalls calls, Request request, int status) {
    Slots slots = Slots.of(calls.elsewhere);
    long slot = slots.slot(request.caller(), slots.index(request.sequence()));
    int most = status == STATUS_OK ? slots.maxReplyBytes : slots.replyRoom();
    slots.region.setLong(slots.reply(slot) + AREA_START, (long) (most + 1) << Integer.SIZE);
    slots.region.setInt(slots.reply(slot) + REPLY_STATUS, status);
    assertTrue(slots.changeReply(slot, slots.replyWord(slot), request.sequence() >>> slots.turnShift, REPLIED));
  }

  @Test
  void aReplyOfImpossibleLengthEndsItsCallAndNoOther() {
    try (TestCalls calls = calls(); Caller caller = calls.caller(); Responder responder = calls.responder()) {
      for (int status : new int[] {STATUS_OK, STATUS_FAILED, STATUS_OK, STATUS_FAILED, STATUS_OK}) {
        Call wrong = send(caller, 1);
        Call right = send(caller, 2);
        Call late = caller.send(content(3), 1);
        answerWrongly(calls, take(responder), status);
        assertTrue(answer(take(responder)));
        assertSame(wrong, caller.poll());
        assertSame(right, caller.poll());
        assertAnswered(right, 2);
        assertSame(late, caller.await(PATIENCE_NANOS));
        assertEquals(CallFailedException.Reason.TIMED_OUT, late.failure());
        assertTrue(wrong.isDone());
        assertNull(wrong.failure());
        assertThrows(DamagedSegmentException.class, wrong::reply);
        assertFalse(wrong.cancel());
        wrong.close();
        right.close();
        late.close();
        assertEquals(0, caller.inFlight());
      }
    }
  }

  @Test
  void aCallWithAReplyOfImpossibleLengthCanBeClosedOrGivenUpWithoutALook() {
    try (TestCalls calls = calls(); Caller caller = calls.caller(); Responder responder = calls.responder()) {
      for (int i = 0; i < 12; i++) {
        try (Call wrong = send(caller, i)) {
          answerWrongly(calls, take(responder), STATUS_OK);
          assertFalse(i % 2 == 0 && wrong.cancel());
        }
        try (Call right = send(caller, i)) {
          assertTrue(answer(take(responder)));
          assertAnswered(right, i);
        }
      }
    }
  }

  @Test
  void aBlockingCallThrowsTheDamageOfItsReplyAndTheNextOneIsAnswered() throws Exception {
    try (TestCalls calls = calls(); Caller caller = calls.caller(); Responder responder = calls.responder()) {
      for (int i = 0; i < 6; i++) {
        int number = i;
        CompletableFuture<Long> call = Threads.supplyAsync(
            () -> number(caller.call(content(number), PATIENCE_NANOS)));
        if (i % 2 == 0) {
          answerWrongly(calls, take(responder), STATUS_OK);
          ExecutionException thrown = assertThrows(ExecutionException.class,
              () -> call.get(PATIENCE_NANOS, TimeUnit.NANOSECONDS));
          assertInstanceOf(DamagedSegmentException.class, thrown.getCause());
        } else {
          assertTrue(answer(take(responder)));
          assertEquals(answer(number), call.get(PATIENCE_NANOS, TimeUnit.NANOSECONDS));
        }
      }
    }
  }

  @Test
  void aClientOutlivesAReplyOfImpossibleLength() throws Exception {
    try (TestCalls calls = calls(); CallClient client = CallClient.open(calls.calls);
        Responder responder = calls.responder()) {
      CompletableFuture<byte[]> wrong = client.callAsync(content(1), PATIENCE_NANOS);
      Request taken = take(responder);
      CompletableFuture<byte[]> right = client.callAsync(content(2), PATIENCE_NANOS);
      answerWrongly(calls, taken, STATUS_OK);
      ExecutionException thrown = assertThrows(ExecutionException.class,
          () -> wrong.get(PATIENCE_NANOS, TimeUnit.NANOSECONDS));
      assertInstanceOf(DamagedSegmentException.class, thrown.getCause());
      assertTrue(answer(take(responder)));
      assertArrayEquals(content(answer(2)), right.get(PATIENCE_NANOS, TimeUnit.NANOSECONDS));
    }
  }

  // ---- requests

  /** Request words that no caller writes, and that do not fit to those beside them. */
  private static final long[] IMPOSSIBLE = {Slots.word(Slots.MAX_TURN + 1, CALL), Slots.word(1L << 61, ONE_WAY),
      Slots.word(7, NOTHING), -1};

  @Test
  void aCallerWithAnImpossibleWordKeepsNobodyFromTheOthersRequests() {
    try (TestCalls calls = calls(); Caller damaged = calls.caller(); Caller sound = calls.caller();
        Responder responder = calls.responder()) {
      Slots slots = Slots.of(calls.calls);
      for (int i = 0; i < 4 * IMPOSSIBLE.length; i++) {
        long slot = slots.slot(0, slots.index(i)); // of the next number, which a caller does not look at
        slots.region.setLong(slot, IMPOSSIBLE[i / 4]);
        Call call = send(sound, i);
        assertEquals(1, answerAll(responder));
        assertAnswered(call, i);
        call.close();
        assertNull(responder.receive());
        assertFalse(responder.isReady());
        try (Call healed = send(damaged, i)) {
          assertTrue(answer(take(responder)));
          assertAnswered(healed, i);
        }
      }
    }
  }

  @Test
  void aCallerThatSendsNothingButImpossibleRequestsKeepsNobodyFromTheOthers() {
    try (TestCalls calls = calls(); Caller wrong = calls.caller(); Caller sound = calls.caller();
        Responder responder = calls.responder()) {
      Slots slots = Slots.of(calls.calls);
      for (int i = 0; i < 20; i++) {
        Call call = send(sound, i);
        int tries = 0;
        do {
          assertTrue(tries++ < 2, "the other one is never served");
          sendWrongly(slots, wrong, i);
          try {
            Request request = responder.receive();
            assertTrue(answer(request));
          } catch (DamagedRequestException passed) {
            assertTrue(passed.getMessage().contains("201 bytes"), passed.getMessage());
          }
        } while (!call.isDone());
        assertAnswered(call, i);
        call.close();
        answerAll(responder);
        assertNull(responder.receive());
      }
    }
  }

  /** Answers what is there; returns how often something was damaged. */
  private static int answerAll(Responder responder) {
    for (int damaged = 0; ; ) {
      try {
        Request request = responder.receive();
        if (request == null) {
          return damaged;
        }
        assertTrue(answer(request));
      } catch (DamagedRequestException passed) {
        damaged++;
      }
    }
  }

  /** Sends a request one way, and makes it too long. */
  private static void sendWrongly(Slots slots, Caller caller, int number) {
    RequestClaim claim = caller.claim(8);
    long slot = caller.inFlight.nextSlot();
    claim.putLong(0, number).commit();
    slots.region.setLong(slot + AREA_START, (long) (slots.maxRequestBytes + 1) << Integer.SIZE);
  }

  @Test
  void aServerGoesOnThoughACallerIsDamaged() {
    try (TestCalls calls = calls(); Caller damaged = calls.caller(); Caller sound = calls.caller();
        CallServer server = CallServer.start(calls.elsewhere, TestCalls::answer, 1)) {
      Slots slots = Slots.of(calls.calls);
      sound.failFast(true);
      for (int i = 0; i < 4 * IMPOSSIBLE.length; i++) {
        slots.region.setLongRelease(slots.slot(0, slots.index(i)), IMPOSSIBLE[i / 4]);
        assertEquals(answer(i), number(sound.call(content(i), PATIENCE_NANOS)));
        assertEquals(answer(i), number(damaged.call(content(i), PATIENCE_NANOS)));
      }
      assertNotNull(server);
    }
  }

  @Test
  void aFreeCallersRoleThatIsDamagedKeepsNobodyFromTheOthers() {
    try (TestCalls calls = calls(); Responder responder = calls.responder()) {
      Slots slots = Slots.of(calls.calls);
      slots.region.setLong(slots.slot(1, 2), Slots.word(9, CALL));
      try (Caller first = calls.caller(); Caller third = calls.caller()) {
        for (Caller caller : new Caller[] {first, third}) {
          try (Call call = send(caller, 1)) {
            assertTrue(answer(take(responder)));
            assertAnswered(call, 1);
          }
        }
        DamagedSegmentException damage = assertThrows(DamagedSegmentException.class, calls::caller);
        assertTrue(damage.getMessage().contains("caller 1"), damage.getMessage());
      }
    }
  }
}
