package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Claim;
import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.RoleTakenException;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.inspect.Verification;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What other processes make of a role that was revoked. */
@Timeout(180)
class RevokeProcessTest {
  private static final int MAX_BYTES = 48;
  private static final int MESSAGES = 5_000;

  @RegisterExtension final TempBus bus = new TempBus();

  private Segment create() {
    return Segment.create(bus.path("revoked"), SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 4096, 2)));
  }

  private static Entry queue(Segment segment) {
    return segment.directory().find(Programs.QUEUE, Kind.BROADCAST);
  }

  @Test
  void aPublisherThatAStuckReaderOfAnotherProcessBlocksGoesOnWhenThatIsRevoked() throws InterruptedException {
    try (Segment segment = create(); Threads threads = new Threads();
        Subscriber subscriber = Programs.subscriber(segment, SubscriberOptions.block());
        ChildProcess publishing = ChildProcess.start(Programs.Publish.class, segment.path(), MAX_BYTES, 1, MESSAGES)) {
      CountDownLatch entered = new CountDownLatch(1);
      CountDownLatch leave = new CountDownLatch(1);
      threads.start("reader", () -> subscriber.poll(message -> {
        entered.countDown();
        awaitQuietly(leave);
      }, 1, 100_000_000_000L));
      publishing.await("opened");
      assertTrue(entered.await(100, TimeUnit.SECONDS));
      ChildProcess.eventually("the publisher is blocked", () -> BroadcastStatus.of(queue(segment)).blockedCount() > 1);
      subscriber.revoke();
      publishing.await("published");
      assertEquals(List.of(), Verification.of(segment));
      leave.countDown();
      threads.join();
      assertThrows(SegmentClosedException.class, () -> subscriber.poll(message -> {}, 1));
      publishing.tell("leave");
      publishing.await("left");
      publishing.finish();
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException interrupted) {
      throw new AssertionError(interrupted);
    }
  }

  @Test
  void aQuarantinedPublisherIsToldOfAndEndsWithItsUserOrItsProcess() {
    for (boolean killed : new boolean[] {true, false}) {
      try (Segment segment = create();
          ChildProcess holder = ChildProcess.start(Quarantine.class, segment.path())) {
        long next = holder.awaitLong("revoked");
        RoleTakenException taken = assertThrows(RoleTakenException.class, () -> Publisher.open(queue(segment)));
        assertEquals(holder.pid(), taken.holderPid());
        assertTrue(taken.getMessage().contains("revoked in process " + holder.pid()), taken.getMessage());
        assertEquals(holder.pid(), BroadcastStatus.of(queue(segment)).revokedPublisher().orElseThrow().pid());
        assertEquals(List.of(), Verification.of(segment));
        if (killed) {
          holder.kill();
        } else {
          holder.tell("come out");
          holder.await("out");
        }
        try (Publisher publisher = Publisher.open(queue(segment))) {
          assertEquals(next, publisher.nextSequence());
          assertTrue(publisher.offer(new byte[8]));
        }
        if (!killed) {
          holder.finish();
        }
      }
    }
  }

  /** Revokes its publisher while a claim is open, says "revoked" and its sequence; aborts when told to, says "out". */
  static final class Quarantine implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      try (Segment segment = Segment.attach(Path.of(arguments[0]), PATIENCE_NANOS)) {
        Publisher publisher = Programs.publisher(segment);
        publisher.offer(new byte[8]);
        Claim claim = publisher.tryClaim(8);
        publisher.revoke();
        ChildProgram.say("revoked " + publisher.nextSequence());
        ChildProgram.hear();
        claim.abort();
        ChildProgram.say("out");
      }
    }
  }
}
