package io.bywash.samples.nativepeer;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Messages that can be checked: number, hash, and bytes that depend on the number. The same as in {@code peer.h}. */
final class Numbered {
  static final int MIN_LENGTH = 16;
  static final int MAX_LENGTH = MIN_LENGTH + 255;

  private Numbered() {}

  private static long mix(long number) {
    long value = number + 0x9E3779B97F4A7C15L;
    value = (value ^ value >>> 30) * 0xBF58476D1CE4E5B9L;
    value = (value ^ value >>> 27) * 0x94D049BB133111EBL;
    return value ^ value >>> 31;
  }

  static int lengthOf(long number) {
    return MIN_LENGTH + (int) (mix(number) & 255);
  }

  static byte[] message(long number) {
    byte[] bytes = new byte[lengthOf(number)];
    long random = mix(number);
    long hash = number;
    for (int i = MIN_LENGTH; i < bytes.length; i++) {
      bytes[i] = (byte) ((random >>> (i & 7) * 8) + i);
      hash = hash * 31 + (bytes[i] & 0xFF);
    }
    MemorySegment memory = MemorySegment.ofArray(bytes);
    memory.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, number);
    memory.set(ValueLayout.JAVA_LONG_UNALIGNED, 8, hash);
    return bytes;
  }

  /** The number of a message, which has to be whole. */
  static long check(byte[] bytes) {
    MemorySegment memory = MemorySegment.ofArray(bytes);
    long number = memory.get(ValueLayout.JAVA_LONG_UNALIGNED, 0);
    long hash = number;
    for (int i = MIN_LENGTH; i < bytes.length; i++) {
      hash = hash * 31 + (bytes[i] & 0xFF);
    }
    if (bytes.length != lengthOf(number) || hash != memory.get(ValueLayout.JAVA_LONG_UNALIGNED, 8)) {
      throw new AssertionError("a message of " + bytes.length + " bytes with number " + number + " is not whole");
    }
    return number;
  }
}
