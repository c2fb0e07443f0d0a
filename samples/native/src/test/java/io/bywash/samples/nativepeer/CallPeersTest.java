package io.bywash.samples.nativepeer;

import static io.bywash.samples.nativepeer.CallsInJava.PATIENCE_NANOS;
import static io.bywash.samples.nativepeer.CallsInJava.answer;
import static io.bywash.samples.nativepeer.CallsInJava.asked;
import static io.bywash.samples.nativepeer.CallsInJava.caller;
import static io.bywash.samples.nativepeer.CallsInJava.checkReply;
import static io.bywash.samples.nativepeer.CallsInJava.responder;
import static io.bywash.samples.nativepeer.CallsInJava.send;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.call.Call;
import io.bywash.engine.call.CallFailedException;
import io.bywash.engine.call.CallFailedException.Reason;
import io.bywash.engine.call.Caller;
import io.bywash.engine.call.EndpointStatus;
import io.bywash.engine.call.Request;
import io.bywash.engine.call.Responder;
import io.bywash.engine.wait.WaitPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Calls with a C process on either side, and Java on the other one. */
@Timeout(300)
final class CallPeersTest {
  private static final String TOO_LATE = "cancelled 1 in time 0 again -2";

  private static Segment create(Bus bus) {
    return Segment.create(bus.path("s"), SegmentSpec.of(CallsInJava.plain(), CallsInJava.redelivered(),
        CallsInJava.endpoint("narrow").callers(1).slots(2).spec()));
  }

  private static EndpointStatus status(Segment segment, String entry) {
    return EndpointStatus.of(segment.directory().find(entry).orElseThrow());
  }

  private static byte[] message(long number) {
    return Numbered.message(number);
  }

  // ---- every reply is that to its call

  @Test
  void eachCallOfRandomSizeFromCIsAnsweredByJavaInAnyOrder() throws Exception {
    callsFromC(100_000);
  }

  @Tag("stress")
  @Timeout(3_600)
  @Test
  void eachOfAMillionCallsFromCIsAnsweredByJavaInAnyOrder() throws Exception {
    callsFromC(1_000_000);
  }

  private static void callsFromC(int count) throws Exception {
    try (Bus bus = new Bus(); Segment segment = create(bus);
        Responder responder = responder(segment, "plain", WaitPolicy.BACKOFF)) {
      Peer fast = bus.fastPeer("call", "plain", 0, count, "backoff").awaits("ready");
      Peer checked = bus.peer("call", "plain", count, count / 10, "backoff").awaits("ready");
      AtomicBoolean goesOn = new AtomicBoolean(true);
      Thread serving = Thread.ofPlatform().start(() -> CallsInJava.serve(responder, 5, goesOn::get));
      for (Peer peer : List.of(fast, checked)) {
        String said = peer.line();
        assertTrue(said.matches("called cancelled [1-9]\\d* disordered 1"), said);
        peer.ends();
      }
      goesOn.set(false);
      serving.join();
      Bus.verify(segment);
    }
  }

  @Test
  void eachCallOfRandomSizeFromJavaIsAnsweredInAnyOrderByTwoRespondersInC() throws Exception {
    callsFromJava(100_000);
  }

  @Tag("stress")
  @Timeout(3_600)
  @Test
  void eachOfAMillionCallsFromJavaIsAnsweredInAnyOrderByTwoRespondersInC() throws Exception {
    callsFromJava(1_000_000);
  }

  private static void callsFromJava(int count) throws Exception {
    try (Bus bus = new Bus(); Segment segment = create(bus);
        Caller caller = caller(segment, "plain", WaitPolicy.BACKOFF)) {
      Peer fast = bus.fastPeer("serve", "plain", Long.MAX_VALUE, 5, "backoff", 0).awaits("ready");
      Peer checked = bus.peer("serve", "plain", Long.MAX_VALUE, 3, "backoff", 0).awaits("ready");
      assertTrue(CallsInJava.callAll(caller, 0, count) > 0, "all were answered in order, which proves little");
      fast.kill();
      checked.kill();
      segment.recover();
      Bus.verify(segment);
    }
  }

  @Test
  void aCallerInCThatSleepsIsWokenByEachReplyOfAResponderInJavaThatSleeps() throws Exception {
    try (Bus bus = new Bus(); Segment segment = create(bus);
        Responder responder = responder(segment, "plain", WaitPolicy.BLOCK)) {
      Peer peer = bus.peer("call-one", "plain", 0, 500, "sleep", PATIENCE_NANOS).awaits("ready");
      CallsInJava.serve(responder, 1, () -> status(segment, "plain").repliedCount() < 500);
      peer.awaits("replied 500").ends();
    }
  }

  @Test
  void aResponderInCThatSleepsIsWokenByEachCallOfJavaThatSleeps() throws Exception {
    try (Bus bus = new Bus(); Segment segment = create(bus);
        Caller caller = caller(segment, "plain", WaitPolicy.BLOCK)) {
      Peer peer = bus.peer("serve", "plain", 500, 1, "sleep", 0).awaits("ready");
      for (int i = 0; i < 500; i++) {
        byte[] request = message(i);
        checkReply(caller.call(request, 0, request.length, i, PATIENCE_NANOS), i);
      }
      peer.awaits("served late 0 one way 0").ends();
      EndpointStatus status = status(segment, "plain");
      assertEquals(500, status.sentCount());
      assertEquals(500, status.repliedCount());
    }
  }

  // ---- calls that fail

  @Test
  void aFailureThatAHandlerInCTellsReachesJavaAndOneOfJavaReachesC() throws Exception {
    try (Bus bus = new Bus(); Segment segment = create(bus);
        Caller caller = caller(segment, "plain", WaitPolicy.BACKOFF)) {
      Peer peer = bus.peer("serve-hold", "plain", "fail").awaits("ready");
      Call call = send(caller, 8);
      peer.awaits("holding 8").release().awaits("cancelled 0 in time 1 again -2").ends();
      CallFailedException failure = assertThrows(CallFailedException.class, caller.await(PATIENCE_NANOS)::reply);
      assertEquals(Reason.HANDLER_FAILED, call.failure());
      assertEquals("Nonsense", failure.remoteType());
      assertEquals("it is wrong", failure.remoteMessage());
    }
    try (Bus bus = new Bus(); Segment segment = create(bus);
        Responder responder = responder(segment, "plain", WaitPolicy.BACKOFF)) {
      Peer peer = bus.peer("call-one", "plain", 4, 1, "backoff", PATIENCE_NANOS).awaits("ready");
      Request request = responder.receive(PATIENCE_NANOS);
      request.fail(new IllegalStateException("no \u20ac"));
      peer.awaits("5 The handler of endpoint \"plain\" failed request " + request.sequence()
          + ": java.lang.IllegalStateException: no \u20ac").awaits("replied 0").ends();
    }
  }

  @Test
  void aReplyOfCBehindTheDeadlineOrACancellationIsTooLateAndReachesNoNewerCall() throws Exception {
    try (Bus bus = new Bus(); Segment segment = create(bus);
        Caller caller = caller(segment, "narrow", WaitPolicy.BACKOFF)) {
      Peer late = bus.peer("serve-hold", "narrow", "reply").awaits("ready");
      byte[] request = message(0);
      // Until the responder is not so slow that the time is over before it has the request.
      for (long millis = 300; millis < 50_000 && status(segment, "narrow").quarantinedCount() == 0; millis *= 2) {
        Call given = caller.send(request, 0, request.length, 0, TimeUnit.MILLISECONDS.toNanos(millis));
        assertEquals(Reason.TIMED_OUT, caller.await(PATIENCE_NANOS).failure());
        given.close();
      }
      late.awaits("holding 0");
      bus.peer("serve", "narrow", 20, 1, "backoff", 0).awaits("ready"); // beside the one that stands still
      for (int i = 1; i <= 20; i++) {
        request = message(i);
        checkReply(caller.call(request, 0, request.length, i, PATIENCE_NANOS), i);
        if (i == 10) {
          late.release().awaits(TOO_LATE).ends();
        }
      }
      Peer cancelled = bus.peer("serve-hold", "narrow", "reply").awaits("ready");
      Call call = send(caller, 30);
      cancelled.awaits("holding 30");
      assertTrue(call.cancel());
      call.close();
      cancelled.release().awaits(TOO_LATE).ends();
      assertEquals(2, status(segment, "narrow").lateCount());
      Bus.verify(segment);
    }
  }

  @Test
  void noReplyOfASlowResponderReachesANewerCallOfCWithTheSameSlot() throws Exception {
    try (Bus bus = new Bus(); Segment segment = create(bus);
        Responder responder = responder(segment, "narrow", WaitPolicy.BACKOFF)) {
      Peer peer = bus.peer("call-one", "narrow", 0, 3_000, "backoff", 100_000).awaits("ready");
      long late = 0;
      while (!peer.hasSpoken()) {
        Request request = responder.receive(TimeUnit.MILLISECONDS.toNanos(10));
        if (request != null) {
          long end = System.nanoTime() + asked(request) % 3 * 90_000;
          while (System.nanoTime() - end < 0) {
            Thread.onSpinWait();
          }
          late += answer(request) ? 0 : 1;
        }
      }
      String said = peer.line(); // it checks each reply
      assertTrue(said.matches("replied [1-9]\\d*") && late > 0, said + ", " + late + " too late");
      peer.ends();
      Bus.verify(segment);
    }
  }

  @Test
  void noReplyOfASlowResponderInCReachesANewerCallOfJavaWithTheSameSlot() throws Exception {
    try (Bus bus = new Bus(); Segment segment = create(bus);
        Caller caller = caller(segment, "narrow", WaitPolicy.BACKOFF)) {
      Peer peer = bus.fastPeer("serve", "narrow", Long.MAX_VALUE, 1, "backoff", 200_000).awaits("ready");
      int replied = 0;
      for (int i = 0; i < 300_000; i++) {
        if (i >= 3_000 && replied > 0 && status(segment, "narrow").lateCount() > 0) {
          break;
        }
        byte[] request = message(i);
        try {
          checkReply(caller.call(request, 0, request.length, i, 150_000), i);
          replied++;
        } catch (CallFailedException expected) {
          assertEquals(Reason.TIMED_OUT, expected.reason());
        }
      }
      EndpointStatus status = status(segment, "narrow");
      assertTrue(replied > 0 && status.lateCount() > 0, replied + " replies, " + status.lateCount() + " too late");
      peer.kill();
      segment.recover();
      Bus.verify(segment);
    }
  }

  @Test
  void aCallOfCTimesOutWhileOthersAreAnsweredAllTheTime() throws Exception {
    try (Bus bus = new Bus(); Segment segment = create(bus)) {
      bus.peer("call-late", "plain", TimeUnit.MILLISECONDS.toNanos(50)).awaits("outcome 2 of the late one").ends();
      Bus.verify(segment);
    }
  }

  // ---- those that die

  @Test
  void callsThatAKilledResponderInCHadTakenFailAndTheOthersAreAnswered() throws Exception {
    killResponders(2);
  }

  @Tag("stress")
  @Timeout(3_600)
  @Test
  void callsThatAHundredKilledRespondersInCHadTakenFail() throws Exception {
    killResponders(100);
  }

  private static void killResponders(int rounds) throws Exception {
    try (Bus bus = new Bus(); Segment segment = create(bus);
        Caller caller = caller(segment, "plain", WaitPolicy.BLOCK)) {
      for (int round = 0; round < rounds; round++) {
        Peer dies = bus.fastPeer("serve-hold", "plain", "reply").awaits("ready");
        Call taken = send(caller, round);
        dies.awaits("holding " + round);
        Call waits = send(caller, 1_000 + round);
        dies.kill();
        assertEquals(taken, caller.await(PATIENCE_NANOS));
        assertEquals(Reason.RESPONDER_GONE, taken.failure());
        taken.close();
        Peer next = bus.fastPeer("serve", "plain", 1, 1, "backoff", 0).awaits("ready");
        assertEquals(waits, caller.await(PATIENCE_NANOS));
        checkReply(waits.reply(), 1_000 + round);
        waits.close();
        next.awaits("served late 0 one way 0").ends();
      }
      segment.recover();
      Bus.verify(segment);
    }
  }

  @Test
  void aRequestOfAKilledOrClosedResponderInEitherLanguageIsAnsweredByTheOtherOneIfTheEndpointRedelivers()
      throws Exception {
    try (Bus bus = new Bus(); Segment segment = create(bus);
        Caller caller = caller(segment, "again", WaitPolicy.BLOCK)) {
      Peer dies = bus.fastPeer("serve-hold", "again", "reply").awaits("ready");
      Peer closes = bus.peer("serve-hold", "again", "close").awaits("ready");
      Call first = send(caller, 10);
      Call second = send(caller, 11);
      dies.line();
      closes.line();
      dies.kill();
      closes.release().awaits("cancelled 0 in time 1 again 0").ends();
      Peer java = bus.javaPeer("serve-hold", "again"); // gets one of them again, and is killed with it
      assertTrue(java.line().matches("holding 1[01]"));
      java.kill();
      bus.peer("serve", "again", 2, 1, "sleep", 0).awaits("ready").awaits("served late 0 one way 0").ends();
      for (int i = 0; i < 2; i++) {
        assertNotNull(caller.await(PATIENCE_NANOS));
      }
      checkReply(first.reply(), 10);
      checkReply(second.reply(), 11);
      segment.recover();
      Bus.verify(segment);
    }
  }

  @Test
  void aCallThatAKilledResponderInJavaHadTakenFailsInC() throws Exception {
    try (Bus bus = new Bus(); Segment segment = create(bus)) {
      Peer caller = bus.peer("call-one", "plain", 6, 1, "sleep", PATIENCE_NANOS).awaits("ready");
      bus.javaPeer("serve-hold", "plain").awaits("holding 6").kill();
      assertTrue(caller.line().startsWith("4 Request 16 to endpoint \"plain\" of segment "));
      caller.awaits("replied 0").ends();
      segment.recover();
      Bus.verify(segment);
    }
  }

  @Test
  void callsOfAKilledCallerInCAreGivenUpAndItsOneWayRequestsAreDroppedUnlessSomebodyHasTakenThem() throws Exception {
    killCallers(2);
  }

  @Tag("stress")
  @Timeout(3_600)
  @Test
  void callsOfAHundredKilledCallersInCAreGivenUp() throws Exception {
    killCallers(100);
  }

  private static void killCallers(int rounds) throws Exception {
    try (Bus bus = new Bus(); Segment segment = create(bus);
        Responder responder = responder(segment, "plain", WaitPolicy.BACKOFF)) {
      for (int round = 0; round < rounds; round++) {
        Peer dies = bus.fastPeer("call-leave", "plain", 3, 3).awaits("sent");
        List<Request> taken = new ArrayList<>();
        for (int i = 0; i < 4; i++) { // three calls, and the first one-way request
          taken.add(responder.receive(PATIENCE_NANOS));
        }
        assertFalse(taken.getFirst().isCancelled());
        dies.kill();
        segment.recover();
        assertTrue(taken.getFirst().isCancelled());
        for (Request each : taken) {
          assertEquals(each.isOneWay(), answer(each));
        }
        assertNull(responder.receive(), "a request of a dead caller was delivered");
      }
      Bus.verify(segment);
    }
  }

  @Test
  void oneWayRequestsOfACallerInCThatCloseStayAndItsCallsAreGivenUp() throws Exception {
    try (Bus bus = new Bus(); Segment segment = create(bus)) {
      bus.peer("call-leave", "plain", 3, 3).awaits("sent").release().ends();
      bus.peer("serve", "plain", 3, 2, "backoff", 0).awaits("ready").awaits("served late 0 one way 3").ends();
      Bus.verify(segment);
    }
  }

  @Test
  void callsOfAKilledCallerInJavaAreTooLateForC() throws Exception {
    try (Bus bus = new Bus(); Segment segment = create(bus)) {
      Peer responder = bus.peer("serve-hold", "plain", "reply").awaits("ready");
      Peer caller = bus.javaPeer("call-leave", "plain");
      responder.awaits("holding 0");
      caller.kill();
      segment.recover();
      responder.release().awaits(TOO_LATE).ends();
      Bus.verify(segment);
    }
  }
}
