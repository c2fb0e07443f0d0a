package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.BroadcastLayout.RECORD_SEQUENCE;
import static io.bywash.engine.broadcast.TestQueue.drain;
import static io.bywash.engine.broadcast.TestQueue.offer;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.OverrunException;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.TestQueue.Receiver;
import io.bywash.engine.inspect.Verification;
import io.bywash.engine.internal.memory.Region;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A publisher that takes over a damaged queue puts it in order, and readers are told what they lost. */
@Tag("once")
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RingRepairTest {
  private static final int RING = 4096;

  @RegisterExtension final TempBus bus = new TempBus();

  private TestQueue queue;
  private Ring ring;
  private Region region;

  @BeforeEach
  void open() {
    queue = TestQueue.create(bus.path("repair"), RING);
    ring = Ring.of(queue.entry);
    region = ring.region;
    publish(100); // published 6400
  }

  @AfterEach
  void close() {
    queue.close();
  }

  private void publish(int count) {
    try (Publisher publisher = queue.publisher()) {
      for (int i = 0; i < count; i++) {
        assertTrue(offer(publisher, 48));
      }
    }
  }

  /**
   * The next publisher goes on beyond all sequences that were used, and everybody who joins then gets what it
   * publishes.
   */
  private void assertRepaired() {
    try (Publisher publisher = queue.publisher();
        Subscriber block = queue.subscriber(SubscriberOptions.block().startingAtOldest());
        Subscriber skip = queue.subscriber(SubscriberOptions.skip())) {
      long first = publisher.nextSequence();
      assertTrue(first >= 100, "sequence " + first + " was used before");
      long oldest = block.nextSequence();
      Receiver one = new Receiver(block);
      Receiver other = new Receiver(skip);
      for (int i = 0; i < 150; i++) {
        assertTrue(offer(publisher, 1 + i));
        drain(block, one);
        drain(skip, other);
      }
      one.assertSawAll(oldest, first + 150);
      other.assertSawAll(first, first + 150);
      assertEquals(List.of(), Verification.of(queue.segment));
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 8, 16, 3201, 6416, 7168, 1L << 40, -16, Long.MIN_VALUE})
  void aPublishedPositionThatNoRecordLeadsToIsLeftBehind(long position) {
    region.setLong(ring.publishedOffset, position);
    assertRepaired();
  }

  @ParameterizedTest
  @ValueSource(longs = {8, 2304 + 16, 6416, 8192, 1L << 40, -16, Long.MIN_VALUE})
  void anOldestPositionWhereNoRecordBeginsIsLeftBehind(long position) {
    region.setLong(ring.oldestOffset, position);
    assertRepaired();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 513, -1, -48, 49, Integer.MAX_VALUE, Integer.MIN_VALUE})
  void aRecordOfImpossibleLengthIsGivenUp(int length) {
    region.setInt(ring.at(4096), length);
    assertRepaired();
  }

  @Test
  void aRecordOfAnotherSequenceIsGivenUp() {
    region.setLong(ring.at(4096) + RECORD_SEQUENCE, 12);
    assertRepaired();
  }

  @Test
  void aRingThatIsZeroedIsGivenUp() {
    region.zero(ring.dataOffset, RING);
    assertRepaired();
  }

  /** The states that a publisher leaves which dies while it repairs: the words are stored in this order. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void aRepairThatDeathInterruptsIsFinishedByTheNextPublisher(int stores) {
    region.setInt(ring.at(4096), 0);
    long next = 8192;
    if (stores > 0) {
      ring.blocks.note(ring.blocks.blockOf(next), next, 150);
    }
    if (stores > 1) {
      region.setLongRelease(ring.oldestOffset, next);
    }
    if (stores > 2) {
      region.setLongRelease(ring.publishedOffset, next);
    }
    assertRepaired();
  }

  @ParameterizedTest
  @ValueSource(longs = {1L << 62, Long.MAX_VALUE, Long.MAX_VALUE - 15})
  void wordsThatLeaveNoPlaceToGoOnAtAreRefused(long position) {
    region.setLong(ring.publishedOffset, position);
    var refused = assertThrows(DamagedSegmentException.class, () -> queue.publisher().close());
    assertTrue(refused.getMessage().contains("\"queue\""), refused.getMessage());
    region.setLong(ring.publishedOffset, 6400);
    publish(1); // the role was given back
  }

  @Test
  void readersLearnWhatTheyLostByTheRepair() {
    Subscriber block = queue.subscriber(SubscriberOptions.block());
    try (Subscriber skip = queue.subscriber(SubscriberOptions.skip());
        Subscriber fail = queue.subscriber(SubscriberOptions.fail())) {
      publish(5);
      Receiver receiver = new Receiver(skip);
      region.setInt(ring.at(6400 + 64), -1);
      try (Publisher publisher = queue.publisher()) {
        assertThrows(DamagedSegmentException.class, () -> block.poll(message -> {}, 10), "what it waits for is gone");
        block.close(); // or the publisher would wait for it
        for (int i = 0; i < 3; i++) {
          assertTrue(offer(publisher, 48));
        }
      }
      drain(skip, receiver);
      assertEquals(3, receiver.received);
      assertTrue(receiver.lost >= 5, "lost " + receiver.lost);
      assertEquals(skip.nextSequence(), receiver.next);
      assertThrows(OverrunException.class, () -> fail.poll(message -> {}, 10));
    }
    assertRepaired();
  }

  @Test
  void aSoundQueueLosesNothingByATakeOver() {
    try (Subscriber subscriber = queue.subscriber(SubscriberOptions.skip().startingAtOldest())) {
      Receiver receiver = new Receiver(subscriber);
      long first = subscriber.nextSequence();
      drain(subscriber, receiver);
      for (int i = 0; i < 50; i++) {
        publish(1);
        drain(subscriber, receiver);
      }
      receiver.assertSawAll(first, 150);
      assertEquals(0, receiver.lost);
    }
  }
}
