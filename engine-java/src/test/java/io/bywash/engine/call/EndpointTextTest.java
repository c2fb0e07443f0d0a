package io.bywash.engine.call;

import static io.bywash.engine.call.TestCalls.PATIENCE_NANOS;
import static io.bywash.engine.call.TestCalls.SOON_NANOS;
import static io.bywash.engine.call.TestCalls.answer;
import static io.bywash.engine.call.TestCalls.content;
import static io.bywash.engine.call.TestCalls.send;
import static io.bywash.engine.call.TestCalls.take;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.TempBus;
import io.bywash.engine.inspect.SegmentStatus;
import io.bywash.engine.inspect.StatusText;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What {@code stat} shows of an endpoint. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EndpointTextTest {
  private static final String RATE = " \\d+";

  @RegisterExtension final TempBus bus = new TempBus();

  @Test
  void theTextHasCallsThoseInFlightMissedDeadlinesLateRepliesElidedWakesAndLatency() {
    try (TestCalls calls = TestCalls.of(bus.path("segment")); Caller caller = calls.caller();
        Responder responder = calls.responder()) {
      caller.label("asker");
      responder.label("teller");
      SegmentStatus before = SegmentStatus.of(calls.first);
      for (int i = 1; i <= 3; i++) {
        try (Call call = send(caller, i)) {
          assertTrue(answer(take(responder)));
          TestCalls.assertAnswered(call, i);
        }
      }
      Call missed = caller.send(content(4), SOON_NANOS);
      Request late = take(responder);
      assertTrue(missed.await(PATIENCE_NANOS));
      assertFalse(answer(late));
      missed.close();
      send(caller, 5);
      Request taken = take(responder);
      send(caller, 6);
      SegmentStatus now = SegmentStatus.of(calls.first);
      String text = new StatusText().segment(now, before).toString().replaceAll(" +", " ");
      String pid = Long.toString(ProcessHandle.current().pid());
      assertHas(text, "FULL OWNER CALLS PER SECOND REPLIES PER SECOND IN FLIGHT DEADLINE MISSES PER SECOND LATE REPLIES"
          + " PER SECOND QUARANTINED WAKES PER SECOND ELIDED WAKES PER SECOND LATENCY NS");
      assertHas(text, "calls endpoint 12 requests 16% " + pid + " 6" + RATE + " 3" + RATE + " 2 1" + RATE + " 1" + RATE
          + " 0 0" + RATE + " 9" + RATE + " [1-9]\\d*");
      assertHas(text, "calls 0 " + pid + " teller responder 0 5" + RATE + " 1");
      assertHas(text, "calls 3 " + pid + " asker caller 0 6" + RATE + " 2");
      assertTrue(answer(taken));
    }
  }

  private static void assertHas(String text, String line) {
    assertTrue(text.lines().anyMatch(each -> each.matches(".*" + line + ".*")), () -> line + " in:\n" + text);
  }
}
