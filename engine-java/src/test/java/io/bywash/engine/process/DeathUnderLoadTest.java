package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Claim;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Publishers and subscribers that are killed or paused while messages flow. */
@Timeout(600)
class DeathUnderLoadTest {
  /** Up to the largest message of the ring, so that records span blocks and wrap with padding. */
  private static final int RING_BYTES = 1 << 16;
  private static final int MAX_BYTES = RING_BYTES / 8;

  @RegisterExtension final TempBus bus = new TempBus();

  private Segment create() {
    return Segment.create(bus.path("load"), SegmentSpec.of(Broadcast.spec(Programs.QUEUE, RING_BYTES)));
  }

  @Test
  void everythingThatAKilledPublisherCommittedArrivesAndItsSuccessorGoesOn(@TempDir Path ledgers) throws Exception {
    killPublishers(3, ledgers.resolve("ledger"));
  }

  @Test
  @Tag("stress")
  void everythingThatManyKilledPublishersCommittedArrives(@TempDir Path ledgers) throws Exception {
    killPublishers(150, ledgers.resolve("ledger"));
  }

  private void killPublishers(int rounds, Path ledgerFile) throws Exception {
    try (Segment segment = create();
        Subscriber blocking = Programs.subscriber(segment, SubscriberOptions.block());
        Subscriber skipping = Programs.subscriber(segment, SubscriberOptions.skip())) {
      MappedByteBuffer ledger = map(ledgerFile);
      Programs.Checker all = new Programs.Checker(MAX_BYTES, 0);
      Programs.Checker some = new Programs.Checker(MAX_BYTES, 0);
      for (int round = 0; round < rounds; round++) {
        try (ChildProcess writer = ChildProcess.start(PublishWithLedger.class, segment.path(), ledgerFile)) {
          assertEquals(blocking.nextSequence(), writer.awaitLong("opened"), "the successor's first sequence");
          AtomicBoolean killed = new AtomicBoolean();
          CompletableFuture<Void> reading = Threads.runAsync(() -> readWhile(killed, blocking, all));
          CompletableFuture<Void> skimming = Threads.runAsync(() -> readWhile(killed, skipping, some));
          if (round == 0) { // or the test might prove nothing
            ChildProcess.eventually("something is published", () -> BroadcastStatus.of(
                segment.directory().find(Programs.QUEUE, Kind.BROADCAST)).messageCount() > 0);
          }
          if (round % 3 == 2) { // killed while it waits for room, or soon after
            killed.set(true);
          }
          LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(100_000_000));
          writer.kill();
          killed.set(true);
          reading.join();
          skimming.join();
        }
        drain(blocking, all);
        drain(skipping, some);
        long counted = ledger.getLong(0);
        assertTrue(all.received == counted || all.received == counted + 1, // killed between commit and counting
            "received " + all.received + ", committed " + counted);
        assertEquals(all.received, some.received + some.lost);
      }
      assertEquals(Payload.checksum(0, all.received, MAX_BYTES), all.checksum);
    }
  }

  private static void readWhile(AtomicBoolean killed, Subscriber subscriber, Programs.Checker checker) {
    while (!killed.get()) {
      subscriber.poll(checker, 100, 1_000_000);
    }
  }

  private static void drain(Subscriber subscriber, Programs.Checker checker) {
    int count;
    do {
      count = subscriber.poll(checker, 100);
    } while (count > 0);
  }

  private static MappedByteBuffer map(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE,
        StandardOpenOption.CREATE)) {
      MappedByteBuffer mapped = channel.map(FileChannel.MapMode.READ_WRITE, 0, 8);
      mapped.order(ByteOrder.nativeOrder());
      return mapped;
    }
  }

  /** Publishes until it is killed, and keeps the number of messages in a mapped file, which survives. */
  static final class PublishWithLedger implements ChildProgram.Optimised {
    @Override
    public void run(String... arguments) throws Exception {
      Segment segment = Segment.attach(Path.of(arguments[0]), PATIENCE_NANOS);
      MappedByteBuffer ledger = map(Path.of(arguments[1]));
      Publisher publisher = Programs.publisher(segment);
      ledger.putLong(0, publisher.nextSequence()); // its predecessor may have been killed before it counted
      ChildProgram.say("opened " + publisher.nextSequence());
      while (true) {
        Programs.publishNext(publisher, MAX_BYTES);
        ledger.putLong(0, publisher.nextSequence());
      }
    }
  }

  /** Publishes until there is no room; how many messages that were. */
  private static long fill(Publisher publisher) {
    long start = publisher.nextSequence();
    while (true) {
      Claim claim = publisher.tryClaim(Payload.length(publisher.nextSequence(), MAX_BYTES));
      if (claim == null) {
        return publisher.nextSequence() - start;
      }
      Payload.fill(claim, publisher.nextSequence());
      claim.commit();
    }
  }

  @Test
  void aKilledBlockingSubscriberHoldsTheWaitingPublisherBackNoLonger() {
    try (Segment segment = create();
        Publisher publisher = Programs.publisher(segment);
        ChildProcess reader = ChildProcess.start(Programs.Subscribe.class, segment.path(), MAX_BYTES, "block")) {
      reader.await("joined");
      assertTrue(fill(publisher) > 0);
      CompletableFuture<Void> publishing = Threads.runAsync(() -> {
        for (int i = 0; i < 1_000; i++) {
          Programs.publishNext(publisher, MAX_BYTES);
        }
      });
      assertEquals(1, publisher.subscriberCount());
      reader.kill();
      publishing.join();
      assertEquals(0, publisher.subscriberCount());
    }
  }

  @Test
  @Tag("once")
  void aPausedBlockingSubscriberIsNotTakenForDeadAndLosesNothing() {
    try (Segment segment = create();
        Publisher publisher = Programs.publisher(segment);
        ChildProcess reader = ChildProcess.start(Programs.Subscribe.class, segment.path(), MAX_BYTES, "block")) {
      reader.await("joined");
      reader.pause();
      long filled = fill(publisher);
      long until = filled + 1_000;
      assertTrue(filled > 0);
      assertNull(publisher.claim(MAX_BYTES, 0, 1_000_000_000), "room was made of what a paused one has not read");
      assertEquals(1, publisher.subscriberCount());
      reader.tell("until " + until);
      reader.resume();
      while (publisher.nextSequence() < until) {
        Programs.publishNext(publisher, MAX_BYTES);
      }
      assertEquals(until + " 0 " + Payload.checksum(0, until, MAX_BYTES), reader.await("read"));
    }
  }

  @Test
  @Tag("once")
  void aSubscriberThatIsPausedUnderLoadAgainAndAgainLosesNothing() {
    try (Segment segment = create();
        Publisher publisher = Programs.publisher(segment);
        ChildProcess reader = ChildProcess.start(Programs.Subscribe.class, segment.path(), MAX_BYTES, "block")) {
      reader.await("joined");
      long until = 50_000;
      reader.tell("until " + until);
      CompletableFuture<Void> publishing = Threads.runAsync(() -> {
        while (publisher.nextSequence() < until) {
          Programs.publishNext(publisher, MAX_BYTES);
        }
      });
      for (int i = 0; i < 10; i++) {
        reader.pause();
        LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(100_000_000));
        reader.resume();
      }
      publishing.join();
      assertEquals(until + " 0 " + Payload.checksum(0, until, MAX_BYTES), reader.await("read"));
    }
  }

  @Test
  @Tag("once")
  void whatAPausedPublisherHasNotCommittedIsNotSeen() {
    try (Segment segment = create();
        Subscriber subscriber = Programs.subscriber(segment, SubscriberOptions.block());
        ChildProcess writer = ChildProcess.start(ClaimWithoutCommit.class, segment.path())) {
      writer.await("claimed");
      writer.pause();
      Programs.Checker checker = new Programs.Checker(MAX_BYTES, 0);
      assertEquals(1, subscriber.poll(checker, 10));
      assertEquals(0, subscriber.poll(checker, 10, 200_000_000));
      writer.kill();
      try (Publisher successor = Programs.publisher(segment)) {
        assertEquals(1, successor.nextSequence());
        Claim claim = successor.tryClaim(Payload.length(1, MAX_BYTES));
        assertNotNull(claim);
        Payload.fill(claim, 1);
        claim.commit();
      }
      checker.readUntil(subscriber, 2);
    }
  }

  /** Commits one message, writes a second one and does not commit it. */
  static final class ClaimWithoutCommit implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      Publisher publisher = Programs.publisher(Segment.attach(Path.of(arguments[0]), PATIENCE_NANOS));
      Programs.publishNext(publisher, MAX_BYTES);
      Payload.fill(publisher.tryClaim(MAX_BYTES), 77);
      ChildProgram.say("claimed");
      ChildProgram.hear();
    }
  }
}
