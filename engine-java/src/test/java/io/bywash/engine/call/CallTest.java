package io.bywash.engine.call;

import static io.bywash.engine.call.TestCalls.PATIENCE_NANOS;
import static io.bywash.engine.call.TestCalls.answer;
import static io.bywash.engine.call.TestCalls.assertAnswered;
import static io.bywash.engine.call.TestCalls.assertFailed;
import static io.bywash.engine.call.TestCalls.content;
import static io.bywash.engine.call.TestCalls.number;
import static io.bywash.engine.call.TestCalls.send;
import static io.bywash.engine.call.TestCalls.take;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Message;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.call.CallFailedException.Reason;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Requests, replies and failures, as both sides see them. */
class CallTest {
  @RegisterExtension
  final TempBus bus = new TempBus();

  private TestCalls calls() {
    return TestCalls.of(bus.path("segment"));
  }

  @Test
  void aBlockingCallGetsItsReply() throws Exception {
    try (TestCalls calls = calls(); Threads threads = new Threads()) {
      threads.start("responder", () -> {
        try (Responder responder = calls.responder()) {
          for (int done = 0; done < 300; ) {
            done += responder.poll(TestCalls::answer, 10, PATIENCE_NANOS);
          }
        }
      });
      try (Caller caller = calls.caller()) {
        for (int i = 0; i < 300; i++) {
          assertEquals(answer(i), number(caller.call(content(i), PATIENCE_NANOS)));
        }
        assertTrue(calls.status().latencyNanos() > 0);
      }
      threads.join();
      calls.assertSound();
      assertEquals(300, calls.status().sentCount());
      assertEquals(300, calls.status().repliedCount());
    }
  }

  @Test
  void repliesComeInTheOrderInWhichTheyAreSentAndEachReachesItsCall() {
    try (TestCalls calls = calls(); Caller caller = calls.caller(); Responder responder = calls.responder()) {
      for (int round = 0; round < 20; round++) {
        List<Call> sent = new ArrayList<>();
        List<Request> taken = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
          sent.add(send(caller, round * 10 + i));
          taken.add(take(responder));
        }
        assertNull(caller.send(content(99), PATIENCE_NANOS), "all slots are in use");
        for (int i : new int[] {2, 0, 3, 1}) {
          assertNull(caller.poll());
          assertTrue(answer(taken.get(i)));
          try (Call done = caller.poll()) {
            assertSame(sent.get(i), done);
            assertAnswered(done, round * 10 + i);
          }
        }
      }
      calls.assertSound();
    }
  }

  @Test
  void requestsAreTakenInTheOrderInWhichTheyWereSent() {
    try (TestCalls calls = calls(); Caller caller = calls.caller(); Responder one = calls.responder();
        Responder other = calls.responder()) {
      for (int i = 0; i < 4; i++) {
        send(caller, i);
      }
      assertEquals(0, number(take(one)));
      assertEquals(1, number(take(other)));
      assertEquals(2, number(take(other)));
      assertEquals(3, number(take(one)));
      assertNull(one.receive());
      assertNull(other.receive());
    }
  }

  @Test
  void aCallThatNobodyAnswersTimesOutAndItsLateReplyReachesNoOther() {
    try (TestCalls calls = calls(); Caller caller = calls.caller(); Responder responder = calls.responder()) {
      for (int i = 0; i < 30; i++) {
        Call given = caller.send(content(i), TestCalls.SOON_NANOS);
        Request late = take(responder);
        assertFailed(caller.await(PATIENCE_NANOS), Reason.TIMED_OUT);
        assertTrue(late.isCancelled());
        Call next = send(caller, 1_000 + i);
        assertFalse(answer(late), "it is too late");
        assertTrue(answer(take(responder)));
        assertSame(next, caller.await(PATIENCE_NANOS));
        assertAnswered(next, 1_000 + i);
        next.close();
        given.close();
      }
      assertEquals(30, calls.status().missedCount());
      assertEquals(30, calls.status().lateCount());
      assertEquals(0, calls.status().quarantinedCount());
      calls.assertSound();
    }
  }

  @Test
  void aSlotWhoseResponderIsLateIsLeftInPeaceUntilItHasFinished() {
    try (TestCalls calls = calls(); Caller caller = calls.caller(); Responder responder = calls.responder()) {
      Call given = caller.send(content(5), TestCalls.SOON_NANOS);
      Request late = take(responder);
      assertFailed(caller.await(PATIENCE_NANOS), Reason.TIMED_OUT);
      given.close();
      ReplyClaim claim = late.claimReply(100); // it is about to write its reply
      assertEquals(1, calls.status().quarantinedCount());
      for (int i = 0; i < 20; i++) { // the other three slots are enough, and the numbers skip that one
        Call call = send(caller, i);
        for (int at = 0; at < 100; at++) {
          claim.putByte(at, (byte) 0xEE);
        }
        assertTrue(answer(take(responder)));
        assertAnswered(call, i);
        call.close();
      }
      assertFalse(claim.send());
      assertEquals(0, calls.status().quarantinedCount());
      List<Call> all = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        all.add(send(caller, i));
      }
      assertEquals(4, all.size(), "its slot is used again");
      calls.assertSound();
    }
  }

  @Test
  void aCancelledCallIsNotTakenAndOneThatWasTakenKnows() {
    try (TestCalls calls = calls(); Caller caller = calls.caller(); Responder responder = calls.responder()) {
      Call before = send(caller, 1);
      assertTrue(before.cancel());
      assertFailed(before, Reason.CANCELLED);
      assertNull(responder.receive());
      Call after = send(caller, 2);
      Request request = take(responder);
      assertFalse(request.isCancelled());
      assertTrue(after.cancel());
      assertTrue(request.isCancelled());
      assertFalse(answer(request));
      Call answered = send(caller, 3);
      assertTrue(answer(take(responder)));
      assertFalse(answered.cancel(), "its reply is there");
      assertAnswered(answered, 3);
    }
  }

  @Test
  void aClosedCallSeesNothingOfTheNextOneInItsSlot() {
    try (TestCalls calls = TestCalls.of(bus.path("segment"), TestCalls.endpoint().slots(1));
        Caller caller = calls.caller(); Responder responder = calls.responder()) {
      Call old = send(caller, 1);
      answer(take(responder));
      Message reply = old.reply();
      old.close();
      Call young = send(caller, 2);
      answer(take(responder));
      assertThrows(IllegalStateException.class, old::reply);
      assertThrows(IndexOutOfBoundsException.class, () -> reply.getLong(0));
      assertFalse(old.cancel());
      old.close();
      assertAnswered(young, 2);
    }
  }

  @Test
  void aHandlerThatFailsFailsTheCallWithItsTypeAndMessage() throws Exception {
    try (TestCalls calls = calls(); Threads threads = new Threads()) {
      threads.start("responder", () -> {
        try (Responder responder = calls.responder()) {
          Responder.Handler handler = request -> {
            switch ((int) number(request)) {
              case 0 -> throw new java.io.IOException("no such price: \u20ac");
              case 1 -> request.reply(new byte[TestCalls.MAX_REPLY + 1]);
              case 2 -> { }
              case 3 -> request.fail("not today");
              case 4 -> request.claimReply(8).putLong(0, 9);
              case 5 -> throw new IllegalStateException("\u20ac".repeat(1_000));
              default -> answer(request);
            }
          };
          for (int done = 0; done < 7; ) {
            done += responder.poll(handler, 10, PATIENCE_NANOS);
          }
        }
      });
      try (Caller caller = calls.caller()) {
        CallFailedException thrown = failure(caller, 0);
        assertEquals("java.io.IOException", thrown.remoteType());
        assertEquals("no such price: \u20ac", thrown.remoteMessage());
        CallFailedException tooLarge = failure(caller, 1);
        assertEquals("java.lang.IllegalArgumentException", tooLarge.remoteType());
        assertTrue(tooLarge.remoteMessage().contains("length=151") && tooLarge.remoteMessage().contains("150"),
            tooLarge.remoteMessage());
        assertTrue(failure(caller, 2).remoteMessage().contains("without an answer"));
        assertEquals("not today", failure(caller, 3).remoteMessage());
        assertTrue(failure(caller, 4).remoteMessage().contains("without an answer"));
        assertTrue(failure(caller, 5).remoteMessage().matches("\u20ac+"), "cut off between two characters");
        assertEquals(answer(6), number(caller.call(content(6), PATIENCE_NANOS)));
      }
      threads.join();
    }
  }

  private static CallFailedException failure(Caller caller, long number) {
    CallFailedException failure =
        assertThrows(CallFailedException.class, () -> caller.call(content(number), PATIENCE_NANOS));
    assertEquals(Reason.HANDLER_FAILED, failure.reason());
    return failure;
  }

  @Test
  void aCallWhoseResponderLeavesFails() {
    try (TestCalls calls = calls(); Caller caller = calls.caller()) {
      Call call;
      try (Responder responder = calls.responder()) {
        assertTrue(caller.hasResponder());
        call = send(caller, 1);
        take(responder);
        assertFalse(call.isDone());
      }
      assertFalse(caller.hasResponder());
      assertSame(call, caller.await(PATIENCE_NANOS));
      assertFailed(call, Reason.RESPONDER_GONE);
      call.close();
      Call next = send(caller, 2); // waits for a responder, by default
      try (Responder responder = calls.responder()) {
        assertTrue(answer(take(responder)));
      }
      assertAnswered(next, 2);
    }
  }

  @Test
  void aRequestWhoseResponderLeavesGoesToAnotherIfTheEndpointSaysSo() {
    try (TestCalls calls = TestCalls.of(bus.path("segment"), TestCalls.endpoint().redelivers());
        Caller caller = calls.caller()) {
      Call call = send(caller, 1);
      Request left;
      try (Responder responder = calls.responder()) {
        left = take(responder);
      }
      assertFalse(call.isDone());
      try (Responder other = calls.responder()) {
        assertTrue(answer(take(other)));
        assertThrows(SegmentClosedException.class, () -> left.reply(content(7)));
        assertAnswered(call, 1);
        call.close();
        assertNull(other.receive(), "it was answered");
      }
      calls.assertSound();
    }
  }

  @Test
  void aCallFailsAtOnceWhenNobodyAnswersIfTheCallerDoesNotWait() {
    try (TestCalls calls = calls(); Caller caller = calls.caller()) {
      caller.failFast(true);
      Call failed = send(caller, 1);
      assertFailed(failed, Reason.NO_RESPONDER);
      assertThrows(CallFailedException.class, () -> caller.call(content(1), PATIENCE_NANOS));
      Call pending;
      try (Responder _ = calls.responder()) {
        pending = send(caller, 2);
        assertFalse(pending.isDone());
        assertTrue(failed.number() < 0 && pending.number() > 0);
      }
      assertFailed(pending, Reason.NO_RESPONDER);
      assertNotEquals(failed.number(), send(caller, 3).number());
    }
  }

  @Test
  void oneWayRequestsOutliveTheirCallersRoleAndAreNotAnswered() {
    try (TestCalls calls = calls(); Responder responder = calls.responder()) {
      try (Caller caller = calls.caller()) {
        for (int i = 0; i < 4; i++) {
          assertTrue(caller.sendOneWay(content(i)));
        }
        assertFalse(caller.sendOneWay(content(9)), "all slots are in use");
      }
      try (Caller successor = calls.caller()) {
        assertNull(successor.send(content(5), PATIENCE_NANOS), "its slots still have requests");
        for (int i = 0; i < 4; i++) {
          Request request = take(responder);
          assertTrue(request.isOneWay());
          assertEquals(i, number(request));
          assertTrue(request.reply(content(1)));
        }
        Call call = send(successor, 7);
        assertTrue(answer(take(responder)));
        assertAnswered(call, 7);
      }
      calls.assertSound();
    }
  }

  @Test
  void aClosedCallersCallsAreCancelledAndItsSuccessorSeesNoneOfTheirReplies() {
    try (TestCalls calls = calls(); Responder responder = calls.responder()) {
      Request late;
      try (Caller caller = calls.caller()) {
        send(caller, 1);
        late = take(responder);
        send(caller, 2);
      }
      assertTrue(late.isCancelled());
      assertNull(responder.receive(), "nobody waits for it");
      try (Caller successor = calls.caller()) {
        Call call = send(successor, 3);
        assertFalse(answer(late));
        assertTrue(answer(take(responder)));
        assertAnswered(call, 3);
      }
    }
  }

  @Test
  void requestsAndRepliesAreWrittenAndReadInPlaceWhereverTheyBegin() {
    try (TestCalls calls = calls(); Caller caller = calls.caller(); Responder responder = calls.responder()) {
      for (int length = 0; length < 40; length++) {
        RequestClaim claim = caller.claim(TestCalls.MAX_REQUEST, length);
        ByteBuffer end = claim.asSegment().asByteBuffer();
        for (int i = 0; i < length; i++) {
          end.put(TestCalls.MAX_REQUEST - length + i, (byte) i);
        }
        Call call = claim.trim(TestCalls.MAX_REQUEST - length, length).send(PATIENCE_NANOS);
        Request request = take(responder);
        assertEquals(length, request.length());
        assertEquals(length, request.type());
        assertEquals(length, request.asSegment().byteSize());
        ReplyClaim reply = request.claimReply(TestCalls.MAX_REPLY, -length);
        for (int i = 0; i < length; i++) {
          reply.putByte(i + 3, request.getByte(i));
        }
        assertTrue(reply.trim(3, length).send());
        assertEquals(length, call.reply().length());
        assertEquals(-length, call.reply().type());
        for (int i = 0; i < length; i++) {
          assertEquals(i, call.reply().getByte(i));
        }
        call.close();
      }
      calls.assertSound();
    }
  }

  @Test
  void workersHandleSeveralRequestsAtOneTime() throws Exception {
    try (TestCalls calls = calls(); Caller caller = calls.caller()) {
      java.util.concurrent.CountDownLatch inside = new java.util.concurrent.CountDownLatch(3);
      Responder.Handler handler = request -> {
        inside.countDown();
        assertTrue(inside.await(PATIENCE_NANOS, java.util.concurrent.TimeUnit.NANOSECONDS));
        answer(request);
      };
      CallServer server = CallServer.start(calls.elsewhere, handler, 3);
      try (server) {
        for (int i = 0; i < 3; i++) {
          send(caller, i);
        }
        for (int i = 0; i < 3; i++) {
          Call done = caller.await(PATIENCE_NANOS);
          assertNotNull(done);
          assertAnswered(done, number(done.reply()) / 3);
          done.close();
        }
      }
      server.awaitEnd();
      assertFalse(caller.hasResponder());
    }
  }
}
