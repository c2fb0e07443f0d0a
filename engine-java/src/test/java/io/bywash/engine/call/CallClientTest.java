package io.bywash.engine.call;

import static io.bywash.engine.call.TestCalls.PATIENCE_NANOS;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.call.CallFailedException.Reason;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A client that many threads share. */
class CallClientTest {
  @RegisterExtension
  final TempBus bus = new TempBus();

  private TestCalls calls() {
    return TestCalls.of(bus.path("segment"));
  }

  private static byte[] answer(long number) {
    return TestCalls.content(TestCalls.answer(number));
  }

  @Test
  void eachThreadGetsTheReplyToItsOwnCall() throws Exception {
    try (TestCalls calls = calls(); CallClient client = CallClient.open(calls.calls); Threads threads = new Threads()) {
      CallServer server = CallServer.start(calls.elsewhere, TestCalls::answer, 2);
      for (int thread = 0; thread < 6; thread++) {
        int first = thread * 1_000;
        threads.start("caller " + thread, () -> {
          for (int i = first; i < first + 50; i++) {
            assertArrayEquals(answer(i), client.call(TestCalls.content(i), PATIENCE_NANOS));
          }
        });
      }
      threads.join();
      assertEquals(300, calls.status().repliedCount());
      server.close();
    }
  }

  @Test
  void futuresCompleteWithRepliesAndMoreCallsThanSlotsWaitForThem() throws Exception {
    try (TestCalls calls = calls(); CallClient client = CallClient.open(calls.calls)) {
      List<CompletableFuture<byte[]>> futures = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        futures.add(client.callAsync(TestCalls.content(i), PATIENCE_NANOS));
      }
      CallServer server = CallServer.start(calls.elsewhere, TestCalls::answer, 1);
      for (int i = 0; i < 40; i++) {
        assertArrayEquals(answer(i), futures.get(i).get(PATIENCE_NANOS, TimeUnit.NANOSECONDS));
      }
      server.close();
    }
  }

  /** A client's thread ends a moment after its close, and the segment with it. */
  @AfterEach
  void awaitTheEndOfClients() {
    for (long start = System.nanoTime(); Files.exists(bus.path("segment"))
        && System.nanoTime() - start < PATIENCE_NANOS; ) {
      LockSupport.parkNanos(1_000_000);
    }
  }

  @Test
  void aCallThatNobodyAnswersTimesOutAndACancelledOneReachesItsResponder() throws Exception {
    try (TestCalls calls = calls(); CallClient client = CallClient.open(calls.calls);
        Responder responder = calls.responder()) {
      CallFailedException failure = assertThrows(CallFailedException.class,
          () -> client.call(TestCalls.content(1), TestCalls.SOON_NANOS));
      assertEquals(Reason.TIMED_OUT, failure.reason());
      CompletableFuture<byte[]> future = client.callAsync(TestCalls.content(2), PATIENCE_NANOS);
      Request request;
      do {
        request = TestCalls.take(responder); // the first one may have been taken before its deadline
      } while (TestCalls.number(request) != 2);
      assertTrue(future.cancel(false));
      long start = System.nanoTime();
      while (!request.isCancelled() && System.nanoTime() - start < PATIENCE_NANOS) {
        Thread.onSpinWait();
      }
      assertTrue(request.isCancelled());
    }
  }

  @Test
  void afterACloseCallsFailWithItsReason() throws Exception {
    try (TestCalls calls = calls()) {
      CallClient client = CallClient.open(calls.calls);
      CompletableFuture<byte[]> pending = client.callAsync(TestCalls.content(1), PATIENCE_NANOS);
      client.close();
      ExecutionException failure =
          assertThrows(ExecutionException.class, () -> pending.get(PATIENCE_NANOS, TimeUnit.NANOSECONDS));
      assertInstanceOf(SegmentClosedException.class, failure.getCause());
      assertThrows(SegmentClosedException.class, () -> client.call(TestCalls.content(2), PATIENCE_NANOS));
      assertThrows(IllegalArgumentException.class, () -> client.call(new byte[TestCalls.MAX_REQUEST + 1], 1));
      assertThrows(IllegalArgumentException.class, () -> client.call(new byte[1], 0));
    }
  }
}
