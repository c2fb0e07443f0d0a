package io.bywash.engine.call;

import static io.bywash.engine.call.TestCalls.PATIENCE_NANOS;
import static io.bywash.engine.call.TestCalls.answer;
import static io.bywash.engine.call.TestCalls.assertAnswered;
import static io.bywash.engine.call.TestCalls.assertFailed;
import static io.bywash.engine.call.TestCalls.number;
import static io.bywash.engine.call.TestCalls.send;
import static io.bywash.engine.call.TestCalls.take;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bywash.engine.InterruptedWaitException;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.call.CallFailedException.Reason;
import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.wait.WaitHub;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What ends the waits of a caller, and what does not. */
class CallWaitTest {
  @RegisterExtension
  final TempBus bus = new TempBus();

  private TestCalls calls() {
    return TestCalls.of(bus.path("segment"));
  }

  private static void await(CompletableFuture<Void> ready) throws Exception {
    ready.get(PATIENCE_NANOS, TimeUnit.NANOSECONDS);
  }

  @Test
  void whoeverWaitsForASlotSleepsAsLongAsNoRequestCanBeSent() {
    Random random = new Random(1);
    try (TestCalls calls = calls(); Caller caller = calls.caller(); Responder responder = calls.responder()) {
      List<Call> sent = new ArrayList<>();
      List<Request> taken = new ArrayList<>();
      int behindOthers = 0;
      for (int step = 0; step < 20_000; step++) {
        switch (random.nextInt(4)) {
          case 0 -> {
            boolean expected = caller.inFlight.hasFreeSlot();
            Call call = caller.send(TestCalls.content(step), PATIENCE_NANOS);
            assertEquals(expected, call != null, "step " + step);
            behindOthers += call == null && sent.size() + taken.size() < 4 ? 1 : 0;
            if (call != null) {
              sent.add(call);
            }
          }
          case 1 -> {
            Request request = responder.receive();
            if (request != null) {
              taken.add(request);
            }
          }
          case 2 -> {
            if (!taken.isEmpty()) {
              answer(taken.remove(random.nextInt(taken.size())));
            }
          }
          default -> {
            if (!sent.isEmpty()) {
              sent.remove(random.nextInt(sent.size())).close(); // which cancels it
            }
          }
        }
      }
      assertTrue(behindOthers > 0, "no slot was free behind a request that nobody has taken, so this proves nothing");
      calls.assertSound();
    }
  }

  @Test
  void aCallerThatWaitsByTheHubLearnsThatTheLastResponderLeft() throws Exception {
    try (TestCalls calls = calls(); Caller caller = calls.caller()) {
      caller.failFast(true);
      Call call;
      CompletableFuture<Void> ready;
      try (Responder other = calls.responder()) {
        try (Responder _ = calls.responder()) {
          call = send(caller, 1);
          ready = WaitHub.shared().whenReady(caller);
        }
        assertFalse(caller.isReady(), "there is another one");
        assertFalse(other.isGivenBack());
      }
      await(ready);
      assertSame(call, caller.poll());
      assertFailed(call, Reason.NO_RESPONDER);
    }
  }

  @Test
  void aCallerThatWaitsByTheHubLearnsThatTheResponderOfItsRequestWasRevoked() throws Exception {
    try (TestCalls calls = calls(); Caller caller = calls.caller(); Threads threads = new Threads()) {
      CountDownLatch inside = new CountDownLatch(1);
      CountDownLatch leave = new CountDownLatch(1);
      Responder responder = calls.responder();
      threads.start("a handler that does not return", () -> responder.poll(_ -> {
        inside.countDown();
        assertTrue(leave.await(PATIENCE_NANOS, TimeUnit.NANOSECONDS));
      }, 1, PATIENCE_NANOS));
      Call call = send(caller, 1);
      assertTrue(inside.await(PATIENCE_NANOS, TimeUnit.NANOSECONDS));
      assertFalse(caller.isReady());
      CompletableFuture<Void> ready = WaitHub.shared().whenReady(caller);
      responder.revoke();
      await(ready);
      assertSame(call, caller.poll());
      assertFailed(call, Reason.RESPONDER_GONE);
      leave.countDown();
    }
  }

  @Test
  void whoIsRevokedInTheMiddleOfAHandlerAnswersNothingForIt() {
    try (TestCalls calls = calls(); Caller caller = calls.caller()) {
      Responder responder = calls.responder();
      Call call = send(caller, 1);
      send(caller, 2);
      assertEquals(1, responder.poll(_ -> responder.revoke(), 2));
      responder.close();
      assertSame(call, caller.poll());
      assertFailed(call, Reason.RESPONDER_GONE);
    }
  }

  @Test
  void aLookAtACallSeesThatOthersLeftBeforeItAndEndsTheReadinessForThat() {
    try (TestCalls calls = calls(); Caller other = calls.caller()) {
      try (Responder responder = calls.responder()) {
        send(other, 1);
        take(responder); // which the responder leaves
      }
      for (int i = 0; i < 3; i++) {
        try (Caller caller = calls.caller()) {
          Call call = send(caller, i);
          assertFalse(call.isDone());
          assertFalse(caller.isReady(), "who waits until it is would not wait");
        }
      }
    }
  }

  @Test
  void aBatchWakesOnceAReplyWakesItsCallerOnlyAndWhoIsAwakeIsNotWoken() throws Exception {
    assumeTrue(NativeAccess.ENABLED, "without it nobody is woken");
    try (TestCalls calls = calls(); Caller one = calls.caller(); Caller other = calls.caller();
        Responder responder = calls.responder()) {
      for (int i = 0; i < 5; i++) {
        try (Call call = send(one, i)) {
          assertTrue(answer(take(responder)));
          assertAnswered(call, i);
        }
      }
      assertEquals(0, calls.status().wakeCount());
      assertFalse(one.isReady(), "nobody polls a call that was closed");
      CompletableFuture<Void> asked = WaitHub.shared().whenReady(responder);
      awaitSleepers(calls, 1);
      for (int i = 0; i < 4; i++) {
        send(one, i);
      }
      await(asked);
      assertEquals(1, calls.status().wakeCount());
      send(other, 4);
      CompletableFuture<Void> oneReady = WaitHub.shared().whenReady(one);
      CompletableFuture<Void> otherReady = WaitHub.shared().whenReady(other);
      awaitSleepers(calls, 2);
      Request last = null;
      for (int i = 0; i < 5; i++) {
        Request request = take(responder);
        if (number(request) == 4) {
          last = request;
        } else {
          assertTrue(answer(request));
        }
      }
      await(oneReady);
      assertEquals(2, calls.status().wakeCount());
      assertFalse(otherReady.isDone());
      awaitSleepers(calls, 1);
      assertTrue(answer(last));
      await(otherReady);
      EndpointStatus status = calls.status();
      assertEquals(3, status.wakeCount());
      assertEquals(status.sentCount() + status.repliedCount(), status.wakeCount() + status.elidedCount());
    }
  }

  private static void awaitSleepers(TestCalls calls, int count) {
    long start = System.nanoTime();
    while (calls.status().roles().stream().filter(EndpointStatus.RoleStatus::waits).count() != count) {
      assertTrue(System.nanoTime() - start < PATIENCE_NANOS, () -> "not " + count + " sleep: " + calls.status());
      Thread.onSpinWait();
    }
  }

  @Test
  void aCallIsWaitedForByItselfAndOthersStayToBePolled() {
    try (TestCalls calls = calls(); Caller caller = calls.caller(); Responder responder = calls.responder()) {
      Call first = send(caller, 1);
      Call second = send(caller, 2);
      assertFalse(first.await(0));
      Request late = take(responder);
      assertTrue(answer(take(responder)));
      assertFalse(first.await(TestCalls.SOON_NANOS), "the second one is done, and not this one");
      assertTrue(second.await(PATIENCE_NANOS));
      assertTrue(answer(late));
      assertTrue(first.await(PATIENCE_NANOS));
      assertAnswered(first, 1);
      assertSame(second, caller.poll());
      assertSame(first, caller.poll());
      first.close();
      assertTrue(first.await(PATIENCE_NANOS), "it does not wait for what is over");
      Call hasty = caller.send(TestCalls.content(3), TestCalls.SOON_NANOS);
      assertTrue(hasty.await(PATIENCE_NANOS));
      assertFailed(hasty, Reason.TIMED_OUT);
      Call last = send(caller, 4);
      Thread.currentThread().interrupt();
      assertThrows(InterruptedWaitException.class, () -> last.await(PATIENCE_NANOS));
      assertTrue(Thread.interrupted());
      assertTrue(last.cancel(), "it stayed in flight");
    }
  }
}
