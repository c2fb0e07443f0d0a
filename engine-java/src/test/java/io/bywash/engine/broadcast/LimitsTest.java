package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.TestQueue.offer;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bywash.engine.Claim;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.TestQueue.Receiver;
import io.bywash.engine.internal.memory.NativeAccess;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The shortest and the longest messages, all types, and rings whose positions do not fit in an int. */
@Tag("once")
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LimitsTest {
  private static final long GIBIBYTE = 1L << 30;

  @RegisterExtension final TempBus bus = new TempBus();

  @ParameterizedTest
  @ValueSource(ints = {4096, 8192, 16_384, 65_536, 1 << 19, 1 << 20, 1 << 23})
  void theShortestAndTheLongestMessagesOfARingArriveUnderEveryPolicy(int ringBytes) {
    try (TestQueue queue = TestQueue.create(bus.path("limits"), ringBytes); Publisher publisher = queue.publisher()) {
      int longest = publisher.maxMessageBytes();
      assertEquals(ringBytes / 8, longest);
      assertTrue(ringBytes < 1 << 19 || longest >= 65_535);
      List<Subscriber> subscribers = new ArrayList<>();
      for (Policy policy : Policy.values()) {
        subscribers.add(queue.subscriber(policy.options()));
      }
      List<Receiver> receivers = subscribers.stream().map(Receiver::new).toList();
      int[] lengths = {longest, 1, longest, longest - 1, 2, Math.min(longest, 65_535), 15, 16, 17, longest};
      for (int round = 0; round < 5; round++) {
        for (int length : lengths) {
          assertTrue(offer(publisher, length));
          for (int i = 0; i < receivers.size(); i++) {
            assertEquals(1, subscribers.get(i).poll(receivers.get(i), 2));
          }
        }
      }
      receivers.forEach(receiver -> receiver.assertSawAll(0, 50));
      for (int length : new int[] {0, -1, longest + 1, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
        var refused = assertThrows(IllegalArgumentException.class, () -> publisher.tryClaim(length));
        assertTrue(refused.getMessage().contains("length=" + length + " "), refused.getMessage());
      }
      assertEquals(50, publisher.nextSequence(), "a refused claim used a sequence");
      subscribers.forEach(Subscriber::close);
    }
  }

  @ParameterizedTest
  @EnumSource(Policy.class)
  void theTypeIsTheSendersOwn(Policy policy) {
    try (TestQueue queue = TestQueue.create(bus.path("types"), 4096);
        Publisher publisher = queue.publisher();
        Subscriber subscriber = queue.subscriber(policy.options())) {
      for (int type : new int[] {0, 1, -1, Integer.MIN_VALUE, Integer.MAX_VALUE, 0xFFFF, 1 << 31 | 1, 16, -16}) {
        publisher.tryClaim(3, type).putByte(0, (byte) 7).commit();
        assertTrue(publisher.offer(new byte[5], 0, 2, ~type, 0));
        List<Integer> types = new ArrayList<>();
        List<Integer> lengths = new ArrayList<>();
        assertEquals(2, subscriber.poll(message -> {
          types.add(message.type());
          lengths.add(message.length());
        }, 10));
        assertEquals(List.of(type, ~type), types);
        assertEquals(List.of(3, 2), lengths);
      }
    }
  }

  /** Long messages, of which only the ends are written and looked at, so that 4 GiB pass quickly. */
  @Test
  @Tag("stress") // it takes 4 GiB of memory
  void aRingBeyondTwoGibibytesWrapsWithoutAMistake() throws IOException {
    long ringBytes = 4 * GIBIBYTE;
    assumeTrue(NativeAccess.ENABLED, "without native access 4 GiB of zeros would be written");
    assumeTrue(Files.getFileStore(bus.directory()).getUsableSpace() > 2 * ringBytes
        && freeMemoryBytes() > 2 * ringBytes, "no room for 4 GiB");
    EntrySpec spec = Broadcast.spec("queue", ringBytes);
    assertEquals(ringBytes, spec.capacity());
    try (TestQueue queue = TestQueue.create(bus.path("huge"), ringBytes);
        Publisher publisher = queue.publisher();
        Subscriber block = queue.subscriber(SubscriberOptions.block())) {
      int longest = publisher.maxMessageBytes();
      assertEquals(GIBIBYTE / 2, longest);
      long[] next = new long[1];
      for (int i = 0; i < 40; i++) { // four turns
        int length = i % 9 == 8 ? 1 + i : longest - 16 * i;
        Claim claim = publisher.tryClaim(length, i);
        assertNotNull(claim);
        claim.putByte(0, (byte) i).putByte(length - 1, (byte) i).commit();
        assertEquals(1, block.poll(message -> {
          assertEquals(next[0]++, message.sequence());
          assertEquals(length, message.length());
          assertEquals((byte) message.type(), message.getByte(0));
          assertEquals((byte) message.type(), message.getByte(length - 1));
        }, 2));
      }
      assertEquals(40, next[0]);
      assertTrue(BroadcastStatus.of(queue.entry).publishedBytes() > 3 * ringBytes);
      for (long sequence = 36; sequence <= 40; sequence++) {
        try (Subscriber later = queue.subscriber(SubscriberOptions.block().startingAt(sequence))) {
          assertEquals(sequence, later.nextSequence());
          assertEquals(40 - sequence, later.poll(message -> {}, 10));
        }
      }
    }
  }

  private static long freeMemoryBytes() throws IOException {
    String line = Files.readAllLines(java.nio.file.Path.of("/proc/meminfo")).stream()
        .filter(each -> each.startsWith("MemAvailable:")).findFirst().orElse("MemAvailable: 0 kB");
    return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
  }
}
