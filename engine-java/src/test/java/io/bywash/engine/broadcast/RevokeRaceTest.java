package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.TestQueue.PATIENCE_NANOS;
import static io.bywash.engine.broadcast.TestQueue.offer;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Claim;
import io.bywash.engine.EvictedException;
import io.bywash.engine.Revocable;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.inspect.Verification;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.wait.WaitPolicy;
import java.nio.file.Files;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Roles that are revoked in full flow, by several threads, while they are closed, and while their segment is. */
@Tag("once")
@Timeout(value = 180, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@Tag("optimised")
class RevokeRaceTest {
  @RegisterExtension final TempBus bus = new TempBus();

  private TestQueue queue;
  private TestQueue other;

  @BeforeEach
  void create() {
    queue = TestQueue.create(bus.path("revoke"), 4096, 2);
    other = TestQueue.attach(bus.path("revoke"));
  }

  @AfterEach
  void close() {
    queue.close();
    other.close();
    assertEquals(List.of(), bus.files(), "whatever was revoked leaves nothing behind");
  }

  private void assertAllFree() {
    for (int role = 0; role < 3; role++) {
      assertEquals(SegmentLayout.ROLE_FREE, Owner.state(Ring.of(other.entry).entry.roleWord(role)));
    }
    assertEquals(List.of(), Verification.of(other.segment));
  }

  @RepeatedTest(100)
  void revokesAndClosesOfSeveralThreadsGiveARoleBackOnce() throws InterruptedException {
    TestQueue closing = TestQueue.attach(bus.path("revoke"));
    for (RevokeTest.Taken taken : RevokeTest.Taken.values()) {
      if (taken == RevokeTest.Taken.OBSERVER) {
        continue;
      }
      Revocable role = taken.take(closing, WaitPolicy.BACKOFF);
      try (Threads threads = new Threads()) {
        threads.start("user", () -> assertThrows(SegmentClosedException.class, () -> {
          while (true) {
            if (role instanceof Publisher publisher) {
              offer(publisher, 40);
            } else {
              ((Subscriber) role).poll(message -> {}, 1);
            }
          }
        }));
        threads.start("one", role::revoke);
        threads.start("two", role::revoke);
        if (taken == RevokeTest.Taken.BLOCK) {
          threads.start("segment", closing::close);
        }
        threads.join();
      }
      role.close();
      closing.close();
      closing = TestQueue.attach(bus.path("revoke"));
      assertAllFree();
    }
    closing.close();
    assertEquals(2, other.segment.participants().size());
  }

  @RepeatedTest(40)
  void whatARevokedPublisherSaidItSentIsThereAndItsSuccessorGoesOnBehind() throws InterruptedException {
    AtomicLong sent = new AtomicLong();
    try (Threads threads = new Threads(); Subscriber reader = other.subscriber(SubscriberOptions.block())) {
      Publisher publisher = queue.publisher();
      TestQueue.Receiver receiver = new TestQueue.Receiver(reader);
      threads.start("publisher", () -> assertThrows(SegmentClosedException.class, () -> {
        while (true) {
          TestQueue.send(publisher, 1 + (int) (sent.get() % 100));
          sent.incrementAndGet();
        }
      }));
      threads.start("revoker", () -> {
        Threads.await(() -> sent.get() > 50, "a flow of messages");
        publisher.revoke();
      });
      while (!publisher.isReady() || threads.hasFailed() || sent.get() <= 50) {
        reader.poll(receiver, 10);
      }
      publisher.revoke();
      threads.join();
      try (Publisher successor = other.publisher()) {
        assertEquals(sent.get(), successor.nextSequence());
        TestQueue.drain(reader, receiver);
        assertTrue(offer(successor, 40));
        TestQueue.drain(reader, receiver);
        receiver.assertSawAll(0, sent.get() + 1);
      }
    }
    assertAllFree();
  }

  @Test
  void aRoleOfASegmentWhoseFileWasRemovedCanBeRevoked() throws Exception {
    Publisher publisher = queue.publisher();
    Claim claim = publisher.tryClaim(8);
    Files.delete(bus.path("revoke"));
    publisher.revoke();
    assertThrows(SegmentClosedException.class, claim::commit);
    publisher.revoke();
  }

  /** As when its word is changed behind its last look at whether it is usable: only the word tells. */
  @Test
  void aReaderInPlaceThatIsOvertakenSinceItsWordChangedDoesNotCallThatDamage() {
    try (Publisher publisher = other.publisher(); Subscriber subscriber = queue.subscriber(SubscriberOptions.block())) {
      assertTrue(offer(publisher, 40) && offer(publisher, 40) && offer(publisher, 40));
      var entry = Ring.of(queue.entry).entry;
      assertThrows(EvictedException.class, () -> subscriber.poll(message -> {
        assertTrue(entry.revokeRole(1, entry.roleWord(1)));
        for (int i = 0; i < 300; i++) {
          assertTrue(offer(publisher, 1 + i * 37 % 400));
        }
      }, 10));
    }
    assertAllFree();
  }

  /** The publisher laps it at once: what it then meets is not to be called damage. */
  @RepeatedTest(40)
  void aReaderInFullFlowIsToldThatItWasRevokedAndNothingElse() throws InterruptedException {
    AtomicBoolean over = new AtomicBoolean();
    try (Threads threads = new Threads(); Publisher publisher = other.publisher()) {
      Subscriber block = queue.subscriber(SubscriberOptions.block());
      Subscriber evict = queue.subscriber(Policy.EVICT.options());
      AtomicLong read = new AtomicLong();
      for (Subscriber subscriber : List.of(block, evict)) {
        threads.start("reader", () -> {
          SegmentClosedException told = assertThrows(SegmentClosedException.class, () -> {
            while (true) {
              read.addAndGet(subscriber.poll(message -> message.getByte(0), 10, PATIENCE_NANOS));
            }
          });
          assertTrue(told.getMessage().contains("was revoked"), told.getMessage());
        });
      }
      threads.start("publisher", () -> {
        while (!over.get()) {
          publisher.offer(new byte[300]);
        }
      });
      Threads.await(() -> read.get() > 300 || threads.hasFailed(), "a flow of messages");
      block.revoke();
      evict.revoke();
      over.set(true);
      threads.join();
    }
    assertAllFree();
  }
}
