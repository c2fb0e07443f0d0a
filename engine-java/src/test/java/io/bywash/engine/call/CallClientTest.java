package io.bywash.engine.call;

import static io.bywash.engine.call.TestCalls.PATIENCE_NANOS;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.call.CallFailedException.Reason;
import io.bywash.engine.record.Length;
import io.bywash.engine.record.RecordFormatException;
import io.bywash.engine.record.Records;
import io.bywash.engine.wait.WaitPolicy;
import java.lang.invoke.MethodHandles;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A client that many threads share. */
class CallClientTest {
  /** Some pages. */
  private static final int CUT = 1 << 16;

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

  @AfterEach
  void awaitTheEndOfClients() {
    TestCalls.awaitEnd(bus.path("segment"));
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
  void eachDeadlineIsKeptWhetherTheRequestHasASlotOrNot() throws Exception {
    try (TestCalls calls = calls(); CallClient client = CallClient.open(calls.calls)) {
      List<CompletableFuture<byte[]>> patient = new ArrayList<>();
      for (int i = 0; i < 6; i++) { // four have a slot
        patient.add(client.callAsync(TestCalls.content(i), PATIENCE_NANOS));
      }
      CompletableFuture<byte[]> hasty = client.callAsync(TestCalls.content(6), TestCalls.SOON_NANOS);
      CompletableFuture<byte[]> cancelled = client.callAsync(TestCalls.content(7), PATIENCE_NANOS);
      patient.add(client.callAsync(TestCalls.content(8), PATIENCE_NANOS));
      assertEquals(Reason.TIMED_OUT, failure(hasty).reason());
      CallFailedException failure = assertThrows(CallFailedException.class,
          () -> client.call(TestCalls.content(9), TestCalls.SOON_NANOS));
      assertEquals(Reason.TIMED_OUT, failure.reason());
      assertTrue(patient.stream().noneMatch(CompletableFuture::isDone), "those before it still wait");
      assertTrue(cancelled.cancel(false));
      try (Responder responder = calls.responder()) {
        for (long number : new long[] {0, 1, 2, 3, 4, 5, 8}) { // in their order
          Request request = TestCalls.take(responder);
          assertEquals(number, TestCalls.number(request));
          assertTrue(TestCalls.answer(request));
          assertArrayEquals(answer(number), patient.removeFirst().get(PATIENCE_NANOS, TimeUnit.NANOSECONDS));
        }
        assertEquals(answer(10).length, client.callAsync(TestCalls.content(10), PATIENCE_NANOS).thenCombine(
            Threads.runAsync(() -> TestCalls.answer(TestCalls.take(responder))), (reply, _) -> reply.length)
            .get(PATIENCE_NANOS, TimeUnit.NANOSECONDS));
      }
    }
  }

  private static CallFailedException failure(CompletableFuture<?> future) {
    return assertInstanceOf(CallFailedException.class, cause(future));
  }

  private static Throwable cause(CompletableFuture<?> future) {
    return assertThrows(ExecutionException.class, () -> future.get(PATIENCE_NANOS, TimeUnit.NANOSECONDS)).getCause();
  }

  /** What is asked, and a price. */
  record Question(@Length(8) String name, int count) {}

  record Price(double amount) {}

  private static final Records<Question> QUESTIONS = Records.of(MethodHandles.lookup(), Question.class);
  private static final Records<Price> PRICES = Records.of(MethodHandles.lookup(), Price.class);

  @Test
  void requestsAndRepliesAreRecords() throws Exception {
    try (TestCalls calls = calls(); CallClient client = CallClient.open(calls.calls)) {
      CallServer server = CallServer.start(calls.elsewhere, request -> {
        Question question = QUESTIONS.read(request);
        if (question.count() == 0) {
          request.reply(new byte[3]);
        } else {
          request.reply(PRICES, new Price(question.count() * 1.5));
        }
      }, 2);
      for (int i = 1; i < 50; i++) {
        assertEquals(new Price(i * 1.5), client.call(QUESTIONS, new Question("bolt", i), PRICES, PATIENCE_NANOS));
      }
      assertEquals(new Price(3), client.callAsync(QUESTIONS, new Question("nut", 2), PRICES, PATIENCE_NANOS)
          .get(PATIENCE_NANOS, TimeUnit.NANOSECONDS));
      assertThrows(RecordFormatException.class,
          () -> client.call(QUESTIONS, new Question("none", 0), PRICES, PATIENCE_NANOS));
      CompletableFuture<Price> unreadable = client.callAsync(QUESTIONS, new Question("", 0), PRICES, PATIENCE_NANOS);
      assertInstanceOf(RecordFormatException.class, cause(unreadable));
      assertThrows(IllegalArgumentException.class,
          () -> client.call(QUESTIONS, new Question("longer than it may be", 1), PRICES, PATIENCE_NANOS));
      server.close();
      server.awaitEnd();
      client.failFast(true);
      assertEquals(Reason.NO_RESPONDER,
          failure(client.callAsync(QUESTIONS, new Question("", 1), PRICES, PATIENCE_NANOS)).reason());
    }
  }

  @Test
  void afterACloseCallsFailWithItsReason() throws Exception {
    try (TestCalls calls = calls()) {
      CallClient client = CallClient.open(calls.calls);
      CompletableFuture<byte[]> pending = client.callAsync(TestCalls.content(1), PATIENCE_NANOS);
      client.close();
      assertInstanceOf(SegmentClosedException.class, cause(pending));
      assertThrows(SegmentClosedException.class, () -> client.call(TestCalls.content(2), PATIENCE_NANOS));
      assertThrows(IllegalArgumentException.class, () -> client.call(new byte[TestCalls.MAX_REQUEST + 1], 1));
      assertThrows(IllegalArgumentException.class, () -> client.call(new byte[1], 0));
    }
  }

  /** Completes futures in the client's thread, which it holds at the first one, and runs something at the second. */
  private static final class Gate implements Executor {
    private final CountDownLatch reached = new CountDownLatch(1);
    private final CountDownLatch open = new CountDownLatch(1);
    private final Runnable second;
    private int handed;

    Gate(Runnable second) {
      this.second = second;
    }

    void awaitReached() throws InterruptedException {
      assertTrue(reached.await(PATIENCE_NANOS, TimeUnit.NANOSECONDS));
    }

    @Override
    public void execute(Runnable task) {
      switch (++handed) {
        case 1 -> {
          reached.countDown();
          try {
            assertTrue(open.await(PATIENCE_NANOS, TimeUnit.NANOSECONDS));
          } catch (InterruptedException impossible) {
            throw new AssertionError(impossible);
          }
        }
        case 2 -> second.run();
        default -> { }
      }
      task.run();
    }
  }

  @Test
  void callsThatFailedAtOnceEndWithTheSegmentThoughTheyNeverHadASlot() throws Exception {
    try (TestCalls calls = calls()) {
      Gate gate = new Gate(calls.first::close); // so the next look for replies fails
      CallClient client = CallClient.open(calls.calls, WaitPolicy.BACKOFF, gate);
      client.failFast(true);
      List<CompletableFuture<byte[]>> futures = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        futures.add(client.callAsync(TestCalls.content(i), PATIENCE_NANOS));
        gate.awaitReached(); // the others are sent together
      }
      gate.open.countDown();
      for (CompletableFuture<byte[]> handed : futures.subList(0, 2)) {
        assertEquals(Reason.NO_RESPONDER, failure(handed).reason());
      }
      for (CompletableFuture<byte[]> left : futures.subList(2, 4)) {
        assertInstanceOf(SegmentClosedException.class, cause(left));
      }
    }
  }

  @Test
  void anExecutorThatThrowsAnErrorLosesNoCallAndNotTheClient() throws Exception {
    try (TestCalls calls = calls()) {
      CallClient client = CallClient.open(calls.calls, WaitPolicy.BACKOFF, _ -> {
        throw new NoClassDefFoundError("of an executor");
      });
      client.failFast(true);
      assertEquals(Reason.NO_RESPONDER, failure(client.callAsync(TestCalls.content(1), PATIENCE_NANOS)).reason());
      client.failFast(false);
      CompletableFuture<byte[]> answered = client.callAsync(TestCalls.content(2), PATIENCE_NANOS);
      try (Responder responder = calls.responder()) {
        assertTrue(TestCalls.answer(TestCalls.take(responder)));
        assertArrayEquals(answer(2), answered.get(PATIENCE_NANOS, TimeUnit.NANOSECONDS));
      }
      CompletableFuture<byte[]> last = client.callAsync(TestCalls.content(3), PATIENCE_NANOS);
      client.close();
      assertInstanceOf(SegmentClosedException.class, cause(last));
    }
  }

  @Test
  void anInterruptThatAStageLeavesInTheClientsThreadEndsNoCall() throws Exception {
    try (TestCalls calls = calls();
        CallClient client = CallClient.open(calls.calls, WaitPolicy.BACKOFF, Runnable::run);
        CallServer server = CallServer.start(calls.elsewhere, TestCalls::answer, 1)) {
      CompletableFuture<byte[]> first = new CompletableFuture<>();
      client.callAsync(TestCalls.content(0), PATIENCE_NANOS).whenComplete((reply, failure) -> {
        Thread.currentThread().interrupt(); // this thread's own, if the reply was faster
        first.complete(reply);
      });
      first.get(PATIENCE_NANOS, TimeUnit.NANOSECONDS);
      Thread.interrupted();
      for (int i = 1; i < 4; i++) {
        assertArrayEquals(answer(i), client.call(TestCalls.content(i), PATIENCE_NANOS));
      }
      assertNotNull(server);
    }
  }

  @Test
  void aReplyThatCannotBeCopiedSinceTheFileWasCutEndsItsCallWithDamage() throws Exception {
    Gate gate = new Gate(() -> { });
    Endpoint endpoint = Endpoint.of(TestCalls.NAME, 8, 2 * CUT).callers(1).slots(2);
    try (TestCalls calls = TestCalls.of(bus.path("segment"), endpoint);
        CallClient client = CallClient.open(calls.calls, WaitPolicy.BACKOFF, gate);
        Responder responder = calls.responder()) {
      CompletableFuture<byte[]> first = client.callAsync(new byte[8], PATIENCE_NANOS);
      CompletableFuture<byte[]> second = client.callAsync(new byte[8], PATIENCE_NANOS);
      assertTrue(TestCalls.take(responder).reply(new byte[8]));
      gate.awaitReached();
      assertTrue(TestCalls.take(responder).reply(new byte[2 * CUT])); // to the last slot
      whileCut(() -> {
        gate.open.countDown();
        assertInstanceOf(DamagedSegmentException.class, cause(second));
        assertEquals(8, first.get(PATIENCE_NANOS, TimeUnit.NANOSECONDS).length);
        assertThrows(DamagedSegmentException.class, () -> client.call(new byte[8], PATIENCE_NANOS));
      });
    }
  }

  @Test
  void aRequestThatCannotBeWrittenSinceTheFileWasCutEndsWithDamage() throws Exception {
    Endpoint endpoint = Endpoint.of(TestCalls.NAME, 2 * CUT, 8).callers(1).slots(1);
    try (TestCalls calls = TestCalls.of(bus.path("segment"), endpoint);
        CallClient client = CallClient.open(calls.calls)) {
      whileCut(() -> assertThrows(DamagedSegmentException.class,
          () -> client.call(new byte[2 * CUT], PATIENCE_NANOS)));
    }
  }

  /** Runs something while the file's last bytes are cut off, and nobody changes what is there. */
  private void whileCut(Threads.Work work) throws Exception {
    try (FileChannel file = FileChannel.open(bus.path("segment"), StandardOpenOption.WRITE)) {
      long size = file.size();
      file.truncate(size - CUT);
      try {
        work.run();
      } finally {
        file.write(ByteBuffer.allocate(1), size - 1);
      }
    }
  }
}
