package io.bywash.engine.process;

import io.bywash.engine.Claim;
import io.bywash.engine.Message;

/** Messages that check themselves: every byte, and the length, follow from the sequence. */
public final class Payload {
  private static final long STEP = 0x9E37_79B9_7F4A_7C15L;

  private Payload() {}

  private static long mix(long value) {
    long mixed = (value ^ value >>> 30) * 0xBF58_476D_1CE4_E5B9L;
    mixed = (mixed ^ mixed >>> 27) * 0x94D0_49BB_1331_11EBL;
    return mixed ^ mixed >>> 31;
  }

  /** 1 to {@code maxBytes} bytes. */
  public static int length(long sequence, int maxBytes) {
    return 1 + (int) Long.remainderUnsigned(mix(~sequence), maxBytes);
  }

  private static long word(long sequence, int index) {
    return mix(sequence * STEP + index);
  }

  /** Writes a whole message; returns its part of a checksum. */
  public static long fill(Claim claim, long sequence) {
    int length = claim.length();
    int index = 0;
    for (; index + 8 <= length; index += 8) {
      claim.putLong(index, word(sequence, index));
    }
    for (; index < length; index++) {
      claim.putByte(index, (byte) word(sequence, index));
    }
    return mix(sequence + STEP * length);
  }

  /** Checks a whole message; returns its part of a checksum. */
  static long check(Message message, int maxBytes) {
    long sequence = message.sequence();
    int length = message.length();
    if (length != length(sequence, maxBytes)) {
      throw wrong(sequence, "length", length, length(sequence, maxBytes));
    }
    int index = 0;
    for (; index + 8 <= length; index += 8) {
      if (message.getLong(index) != word(sequence, index)) {
        throw wrong(sequence, "word at " + index, message.getLong(index), word(sequence, index));
      }
    }
    for (; index < length; index++) {
      if (message.getByte(index) != (byte) word(sequence, index)) {
        throw wrong(sequence, "byte at " + index, message.getByte(index), (byte) word(sequence, index));
      }
    }
    return mix(sequence + STEP * length);
  }

  /** The checksum of all messages from {@code from} to before {@code to}. */
  static long checksum(long from, long to, int maxBytes) {
    long sum = 0;
    for (long sequence = from; sequence < to; sequence++) {
      sum += mix(sequence + STEP * length(sequence, maxBytes));
    }
    return sum;
  }

  private static AssertionError wrong(long sequence, String what, long found, long wanted) {
    return new AssertionError(String.format("message %d: %s is %x, not %x", sequence, what, found, wanted));
  }
}
