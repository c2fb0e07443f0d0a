package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.TestQueue.PATIENCE_NANOS;
import static io.bywash.engine.broadcast.TestQueue.drain;
import static io.bywash.engine.broadcast.TestQueue.offer;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Claim;
import io.bywash.engine.Payload;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.TestQueue.Receiver;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Messages that are staged, and published together. */
@Tag("once")
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BatchTest {
  private static final int RING = 4096;

  @RegisterExtension final TempBus bus = new TempBus();

  private TestQueue queue;
  private Publisher publisher;

  @BeforeEach
  void open() {
    queue = TestQueue.create(bus.path("batch"), RING);
    publisher = queue.publisher();
  }

  @AfterEach
  void close() {
    publisher.close();
    queue.close();
  }

  private BroadcastStatus status() {
    return BroadcastStatus.of(queue.entry);
  }

  /** What makes a batch visible. */
  private enum End {
    COMMIT,
    PUBLISH,
    CLOSE,
    FULL
  }

  @ParameterizedTest
  @EnumSource(End.class)
  void whatIsStagedIsSeenFromTheEndOfTheBatchOnAndNotBefore(End end) {
    try (Subscriber subscriber = queue.subscriber(SubscriberOptions.block())) {
      Receiver receiver = new Receiver(subscriber);
      for (int round = 0; round < 100; round++) {
        long first = publisher.nextSequence();
        while (publisher.nextSequence() < first + 10) {
          assertTrue(TestQueue.stage(publisher, 48));
          assertFalse(subscriber.isReady());
          assertEquals(0, subscriber.poll(receiver, 100));
          assertEquals(first, status().messageCount());
        }
        long expected = first + 10;
        switch (end) {
          case COMMIT -> {
            assertTrue(offer(publisher, 48));
            expected++;
          }
          case PUBLISH -> publisher.publish();
          case CLOSE -> {
            publisher.close();
            publisher = queue.publisher();
          }
          case FULL -> {
            while (TestQueue.stage(publisher, 48)) {
              assertEquals(first, status().messageCount());
            }
            expected = first + 64;
          }
        }
        assertEquals(expected, publisher.nextSequence());
        assertEquals(expected, status().messageCount());
        assertTrue(subscriber.isReady());
        assertEquals(expected - first, drain(subscriber, receiver));
        receiver.assertSawAll(0, expected);
      }
    }
  }

  @Test
  void whoJoinsDuringABatchBeginsBeforeIt() {
    assertTrue(offer(publisher, 48));
    assertTrue(TestQueue.stage(publisher, 48));
    try (Subscriber now = queue.subscriber(SubscriberOptions.block());
        Subscriber last = queue.subscriber(SubscriberOptions.block().startingAtLast(1));
        Subscriber numbered = queue.subscriber(SubscriberOptions.block().startingAt(1))) {
      assertThrows(IllegalArgumentException.class, () -> queue.subscriber(SubscriberOptions.block().startingAt(2)));
      assertEquals(1, now.nextSequence());
      assertEquals(0, last.nextSequence());
      assertEquals(1, numbered.nextSequence());
      publisher.publish();
      Receiver receiver = new Receiver(now);
      assertEquals(1, drain(now, receiver));
      receiver.assertSawAll(1, 2);
    }
  }

  @Test
  void aPublishWithoutABatchChangesNothing() {
    publisher.publish();
    assertEquals(0, status().messageCount());
    assertTrue(TestQueue.stage(publisher, 1));
    publisher.publish();
    publisher.publish();
    assertEquals(1, status().messageCount());
  }

  @Test
  void aStagedClaimHasEnded() {
    Claim claim = publisher.tryClaim(8);
    claim.putLong(0, 1).stage();
    assertThrows(IllegalStateException.class, claim::stage);
    assertThrows(IllegalStateException.class, claim::commit);
    assertThrows(IndexOutOfBoundsException.class, () -> claim.putLong(0, 2));
    claim.abort();
    assertEquals(1, publisher.nextSequence());
    publisher.publish();
    assertEquals(1, status().messageCount(), "an abort after the end of a claim took it back");
  }

  @Test
  void afterTheCloseNothingCanBeStagedOrPublished() {
    Claim claim = publisher.tryClaim(8);
    publisher.close();
    assertThrows(IllegalStateException.class, claim::stage);
    assertThrows(SegmentClosedException.class, publisher::publish);
    publisher = queue.publisher();
    Claim open = publisher.tryClaim(8);
    queue.segment.close();
    assertThrows(SegmentClosedException.class, open::stage);
    assertThrows(SegmentClosedException.class, publisher::publish);
  }

  @Test
  void anAbortWithinABatchTakesBackItsOwnMessageOnly() {
    Random random = Payload.random("anAbortWithinABatch");
    try (Subscriber subscriber = queue.subscriber(SubscriberOptions.block())) {
      Receiver receiver = new Receiver(subscriber);
      for (int round = 0; round < 3000; round++) {
        for (int count = random.nextInt(5); count > 0; count--) {
          int length = 1 + random.nextInt(200);
          if (random.nextInt(3) == 0) {
            try (Claim claim = publisher.tryClaim(length)) {
              assertNotNull(claim);
              Payload.fill(claim, 1L << 40);
            }
          } else {
            assertTrue(TestQueue.stage(publisher, length));
          }
        }
        publisher.publish();
        drain(subscriber, receiver);
      }
      receiver.assertSawAll(0, publisher.nextSequence());
    }
  }

  /** At every distance from the ring's end, with the record that needs padding open, committed or aborted. */
  @Test
  void aBatchMayBePublishedWhileTheClaimBehindThePaddingIsOpen() {
    try (Subscriber block = queue.subscriber(SubscriberOptions.block());
        Subscriber skip = queue.subscriber(SubscriberOptions.skip())) {
      Receiver blocked = new Receiver(block);
      Receiver skipped = new Receiver(skip);
      for (int round = 0; round < 4000; round++) {
        assertTrue(TestQueue.stage(publisher, 1 + round * 13 % 90));
        Claim claim = publisher.tryClaim(512);
        assertNotNull(claim);
        publisher.publish();
        if (round % 2 == 0) {
          drain(block, blocked);
          drain(skip, skipped);
        }
        if (round % 3 == 0) {
          Payload.fill(claim, publisher.nextSequence()).commit();
        } else {
          claim.abort();
        }
        drain(block, blocked);
        assertTrue(offer(publisher, 1));
        drain(block, blocked);
        drain(skip, skipped);
        blocked.assertSawAll(0, publisher.nextSequence());
        skipped.assertSawAll(0, publisher.nextSequence());
        assertEquals(0, skipped.lost);
      }
    }
  }

  @Test
  void aBatchThatFillsTheRingIsPublishedAndTheNextClaimFindsNoRoom() {
    try (Subscriber subscriber = queue.subscriber(SubscriberOptions.block())) {
      Receiver receiver = new Receiver(subscriber);
      for (int i = 0; i < 64; i++) {
        assertTrue(TestQueue.stage(publisher, 48));
      }
      assertEquals(0, status().messageCount());
      assertNull(publisher.tryClaim(48));
      assertEquals(64, status().messageCount());
      assertEquals(64, drain(subscriber, receiver));
      receiver.assertSawAll(0, 64);
    }
  }

  @Test
  void whereNobodyHoldsThePublisherBackABatchMayBeLongerThanTheRing() {
    try (TestQueue observing = TestQueue.observe(bus.path("batch"));
        Subscriber skip = queue.subscriber(SubscriberOptions.skip());
        Subscriber observer = observing.subscriber(SubscriberOptions.skip())) {
      Receiver skipped = new Receiver(skip);
      Receiver observed = new Receiver(observer);
      for (int i = 0; i < 10_000; i++) {
        assertTrue(TestQueue.stage(publisher, 1 + i * 31 % 400));
        assertTrue(Ring.of(queue.entry).oldest() <= status().publishedBytes(), "gave up what it had not published");
        if (i % 7 == 0) {
          skip.poll(skipped, 3);
          observer.poll(observed, 3);
          queue.subscriber(SubscriberOptions.skip().startingAtOldest()).close();
        }
      }
      publisher.publish();
      drain(skip, skipped);
      drain(observer, observed);
      skipped.assertSawAll(0, 10_000);
      observed.assertSawAll(0, 10_000);
      assertTrue(skipped.lost > 0, "the ring was longer than expected, so the test proves nothing");
    }
  }

  @Test
  void aBatchLongerThanTheRingWaitsForABlockingReaderAndGoesOn() throws InterruptedException {
    int count = 20_000;
    try (Threads threads = new Threads();
        TestQueue reading = TestQueue.attach(bus.path("batch"));
        Subscriber subscriber = reading.subscriber(SubscriberOptions.block())) {
      threads.start("stager", () -> {
        for (int i = 0; i < count; i++) {
          Claim claim = publisher.claim(1 + i * 31 % 300, 0, PATIENCE_NANOS);
          assertNotNull(claim, "the reader waits for what is staged");
          Payload.fill(claim, publisher.nextSequence()).stage();
        }
        publisher.publish();
      });
      Receiver receiver = new Receiver(subscriber);
      while (receiver.next < count && !threads.hasFailed()) {
        assertTrue(subscriber.poll(receiver, 100, PATIENCE_NANOS) > 0, "waited in vain");
      }
      threads.join();
      receiver.assertSawAll(0, count);
    }
  }
}
