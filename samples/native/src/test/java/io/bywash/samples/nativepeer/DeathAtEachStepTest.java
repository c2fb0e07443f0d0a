package io.bywash.samples.nativepeer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Kind;
import io.bywash.engine.Message;
import io.bywash.engine.MessageHandler;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.call.Call;
import io.bywash.engine.call.CallFailedException;
import io.bywash.engine.call.Caller;
import io.bywash.engine.call.Request;
import io.bywash.engine.call.Responder;
import io.bywash.engine.cell.Atomics;
import io.bywash.engine.cell.Latest;
import io.bywash.engine.cell.LatestReader;
import io.bywash.engine.cell.LatestWriter;
import io.bywash.engine.queue.Consumer;
import io.bywash.engine.queue.Delivery;
import io.bywash.engine.queue.Producer;
import io.bywash.engine.queue.WorkQueue;
import io.bywash.engine.wait.WaitPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A C process that is killed before the first, the second, the third ... step of an operation, up to the last one. A
 * step is each store to shared memory, each lock, and each change of a name. After each death, Java recovers the
 * segment, finds every invariant in order, and goes on in the role of the dead.
 */
@Timeout(300)
final class DeathAtEachStepTest {
  private static final int SIGKILLED = 128 + 9;
  private static final int MAX_STEPS = 5_000;

  private static SegmentSpec spec() {
    return SegmentSpec.small(List.of(Broadcast.spec("q", 4096, 2), WorkQueue.spec("jobs", 4, Numbered.MAX_LENGTH),
        Atomics.spec("state", "long total"), Latest.spec("price", Numbered.MAX_LENGTH, 1, 2),
        CallsInJava.endpoint("plain").callers(1).slots(4).responders(2).spec(),
        CallsInJava.endpoint("again").callers(1).slots(4).responders(2).redelivers().spec()));
  }

  /** Whether the operation was killed before its step {@code n}; false when it has fewer. */
  private static boolean dies(Bus bus, String operation, int n) throws Exception {
    Process process = new ProcessBuilder(Native.program(Native.Variant.STEPS, "steps").toString(), operation,
        bus.path("s").toString(), String.valueOf(n)).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes());
    assertTrue(process.waitFor(60, TimeUnit.SECONDS), "it does not end");
    assertTrue(process.exitValue() == SIGKILLED || process.exitValue() == 0 && said.startsWith("done "), said);
    return process.exitValue() == SIGKILLED;
  }

  /** Something that Java does after each death. */
  @FunctionalInterface
  private interface Successor {
    void goOn(Segment segment) throws Exception;
  }

  private static void dieAtEachStep(String operation, Successor prepare, Successor successor) throws Exception {
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), spec())) {
      int n = 0;
      do {
        prepare.goOn(segment);
        assertTrue(++n < MAX_STEPS, "it has no last step");
      } while (died(bus, segment, operation, n, successor));
      assertTrue(n > 10, "an operation of " + n + " steps is none");
    }
  }

  private static boolean died(Bus bus, Segment segment, String operation, int n, Successor successor)
      throws Exception {
    boolean died = dies(bus, operation, n);
    try {
      segment.recover();
      Bus.verify(segment);
      assertEquals(1, segment.participants().size());
      successor.goOn(segment);
      Bus.verify(segment);
    } catch (AssertionError | RuntimeException failure) {
      throw new AssertionError("after death before step " + n + " of " + operation, failure);
    }
    return died;
  }

  // ---- broadcast

  /** Everything that is there: whole, and without a gap. */
  private static final class Reader implements MessageHandler {
    private long next = -1;

    @Override
    public void onMessage(Message message) {
      assertTrue(next < 0 || next == message.sequence(), message.sequence() + " where " + next + " was due");
      assertEquals(message.sequence(), Numbered.check(message.toBytes()));
      next = message.sequence() + 1;
    }
  }

  private static void readAndPublish(Segment segment) {
    try (Publisher publisher = Publisher.open(segment.directory().find("q", Kind.BROADCAST));
        Subscriber subscriber = Subscriber.open(segment.directory().find("q", Kind.BROADCAST),
            SubscriberOptions.block().startingAtOldest())) {
      Reader reader = new Reader();
      subscriber.poll(reader, 1_000);
      assertTrue(reader.next < 0 || reader.next == publisher.nextSequence(), "the successor goes on elsewhere");
      for (int i = 0; i < 20; i++) {
        assertTrue(publisher.offer(Numbered.message(publisher.nextSequence())));
        assertEquals(1, subscriber.poll(reader, 1_000));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"publish", "stage", "block", "skip"})
  void aDeadPublisherOrSubscriberIsFollowedByJava(String operation) throws Exception {
    dieAtEachStep(operation, segment -> { }, DeathAtEachStepTest::readAndPublish);
  }

  // ---- work queue

  private static void fill(Segment segment) {
    try (Producer producer = Producer.open(segment.directory().find("jobs", Kind.WORK_QUEUE))) {
      assertTrue(producer.offer(Numbered.message(0)) && producer.offer(Numbered.message(1)));
    }
  }

  /** Takes all that is there; each message is there at most once. */
  private static Set<Long> drain(Segment segment) {
    Set<Long> found = new TreeSet<>();
    try (Consumer consumer = Consumer.open(segment.directory().find("jobs", Kind.WORK_QUEUE))) {
      for (Delivery taken = consumer.take(); taken != null; taken = consumer.take()) {
        assertTrue(found.add(Numbered.check(taken.toBytes())), "a message is there twice");
        taken.ack();
      }
    }
    return found;
  }

  @Test
  void whatADeadProducerHasSentIsThereOnceAndNothingElse() throws Exception {
    dieAtEachStep("send", segment -> { }, segment -> {
      Set<Long> found = drain(segment);
      assertTrue(List.of(Set.of(), Set.of(0L), Set.of(0L, 1L)).contains(found), found.toString());
      fill(segment);
      assertEquals(Set.of(0L, 1L), drain(segment));
    });
  }

  @Test
  void whatADeadConsumerHasNotAcknowledgedIsThereOnceAndNothingElse() throws Exception {
    dieAtEachStep("take", DeathAtEachStepTest::fill, segment -> {
      Set<Long> found = drain(segment);
      assertTrue(List.of(Set.of(0L, 1L), Set.of(1L), Set.of()).contains(found), found.toString());
    });
  }

  @Test
  void whatADeadConsumerHasGivenBackOrHasNotAcknowledgedIsThereOnce() throws Exception {
    dieAtEachStep("return", DeathAtEachStepTest::fill, segment -> assertEquals(Set.of(0L, 1L), drain(segment)));
  }

  // ---- values

  @Test
  void aDeadWriterLeavesAValueAsItWasBeforeOrBehindAStep() throws Exception {
    dieAtEachStep("values", segment -> { }, segment -> {
      try (Atomics state = Atomics.open(segment.directory().find("state", Kind.CELLS));
          LatestWriter writer = LatestWriter.open(segment.directory().find("price", Kind.LATEST));
          LatestReader reader = LatestReader.open(segment.directory().find("price", Kind.LATEST))) {
        long total = state.longCell("total").get();
        assertTrue(Set.of(0L, 1L, 5L, 7L).contains(total), "total " + total);
        Message value = reader.get();
        assertTrue(value == null || Numbered.check(value.toBytes()) < 6);
        writer.set(Numbered.message(5));
        assertEquals(5, Numbered.check(reader.get().toBytes()));
        state.longCell("total").set(0);
      }
    });
  }

  // ---- calls

  /** Nobody gets a call of the dead; in the same slots, new calls get their replies. */
  private static void callAndServe(Segment segment, String entry) {
    try (Responder responder = CallsInJava.responder(segment, entry, WaitPolicy.BACKOFF)) {
      for (Request request; (request = responder.receive()) != null; ) {
        assertTrue(request.isOneWay(), "a call of the dead");
        assertEquals(2, CallsInJava.asked(request));
        assertTrue(CallsInJava.answer(request));
      }
      try (Caller caller = CallsInJava.caller(segment, entry, WaitPolicy.BACKOFF)) {
        for (long i = 0; i < 9; i++) {
          Call call = CallsInJava.send(caller, i);
          Request request = responder.receive();
          assertNotNull(request, "a request is not found");
          assertEquals(i, CallsInJava.asked(request));
          assertTrue(CallsInJava.answer(request));
          assertTrue(call.isDone());
          CallsInJava.checkReply(call.reply(), i);
          call.close();
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"call plain", "both-plain plain", "both-again again"})
  void callsOfADeadCallerAreGivenUpAndJavaCallsInTheSameSlots(String operation) throws Exception {
    String[] words = operation.split(" ");
    dieAtEachStep(words[0], segment -> { }, segment -> callAndServe(segment, words[1]));
  }

  /** A caller in Java whose responder in C dies. */
  private static void responderDies(String entry, Set<CallFailedException.Reason> reasons) throws Exception {
    List<Caller> callers = new ArrayList<>();
    List<Call> calls = new ArrayList<>();
    dieAtEachStep("serve-" + entry, segment -> {
      callers.add(CallsInJava.caller(segment, entry, WaitPolicy.BACKOFF));
      for (long i = 0; i < 3; i++) {
        calls.add(CallsInJava.send(callers.getFirst(), i));
      }
    }, segment -> {
      try (Caller caller = callers.removeFirst();
          Responder responder = CallsInJava.responder(segment, entry, WaitPolicy.BACKOFF)) {
        for (int ends = 0; ends < 3; ) {
          for (Request request; (request = responder.receive()) != null; ) {
            assertTrue(CallsInJava.answer(request)); // also what the dead one had taken, if that is redelivered
          }
          ends += caller.await(CallsInJava.PATIENCE_NANOS) == null ? 100 : 1;
        }
        for (int i = 0; i < 3; i++) {
          try (Call call = calls.removeFirst()) {
            if (call.failure() == null) {
              CallsInJava.checkReply(call.reply(), i);
            }
            assertTrue(call.failure() == null || reasons.contains(call.failure()), "call " + i);
          }
        }
      }
      callAndServe(segment, entry);
    });
  }

  @Test
  void eachCallThatADeadResponderMayHaveTakenIsAnsweredByItOrFails() throws Exception {
    responderDies("plain", Set.of(CallFailedException.Reason.RESPONDER_GONE));
  }

  @Test
  void eachCallThatADeadResponderMayHaveTakenIsAnsweredByItOrByJavaIfTheEndpointRedelivers() throws Exception {
    responderDies("again", Set.of());
  }

  // ---- participants and segments

  @Test
  void aParticipantThatDiesWhileItJoinsOrLeavesIsBuried() throws Exception {
    dieAtEachStep("join", segment -> { }, DeathAtEachStepTest::readAndPublish);
  }

  @Test
  void whoDiesWhileItJoinsAndBuriesADeadConsumerIsBuriedWithIt() throws Exception {
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), spec())) {
      int n = 0;
      boolean died;
      do {
        fill(segment);
        assertTrue(dies(bus, "take", 16), "nobody is to be buried"); // with the first message in its hands
        died = died(bus, segment, "join", ++n, each -> assertEquals(Set.of(0L, 1L), drain(each)));
      } while (died && n < MAX_STEPS);
      assertTrue(n > 30 && n < MAX_STEPS, "joining takes " + n + " steps, burying included");
    }
  }

  @Test
  void aCreatorOrLastLeaverThatDiesLeavesNothingThatIsInTheWay() throws Exception {
    try (Bus bus = new Bus()) {
      SegmentSpec spec = SegmentSpec.small(List.of(Broadcast.spec("made", 4096, 1)));
      int n = 0;
      boolean died;
      do {
        died = dies(bus, "create", ++n);
        try (Segment segment = Segment.open(bus.path("s"), spec)) { // also removes what the dead creator has left
          segment.recover();
          Bus.verify(segment);
        }
      } while (died && n < MAX_STEPS);
      assertTrue(n > 50 && n < MAX_STEPS, "creating and leaving take " + n + " steps");
    }
  }
}
