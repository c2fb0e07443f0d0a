package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TableFullException;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** All policies, and batches, between real processes that are paused and killed. */
@Tag("once")
@Timeout(180)
class PolicyProcessTest {
  private static final int RING_BYTES = 1 << 16;
  private static final int MAX_BYTES = 200;

  @RegisterExtension final TempBus bus = new TempBus();

  private Segment create(int subscribers) {
    return Segment.create(bus.path("policies"),
        SegmentSpec.of(Broadcast.spec(Programs.QUEUE, RING_BYTES, subscribers)));
  }

  private static BroadcastStatus status(Segment segment) {
    return BroadcastStatus.of(segment.directory().find(Programs.QUEUE, Kind.BROADCAST));
  }

  @Test
  void eachProcessGetsWhatItsPolicyPromises() {
    long count = 150_000;
    try (Segment segment = create(8);
        Publisher publisher = Programs.publisher(segment);
        ChildProcess block = ChildProcess.start(Programs.Subscribe.class, segment.path(), MAX_BYTES, "block");
        ChildProcess evict = ChildProcess.start(Programs.Subscribe.class, segment.path(), MAX_BYTES,
            "evict" + (1L << 50));
        ChildProcess skip = ChildProcess.start(Programs.Subscribe.class, segment.path(), MAX_BYTES, "skip");
        ChildProcess fail = ChildProcess.start(Programs.Subscribe.class, segment.path(), MAX_BYTES, "fail")) {
      for (ChildProcess reader : List.of(block, evict, skip, fail)) {
        assertEquals(0, reader.awaitLong("joined"));
      }
      block.tell("until " + count);
      evict.tell("until " + count);
      while (publisher.nextSequence() < count) {
        Programs.publishNext(publisher, MAX_BYTES);
        if (publisher.nextSequence() == count / 2) { // far more than the ring holds, so these two lose some
          skip.tell("until " + count);
          fail.tell("until " + count);
        }
      }
      String complete = count + " 0 " + Payload.checksum(0, count, MAX_BYTES);
      assertEquals(complete, block.await("read"));
      assertEquals(complete, evict.await("read"));
      for (ChildProcess lossy : List.of(skip, fail)) {
        String[] counts = lossy.await("read").split(" ");
        assertEquals(count, Long.parseLong(counts[0]) + Long.parseLong(counts[1]));
        assertTrue(Long.parseLong(counts[1]) > 0, "nothing was lost, so the test proves nothing");
      }
      assertEquals(0, status(segment).evictedCount());
    }
  }

  @Test
  void aProcessThatIsPausedForTooLongIsCutOffAndIsToldWhenItGoesOn() {
    try (Segment segment = create(1);
        Publisher publisher = Programs.publisher(segment);
        ChildProcess reader = ChildProcess.start(PolicyPrograms.ReadUntilCutOff.class, segment.path(), MAX_BYTES,
            "evict" + 100_000_000)) {
      assertEquals(0, reader.awaitLong("joined"));
      for (int i = 0; i < 10; i++) {
        Programs.publishNext(publisher, MAX_BYTES);
      }
      reader.pause();
      while (publisher.nextSequence() < 50_000) {
        Programs.publishNext(publisher, MAX_BYTES);
      }
      assertEquals(1, status(segment).evictedCount());
      assertTrue(status(segment).subscribers().get(0).evicted());
      assertThrows(TableFullException.class, () -> Programs.subscriber(segment, SubscriberOptions.skip()));
      reader.resume();
      long missed = reader.awaitLong("evicted");
      assertTrue(missed <= RING_BYTES / 32, "it got message " + missed + ", which was not there when it was paused");
      assertEquals(50_000, reader.awaitLong("joined"));
      assertEquals(1, publisher.subscriberCount());
      reader.tell("leave");
      reader.await("left");
      reader.finish();
    }
  }

  @Test
  void whoWasCutOffAndIsKilledThenLeavesItsPlaceToTheNext() {
    try (Segment segment = create(2);
        Publisher publisher = Programs.publisher(segment);
        ChildProcess holder = ChildProcess.start(Programs.Hold.class, segment.path(), 1, "ee")) {
      holder.await("ready");
      while (publisher.nextSequence() < 2_000) {
        Programs.publishNext(publisher, MAX_BYTES);
      }
      assertEquals(2, status(segment).evictedCount());
      assertThrows(TableFullException.class, () -> Programs.subscriber(segment, SubscriberOptions.skip()));
      holder.kill();
      assertFalse(status(segment).subscribers().stream().anyMatch(subscriber -> subscriber.participant().alive()));
      try (Subscriber first = Programs.subscriber(segment, SubscriberOptions.block());
          Subscriber second = Programs.subscriber(segment, SubscriberOptions.evictAfter(1_000_000_000))) {
        assertEquals(4_000, first.nextSequence() + second.nextSequence());
        assertEquals(2, publisher.subscriberCount());
      }
      assertEquals(List.of(), status(segment).subscribers());
    }
  }

  @Test
  void theNextProcessSweepsThePlacesOfThoseThatWereCutOffAndKilled() {
    try (Segment segment = create(2); Publisher publisher = Programs.publisher(segment)) {
      try (ChildProcess holder = ChildProcess.start(Programs.Hold.class, segment.path(), 1, "ee")) {
        holder.await("ready");
        while (publisher.nextSequence() < 2_000) {
          Programs.publishNext(publisher, MAX_BYTES);
        }
        holder.kill();
      }
      assertEquals(2, status(segment).subscribers().size());
      Segment.attach(segment.path(), 0).close(); // takes the slot of the dead
      assertEquals(List.of(), status(segment).subscribers());
    }
  }

  @Test
  void whatAKilledPublisherStagedIsNeverSeenAndItsSuccessorGoesOn(@TempDir Path ledgers) throws Exception {
    try (Segment segment = create(8);
        Subscriber block = Programs.subscriber(segment, SubscriberOptions.block());
        Subscriber skip = Programs.subscriber(segment, SubscriberOptions.skip())) {
      PolicyPrograms.Ledger ledger = PolicyPrograms.Ledger.in(ledgers.resolve("ledger"));
      Programs.Checker all = new Programs.Checker(MAX_BYTES, 0);
      Programs.Checker some = new Programs.Checker(MAX_BYTES, 0);
      for (int round = 0; round < 4; round++) {
        try (ChildProcess writer = ChildProcess.start(PolicyPrograms.PublishBatches.class, segment.path(), MAX_BYTES,
            ledgers.resolve("ledger"))) {
          assertEquals(all.received, writer.awaitLong("opened"), "the successor's first sequence");
          AtomicBoolean killed = new AtomicBoolean();
          CompletableFuture<Void> reading = Threads.runAsync(() -> {
            while (!killed.get()) {
              all.poll(block, 100, 1_000_000);
              some.poll(skip, 20, 0);
            }
          });
          if (round == 0) { // or the test might prove nothing
            ChildProcess.eventually("something is published", () -> status(segment).messageCount() > 0);
          }
          LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(100_000_000));
          writer.kill();
          killed.set(true);
          reading.join();
        }
        while (all.poll(block, 100, 0) || some.poll(skip, 100, 0)) {
          // all that was published
        }
        assertTrue(ledger.published() <= all.received && all.received <= ledger.begun(),
            "received " + all.received + ", published " + ledger.published() + ", begun " + ledger.begun());
        assertEquals(all.received, some.received + some.lost);
        try (Subscriber last = Programs.subscriber(segment, SubscriberOptions.skip().startingAtLast(50))) {
          Programs.Checker checker = new Programs.Checker(MAX_BYTES, last.nextSequence());
          checker.readUntil(last, all.received);
        }
      }
      assertEquals(0, all.lost);
      assertEquals(Payload.checksum(0, all.received, MAX_BYTES), all.checksum);
    }
  }
}
