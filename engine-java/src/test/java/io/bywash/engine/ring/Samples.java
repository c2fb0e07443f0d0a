package io.bywash.engine.ring;

import io.bywash.engine.record.Records;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.util.List;
import java.util.stream.LongStream;

/** Elements that show whether they are whole: each follows from its number, which is its position in the ring. */
final class Samples {
  static final int BYTES = 24;
  private static final long MIX = 0x9E37_79B9_7F4A_7C15L;

  /** The same as a record. */
  record Sample(long number, long mixed, long inverse) {}

  private Samples() {}

  /** Made when records are first used, since not every test may define classes. */
  static final class Typed {
    static final Records<Sample> SAMPLES = Records.of(MethodHandles.lookup(), Sample.class);

    private Typed() {}
  }

  static Sample sample(long number) {
    return new Sample(number, number * MIX, ~number);
  }

  static List<Sample> samples(long from, int count) {
    return LongStream.range(from, from + count).mapToObj(Samples::sample).toList();
  }

  /** Elements with numbers from one on. */
  static MemorySegment of(long from, int count) {
    long[] words = new long[3 * count];
    for (int i = 0; i < count; i++) {
      words[3 * i] = from + i;
      words[3 * i + 1] = (from + i) * MIX;
      words[3 * i + 2] = ~(from + i);
    }
    return MemorySegment.ofArray(words);
  }

  static byte[] one(long number) {
    return of(number, 1).toArray(ValueLayout.JAVA_BYTE);
  }

  /** The number of the element with that index, which is whole. */
  static long number(MemorySegment elements, int index) {
    long at = (long) index * BYTES;
    long number = elements.get(ValueLayout.JAVA_LONG_UNALIGNED, at);
    if (elements.get(ValueLayout.JAVA_LONG_UNALIGNED, at + 8) != number * MIX
        || elements.get(ValueLayout.JAVA_LONG_UNALIGNED, at + 16) != ~number) {
      throw new AssertionError("element " + number + " is torn");
    }
    return number;
  }

  /** Fails unless so many elements are whole, and have numbers from one on. */
  static void check(MemorySegment elements, int count, long from) {
    for (int i = 0; i < count; i++) {
      long number = number(elements, i);
      if (number != from + i) {
        throw new AssertionError("element " + i + " of " + count + " has number " + number + ", not " + (from + i));
      }
    }
  }

  /** Room for so many. */
  static MemorySegment room(int count) {
    return MemorySegment.ofArray(new long[3 * count]);
  }
}
