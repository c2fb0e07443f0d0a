package io.bywash.osgi.it;

import static io.bywash.osgi.BywashConstants.*;
import static io.bywash.osgi.it.Container.awaitUntil;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Kind;
import io.bywash.engine.Lifetime;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.call.CallFailedException;
import io.bywash.engine.call.CallFailedException.Reason;
import io.bywash.engine.call.Caller;
import io.bywash.engine.queue.Consumer;
import io.bywash.engine.queue.Delivery;
import io.bywash.engine.queue.DeliveryPolicy;
import io.bywash.engine.queue.Producer;
import io.bywash.engine.queue.QueueStatus;
import io.bywash.engine.queue.WorkQueue;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongUnaryOperator;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.ServiceRegistration;

/** Consumers of work queues, and responders. The other end is this process, with an engine of its own. */
abstract class ConsumerContract extends StructureContract {
  private static final String WORK = "io.bywash.osgi.WorkQueueConsumer";
  private static final String ANSWER = "io.bywash.osgi.CallResponder";
  private static final long TIMEOUT_NANOS = Container.DEADLINE.toNanos();
  private static final int STOPS = 50;

  /** A segment of all kinds, held by this process. */
  private Segment segment(String name) {
    return ended(Segment.create(bus.resolve(name), SegmentSpec.of(StructureProgram.SPECS)));
  }

  /** Registers a worker of the test's bundle, or of another one. */
  private ServiceRegistration<?> work(Bundle bundle, String type, String segment, LongUnaryOperator work)
      throws Exception {
    ServiceRegistration<?> registration = Container.register(bundle, type, Container.create(bundle, "Worker", work),
        Map.of(SEGMENT, segment, QUEUE, type.equals(WORK) ? "jobs" : "double"));
    ended(() -> unregister(registration));
    return registration;
  }

  private Bundle testBundle() {
    return container.testContext().getBundle();
  }

  private static byte[] bytes(long number) {
    return ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(number).array();
  }

  private static QueueStatus jobs(Segment segment) {
    return QueueStatus.of(segment.directory().find("jobs", Kind.WORK_QUEUE));
  }

  private static void send(Segment segment, long count) {
    try (Producer producer = Producer.open(segment.directory().find("jobs", Kind.WORK_QUEUE))) {
      for (long number = 0; number < count; number++) {
        producer.offer(bytes(number), 0, Long.BYTES, 0, TIMEOUT_NANOS);
      }
    }
  }

  @Test
  void consumersShareTheMessagesOfAWorkQueueAndEachMessageIsAcknowledged() throws Exception {
    Queue<Long> got = new ConcurrentLinkedQueue<>();
    work(testBundle(), WORK, "shared", number -> got.add(number) ? 0 : 1);
    work(testBundle(), WORK, "shared", number -> got.add(number) ? 0 : 1);
    Segment segment = segment("shared");
    awaitUntil("two consumers", () -> jobs(segment).roles().size() == 2);
    send(segment, 1_000);
    awaitUntil("all messages", () -> got.size() >= 1_000);
    assertEquals(upTo(1_000), got.stream().sorted().toList());
    awaitUntil("nothing held", () -> jobs(segment).heldCount() == 0 && jobs(segment).readyCount() == 0);
    awaitListed("shared", "jobs", "work queue", "AVAILABLE");
  }

  @Test
  void whatLiesInAWorkQueueThatWasLeftByAllIsGivenToAConsumer() throws Exception {
    try (Segment segment = Segment.create(bus.resolve("left"),
        SegmentSpec.of(WorkQueue.spec("jobs", 128, Long.BYTES, DeliveryPolicy.redeliver()),
            Broadcast.spec("ticks", 4096)).withLifetime(Lifetime.KEPT))) {
      send(segment, 100);
    }
    ended(() -> Files.delete(bus.resolve("left")));
    Queue<Long> got = new ConcurrentLinkedQueue<>();
    work(testBundle(), WORK, "left", number -> got.add(number) ? 0 : 1);
    awaitUntil("all messages", () -> got.size() == 100);
    awaitListed("left", "jobs", "AVAILABLE"); // the consumer uses it
    awaitListed("left", "ticks", "NO_OWNER");
    assertEquals(upTo(100), List.copyOf(got));
  }

  @Test
  void aMessageWhoseCallThrowsComesAgainAndThenBecomesADeadLetter() throws Exception {
    Queue<Long> got = new ConcurrentLinkedQueue<>();
    Segment segment = segment("thrown");
    work(testBundle(), WORK, "thrown", number -> {
      got.add(number);
      if (number == 1) {
        throw new IllegalStateException("thrown on purpose by the test");
      }
      return 0;
    });
    send(segment, 3);
    try (Consumer failed = Consumer.open(segment.directory().find("failed", Kind.WORK_QUEUE))) {
      Delivery letter = failed.take(TIMEOUT_NANOS);
      assertEquals(1, letter.getLong(0));
      letter.ack();
    }
    awaitUntil("nothing held", () -> jobs(segment).heldCount() == 0 && jobs(segment).readyCount() == 0);
    assertEquals(List.of(0L, 1L, 1L, 1L, 2L), got.stream().sorted().toList());
  }

  @Test
  void aMessageWhoseConsumerHangsIsGivenBackWhenItsBundleGoes() throws Exception {
    Segment segment = segment("hung");
    Hang hang = new Hang();
    Bundle hostile = container.installAnother("hung");
    ended(() -> uninstall(hostile));
    work(hostile, WORK, "hung", number -> {
      hang.run();
      return 0;
    });
    send(segment, 1);
    hang.awaitEntered();
    Queue<Long> got = new ConcurrentLinkedQueue<>();
    work(testBundle(), WORK, "hung", number -> got.add(number) ? 0 : 1);
    hostile.uninstall();
    awaitUntil("the other one to get it", () -> got.contains(0L));
    hang.released.countDown();
    awaitUntil("the role to be given back", () -> jobs(segment).roles().size() == 1 && jobs(segment).heldCount() == 0);
    assertEquals(List.of(0L), List.copyOf(got));
  }

  @Test
  void nothingIsBuriedThatNoConsumerWasShownThoughTheirBundleIsStoppedAtEveryMoment() throws Exception {
    Segment segment = ended(Segment.create(bus.resolve("stopped"), SegmentSpec.of(
        WorkQueue.spec("jobs", 256, Long.BYTES, DeliveryPolicy.redeliver().atMost(1).deadLetters("failed")),
        WorkQueue.spec("failed", 1024, 100))));
    Bundle worker = container.installAnother("stopped");
    ended(() -> uninstall(worker));
    Queue<Long> shown = new ConcurrentLinkedQueue<>();
    AtomicBoolean enough = new AtomicBoolean();
    CompletableFuture<Long> sent = CompletableFuture.supplyAsync(() -> sendUntil(segment, enough));
    for (int round = 0; round < STOPS; round++) {
      work(worker, WORK, "stopped", number -> shown.add(number) ? 0 : 1);
      int before = shown.size();
      awaitUntil("some messages", () -> shown.size() > before);
      worker.stop();
      worker.start();
    }
    enough.set(true);
    work(testBundle(), WORK, "stopped", number -> shown.add(number) ? 0 : 1);
    List<Long> all = upTo(sent.get(TIMEOUT_NANOS, TimeUnit.NANOSECONDS));
    awaitUntil("nothing held", () -> jobs(segment).heldCount() == 0 && jobs(segment).readyCount() == 0);
    try (Consumer failed = Consumer.open(segment.directory().find("failed", Kind.WORK_QUEUE))) {
      failed.poll(letter -> assertTrue(shown.contains(letter.getLong(0)), letter.getLong(0) + " was buried"), 1024);
    }
    assertEquals(all, shown.stream().sorted().distinct().toList());
  }

  private static long sendUntil(Segment segment, AtomicBoolean enough) {
    long number = 0;
    try (Producer producer = Producer.open(segment.directory().find("jobs", Kind.WORK_QUEUE))) {
      while (!enough.get()) {
        number += producer.offer(bytes(number), 0, Long.BYTES, 0, 1_000_000) ? 1 : 0;
      }
    }
    return number;
  }

  @Test
  void aCallIsAnsweredByAResponderServiceAndWhatThatThrowsReachesTheCaller() throws Exception {
    Segment segment = segment("answered");
    work(testBundle(), ANSWER, "answered", number -> {
      if (number < 0) {
        throw new IllegalArgumentException("number=" + number);
      }
      return 2 * number;
    });
    try (Caller caller = Caller.open(segment.directory().find("double", Kind.ENDPOINT))) {
      for (long number = 0; number < 100; number++) {
        assertEquals(2 * number, caller.call(bytes(number), TIMEOUT_NANOS).getLong(0));
      }
      CallFailedException failed =
          assertThrows(CallFailedException.class, () -> caller.call(bytes(-1), TIMEOUT_NANOS));
      assertEquals(List.of(Reason.HANDLER_FAILED, "java.lang.IllegalArgumentException", "number=-1"),
          List.of(failed.reason(), failed.remoteType(), failed.remoteMessage()));
      assertEquals(14, caller.call(bytes(7), TIMEOUT_NANOS).getLong(0));
    }
  }

  @Test
  void aCallWhoseResponderHangsFailsWhenItsBundleGoesAndTheNextOneIsAnswered() throws Exception {
    Segment segment = segment("lost");
    Hang hang = new Hang();
    Bundle hostile = container.installAnother("lost");
    ended(() -> uninstall(hostile));
    work(hostile, ANSWER, "lost", number -> {
      hang.run();
      return 0;
    });
    try (Caller caller = Caller.open(segment.directory().find("double", Kind.ENDPOINT))) {
      CompletableFuture<Long> call =
          CompletableFuture.supplyAsync(() -> caller.call(bytes(1), TIMEOUT_NANOS).getLong(0));
      hang.awaitEntered();
      hostile.uninstall();
      CallFailedException failed = (CallFailedException) assertThrows(ExecutionException.class,
          () -> call.get(TIMEOUT_NANOS, TimeUnit.NANOSECONDS)).getCause();
      assertEquals(Reason.RESPONDER_GONE, failed.reason());
      work(testBundle(), ANSWER, "lost", number -> 2 * number);
      assertEquals(8, caller.call(bytes(4), TIMEOUT_NANOS).getLong(0));
      hang.released.countDown();
    }
  }

  @Test
  void aConsumerOfAnotherKindIsListedWithTheReason() throws Exception {
    segment("mixed");
    work(testBundle(), WORK, "mixed", number -> 0);
    awaitListed("mixed", "jobs", "FEEDING");
    listen("mixed", () -> {}, QUEUE, "jobs");
    awaitListed("mixed", "jobs", "WRONG_KIND", "it is of kind work queue, fed to WorkQueueConsumer");
    ServiceRegistration<?> named = Container.register(testBundle(), WORK,
        container.create("Worker", (LongUnaryOperator) number -> 0),
        Map.of(SEGMENT, "mixed", QUEUE, "jobs", SUBSCRIPTION, "mine"));
    ended(() -> unregister(named));
    awaitListed("mixed", "jobs", "BAD_PROPERTIES", "bywash.subscription=mine has no meaning");
  }
}
