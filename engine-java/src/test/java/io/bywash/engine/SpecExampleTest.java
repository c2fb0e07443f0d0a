package io.bywash.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The example at the end of docs/SPEC.md is what the engine writes, byte by byte. Bytes that the example shows as dots
 * differ from run to run, and are not compared; the text above the example says which they are.
 *
 * <p>A process that dies is shown by a copy of its file: there the locks of the original are held by nobody, and the
 * identities in the slots prove nothing.
 */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class SpecExampleTest {
  private static final Path SPEC = Path.of("../docs/SPEC.md");
  /** The last segment that was made, for whoever has to write the example anew. */
  private static final Path FOUND = Path.of("target/spec-example.bin");
  private static final Pattern LINE = Pattern.compile("([0-9a-f]{8})((?: {1,2}(?:[0-9a-f]{2}|\\.\\.)){16})(?:  .*)?");
  private static final int NOT_COMPARED = -1;
  private static final int LINE_BYTES = 16;

  @RegisterExtension final TempBus bus = new TempBus();

  @Test
  void theExampleOfTheSpecificationIsWhatTheEngineWrites() throws IOException {
    byte[] found = segment();
    Files.write(FOUND, found);
    int[] wanted = example();
    assertEquals(wanted.length, found.length, "bytes of the segment");
    for (int offset = 0; offset < found.length; offset++) {
      if (wanted[offset] != NOT_COMPARED && wanted[offset] != (found[offset] & 0xFF)) {
        int line = offset & -LINE_BYTES;
        assertEquals(text(Arrays.copyOfRange(wanted, line, line + LINE_BYTES)), text(line(found, line)),
            String.format("the bytes from %08x on, in SPEC.md and in %s (see hexdump -C)", line, FOUND));
      }
    }
    long notCompared = Arrays.stream(wanted).filter(value -> value == NOT_COMPARED).count();
    assertTrue(notCompared < 1024, // most of it is the room that the publisher may zero
        () -> notCompared + " bytes of the example are not compared");
  }

  @Test
  void theChecksumOfTheSpecificationIsTheEnginesOwn() throws IOException {
    byte[] check = "123456789".getBytes(StandardCharsets.US_ASCII);
    assertEquals(0xE306_9283, checksum(check), "the check value that SPEC.md names");
    assertTrue(Files.readString(SPEC).contains("0xE3069283"));
    byte[] segment = segment();
    int stored = ByteBuffer.wrap(segment).order(ByteOrder.LITTLE_ENDIAN).getInt(120);
    assertEquals(checksum(Arrays.copyOf(segment, 120)), stored);
  }

  private static int checksum(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }

  /** The story that the specification tells above the example, played by the engine. */
  private byte[] segment() throws IOException {
    SegmentSpec spec = SegmentSpec.of(Broadcast.spec("q", 4096, 1)).withParticipantCapacity(2).withEntryCapacity(1);
    Path copy = bus.path("copy");
    try (Segment original = Segment.create(bus.path("original"), spec);
        Publisher first = Publisher.open(original.directory().find("q", Kind.BROADCAST))) {
      assertTrue(first.offer("hello".getBytes(StandardCharsets.US_ASCII), 0, 5, 7, 0));
      for (int sequence = 1; sequence <= 8; sequence++) {
        byte[] longest = new byte[512];
        Arrays.fill(longest, (byte) (0x10 + sequence));
        assertTrue(first.offer(longest));
      }
      for (int staged = 0; staged < 2; staged++) {
        first.tryClaim(48).stage();
      }
      Files.write(copy, Files.readAllBytes(bus.path("original")));
    }
    try (Segment second = Segment.attach(copy, 0); Segment third = Segment.attach(copy, 0)) {
      Entry queue = second.directory().find("q", Kind.BROADCAST);
      try (Publisher publisher = Publisher.open(queue);
          Subscriber subscriber = Subscriber.open(third.directory().find("q", Kind.BROADCAST),
              SubscriberOptions.block().startingAtOldest())) {
        assertTrue(publisher.offer("again".getBytes(StandardCharsets.US_ASCII), 0, 5, 7, 0));
        assertEquals(3, subscriber.nextSequence());
        return Files.readAllBytes(copy);
      }
    }
  }

  private static int[] line(byte[] bytes, int offset) {
    int[] line = new int[LINE_BYTES];
    for (int i = 0; i < LINE_BYTES; i++) {
      line[i] = bytes[offset + i] & 0xFF;
    }
    return line;
  }

  private static String text(int[] line) {
    StringBuilder text = new StringBuilder();
    for (int value : line) {
      text.append(value == NOT_COMPARED ? ".. " : String.format("%02x ", value));
    }
    return text.toString().strip();
  }

  /** The bytes of the example; a star stands for as many copies of the line above it as lead to the line below. */
  private static int[] example() throws IOException {
    List<String> lines = Files.readAllLines(SPEC);
    int begin = lines.indexOf("```hexdump") + 1;
    assertTrue(begin > 0, () -> "no example in " + SPEC.toAbsolutePath());
    List<String> dump = lines.subList(begin, begin + lines.subList(begin, lines.size()).indexOf("```"));
    int[] bytes = new int[Integer.parseInt(dump.getLast(), 16)];
    int end = 0;
    boolean repeated = false;
    for (String line : dump) {
      if (line.equals("*")) {
        assertFalse(repeated, "two stars follow each other in SPEC.md");
        repeated = true;
        continue;
      }
      Matcher matcher = LINE.matcher(line);
      assertTrue(matcher.matches() || line.equals(dump.getLast()), () -> "not a line of a dump in SPEC.md: " + line);
      int offset = Integer.parseInt(line.substring(0, 8), 16);
      for (; repeated && end < offset; end += LINE_BYTES) {
        System.arraycopy(bytes, end - LINE_BYTES, bytes, end, LINE_BYTES);
      }
      assertEquals(end, offset, () -> "a gap before this line in SPEC.md: " + line);
      repeated = false;
      if (!line.equals(dump.getLast())) {
        for (String value : matcher.group(2).strip().split(" +")) {
          bytes[end++] = value.equals("..") ? NOT_COMPARED : Integer.parseInt(value, 16);
        }
      }
    }
    return bytes;
  }
}
