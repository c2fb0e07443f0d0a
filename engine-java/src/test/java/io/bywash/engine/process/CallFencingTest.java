package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.Segment;
import io.bywash.engine.TempBus;
import io.bywash.engine.call.Call;
import io.bywash.engine.call.CallFailedException;
import io.bywash.engine.call.CallFailedException.Reason;
import io.bywash.engine.call.Caller;
import io.bywash.engine.call.EndpointStatus;
import io.bywash.engine.call.Request;
import io.bywash.engine.call.Responder;
import io.bywash.engine.inspect.Verification;
import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.wait.WaitHub;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Callers and responders as processes that are stopped and killed: every reply is that to its call. */
@Timeout(4 * 3600)
class CallFencingTest {
  private static final long PATIENCE_NANOS = 60_000_000_000L;
  private static final long SHORT_NANOS = 2_000_000;

  @RegisterExtension final TempBus bus = new TempBus();

  @Test
  void aResponderThatStandsStillBeyondTheDeadlineAndGoesOnPoisonsNoLaterCall() {
    assumeTrue(NativeAccess.ENABLED, "in the short form only with native access; the long form has both");
    fence(300);
  }

  @Test
  @Tag("stress")
  void thousandsOfTimesAResponderThatStandsStillBeyondTheDeadlinePoisonsNoLaterCall() {
    fence(10_000);
  }

  /** The responder is stopped at any point of its work; a call times out meanwhile, and others follow it. */
  private void fence(int rounds) {
    Random random = new Random();
    try (Segment segment = Segment.create(bus.path("calls"), CallStormProgram.SPEC);
        ChildProcess child = ChildProcess.start(CallStormProgram.class, bus.path("calls"), "slow", 1)) {
      child.await("ready");
      Entry entry = segment.directory().find("calls").orElseThrow();
      int missed = 0;
      long number = 1;
      try (Caller caller = Caller.open(entry)) {
        long begin = System.nanoTime();
        for (int round = 0; round < rounds || mustGoOn(entry, begin); round++) {
          Call given = caller.send(CallStormProgram.request(number), SHORT_NANOS);
          CallStormProgram.spin(random.nextInt(600_000));
          child.pause();
          long start = System.nanoTime();
          while (!given.isDone() && System.nanoTime() - start < PATIENCE_NANOS) {
            Thread.onSpinWait();
          }
          if (given.failure() == null) {
            CallStormProgram.check(given.reply(), number); // it was answered before the responder stood still
          } else {
            assertEquals(Reason.TIMED_OUT, given.failure());
            missed++;
          }
          given.close();
          List<Call> later = new ArrayList<>();
          for (int i = 1; i < 4; i++) { // before the responder goes on, and after that
            later.add(caller.send(CallStormProgram.request(number + i), PATIENCE_NANOS));
            if (i == 2) {
              child.resume();
            }
          }
          for (int i = 1; i < 4; i++) {
            Call call = later.get(i - 1);
            while (!call.isDone()) {
              caller.await(PATIENCE_NANOS);
            }
            CallStormProgram.check(call.reply(), number + i);
            call.close();
          }
          number += 10;
        }
      }
      EndpointStatus status = EndpointStatus.of(entry);
      System.out.println(rounds + " rounds, " + missed + " deadlines missed, " + status.lateCount() + " late replies");
      assertTrue(status.lateCount() > 0, "no reply was late, so this proves nothing");
      assertEquals(missed, status.missedCount());
      assertEquals(List.of(), Verification.of(segment));
    }
  }

  /** Until there was a late reply, without which this would prove nothing. */
  private static boolean mustGoOn(Entry entry, long begin) {
    return EndpointStatus.of(entry).lateCount() == 0 && System.nanoTime() - begin < PATIENCE_NANOS;
  }

  @Test
  void theCallersOfAKilledResponderFailAndThoseOfAKilledCallerAreDropped() throws Exception {
    try (Segment segment = Segment.create(bus.path("calls"), CallStormProgram.SPEC)) {
      Entry entry = segment.directory().find("calls").orElseThrow();
      try (Caller caller = Caller.open(entry); Caller hasty = Caller.open(entry);
          ChildProcess child = ChildProcess.start(CallStormProgram.class, bus.path("calls"), "responder", 1)) {
        child.await("ready");
        child.pause();
        hasty.failFast(true);
        Call untaken = hasty.send(CallStormProgram.request(9), PATIENCE_NANOS);
        CompletableFuture<Void> ready = WaitHub.shared().whenReady(hasty);
        List<Call> calls = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
          calls.add(caller.send(CallStormProgram.request(i), PATIENCE_NANOS));
        }
        assertFalse(ready.isDone());
        child.kill();
        ready.get(PATIENCE_NANOS, TimeUnit.NANOSECONDS); // the hub notices the death
        assertSame(untaken, hasty.poll());
        assertEquals(Reason.NO_RESPONDER, untaken.failure());
        long start = System.nanoTime();
        try (Responder other = Responder.open(entry)) {
          while (!calls.stream().allMatch(Call::isDone) && System.nanoTime() - start < PATIENCE_NANOS) {
            for (Request request; (request = other.receive()) != null; ) {
              CallStormProgram.answer(request); // those that the dead one had not taken
            }
            caller.await(10_000_000);
          }
        }
        for (int i = 0; i < 4; i++) {
          assertTrue(calls.get(i).isDone());
          if (calls.get(i).failure() == null) {
            CallStormProgram.check(calls.get(i).reply(), i);
          } else {
            assertEquals(Reason.RESPONDER_GONE, calls.get(i).failure());
          }
          calls.get(i).close();
        }
        caller.failFast(true);
        CallFailedException failure =
            assertThrows(CallFailedException.class, () -> caller.call(new byte[8], PATIENCE_NANOS));
        assertEquals(Reason.NO_RESPONDER, failure.reason());
      }
      try (Responder responder = Responder.open(entry);
          ChildProcess child = ChildProcess.start(CallStormProgram.class, bus.path("calls"), "caller", 1)) {
        child.await("ready");
        Request taken = responder.receive(PATIENCE_NANOS);
        assertNotNull(taken);
        child.kill();
        segment.recover();
        assertEquals(null, responder.receive(), "nobody waits for it");
        assertTrue(taken.isOneWay() || taken.isCancelled());
        assertEquals(false, CallStormProgram.answer(taken));
      }
      assertEquals(List.of(), Verification.of(segment));
    }
  }

  @Test
  void eachReplyIsThatToItsCallThoughBothSidesAreKilledAndStopped() {
    assumeTrue(NativeAccess.ENABLED, "in the short form only with native access; the long form has both");
    storm(2);
  }

  @Test
  @Tag("stress")
  void eachReplyIsThatToItsCallThoughBothSidesAreKilledThousandsOfTimes() {
    for (int i = 0; i < Integer.getInteger("bywash.storm.rounds", 50); i++) { // of 40 kills
      storm(40);
    }
  }

  /** Two callers and two responders; what a caller finds wrong ends it with an error. */
  private void storm(int kills) {
    long seed = Long.getLong("bywash.storm.seed", System.nanoTime());
    System.out.println("seed of the storm: -Dbywash.storm.seed=" + seed);
    Random random = new Random(seed);
    ChildProcess[] processes = new ChildProcess[4];
    try (Segment segment = Segment.create(bus.path("calls"), CallStormProgram.SPEC)) {
      Entry entry = segment.directory().find("calls").orElseThrow();
      try {
        for (int i = 0; i < processes.length; i++) {
          processes[i] = start(i, random);
        }
        for (int kill = 0; kill < kills; kill++) {
          ChildProcess paused = processes[random.nextInt(processes.length)];
          paused.pause();
          LockSupport.parkNanos(random.nextInt(60_000_000));
          paused.resume();
          LockSupport.parkNanos(random.nextInt(60_000_000));
          processes[kill % 4].kill();
          assertGoesOn(entry, processes, kill % 4);
          processes[kill % 4].close();
          processes[kill % 4] = start(kill % 4, random);
        }
        assertGoesOn(entry, processes, -1);
        for (ChildProcess each : processes) {
          each.kill();
        }
      } finally {
        for (ChildProcess each : processes) {
          if (each != null) {
            each.close();
          }
        }
      }
      segment.recover();
      assertEquals(List.of(), Verification.of(segment));
      System.out.println(EndpointStatus.of(entry).counters());
    }
  }

  private ChildProcess start(int number, Random random) {
    ChildProcess child = ChildProcess.start(CallStormProgram.class, bus.path("calls"),
        number % 2 == 0 ? "caller" : "responder", random.nextLong());
    child.await("ready");
    return child;
  }

  private static void assertGoesOn(Entry entry, ChildProcess[] processes, int dead) {
    EndpointStatus before = EndpointStatus.of(entry);
    ChildProcess.eventually("calls go on without process " + dead, () -> {
      for (int i = 0; i < processes.length; i++) {
        if (i != dead && !processes[i].isAlive()) {
          processes[i].finish(); // fails with what it said
          throw new AssertionError("process " + i + " ended");
        }
      }
      EndpointStatus now = EndpointStatus.of(entry);
      return now.repliedCount() > before.repliedCount() + 100 && now.sentCount() > before.sentCount() + 100;
    });
  }
}
