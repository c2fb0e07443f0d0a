package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.TestQueue.PATIENCE_NANOS;
import static io.bywash.engine.broadcast.TestQueue.offer;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Claim;
import io.bywash.engine.Message;
import io.bywash.engine.MessageHandler;
import io.bywash.engine.Payload;
import io.bywash.engine.Revocable;
import io.bywash.engine.RoleTakenException;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.TableFullException;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.inspect.SegmentStatus;
import io.bywash.engine.inspect.StatusText;
import io.bywash.engine.inspect.Verification;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.wait.WaitHub;
import io.bywash.engine.wait.WaitPolicy;
import io.bywash.engine.wait.Waitable;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The contract of {@link Revocable}, for every role, however it waits and whatever its user is doing. */
@Timeout(value = 180, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RevokeTest {
  private static final int RING = 4096;

  @RegisterExtension final TempBus bus = new TempBus();

  /** The one whose roles are revoked, and another attachment, as of another process. */
  private TestQueue queue;
  private TestQueue other;

  @BeforeEach
  void create() {
    queue = TestQueue.create(bus.path("revoke"), RING, 2);
    other = TestQueue.attach(bus.path("revoke"));
  }

  @AfterEach
  void close() {
    queue.close();
    other.close();
    assertEquals(List.of(), bus.files(), "whatever was revoked leaves nothing behind");
  }

  /** Every role that there is. */
  enum Taken {
    PUBLISHER, BLOCK, SKIP, FAIL, EVICT, OBSERVER;

    boolean isGating() {
      return this == BLOCK || this == EVICT;
    }

    Revocable take(TestQueue queue, WaitPolicy waitPolicy) {
      return switch (this) {
        case PUBLISHER -> Publisher.open(queue.entry, waitPolicy);
        case OBSERVER -> queue.subscriber(SubscriberOptions.skip().waiting(waitPolicy));
        default -> queue.subscriber(Policy.valueOf(name()).options().waiting(waitPolicy));
      };
    }
  }

  /** Runs {@code test} with a queue for that role to be taken in; an observer needs one of its own. */
  private void withQueue(Taken taken, Consumer<TestQueue> test) {
    if (taken == Taken.OBSERVER) {
      try (TestQueue observing = TestQueue.observe(bus.path("revoke"))) {
        test.accept(observing);
      }
    } else {
      test.accept(queue);
    }
  }

  /** Whatever the role's user does next; waits if it may. */
  private static void use(Revocable role, long timeoutNanos) {
    if (role instanceof Publisher publisher) {
      try (Claim claim = publisher.claim(500, 0, timeoutNanos)) {
        assertNull(claim, "there is no room");
      }
    } else {
      assertEquals(0, ((Subscriber) role).poll(message -> {}, 1, timeoutNanos));
    }
  }

  private static void assertRevoked(Revocable role) {
    SegmentClosedException told = assertThrows(SegmentClosedException.class, () -> use(role, 0));
    assertTrue(told.getMessage().contains("was revoked"), told.getMessage());
    assertThrows(SegmentClosedException.class, () -> use(role, PATIENCE_NANOS));
    assertTrue(((Waitable) role).isReady(), "so that whoever waits finds out");
  }

  private int state(int role) {
    return Owner.state(Ring.of(other.entry).entry.roleWord(role));
  }

  private void assertAllFree() {
    assertEquals(SegmentLayout.ROLE_FREE, state(0));
    assertEquals(SegmentLayout.ROLE_FREE, state(1));
    assertEquals(SegmentLayout.ROLE_FREE, state(2));
    assertEquals(List.of(), Verification.of(other.segment));
  }

  /** So that a publisher has no room, and whoever reads has nothing to read. */
  private Subscriber fillRing() {
    Subscriber slow = other.subscriber(SubscriberOptions.block());
    try (Publisher publisher = other.publisher()) {
      while (offer(publisher, 400)) {
        // on
      }
    }
    return slow;
  }

  static Stream<Arguments> rolesAndWays() {
    return Arrays.stream(Taken.values())
        .flatMap(taken -> Arrays.stream(WaitPolicy.values()).map(way -> Arguments.of(taken, way)));
  }

  @ParameterizedTest
  @MethodSource("rolesAndWays")
  void aRoleThatNobodyIsInIsGivenBackAtOnce(Taken taken, WaitPolicy way) {
    try (Subscriber _ = fillRing()) {
      withQueue(taken, where -> {
        Revocable role = taken.take(where, way);
        Thread revoking = Thread.ofPlatform().start(role::revoke);
        Threads.await(((Waitable) role)::isReady, "the role to be revoked");
        role.revoke();
        Threads.await(() -> !revoking.isAlive(), "the end of the other one that revokes");
        assertRevoked(role);
        role.revoke();
        role.close();
        assertRevoked(role);
      });
      assertEquals(1, BroadcastStatus.of(other.entry).subscribers().size(), "the slow one");
    }
    assertAllFree();
    try (Revocable again = (taken == Taken.OBSERVER ? Taken.SKIP : taken).take(queue, way)) {
      assertFalse(again instanceof Subscriber subscriber && subscriber.isReady());
    }
  }

  @ParameterizedTest
  @MethodSource("rolesAndWays")
  void whoeverWaitsIsTold(Taken taken, WaitPolicy way) {
    try (Subscriber _ = fillRing()) {
      for (boolean virtual : new boolean[] {false, true}) {
        withQueue(taken, where -> {
          Revocable role = taken.take(where, way);
          AtomicBoolean began = new AtomicBoolean();
          CompletableFuture<SegmentClosedException> told = new CompletableFuture<>();
          Runnable wait = () -> {
            began.set(true);
            try {
              use(role, PATIENCE_NANOS);
              told.completeExceptionally(new AssertionError("it waited in vain"));
            } catch (SegmentClosedException revoked) {
              told.complete(revoked);
            } catch (Throwable failure) {
              told.completeExceptionally(failure);
            }
          };
          Thread thread = virtual ? Thread.ofVirtual().start(wait) : Thread.ofPlatform().start(wait);
          Threads.await(began::get, "the user to begin");
          LockSupport.parkNanos(3_000_000); // whether it sleeps by then makes no difference
          role.revoke();
          String message = told.orTimeout(100, TimeUnit.SECONDS).join().getMessage();
          assertTrue(message.contains("was revoked"), () -> thread + ": " + message);
        });
      }
    }
    assertAllFree();
  }

  @ParameterizedTest
  @EnumSource(Taken.class)
  void whoeverWaitsInTheHubIsTold(Taken taken) {
    try (Subscriber _ = fillRing()) {
      withQueue(taken, where -> {
        Revocable role = taken.take(where, WaitPolicy.BLOCK);
        if (role instanceof Publisher publisher) {
          assertNull(publisher.tryClaim(500));
        }
        CompletableFuture<Void> ready = WaitHub.shared().whenReady((Waitable) role);
        if (!(role instanceof Publisher)) { // which is worth another try every 50 ms
          assertFalse(ready.isDone());
        }
        role.revoke();
        ready.orTimeout(100, TimeUnit.SECONDS).join();
        assertRevoked(role);
      });
    }
    assertAllFree();
  }

  /** What a user is in the middle of, until it is let go. */
  private static final class Stuck implements MessageHandler {
    final CountDownLatch entered = new CountDownLatch(1);
    final CountDownLatch leave = new CountDownLatch(1);
    int calls;

    /** Reads all the time, and within its bounds, whatever becomes of the bytes. */
    @Override
    public void onMessage(Message message) {
      calls++;
      entered.countDown();
      int length = message.length();
      assertTrue(length > 0 && length <= 400);
      do {
        assertEquals(length, message.toBytes().length);
        assertThrows(IndexOutOfBoundsException.class, () -> message.getByte(length));
      } while (leave.getCount() > 0);
    }

    void awaitEntered() throws InterruptedException {
      assertTrue(entered.await(100, TimeUnit.SECONDS), "the handler to be called");
    }
  }

  @ParameterizedTest
  @EnumSource(value = Taken.class, names = "PUBLISHER", mode = EnumSource.Mode.EXCLUDE)
  void aSubscriberWhoseHandlerDoesNotReturnHoldsNobodyBackAnyMore(Taken taken) {
    withQueue(taken, where -> {
      try (Threads threads = new Threads(); Publisher publisher = other.publisher()) {
        Subscriber subscriber = (Subscriber) taken.take(where, WaitPolicy.BACKOFF);
        Stuck stuck = new Stuck();
        for (int i = 0; i < 5; i++) {
          assertTrue(offer(publisher, 400));
        }
        threads.start("reader", () -> assertEquals(1, subscriber.poll(stuck, 10)));
        stuck.awaitEntered();
        if (taken.isGating()) {
          while (offer(publisher, 400)) {
            // until it is in the way
          }
        }
        AtomicLong sent = new AtomicLong();
        threads.start("publisher", () -> {
          for (int i = 0; i < 200; i++) {
            TestQueue.send(publisher, 1 + i * 37 % 400);
            sent.incrementAndGet();
          }
        });
        subscriber.revoke();
        Threads.await(() -> sent.get() == 200 || threads.hasFailed(), "the publisher to go on");
        if (taken != Taken.OBSERVER) {
          assertQuarantined(subscriber);
        }
        stuck.leave.countDown();
        threads.join();
        assertEquals(1, stuck.calls, "no call begins after it");
        assertRevoked(subscriber);
      } catch (InterruptedException interrupted) {
        throw new AssertionError(interrupted);
      }
    });
    assertAllFree();
  }

  private void assertQuarantined(Subscriber subscriber) {
    subscriber.revoke();
    assertEquals(SegmentLayout.ROLE_REVOKED, state(1));
    BroadcastStatus.SubscriberStatus status = BroadcastStatus.of(other.entry).subscribers().getFirst();
    assertTrue(status.evicted() && !status.gating(), status.toString());
    assertEquals(List.of(), Verification.of(other.segment));
    try (Subscriber _ = other.subscriber(SubscriberOptions.skip())) {
      assertThrows(TableFullException.class, () -> queue.subscriber(SubscriberOptions.skip()), "its place is taken");
      assertEquals(2, BroadcastStatus.of(other.entry).subscribers().size());
    }
  }

  @ParameterizedTest
  @EnumSource(value = Taken.class, names = "PUBLISHER", mode = EnumSource.Mode.EXCLUDE)
  void aHandlerMayRevokeItsOwnSubscriber(Taken taken) {
    withQueue(taken, where -> {
      try (Publisher publisher = other.publisher()) {
        Subscriber subscriber = (Subscriber) taken.take(where, WaitPolicy.BACKOFF);
        assertTrue(offer(publisher, 40) && offer(publisher, 40));
        assertEquals(1, subscriber.poll(message -> {
          subscriber.revoke();
          Payload.check(message);
        }, 10));
        assertRevoked(subscriber);
      }
    });
    assertAllFree();
  }

  @Test
  void aClaimThatIsOpenQuarantinesThePublisherUntilItEnds() {
    for (boolean aborted : new boolean[] {true, false}) {
      Subscriber reader = other.subscriber(SubscriberOptions.block());
      Publisher publisher = queue.publisher();
      assertTrue(offer(publisher, 40));
      long next = publisher.nextSequence();
      Claim claim = publisher.tryClaim(40);
      publisher.revoke();
      publisher.revoke();

      RoleTakenException taken = assertThrows(RoleTakenException.class, other::publisher);
      assertTrue(taken.getMessage().contains("revoked"), taken.getMessage());
      assertEquals(ProcessHandle.current().pid(), taken.holderPid());
      BroadcastStatus status = BroadcastStatus.of(other.entry);
      assertTrue(status.publisher().isEmpty());
      assertEquals(taken.holderPid(), status.revokedPublisher().orElseThrow().pid());
      SegmentStatus segment = SegmentStatus.of(other.segment);
      assertTrue(new StatusText().segment(segment, segment).toString().contains("publisher (revoked)"));
      assertEquals(List.of(), Verification.of(other.segment));
      assertEquals(1, reader.poll(Payload::check, 10), "readers go on");

      claim.putLong(0, 7);
      if (aborted) {
        claim.abort();
      } else {
        assertThrows(SegmentClosedException.class, claim::commit);
      }
      assertRevoked(publisher);
      assertEquals(0, reader.poll(Payload::check, 10));
      try (Publisher successor = other.publisher()) {
        assertEquals(next, successor.nextSequence());
        assertTrue(offer(successor, 80));
      }
      assertEquals(1, reader.poll(Payload::check, 10));
      reader.close();
      publisher.close();
    }
    assertAllFree();
  }

  @ParameterizedTest
  @EnumSource(value = Taken.class, names = {"BLOCK", "SKIP"})
  void whatWasStagedIsPublishedAsByAClose(Taken reading) {
    try (Subscriber reader = (Subscriber) reading.take(other, WaitPolicy.BACKOFF)) {
      Publisher idle = queue.publisher();
      assertTrue(TestQueue.stage(idle, 40) && TestQueue.stage(idle, 50));
      idle.revoke();
      assertEquals(2, reader.poll(Payload::check, 10));

      Publisher inside = queue.publisher();
      assertTrue(TestQueue.stage(inside, 40));
      Claim claim = inside.tryClaim(40);
      inside.revoke();
      assertEquals(0, reader.poll(Payload::check, 10));
      claim.abort();
      assertEquals(1, reader.poll(Payload::check, 10));
    }
    assertAllFree();
  }

  @ParameterizedTest
  @EnumSource(Taken.class)
  void aRoleThatIsRetiredIsGivenBackWhenItsUserIsOutside(Taken taken) {
    try (Subscriber _ = fillRing()) {
      withQueue(taken, where -> {
        Revocable role = taken.take(where, WaitPolicy.BLOCK);
        if (role instanceof Publisher publisher) {
          assertNull(publisher.tryClaim(500));
        }
        CompletableFuture<Void> ready = WaitHub.shared().whenReady((Waitable) role);
        Thread retiring = Thread.ofPlatform().start(role::retire);
        ready.orTimeout(100, TimeUnit.SECONDS).join();
        Threads.await(role::isGivenBack, "the role to be given back");
        Threads.await(() -> !retiring.isAlive(), "the end of who retires it");
        role.retire();
        assertThrows(SegmentClosedException.class, () -> use(role, 0));
      });
    }
    assertAllFree();
  }

  @Test
  void aRetiredReaderHoldsThePublisherBackUntilItsHandlerReturns() throws InterruptedException {
    try (Threads threads = new Threads(); Publisher publisher = other.publisher()) {
      Subscriber subscriber = queue.subscriber(SubscriberOptions.block());
      Stuck stuck = new Stuck();
      while (offer(publisher, 400)) {
        // until it is in the way
      }
      threads.start("reader", () -> assertEquals(1, subscriber.poll(stuck, 10)));
      stuck.awaitEntered();
      subscriber.retire();
      assertFalse(subscriber.isGivenBack());
      assertFalse(offer(publisher, 400), "it still reads in place what would be overwritten");
      stuck.leave.countDown();
      threads.join();
      assertTrue(subscriber.isGivenBack());
      assertTrue(offer(publisher, 400));
    }
    assertAllFree();
  }

  @Test
  void aClaimThatIsOpenWhenItsPublisherIsRetiredCannotBeCommitted() {
    try (Subscriber reader = other.subscriber(SubscriberOptions.block())) {
      Publisher publisher = queue.publisher();
      Claim claim = publisher.tryClaim(40);
      Thread retiring = Thread.ofPlatform().start(publisher::retire);
      Threads.await(publisher::isReady, "the publisher to be retired");
      assertThrows(RoleTakenException.class, other::publisher);
      claim.putLong(0, 7);
      Threads.await(() -> !retiring.isAlive(), "the other thread to go on");
      assertThrows(SegmentClosedException.class, claim::commit);
      assertTrue(publisher.isGivenBack());
      assertEquals(0, reader.poll(Payload::check, 10));
    }
    assertAllFree();
  }

  @Test
  void aClosedSegmentsStuckReaderCanStillBeRevoked() throws InterruptedException {
    try (Threads threads = new Threads(); Publisher publisher = other.publisher()) {
      Subscriber subscriber = queue.subscriber(SubscriberOptions.block());
      Stuck stuck = new Stuck();
      while (offer(publisher, 400)) {
        // until it is in the way
      }
      threads.start("reader", () -> subscriber.poll(stuck, 10));
      stuck.awaitEntered();
      queue.close();
      assertFalse(offer(publisher, 400), "it may still read in place what it is about to");
      subscriber.revoke();
      assertTrue(offer(publisher, 400));
      stuck.leave.countDown();
      threads.join();
      subscriber.revoke();
      assertEquals(1, other.segment.participants().size());
    }
  }
}
