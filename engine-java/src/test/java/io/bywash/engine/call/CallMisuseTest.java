package io.bywash.engine.call;

import static io.bywash.engine.call.TestCalls.PATIENCE_NANOS;
import static io.bywash.engine.call.TestCalls.SOON_NANOS;
import static io.bywash.engine.call.TestCalls.answer;
import static io.bywash.engine.call.TestCalls.content;
import static io.bywash.engine.call.TestCalls.number;
import static io.bywash.engine.call.TestCalls.send;
import static io.bywash.engine.call.TestCalls.take;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.EntryNotFoundException;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.TempBus;
import io.bywash.engine.call.CallFailedException.Reason;
import io.bywash.engine.cell.Latest;
import io.bywash.engine.record.Records;
import java.lang.invoke.MethodHandles;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;

/** Whoever uses an endpoint wrongly is told what is wrong. */
class CallMisuseTest {
  /** What the endpoint carries, and what it does not. */
  record Right(long number) {}

  record Wrong(int number) {}

  private static final Records<Right> RIGHT = Records.of(MethodHandles.lookup(), Right.class);
  private static final Records<Wrong> WRONG = Records.of(MethodHandles.lookup(), Wrong.class);

  @RegisterExtension
  final TempBus bus = new TempBus();

  private TestCalls calls() {
    return TestCalls.of(bus.path("segment"));
  }

  @AfterEach
  void awaitTheEndOfClients() {
    TestCalls.awaitEnd(bus.path("segment"));
  }

  private static void assertTold(Class<? extends Exception> type, Executable wrong, String... words) {
    Exception told = assertThrows(type, wrong);
    for (String word : words) {
      assertTrue(told.getMessage().contains(word), told.getMessage());
    }
  }

  @Test
  void aRequestOrReplyThatIsTooLargeIsRefusedWithBothSizes() {
    try (TestCalls calls = calls(); Caller caller = calls.caller(); Responder responder = calls.responder();
        CallClient client = CallClient.open(calls.calls)) {
      byte[] large = new byte[TestCalls.MAX_REQUEST + 1];
      for (Executable wrong : new Executable[] {() -> caller.call(large, PATIENCE_NANOS),
          () -> caller.send(large, PATIENCE_NANOS), () -> caller.claim(large.length), () -> caller.sendOneWay(large),
          () -> client.call(large, PATIENCE_NANOS), () -> client.callAsync(large, PATIENCE_NANOS)}) {
        assertTold(IllegalArgumentException.class, wrong, "length=201", "200");
      }
      Call call = send(caller, 1);
      Request request = take(responder);
      assertEquals(TestCalls.MAX_REPLY, request.maxReplyBytes());
      assertTold(IllegalArgumentException.class, () -> request.reply(new byte[151]), "length=151", "150");
      assertTold(IllegalArgumentException.class, () -> request.claimReply(151), "length=151", "150");
      assertTrue(answer(request), "it is still to be answered");
      TestCalls.assertAnswered(call, 1);
    }
  }

  @Test
  void aTimeoutOfZeroOrLessIsRefused() {
    try (TestCalls calls = calls(); Caller caller = calls.caller(); CallClient client = CallClient.open(calls.calls)) {
      for (long timeoutNanos : new long[] {0, -1, Long.MIN_VALUE}) {
        RequestClaim claim = caller.claim(1);
        assertTold(IllegalArgumentException.class, () -> claim.send(timeoutNanos), "timeoutNanos=" + timeoutNanos);
        claim.abort();
        for (Executable wrong : new Executable[] {() -> caller.call(new byte[1], timeoutNanos),
            () -> caller.send(new byte[1], timeoutNanos), () -> client.call(new byte[1], timeoutNanos),
            () -> client.callAsync(new byte[1], timeoutNanos)}) {
          assertTold(IllegalArgumentException.class, wrong, "timeoutNanos=" + timeoutNanos, "at least 1");
        }
      }
    }
  }

  @Test
  void anEndpointThatIsNotThereOrIsNoneIsNamed() {
    EntrySpec other = Latest.spec("number", 8);
    try (Segment segment = Segment.create(bus.path("segment"), SegmentSpec.of(other))) {
      assertTold(EntryNotFoundException.class, () -> segment.directory().find("prices", Kind.ENDPOINT), "prices");
      for (Executable wrong : new Executable[] {
          () -> Caller.open(segment.directory().find("number").orElseThrow()),
          () -> Responder.open(segment.directory().find("number").orElseThrow()),
          () -> CallClient.open(segment.directory().find("number").orElseThrow())}) {
        assertTold(SpecMismatchException.class, wrong, "number", "is no endpoint");
      }
    }
  }

  @Test
  void recordsThatTheEndpointDoesNotCarryAreRefusedWithTheDifference() {
    try (Segment segment = Segment.create(bus.path("segment"),
        SegmentSpec.of(RIGHT.declare(TestCalls.endpoint().spec())));
        Caller caller = Caller.open(segment.directory().find(TestCalls.NAME).orElseThrow());
        Responder responder = Responder.open(segment.directory().find(TestCalls.NAME).orElseThrow());
        CallClient client = CallClient.open(segment.directory().find(TestCalls.NAME).orElseThrow())) {
      Wrong wrong = new Wrong(1);
      assertTold(SpecMismatchException.class, () -> caller.call(WRONG, wrong, PATIENCE_NANOS), "Wrong", "Right");
      assertTold(SpecMismatchException.class, () -> caller.send(WRONG, wrong, PATIENCE_NANOS), "Wrong", "Right");
      assertTold(SpecMismatchException.class, () -> client.call(WRONG, wrong, RIGHT, PATIENCE_NANOS), "Wrong");
      Call call = caller.send(RIGHT, new Right(7), PATIENCE_NANOS);
      Request request = take(responder);
      assertTold(SpecMismatchException.class, () -> request.reply(WRONG, wrong), "Wrong", "Right");
      assertTrue(request.reply(RIGHT, new Right(RIGHT.read(request).number() + 1)));
      assertEquals(new Right(8), RIGHT.read(call.reply()));
    }
  }

  /** Runs something whenever it is read. */
  record Meddler(long number) {
    private static Runnable meddle;

    @Override
    public long number() {
      meddle.run();
      return number;
    }
  }

  private static final Records<Meddler> MEDDLERS = Records.of(MethodHandles.lookup(), Meddler.class);

  @Test
  void aRecordThatIsBeingSentCannotSendItselfByAnEarlierClaim() {
    try (TestCalls calls = calls(); Caller caller = calls.caller(); Responder responder = calls.responder()) {
      RequestClaim claim = caller.claim(8);
      claim.abort();
      for (Executable wrong : new Executable[] {() -> claim.send(PATIENCE_NANOS), claim::commit, claim::stage,
          () -> claim.trim(0, 0)}) {
        Meddler.meddle = () -> assertTold(IllegalStateException.class, wrong, "nothing to send");
        Call call = caller.send(MEDDLERS, new Meddler(7), PATIENCE_NANOS);
        Request request = take(responder);
        assertEquals(7, request.getLong(0));
        assertEquals(8, request.length());
        assertTrue(request.reply(content(1)));
        assertTrue(call.isDone());
        call.close();
        assertNull(responder.receive());
      }
      Meddler.meddle = claim::abort;
      assertTold(IllegalStateException.class, () -> caller.send(MEDDLERS, new Meddler(7), PATIENCE_NANOS), "used");
      assertNull(responder.receive());
    }
  }

  @Test
  void aRecordThatClosesTheCallerWhichSendsItIsNotSentAndTheRoleIsGivenBack() {
    try (TestCalls calls = calls(); Responder responder = calls.responder()) {
      for (int way = 0; way < 4; way++) { // more than there are callers
        boolean waits = way % 2 == 0;
        Caller caller = calls.caller();
        Meddler.meddle = caller::close;
        assertTold(SegmentClosedException.class, () -> {
          if (waits) {
            caller.call(MEDDLERS, new Meddler(7), PATIENCE_NANOS);
          } else {
            caller.send(MEDDLERS, new Meddler(7), PATIENCE_NANOS);
          }
        }, "closed");
        assertTrue(caller.isGivenBack());
        assertNull(responder.receive());
      }
      try (Caller next = calls.caller()) {
        Call call = send(next, 3);
        assertTrue(answer(take(responder)));
        TestCalls.assertAnswered(call, 3);
      }
    }
  }

  @Test
  void rolesOfAClosedEndpointSaySo() {
    TestCalls calls = calls();
    Caller caller = calls.caller();
    Responder responder = calls.responder();
    Call call = send(caller, 1);
    Request request = take(responder);
    calls.close();
    for (Executable wrong : new Executable[] {() -> caller.call(content(2), PATIENCE_NANOS),
        () -> caller.send(content(2), PATIENCE_NANOS), () -> caller.claim(1), caller::poll, caller::hasResponder,
        () -> responder.receive(PATIENCE_NANOS), () -> responder.poll(TestCalls::answer, 1),
        () -> request.reply(content(1))}) {
      assertTold(SegmentClosedException.class, wrong, "closed");
    }
    TestCalls.assertFailed(call, Reason.CANCELLED);
    call.close();
  }

  @Test
  void aHandlerThatNeverReturnsHoldsUpItsOwnWorkerOnly() throws Exception {
    try (TestCalls calls = calls(); Caller caller = calls.caller()) {
      CountDownLatch inside = new CountDownLatch(1);
      CountDownLatch leave = new CountDownLatch(1);
      CallServer server = CallServer.start(calls.elsewhere, request -> {
        if (number(request) == 1) {
          inside.countDown();
          assertTrue(leave.await(PATIENCE_NANOS, TimeUnit.NANOSECONDS));
        }
        answer(request);
      }, 2);
      try (server) {
        Call endless = send(caller, 1);
        assertTrue(inside.await(PATIENCE_NANOS, TimeUnit.NANOSECONDS));
        for (int i = 2; i < 12; i++) { // more than there are slots
          assertEquals(answer(i), number(caller.call(content(i), PATIENCE_NANOS)));
        }
        assertFalse(endless.await(SOON_NANOS));
        assertTrue(endless.cancel());
      }
      leave.countDown();
      server.awaitEnd();
    }
  }

  @Test
  void anEndpointThatWouldTakeTooMuchMemoryIsRefusedWithTheProduct() {
    Endpoint large = Endpoint.of("large", 1 << 20, 1 << 21).callers(1000).slots(1024);
    assertTold(IllegalArgumentException.class, large::spec, "callers=1000", "slots=1024", "maxRequestBytes=1048576",
        "maxReplyBytes=2097152", Long.toString(large.dataBytes()), Long.toString(Endpoint.MAX_BYTES));
    assertTold(IllegalArgumentException.class, () -> Endpoint.of("any", 0, 1), "maxRequestBytes=0");
    assertTold(IllegalArgumentException.class, () -> Endpoint.of("any", 1, -1), "maxReplyBytes=-1");
    assertTold(IllegalArgumentException.class, () -> large.slots(3), "slots=3");
    assertTold(IllegalArgumentException.class, () -> large.callers(1024), "callers=1024");
  }
}
