package io.bywash.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Reads a segment as a program in another language would, by the numbers in docs/SPEC.md and nothing of the engine. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class SpecReaderTest {
  @RegisterExtension final TempBus bus = new TempBus();

  private ByteBuffer file() throws IOException {
    return ByteBuffer.wrap(Files.readAllBytes(bus.path("spec"))).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static byte[] bytes(ByteBuffer file, int offset, int length) {
    return Arrays.copyOfRange(file.array(), offset, offset + length);
  }

  @Test
  void theHeaderTheSlotAndTheRowsAreWhereTheSpecificationPutsThem() throws IOException {
    SegmentSpec spec = SegmentSpec.of(Broadcast.spec("first", 4096, 3), Broadcast.spec("second", 10_000, 63))
        .withParticipantCapacity(10).withEntryCapacity(5).withSizeBytes(200_001);
    try (Segment segment = Segment.create(bus.path("spec"), spec)) {
      ByteBuffer file = file();
      assertEquals(200_704, file.capacity());
      assertArrayEquals("BYWASH\r\n".getBytes(StandardCharsets.US_ASCII), bytes(file, 0, 8));
      assertEquals(2, file.getInt(8));
      assertEquals(4096, file.getInt(12));
      assertEquals(200_704, file.getLong(16));
      assertTrue(file.getLong(24) != 0);
      assertEquals(10, file.getInt(32));
      assertEquals(5, file.getInt(36));
      assertEquals(4096, file.getLong(40));
      assertEquals(4096 + 10 * 256, file.getLong(48));
      assertEquals(8192, file.getLong(56));
      assertEquals(0, file.getInt(64));
      CRC32C crc = new CRC32C();
      crc.update(file.array(), 0, 120);
      assertEquals((int) crc.getValue(), file.getInt(120));
      assertEquals(1, file.getInt(124));
      assertEquals(1, file.getLong(128) & 15, "open");
      assertEquals(0, file.getLong(256), "no intent");
      long firstSize = 8192 + 8192; // a page of words, four roles in a page, the ring and a page with spare bytes
      long secondSize = 4096 + 16_384 + 20_480;
      assertEquals(8192 + firstSize + secondSize, file.getLong(264));

      assertEquals(1L << 32 | 2, file.getLong(4096), "slot 0, epoch 1, active");
      assertEquals(ProcessHandle.current().pid(), file.getLong(4096 + 8));
      assertEquals(segment.participants().get(0).canWake() ? 1 : 0, file.getLong(4096 + 56) & 1);

      assertRow(file, 0, "first", 8192, firstSize, 4096, 512, 4);
      assertRow(file, 1, "second", 8192 + firstSize, secondSize, 16_384, 2048, 64);
      assertArrayEquals(new byte[3 * 256], bytes(file, 4096 + 2560 + 512, 3 * 256), "rows that nobody took are zero");
    }
  }

  private static void assertRow(ByteBuffer file, int index, String name, long offset, long size, long capacity,
      long elementSize, long roles) {
    int row = 4096 + 10 * 256 + index * 256;
    assertEquals(1L << 32 | 1 << 16 | 1 << 8 | 2, file.getLong(row), "generation 1, kind broadcast of version 1, live");
    assertEquals(offset, file.getLong(row + 8));
    assertEquals(size, file.getLong(row + 16));
    assertEquals(capacity, file.getLong(row + 24));
    assertEquals(elementSize, file.getLong(row + 32));
    assertEquals(0, file.getLong(row + 40));
    assertEquals(roles, file.getLong(row + 48));
    assertEquals(1L << 32, file.getLong(row + 56));
    byte[] wanted = Arrays.copyOf(name.getBytes(StandardCharsets.US_ASCII), 64);
    assertArrayEquals(wanted, bytes(file, row + 64, 64));
  }

  @Test
  void messagesAreWhereTheSpecificationPutsThem() throws IOException {
    SegmentSpec spec = SegmentSpec.of(Broadcast.spec("queue", 4096, 3))
        .withParticipantCapacity(16).withEntryCapacity(32);
    try (Segment segment = Segment.create(bus.path("spec"), spec)) {
      Entry entry = segment.directory().find("queue", Kind.BROADCAST);
      int queue = 4096 + 16 * 256 + 32 * 256;
      int ring = queue + 8192;
      try (Publisher publisher = Publisher.open(entry); Subscriber subscriber = Subscriber.open(entry)) {
        publisher.offer(new byte[] {1, 2, 3}, 0, 3, 77, 0);
        byte[] largest = new byte[512];
        Arrays.fill(largest, (byte) 9);
        for (int i = 0; i < 7; i++) { // 7 x 528 + 32 = 3728, so the next one needs 368 bytes of padding
          publisher.offer(largest);
        }
        assertEquals(8, subscriber.poll(message -> {}, 100));
        publisher.offer(largest, 0, 512, -5, 0);
        ByteBuffer file = file();
        assertEquals(4096 + 528, file.getLong(queue + 384), "published");
        assertEquals(publisherWord(1), file.getLong(queue + 4096), "role 0");
        assertEquals(publisherWord(1) | 1 << 4, file.getLong(queue + 4096 + 256), "role 1, mode block");
        assertEquals(3728, file.getLong(queue + 4096 + 256 + 128), "position of the subscriber");

        long oldest = file.getLong(queue + 512);
        assertTrue(oldest >= 528 && oldest <= 1088 && (oldest - 32) % 528 == 0, () -> "oldest " + oldest);
        assertEquals(1 + (oldest - 32) / 528, file.getLong(ring + (int) oldest + 8), "a record begins there");
        assertEquals(-368, file.getInt(ring + 3728), "padding");
        assertEquals(512, file.getInt(ring), "the message behind the padding, at the first byte");
        assertEquals(-5, file.getInt(ring + 4));
        assertEquals(8, file.getLong(ring + 8));
        assertArrayEquals(largest, bytes(file, ring + 16, 512));
        assertEquals(512, file.getInt(ring + 32 + 528));
        assertEquals(2, file.getLong(ring + 32 + 528 + 8));
      }
      ByteBuffer file = file();
      assertEquals(0, file.getLong(queue + 4096) & 15, "the publisher gave its role back");
      assertEquals(0, file.getLong(queue + 4096 + 256) & 15, "the subscriber gave its role back");
    }
  }

  /** Slot 0, epoch 1, so many uses, active. */
  private static long publisherWord(int generation) {
    return 1L << 32 | (long) generation << 16 | 2;
  }
}
