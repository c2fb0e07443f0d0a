package io.bywash.engine.queue;

import static java.lang.invoke.MethodHandles.lookup;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.BusDirectory;
import io.bywash.engine.Claim;
import io.bywash.engine.Entry;
import io.bywash.engine.Lifetime;
import io.bywash.engine.Removal;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.internal.files.NamesLock;
import io.bywash.engine.internal.linux.OpenDirectory;
import io.bywash.engine.record.Records;
import java.nio.file.Files;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Whoever is about to remove a segment leaves it there if somebody has sent something meanwhile, and has left. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LastLeaverTest {
  private static final SegmentSpec SPEC = SegmentSpec.of(
      WorkQueue.spec(TestJobs.NAME, 16, TestJobs.MAX_BYTES, DeliveryPolicy.redeliver(), 8)).withParticipantCapacity(8);
  private static final SegmentSpec OTHER = SPEC.withParticipantCapacity(9);

  @RegisterExtension final TempBus bus = new TempBus();

  /** Runs {@code remover} until it waits for the names lock, then {@code meanwhile}, then the rest of the remover. */
  private void duringRemoval(Threads.Work remover, Threads.Work meanwhile) throws Exception {
    try (Threads threads = new Threads(); OpenDirectory directory = OpenDirectory.of(bus.directory())) {
      NamesLock.under(directory, () -> {
        Thread thread = threads.start("remover", remover);
        Threads.await(() -> Stream.of(thread.getStackTrace())
            .anyMatch(frame -> frame.getMethodName().equals("withLock")), "the remover to wait for the names lock");
        try {
          meanwhile.run();
        } catch (Exception failure) {
          throw new AssertionError(failure);
        }
        return true;
      });
      threads.join();
    }
  }

  private void enqueue() {
    try (Segment segment = Segment.attach(bus.path("seg"), 0);
        Producer producer = Producer.open(segment.directory().find(TestJobs.NAME).orElseThrow())) {
      TestJobs.send(producer, 0, 10);
    }
  }

  private void assertSent() {
    assertTrue(Files.exists(bus.path("seg")), "the segment is gone, and with it what was sent");
    try (Segment segment = Segment.open(bus.path("seg"), SPEC);
        Consumer consumer = Consumer.open(segment.directory().find(TestJobs.NAME).orElseThrow())) {
      assertEquals(List.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9), TestJobs.drain(consumer));
    }
    assertEquals(List.of(), bus.files());
  }

  /** A segment that nobody uses, though its last user has not removed it. */
  private void leaveStale() throws Exception {
    try (Segment segment = Segment.create(bus.path("template"), SPEC)) {
      Files.copy(segment.path(), bus.path("seg"));
    }
  }

  /** Whoever asks looks at many cells, so that the message moves meanwhile, and not only once. */
  @Test
  void aMessageThatMovesAllTheTimeIsNotOverlooked() throws Exception {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 1 << 12); Producer producer = queue.producer();
        Consumer consumer = queue.consumer(); Threads threads = new Threads()) {
      Cells cells = Cells.of(queue.jobs);
      AtomicBoolean counted = new AtomicBoolean();
      TestJobs.send(producer, 0, 1);
      threads.start("counts", () -> {
        try {
          for (int i = 0; i < 30_000; i++) {
            assertTrue(cells.messageCount() > 0, "the message was overlooked");
          }
        } finally {
          counted.set(true);
        }
      });
      while (!counted.get()) {
        TestJobs.take(consumer).giveBack();
      }
      threads.join();
      TestJobs.takeNumber(consumer);
    }
  }

  /** Whoever asks looks at many cells, so that the message moves meanwhile. */
  @Test
  void aMessageThatIsTakenOrGivenBackMeanwhileIsNotOverlooked() throws Exception {
    int capacity = 1 << 14;
    try (TestJobs queue = TestJobs.of(bus.path("seg"), capacity); Producer producer = queue.producer();
        Consumer consumer = queue.consumer(); Threads threads = new Threads()) {
      Cells cells = Cells.of(queue.jobs);
      AtomicInteger round = new AtomicInteger();
      TestJobs.send(producer, 0, 1);
      threads.start("counts", () -> {
        for (int next = 1; next <= 2_000; next++) {
          round.set(next);
          assertTrue(cells.messageCount() > 0, "the message was overlooked");
          int counted = next;
          Threads.await(() -> round.get() == -counted, "the message to move");
        }
      });
      Delivery held = null;
      for (int next = 1; next <= 2_000 && !threads.hasFailed(); next++) {
        int begun = next;
        Threads.await(() -> round.get() == begun || threads.hasFailed(), "the next round");
        for (int i = ThreadLocalRandom.current().nextInt(2_000); i > 0; i--) {
          Thread.onSpinWait();
        }
        if (held == null) {
          held = TestJobs.take(consumer);
        } else {
          held.giveBack();
          held = null;
        }
        round.compareAndSet(next, -next);
      }
      threads.join();
      TestJobs.takeNumber(consumer);
    }
  }

  @Test
  void whoClosesAsTheLastOneLeavesWhatWasSentSinceItLooked() throws Exception {
    Segment last = Segment.create(bus.path("seg"), SPEC);
    duringRemoval(last::close, this::enqueue);
    assertSent();
  }

  @Test
  void theSegmentStaysForWhoeverIsStillInsideWhenItIsClosed() throws Exception {
    Segment sending = Segment.create(bus.path("seg"), SPEC);
    Segment other = Segment.attach(bus.path("seg"), 0);
    Producer producer = Producer.open(sending.directory().find(TestJobs.NAME).orElseThrow());
    try (Claim claim = producer.tryClaim(8)) {
      try (Threads threads = new Threads()) {
        threads.start("closer", () -> {
          sending.close();
          other.close();
        });
        threads.join();
      }
      assertEquals(List.of("seg"), bus.files(), "what the producer is about to send would be lost");
      claim.abort();
    }
    assertEquals(List.of(), bus.files());
  }

  @Test
  void theSegmentDoesNotStayForWhoeverIsInsideARoleThatWasRevoked() throws Exception {
    for (boolean closedFirst : new boolean[] {false, true}) {
      Segment sending = Segment.create(bus.path("seg"), SPEC);
      Segment other = Segment.attach(bus.path("seg"), 0);
      Producer producer = Producer.open(sending.directory().find(TestJobs.NAME).orElseThrow());
      try (Claim claim = producer.tryClaim(8); Threads threads = new Threads()) {
        threads.start("closer", () -> {
          if (closedFirst) {
            sending.close();
          }
          producer.revoke();
          sending.close();
          other.close();
        });
        threads.join();
        assertEquals(List.of(), bus.files());
        claim.abort();
      }
    }
  }

  @Test
  void theSegmentGoesWhenTheRoleThatAloneKeepsItIsRevoked() throws Exception {
    Segment sending = Segment.create(bus.path("seg"), SPEC);
    Segment other = Segment.attach(bus.path("seg"), 0);
    Producer producer = Producer.open(sending.directory().find(TestJobs.NAME).orElseThrow());
    try (Claim claim = producer.tryClaim(8); Threads threads = new Threads()) {
      threads.start("closer", () -> {
        sending.close();
        other.close();
        assertEquals(List.of("seg"), bus.files());
        producer.revoke();
        assertEquals(List.of(), bus.files(), "the last one that kept the segment in use looks at nothing");
      });
      threads.join();
      claim.abort();
    }
  }

  @Test
  void theSegmentGoesWhenTheLastRoleEndsThatWasNotRevoked() throws Exception {
    Segment sending = Segment.create(bus.path("seg"), SPEC);
    Segment other = Segment.attach(bus.path("seg"), 0);
    Entry jobs = sending.directory().find(TestJobs.NAME).orElseThrow();
    Producer hung = Producer.open(jobs);
    Producer busy = Producer.open(jobs);
    try (Claim open = hung.tryClaim(8); Claim claim = busy.tryClaim(8)) {
      try (Threads threads = new Threads()) {
        threads.start("closer", () -> {
          hung.revoke();
          sending.close();
          other.close();
        });
        threads.join();
      }
      assertEquals(List.of("seg"), bus.files(), "what the producer is about to send would be lost");
      claim.abort();
      assertEquals(List.of(), bus.files(), "only a revoked role keeps it");
      open.abort();
    }
  }

  /** A record that is being read until it may go on. */
  record Slow(long value) {
    private static CountDownLatch read;
    private static CountDownLatch goOn;

    @Override
    public long value() {
      read.countDown();
      try {
        assertTrue(goOn.await(60, TimeUnit.SECONDS));
      } catch (InterruptedException stopped) {
        throw new AssertionError(stopped);
      }
      return value;
    }
  }

  @Test
  void nothingIsSentInARoleThatWasRevokedWhileItsUserWasAboutToSend() throws Exception {
    Records<Slow> records = Records.of(lookup(), Slow.class);
    for (boolean closedFirst : new boolean[] {false, true}) {
      Slow.read = new CountDownLatch(1);
      Slow.goOn = new CountDownLatch(1);
      Segment sending = Segment.create(bus.path("seg"), SPEC);
      Segment other = Segment.attach(bus.path("seg"), 0);
      Producer producer = Producer.open(sending.directory().find(TestJobs.NAME).orElseThrow());
      try (Consumer consumer = Consumer.open(other.directory().find(TestJobs.NAME).orElseThrow())) {
        TestJobs.send(producer, 0, 1); // the first message has the producer look whether its role is usable
        assertEquals(List.of(0), TestJobs.drain(consumer));
      }
      try (Threads threads = new Threads()) {
        threads.start("sender",
            () -> assertThrows(SegmentClosedException.class, () -> producer.offer(records, new Slow(1))));
        assertTrue(Slow.read.await(60, TimeUnit.SECONDS));
        if (closedFirst) {
          sending.close();
        }
        producer.revoke();
        sending.close();
        other.close();
        assertEquals(List.of(), bus.files());
        Slow.goOn.countDown();
        threads.join();
      }
    }
  }

  @Test
  void theSegmentStaysForWhoeverMayJustBeSendingInARoleThatWasRevoked() throws Exception {
    Segment sending = Segment.create(bus.path("seg"), SPEC);
    Segment other = Segment.attach(bus.path("seg"), 0);
    Entry jobs = sending.directory().find(TestJobs.NAME).orElseThrow();
    Cells cells = Cells.of(jobs);
    Producer producer = Producer.open(jobs);
    try (Claim claim = producer.tryClaim(8); Threads threads = new Threads()) {
      long announced = cells.entry.role(0) + QueueLayout.ROLE_AT;
      cells.region.setLongRelease(announced, 1); // as if the thread that has the claim stood before its exchange
      threads.start("closer", () -> {
        producer.revoke();
        sending.close();
        other.close();
      });
      threads.join();
      assertEquals(List.of("seg"), bus.files(), "what the producer is sending would be lost");
      cells.region.setLongRelease(announced, 0);
      claim.abort();
    }
    assertEquals(List.of(), bus.files());
  }

  @Test
  void aConsumerWithARedeliveredMessageKeepsNothingInUseWhenItWasRevoked() throws Exception {
    for (boolean closedFirst : new boolean[] {false, true}) {
      Segment hung = Segment.create(bus.path("seg"), SPEC);
      Segment other = Segment.attach(bus.path("seg"), 0);
      try (Producer producer = Producer.open(other.directory().find(TestJobs.NAME).orElseThrow());
          Consumer left = Consumer.open(other.directory().find(TestJobs.NAME).orElseThrow())) {
        TestJobs.send(producer, 0, 1);
        assertNotNull(left.take());
      }
      Consumer consumer = Consumer.open(hung.directory().find(TestJobs.NAME).orElseThrow());
      Delivery message = consumer.take();
      assertEquals(2, message.deliveries());
      try (Threads threads = new Threads()) {
        threads.start("closer", () -> {
          if (closedFirst) {
            hung.close();
          }
          consumer.revoke();
          hung.close();
        });
        threads.join();
      }
      assertTrue(other.participants().getFirst().leaving(), "it keeps the segment in use");
      message.ack();
      assertEquals(1, other.participants().size());
      other.close();
      assertEquals(List.of(), bus.files());
    }
  }

  @Test
  void whoCleansLeavesWhatWasSentSinceItLooked() throws Exception {
    leaveStale();
    duringRemoval(() -> assertEquals(List.of(), BusDirectory.at(bus.directory()).clean()), this::enqueue);
    assertSent();
  }

  @Test
  void whoWantsAnotherSpecificationLeavesWhatWasSentSinceItLooked() throws Exception {
    leaveStale();
    duringRemoval(() -> {
      SpecMismatchException differs = Assertions.assertThrows(SpecMismatchException.class,
          () -> Segment.open(bus.path("seg"), OTHER).close());
      assertTrue(differs.getMessage().contains("10 messages"), differs.getMessage());
    }, this::enqueue);
    assertSent();
  }

  @Test
  void whoRemovesOnPurposeRemovesWhatWasSentAsWell() throws Exception {
    leaveStale();
    duringRemoval(() -> BusDirectory.at(bus.directory()).remove("seg"), this::enqueue);
    assertEquals(List.of(), bus.files());
  }

  @Test
  @Tag("once") // it waits for as long as the lock is waited for
  void whoCannotRemoveTheSegmentAsTheLastOneLeavesItAndIsNotTold() throws Exception {
    Segment last = Segment.create(bus.path("seg"), SPEC);
    try (OpenDirectory directory = OpenDirectory.of(bus.directory())) {
      NamesLock.under(directory, () -> {
        last.close(); // as if the holder of the names lock were stopped
        return true;
      });
    }
    assertEquals(List.of("seg"), BusDirectory.at(bus.directory()).clean().stream().map(Removal::name).toList());
  }

  @Test
  void aKeptSegmentIsRemovedOnPurposeOnly() throws Exception {
    Segment.create(bus.path("seg"), SPEC.withLifetime(Lifetime.KEPT)).close();
    assertEquals(List.of(), BusDirectory.at(bus.directory()).clean());
    Assertions.assertThrows(SpecMismatchException.class, () -> Segment.open(bus.path("seg"), OTHER).close());
    assertEquals(List.of("seg"), bus.files());
    BusDirectory.at(bus.directory()).remove("seg");
  }
}
