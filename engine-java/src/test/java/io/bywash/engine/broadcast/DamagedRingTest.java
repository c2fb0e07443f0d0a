package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.BroadcastLayout.BLOCK_COUNT;
import static io.bywash.engine.broadcast.BroadcastLayout.BLOCK_ENTRY_BYTES;
import static io.bywash.engine.broadcast.BroadcastLayout.BLOCK_INDEX;
import static io.bywash.engine.broadcast.BroadcastLayout.NOTED_BLOCKS;
import static io.bywash.engine.broadcast.BroadcastLayout.RECORD_SEQUENCE;
import static io.bywash.engine.broadcast.TestQueue.drain;
import static io.bywash.engine.broadcast.TestQueue.offer;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.BusException;
import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Payload;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.TestQueue.Receiver;
import io.bywash.engine.internal.memory.Region;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Damage in shared memory ends in a typed exception: not in a crash, an endless loop, or a false message. */
@Tag("once")
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class DamagedRingTest {
  private static final int RING = 4096;

  @RegisterExtension final TempBus bus = new TempBus();

  private TestQueue queue;
  private Ring ring;
  private Region region;

  @BeforeEach
  void open() {
    queue = TestQueue.create(bus.path("damage"), RING);
    ring = Ring.of(queue.entry);
    region = ring.region;
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

  private static void assertDamaged(Executable use) {
    DamagedSegmentException failure = assertThrows(DamagedSegmentException.class, use);
    assertTrue(failure.getMessage().contains("\"queue\"") && failure.getMessage().contains("/damage"),
        failure.getMessage());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 513, -1, -48, -4095, -4096, Integer.MAX_VALUE, Integer.MIN_VALUE})
  void anImpossibleLengthEndsThePollAndStaysInItsWay(int length) {
    for (SubscriberOptions options : List.of(SubscriberOptions.block(), SubscriberOptions.skip())) {
      try (Subscriber subscriber = queue.subscriber(options)) {
        Receiver receiver = new Receiver(subscriber);
        long first = subscriber.nextSequence();
        long damaged = ring.published() + 128;
        publish(5);
        region.setInt(ring.at(damaged), length);
        assertDamaged(() -> subscriber.poll(receiver, 10));
        assertEquals(2, receiver.received);
        assertDamaged(() -> subscriber.poll(receiver, 10));
        region.setInt(ring.at(damaged), 48);
        drain(subscriber, receiver);
        receiver.assertSawAll(first, first + 5);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 3, -1, Long.MAX_VALUE, Long.MIN_VALUE})
  void aSequenceThatIsNotDueEndsThePoll(long sequence) {
    for (SubscriberOptions options : List.of(SubscriberOptions.block(), SubscriberOptions.skip())) {
      try (Subscriber subscriber = queue.subscriber(options)) {
        Receiver receiver = new Receiver(subscriber);
        long damaged = ring.published() + 128;
        publish(5);
        long due = region.getLong(ring.at(damaged) + RECORD_SEQUENCE);
        region.setLong(ring.at(damaged) + RECORD_SEQUENCE, sequence == due ? -5 : sequence);
        assertDamaged(() -> subscriber.poll(receiver, 10));
        assertEquals(2, receiver.received);
        region.setLong(ring.at(damaged) + RECORD_SEQUENCE, due); // or the next publisher would repair it
      }
    }
  }

  @Test
  void aLengthThatReachesBeyondThePublishedPositionEndsThePoll() {
    try (Subscriber subscriber = queue.subscriber(SubscriberOptions.block())) {
      publish(5);
      region.setInt(ring.at(256), 49);
      Receiver receiver = new Receiver(subscriber);
      assertDamaged(() -> subscriber.poll(receiver, 10));
      assertEquals(4, receiver.received);
    }
  }

  @Test
  void aLengthThatReachesBeyondTheEndOfTheRingEndsThePoll() {
    for (SubscriberOptions options : List.of(SubscriberOptions.block(), SubscriberOptions.skip())) {
      try (Subscriber subscriber = queue.subscriber(options)) {
        Receiver receiver = new Receiver(subscriber);
        publish(63);
        drain(subscriber, receiver);
        publish(21);
        region.setInt(ring.at(RING - 64), 512); // as much as that is published, but not in one piece
        assertDamaged(() -> subscriber.poll(receiver, 1));
        assertEquals(63, receiver.received);
        region.setInt(ring.at(RING - 64), 48);
        drain(subscriber, receiver);
        publish(44); // to the end of the ring again
      }
    }
  }

  private List<Executable> opens() {
    return List.of(() -> queue.subscriber(SubscriberOptions.block()).close(),
        () -> queue.subscriber(SubscriberOptions.skip()).close(),
        () -> BroadcastStatus.of(queue.entry));
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 8, 16, 3201, 7168, 1L << 62, Long.MAX_VALUE, Long.MAX_VALUE - 15, -16, Long.MIN_VALUE})
  void anImpossiblePublishedPositionIsRefusedByWhoeverReadsTheQueue(long position) {
    publish(100); // published 6400
    region.setLong(ring.publishedOffset, position);
    for (Executable open : opens()) {
      assertDamaged(open);
    }
    region.setLong(ring.publishedOffset, 6400);
    publish(1); // every role was given back
  }

  @ParameterizedTest
  @ValueSource(longs = {8, 6416, 8192, 1L << 62, Long.MAX_VALUE, -16, Long.MIN_VALUE})
  void anImpossibleOldestPositionIsRefusedByWhoeverReadsTheQueue(long position) {
    publish(100);
    long before = ring.oldest();
    region.setLong(ring.oldestOffset, position);
    for (Executable open : opens()) {
      assertDamaged(open);
    }
    assertDamaged(() -> queue.subscriber(SubscriberOptions.skip().startingAtOldest()).close());
    assertDamaged(() -> queue.subscriber(SubscriberOptions.block().startingAtOldest()).close());
    region.setLong(ring.oldestOffset, before);
    publish(1);
  }

  @ParameterizedTest
  @ValueSource(longs = {-16, Long.MIN_VALUE, 0})
  void aPublishedPositionThatGoesBackEndsThePollOfEverySubscriber(long position) {
    publish(10);
    try (Subscriber block = queue.subscriber(SubscriberOptions.block());
        Subscriber skip = queue.subscriber(SubscriberOptions.skip())) {
      region.setLong(ring.publishedOffset, position);
      assertDamaged(() -> block.poll(message -> {}, 1));
      assertDamaged(() -> skip.poll(message -> {}, 1));
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {648, 704, 640 + 4096 + 16, 1L << 62, Long.MAX_VALUE})
  void aPublishedPositionThatWasNeverWrittenEndsThePollOfEverySubscriber(long position) {
    publish(10);
    try (Subscriber block = queue.subscriber(SubscriberOptions.block());
        Subscriber skip = queue.subscriber(SubscriberOptions.skip())) {
      region.setLong(ring.publishedOffset, position);
      assertDamaged(() -> block.poll(message -> {}, 1));
      assertDamaged(() -> skip.poll(message -> {}, 1));
    }
  }

  @Test
  void aBlockIndexOfNonsenseIsRefusedWithoutTouchingMemoryOutsideOfTheRing() {
    publish(64 * 3 + 63); // the last block of the ring is the newest
    long published = ring.published();
    for (long nonsense : new long[] {-1, 0, 1, published, published - 1, published - 9, published + 16,
        Long.MAX_VALUE, Long.MIN_VALUE, RING - 1, published - 64 + 1}) {
      for (int entry = 0; entry < NOTED_BLOCKS; entry++) {
        region.setLong(queueWord(entry), nonsense);
      }
      for (Executable open : opens()) {
        try {
          open.execute();
        } catch (BusException refused) {
          assertEquals(DamagedSegmentException.class, refused.getClass());
        } catch (Throwable wrong) {
          throw new AssertionError("block index of " + nonsense, wrong);
        }
      }
    }
  }

  private long queueWord(int entry) {
    return ring.publishedOffset - BroadcastLayout.PUBLISHED + BLOCK_INDEX + (long) entry * BLOCK_ENTRY_BYTES;
  }

  @Test
  void anUnalignedBlockEntryAtTheEndOfTheRingIsNotFollowed() {
    publish(64);
    region.setLong(queueWord(BLOCK_COUNT - 1), RING - 1); // its header would lie beyond the end of the mapping
    for (Executable open : opens()) {
      try {
        open.execute();
      } catch (DamagedSegmentException fair) {
        // the other answer is to do without this entry
      } catch (Throwable wrong) {
        throw new AssertionError(wrong);
      }
    }
  }

  @Test
  void randomDamageInTheQueueNeverEndsInAnythingButATypedException() {
    Random random = Payload.random("randomDamage");
    publish(100);
    long structure = ring.publishedOffset - BroadcastLayout.PUBLISHED;
    long[] sound = new long[(int) (queue.entry.sizeBytes() / 8)];
    for (int i = 0; i < sound.length; i++) {
      sound[i] = region.getLong(structure + i * 8L);
    }
    long[] tempting = {0, -1, 1, 16, RING - 1, RING - 16, 6400, 6401, 1L << 40, Long.MAX_VALUE, Long.MIN_VALUE};
    int damaged = 0;
    for (int round = 0; round < 3000; round++) {
      for (int i = 0; i < sound.length; i++) {
        region.setLong(structure + i * 8L, sound[i]);
      }
      for (int hits = 1 + random.nextInt(4); hits > 0; hits--) {
        long value = random.nextBoolean() ? tempting[random.nextInt(tempting.length)] : random.nextLong();
        region.setLong(structure + damagedOffset(random), value);
      }
      damaged += useDamaged(random) ? 1 : 0;
    }
    for (int i = 0; i < sound.length; i++) {
      region.setLong(structure + i * 8L, sound[i]);
    }
    System.out.println(damaged + " of 3000 damages were found");
    assertTrue(damaged > 100);
  }

  /** The publisher's words, the block index, or the ring; not the roles. */
  private static long damagedOffset(Random random) {
    return switch (random.nextInt(4)) {
      case 0 -> BroadcastLayout.PUBLISHED;
      case 1 -> BroadcastLayout.OLDEST;
      case 2 -> BLOCK_INDEX + 8L * random.nextInt(2 * NOTED_BLOCKS);
      default -> io.bywash.engine.internal.layout.SegmentLayout.structureDataOffset(65) + 8L * random.nextInt(RING / 8);
    };
  }

  private boolean useDamaged(Random random) {
    boolean found = false;
    for (int use = 0; use < 4; use++) {
      SubscriberOptions options = random.nextBoolean() ? SubscriberOptions.block() : SubscriberOptions.skip();
      options = random.nextBoolean() ? options.startingAtOldest() : options;
      try (Subscriber subscriber = queue.subscriber(options)) {
        subscriber.poll(message -> message.toBytes(), 200);
        try (Publisher publisher = queue.publisher()) {
          for (int i = 0; i < 10; i++) {
            offer(publisher, 1 + random.nextInt(512));
          }
        }
        subscriber.poll(message -> message.toBytes(), 200);
      } catch (DamagedSegmentException expected) {
        found = true;
      }
    }
    return found;
  }
}
