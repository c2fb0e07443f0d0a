package io.bywash.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;

/** Messages whose every byte follows from their sequence, so that a torn or mixed-up one is recognised by itself. */
public final class Payload {
  private Payload() {}

  /** A random generator whose seed is printed, so that a failure can be repeated. */
  public static Random random(String test) {
    return random(test, System.nanoTime() ^ ProcessHandle.current().pid() << 48);
  }

  /** The same with a seed that a failed run printed. */
  public static Random random(String test, long seed) {
    System.out.println("seed of " + test + ": " + seed + "L");
    return new Random(seed);
  }

  /** The eight bytes that belong to {@code index} in the message {@code sequence}. */
  public static long word(long sequence, int index) {
    long mixed = (sequence + 1) * 0x9E37_79B9_7F4A_7C15L + index * 0xD1B5_4A32_D192_ED03L;
    return mixed ^ mixed >>> 29;
  }

  private static byte tail(long sequence, int index) {
    return (byte) word(sequence, index);
  }

  /** Fills a whole claim as the message {@code sequence}. */
  public static Claim fill(Claim claim, long sequence) {
    int index = 0;
    for (; index + Long.BYTES <= claim.length(); index += Long.BYTES) {
      claim.putLong(index, word(sequence, index));
    }
    for (; index < claim.length(); index++) {
      claim.putByte(index, tail(sequence, index));
    }
    return claim;
  }

  /** Fails unless every byte of the message is as {@link #fill} wrote it. */
  public static void check(Message message) {
    long sequence = message.sequence();
    int index = 0;
    for (; index + Long.BYTES <= message.length(); index += Long.BYTES) {
      long found = message.getLong(index);
      if (found != word(sequence, index)) {
        assertEquals(word(sequence, index), found, "torn at byte " + index + " of message " + sequence);
      }
    }
    for (; index < message.length(); index++) {
      byte found = message.getByte(index);
      if (found != tail(sequence, index)) {
        assertEquals(tail(sequence, index), found, "torn at byte " + index + " of message " + sequence);
      }
    }
  }
}
