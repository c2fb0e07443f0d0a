package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.TestQueue.PATIENCE_NANOS;
import static io.bywash.engine.broadcast.TestQueue.drain;
import static io.bywash.engine.broadcast.TestQueue.offer;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Claim;
import io.bywash.engine.Message;
import io.bywash.engine.MessageHandler;
import io.bywash.engine.Payload;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.TestQueue.Receiver;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("once")
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RoundTripTest {
  @RegisterExtension final TempBus bus = new TempBus();

  private record Sent(byte[] bytes, int type) {}

  @ParameterizedTest
  @ValueSource(longs = {4096, 65_536, 1 << 20})
  void messagesOfRandomLengthsArriveByteExactlyThroughManyWraps(long ringBytes) {
    Random random = Payload.random("messagesOfRandomLengths(" + ringBytes + ")");
    try (TestQueue writing = TestQueue.create(bus.path("round"), ringBytes);
        TestQueue reading = TestQueue.attach(bus.path("round"));
        Publisher publisher = writing.publisher();
        Subscriber subscriber = reading.subscriber(
            random.nextBoolean() ? SubscriberOptions.block() : SubscriberOptions.skip())) {
      ArrayDeque<Sent> underWay = new ArrayDeque<>();
      long sentBytes = 0;
      long[] next = new long[1];
      MessageHandler handler = message -> {
        Sent sent = underWay.removeFirst();
        assertEquals(next[0]++, message.sequence());
        assertEquals(sent.type, message.type());
        assertEquals(sent.bytes.length, message.length());
        assertArrayEquals(sent.bytes, message.toBytes());
      };
      while (sentBytes < 60 * ringBytes) {
        long burst = 0;
        while (burst < ringBytes / 2) {
          int most = random.nextInt(4) == 0 ? publisher.maxMessageBytes() : 100;
          byte[] bytes = new byte[1 + random.nextInt(most)];
          random.nextBytes(bytes);
          Sent sent = new Sent(bytes, random.nextInt());
          assertTrue(publisher.offer(bytes, 0, bytes.length, sent.type, 0), "there is room for half a ring");
          underWay.add(sent);
          burst += bytes.length + 32;
        }
        sentBytes += burst;
        while (subscriber.poll(handler, 1 + random.nextInt(50)) > 0) {
          // until nothing is left
        }
        assertTrue(underWay.isEmpty());
      }
      assertEquals(publisher.nextSequence(), next[0]);
      assertEquals(0, subscriber.lostCount());
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {4096, 65_536, 1 << 20})
  void everyOneOfSeveralSubscribersInOtherThreadsSeesEveryMessage(long ringBytes) throws InterruptedException {
    int messages = ringBytes == 4096 ? 20_000 : 100_000; // each wrap of a small ring costs more waits
    try (Threads threads = new Threads();
        TestQueue writing = TestQueue.create(bus.path("round"), ringBytes);
        Publisher publisher = writing.publisher()) {
      for (int i = 0; i < 3; i++) {
        threads.start("subscriber " + i, () -> {
          try (TestQueue reading = TestQueue.attach(bus.path("round"));
              Subscriber subscriber = reading.subscriber(SubscriberOptions.block().startingAtOldest())) {
            Receiver receiver = new Receiver(subscriber);
            while (receiver.received < messages) {
              assertTrue(subscriber.poll(receiver, 100, PATIENCE_NANOS) > 0, "waited in vain for a message");
            }
            receiver.assertSawAll(0, messages);
          }
        });
      }
      assertTrue(publisher.awaitSubscribers(3, PATIENCE_NANOS));
      int most = Math.min(publisher.maxMessageBytes(), 400);
      for (int i = 0; i < messages && !threads.hasFailed(); i++) {
        TestQueue.send(publisher, 1 + i * 7919 % most);
      }
      threads.join();
    }
  }

  @Test
  void aMessageOfEveryLengthArrives() {
    try (TestQueue queue = TestQueue.create(bus.path("round"), 4096);
        Publisher publisher = queue.publisher();
        Subscriber block = queue.subscriber(SubscriberOptions.block());
        Subscriber skip = queue.subscriber(SubscriberOptions.skip())) {
      for (int length = 1; length <= publisher.maxMessageBytes(); length++) {
        assertTrue(offer(publisher, length));
        int wanted = length;
        MessageHandler handler = message -> {
          assertEquals(wanted, message.length());
          Payload.check(message);
        };
        assertEquals(1, block.poll(handler, 10));
        assertEquals(1, skip.poll(handler, 10));
      }
    }
  }

  @Test
  void sequencesCountFromZeroAndTypesArriveAsGiven() {
    int[] types = {0, 1, -1, Integer.MIN_VALUE, Integer.MAX_VALUE, 0x0102_0304};
    try (TestQueue queue = TestQueue.create(bus.path("round"), 4096);
        Publisher publisher = queue.publisher();
        Subscriber subscriber = queue.subscriber(SubscriberOptions.block())) {
      for (int type : types) {
        publisher.tryClaim(1, type).putByte(0, (byte) 1).commit();
      }
      publisher.tryClaim(1).putByte(0, (byte) 1).commit();
      publisher.offer(new byte[1]);
      List<Integer> found = new ArrayList<>();
      drain(subscriber, message -> {
        assertEquals(found.size(), message.sequence());
        found.add(message.type());
      });
      assertEquals(List.of(0, 1, -1, Integer.MIN_VALUE, Integer.MAX_VALUE, 0x0102_0304, 0, 0), found);
    }
  }

  @Test
  void everyAccessorWritesAndReadsLittleEndianAtAnyIndex() {
    try (TestQueue queue = TestQueue.create(bus.path("round"), 4096);
        Publisher publisher = queue.publisher();
        Subscriber block = queue.subscriber(SubscriberOptions.block());
        Subscriber skip = queue.subscriber(SubscriberOptions.skip());
        Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocate(16);
      source.setAtIndex(ValueLayout.JAVA_BYTE, 5, (byte) 55);
      for (int shift = 0; shift < 9; shift++) {
        Claim claim = publisher.tryClaim(64);
        claim.putBytes(0, new byte[64], 0, 64);
        claim.putByte(shift, (byte) -2).putShort(shift + 1, (short) 0x8182).putInt(shift + 3, 0x8182_8384)
            .putLong(shift + 7, 0x8182_8384_8586_8788L).putDouble(shift + 15, -0.1)
            .putBytes(shift + 23, new byte[] {9, 8, 7, 6}, 1, 2).putBytes(shift + 25, source, 5, 1);
        claim.commit();
        int at = shift;
        MessageHandler handler = message -> checkAccessors(message, at, arena);
        assertEquals(1, block.poll(handler, 1));
        assertEquals(1, skip.poll(handler, 1));
      }
    }
  }

  private static void checkAccessors(Message message, int shift, Arena arena) {
    assertEquals(-2, message.getByte(shift));
    assertEquals((short) 0x8182, message.getShort(shift + 1));
    assertEquals(0x8182_8384, message.getInt(shift + 3));
    assertEquals(0x8182_8384_8586_8788L, message.getLong(shift + 7));
    assertEquals(-0.1, message.getDouble(shift + 15));
    byte[] all = message.toBytes();
    assertEquals(64, all.length);
    byte[] first = {(byte) 0x82, (byte) 0x81, (byte) 0x84};
    assertArrayEquals(first, Arrays.copyOfRange(all, shift + 1, shift + 4));
    byte[] part = new byte[5];
    message.getBytes(shift + 23, part, 1, 3);
    assertArrayEquals(new byte[] {0, 8, 7, 55, 0}, part);
    MemorySegment target = arena.allocate(5);
    message.getBytes(shift + 23, target, 2, 3);
    assertArrayEquals(new byte[] {0, 0, 8, 7, 55}, target.toArray(ValueLayout.JAVA_BYTE));
    assertThrows(IndexOutOfBoundsException.class, () -> message.getBytes(0, target, 3, 3));
    assertThrows(IndexOutOfBoundsException.class, () -> message.getBytes(0, part, 3, 3));
    for (int bad : new int[] {-1, 61, 64, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
      assertThrows(IndexOutOfBoundsException.class, () -> message.getInt(bad));
      assertThrows(IndexOutOfBoundsException.class, () -> message.getLong(bad));
      assertThrows(IndexOutOfBoundsException.class, () -> message.getBytes(bad, new byte[4], 0, 4));
      assertThrows(IndexOutOfBoundsException.class, () -> message.getBytes(bad, target, 0, 4));
    }
    assertThrows(IndexOutOfBoundsException.class, () -> message.getByte(64));
    assertThrows(IndexOutOfBoundsException.class, () -> message.getShort(63));
  }

  @Test
  void aBatchIsHandedOverInPortionsOfTheLimitAtMost() {
    try (TestQueue queue = TestQueue.create(bus.path("round"), 65_536);
        Publisher publisher = queue.publisher();
        Subscriber block = queue.subscriber(SubscriberOptions.block());
        Subscriber skip = queue.subscriber(SubscriberOptions.skip())) {
      for (int i = 0; i < 100; i++) {
        assertTrue(offer(publisher, 20));
      }
      for (Subscriber subscriber : List.of(block, skip)) {
        Receiver receiver = new Receiver(subscriber);
        for (int wanted : new int[] {30, 30, 30, 10, 0}) {
          assertEquals(wanted, subscriber.poll(receiver, 30));
        }
        receiver.assertSawAll(0, 100);
        assertThrows(IllegalArgumentException.class, () -> subscriber.poll(receiver, 0));
      }
    }
  }

  @Test
  void offerCopiesExactlyTheGivenRangeAndRefusesOneOutsideOfTheArray() {
    try (TestQueue queue = TestQueue.create(bus.path("round"), 4096);
        Publisher publisher = queue.publisher();
        Subscriber subscriber = queue.subscriber(SubscriberOptions.block())) {
      byte[] source = {1, 2, 3, 4, 5};
      assertTrue(publisher.offer(source, 1, 3, 77, 0));
      assertEquals(1, subscriber.poll(message -> {
        assertArrayEquals(new byte[] {2, 3, 4}, message.toBytes());
        assertEquals(77, message.type());
      }, 1));
      assertThrows(IndexOutOfBoundsException.class, () -> publisher.offer(source, 3, 3, 0, 0));
      assertThrows(IndexOutOfBoundsException.class, () -> publisher.offer(source, -1, 3, 0, 0));
      assertThrows(IllegalArgumentException.class, () -> publisher.offer(new byte[0]));
      assertThrows(IllegalArgumentException.class, () -> publisher.offer(new byte[513]));
      assertEquals(1, publisher.nextSequence());
    }
  }

  @Test
  void oneThatReceivesGetsWhatItsReaderMakesOfEachMessageInOrder() {
    try (TestQueue queue = TestQueue.create(bus.path("round"), 4096); Publisher publisher = queue.publisher();
        Subscriber subscriber = queue.subscriber(SubscriberOptions.block())) {
      assertNull(subscriber.receive(Message::toBytes));
      assertNull(subscriber.receive(Message::toBytes, 1_000_000));
      for (long i = 0; i < 1000; i++) {
        Claim claim = publisher.claim(Long.BYTES, 0, PATIENCE_NANOS);
        claim.putLong(0, i * i);
        claim.commit();
        Long read = subscriber.receive(message -> message.getLong(0), PATIENCE_NANOS);
        assertEquals(i * i, read);
        assertEquals(i + 1, subscriber.nextSequence());
      }
      assertTrue(publisher.offer(new byte[1]));
      assertTrue(publisher.offer(new byte[2]));
      assertThrows(NullPointerException.class, () -> subscriber.receive(message -> null));
      assertEquals("the 2nd has 2", subscriber.receive(message -> {
        assertThrows(IllegalStateException.class, () -> subscriber.receive(Message::length));
        return "the 2nd has " + message.length();
      }));
      assertNull(subscriber.receive(Message::toBytes));
    }
  }
}
