package io.bywash.engine.broadcast;

import io.bywash.engine.Claim;
import io.bywash.engine.Message;
import io.bywash.engine.Payload;
import io.bywash.engine.record.Length;
import io.bywash.engine.record.Records;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * The messages of these tests: length, type, content and place of each follow from its sequence. The place is what the
 * specification says about records, written down a second time.
 */
final class Letters {
  static final int RING_BYTES = 4096;
  static final int MAX_BYTES = RING_BYTES / 8;
  private static final int HEADER_BYTES = 16;
  private static final int RECORD_BYTES = 104;
  private static final int RECORD_EVERY = 128;
  static final int FIRST_RECORD = 72;

  enum Stamp { NONE, PAID }

  record Mark(short kind, byte half) {}

  /** Of everything that a record can have, so that each store is tried. */
  record Letter(byte low, boolean odd, short lower, char letter, int number, long sequence, float quarter, double half,
      Stamp stamp, @Length(8) String text, @Length(3) long[] longs, @Length(3) boolean[] flags,
      @Length(2) Stamp[] stamps, @Length(2) Mark[] marks) {}

  static final Records<Letter> RECORDS = Records.of(MethodHandles.lookup(), Letter.class);

  private Letters() {}

  /** A few are records, whether they are published as such or as bytes. */
  static boolean isRecord(long sequence) {
    return sequence % RECORD_EVERY == FIRST_RECORD;
  }

  static Letter letter(long sequence) {
    return new Letter((byte) sequence, sequence % 2 != 0, (short) -sequence, (char) ('a' + sequence),
        (int) ~sequence, sequence, sequence / 4f, sequence / 2.0, Stamp.PAID, sequence % 100 + "aé",
        new long[] {sequence, -1}, new boolean[] {true, false, true}, new Stamp[] {Stamp.PAID},
        new Mark[] {new Mark((short) 3, (byte) sequence)});
  }

  private static byte[] recordContent(long sequence) {
    ByteBuffer bytes = ByteBuffer.allocate(RECORD_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.put(0, (byte) sequence).put(1, (byte) (sequence % 2)).putShort(2, (short) -sequence)
        .putChar(4, (char) ('a' + sequence)).putInt(8, (int) ~sequence).putLong(16, sequence)
        .putFloat(24, sequence / 4f).putDouble(32, sequence / 2.0).putInt(40, 1)
        .put(44, (sequence % 100 + "aé").getBytes(StandardCharsets.UTF_8)).putLong(56, sequence).putLong(64, -1)
        .put(80, (byte) 1).put(82, (byte) 1).putInt(84, 1).putShort(92, (short) 3).put(94, (byte) sequence);
    return bytes.array();
  }

  /** Each fourth is the longest possible, and copied in bulk; the others are short. */
  static int length(long sequence) {
    return isRecord(sequence) ? RECORD_BYTES : sequence % 4 == 3 ? MAX_BYTES : 1 + (int) (sequence * 11 % 31);
  }

  static int type(long sequence) {
    return isRecord(sequence) ? 0 : (int) (sequence * 31 - 7);
  }

  static byte[] content(long sequence) {
    if (isRecord(sequence)) {
      return recordContent(sequence);
    }
    byte[] bytes = new byte[length(sequence)];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) Payload.word(sequence, i);
    }
    return bytes;
  }

  /** Fills a claim of the right length: the longest in bulk, the others in pieces. */
  static Claim write(Claim claim, long sequence) {
    byte[] content = content(sequence);
    if (content.length == MAX_BYTES) {
      return sequence % 8 == 3
          ? claim.putBytes(0, content, 0, content.length)
          : claim.putBytes(0, MemorySegment.ofArray(content), 0, content.length);
    }
    ByteBuffer words = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
    while (words.remaining() >= Long.BYTES) {
      claim.putLong(words.position(), words.getLong());
    }
    if (words.remaining() >= Integer.BYTES) {
      claim.putInt(words.position(), words.getInt());
    }
    if (words.remaining() >= Short.BYTES) {
      claim.putShort(words.position(), words.getShort());
    }
    if (words.hasRemaining()) {
      claim.putByte(words.position(), words.get());
    }
    return claim;
  }

  /** What is wrong about a message that came where {@code sequence} was due; null when nothing is. */
  static String fault(Message message, long sequence) {
    if (message.sequence() != sequence) {
      return "message " + message.sequence() + " came where " + sequence + " was due";
    }
    if (message.length() != length(sequence) || message.type() != type(sequence)) {
      return "message " + sequence + " has length " + message.length() + " and type " + message.type();
    }
    byte[] content = content(sequence);
    for (int i = 0; i < content.length; i++) {
      if (message.getByte(i) != content[i]) {
        return "message " + sequence + " is torn at byte " + i;
      }
    }
    return null;
  }

  /** The position behind the messages before {@code sequence}. */
  static long positionBehind(long sequence) {
    long position = 0;
    for (long each = 0; each < sequence; each++) {
      position = begin(position, each) + record(each);
    }
    return position;
  }

  private static long begin(long position, long sequence) {
    long untilEnd = RING_BYTES - position % RING_BYTES;
    return record(sequence) <= untilEnd ? position : position + untilEnd;
  }

  private static long record(long sequence) {
    return HEADER_BYTES + length(sequence) + 15 & -16;
  }

  /** Where that message begins: behind the padding, if it needs some. */
  static long positionOf(long sequence) {
    return begin(positionBehind(sequence), sequence);
  }

  /** Whether that message needs padding before it. */
  static boolean isPadded(long sequence) {
    return positionOf(sequence) != positionBehind(sequence);
  }
}
