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
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.TempBus;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Roles of an endpoint that end in the middle of something. */
class CallEndTest {
  @RegisterExtension
  final TempBus bus = new TempBus();

  private TestCalls calls() {
    return TestCalls.of(bus.path("segment"));
  }

  @Test
  void aRequestThatIsSentAfterItsCallerWasRevokedIsNotSentAndTheNextCallerUsesTheSlot() {
    try (TestCalls calls = calls(); Responder responder = calls.responder()) {
      for (boolean oneWay : new boolean[] {false, true}) {
        Caller caller = calls.caller();
        RequestClaim claim = caller.claim(8);
        caller.revoke();
        assertThrows(SegmentClosedException.class, () -> {
          if (oneWay) {
            claim.commit();
          } else {
            claim.send(PATIENCE_NANOS);
          }
        });
        caller.close();
        assertNull(responder.receive());
        try (Caller successor = calls.caller()) {
          for (int i = 0; i < 8; i++) {
            try (Call call = send(successor, i)) {
              assertTrue(answer(take(responder)));
              assertAnswered(call, i);
            }
          }
        }
      }
      calls.assertSound();
    }
  }

  @Test
  void aDeadlineIsKeptThoughEachLookFindsTheReplyToAnotherCall() {
    try (TestCalls calls = calls(); Caller caller = calls.caller(); Responder responder = calls.responder()) {
      Call stuck = caller.send(content(1), TestCalls.SOON_NANOS);
      take(responder);
      Call done;
      long start = System.nanoTime();
      do {
        assertTrue(System.nanoTime() - start < PATIENCE_NANOS, "the deadline has passed");
        Call call = send(caller, 2);
        assertTrue(answer(take(responder)));
        done = caller.poll();
        call.close();
      } while (done != stuck);
      assertFailed(stuck, CallFailedException.Reason.TIMED_OUT);
    }
  }

  @Test
  void anOpenClaimKeepsThePlaceOfARevokedCallerWhateverItsThreadDoesMeanwhile() {
    try (TestCalls calls = calls(); Caller caller = calls.caller()) {
      Call call = send(caller, 1);
      RequestClaim claim = caller.claim(8);
      assertFalse(call.isDone());
      assertNull(caller.poll());
      caller.revoke();
      assertThrows(SegmentClosedException.class, caller::poll);
      assertThrows(SegmentClosedException.class, call::isDone);
      assertFalse(caller.isGivenBack());
      claim.putLong(0, 1);
      claim.abort();
      assertTrue(caller.isGivenBack());
      calls.assertSound();
    }
  }

  @Test
  void aOneWayRequestThatIsToBeRedeliveredKeepsItsSlotAndItsBytes() {
    try (TestCalls calls = TestCalls.of(bus.path("segment"), TestCalls.endpoint().redelivers());
        Caller caller = calls.caller()) {
      try (Responder gone = calls.responder()) {
        assertTrue(caller.sendOneWay(content(1)));
        assertEquals(1, number(take(gone)));
      }
      try (Responder responder = calls.responder()) {
        for (int i = 10; i < 13; i++) {
          assertNotNull(caller.send(content(i), PATIENCE_NANOS));
        }
        Call next = caller.send(content(13), PATIENCE_NANOS); // null, or in a slot of its own
        Request left = take(responder);
        assertEquals(1, number(left));
        assertTrue(left.reply(content(2)));
        for (int i = 10; i < (next == null ? 13 : 14); i++) {
          Request request = take(responder);
          assertEquals(i, number(request));
          assertTrue(answer(request));
          try (Call done = caller.await(PATIENCE_NANOS)) {
            assertAnswered(done, i);
          }
        }
      }
      calls.assertSound();
    }
  }

  @Test
  void aOneWayRequestIsStillOneWayForItsNextResponderWhenItsSlotWasSkippedMeanwhile() {
    try (TestCalls calls = TestCalls.of(bus.path("segment"), TestCalls.endpoint().redelivers());
        Caller caller = calls.caller(); Responder other = calls.responder()) {
      try (Responder gone = calls.responder()) {
        assertTrue(caller.sendOneWay(content(1)));
        assertEquals(1, number(take(gone)));
        for (int i = 10; i < 20; i++) { // goes round its slots, and leaves that one alone
          try (Call call = send(caller, i)) {
            assertTrue(answer(take(other)));
            assertAnswered(call, i);
          }
        }
      }
      Request left = take(other);
      assertEquals(1, number(left));
      assertTrue(left.isOneWay());
      assertFalse(left.isCancelled());
      assertEquals(Long.MAX_VALUE, left.remainingNanos());
      assertTrue(left.fail("nobody hears that"));
      for (int i = 20; i < 30; i++) {
        try (Call call = send(caller, i)) {
          assertTrue(answer(take(other)));
          assertAnswered(call, i);
        }
      }
      calls.assertSound();
    }
  }

  @Test
  void aResponderThatItsHandlerClosesStillSendsThatReply() {
    try (TestCalls calls = calls(); Caller caller = calls.caller()) {
      Call call = send(caller, 1);
      Responder responder = calls.responder();
      boolean[] replied = new boolean[1];
      try {
        responder.poll(request -> {
          responder.close();
          replied[0] = answer(request);
        }, 1);
      } catch (SegmentClosedException closed) { // or it returns
        assertTrue(replied[0]);
      }
      assertTrue(replied[0], "the reply was sent");
      assertAnswered(call, 1);
      assertThrows(SegmentClosedException.class, responder::receive);
      calls.assertSound();
    }
  }

  @Test
  void aFailureThatCannotSayItsMessageIsTheCallsAllTheSame() {
    try (TestCalls calls = calls(); Caller caller = calls.caller(); Responder responder = calls.responder()) {
      Call call = send(caller, 1);
      assertEquals(1, responder.poll(_ -> {
        throw new IllegalStateException() {
          @Override
          public String getMessage() {
            throw new UnsupportedOperationException();
          }
        };
      }, 1));
      assertEquals("", assertFailed(call, CallFailedException.Reason.HANDLER_FAILED).remoteMessage());
    }
  }

  @Test
  void aWorkerOutlivesWhatTheHandlerOfAOneWayRequestThrowsAndAnInterruptThatItLeaves() {
    try (TestCalls calls = calls(); Caller caller = calls.caller();
        CallServer server = CallServer.start(calls.elsewhere, request -> {
          if (request.isOneWay()) {
            Thread.currentThread().interrupt();
            throw new SegmentClosedException("another segment is closed");
          }
          answer(request);
        }, 1)) {
      assertTrue(caller.sendOneWay(content(1)));
      assertEquals(answer(2), number(caller.call(content(2), PATIENCE_NANOS)));
      assertNotNull(server);
    }
  }
}
