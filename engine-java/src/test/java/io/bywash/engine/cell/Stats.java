package io.bywash.engine.cell;

import static java.lang.invoke.MethodHandles.lookup;

import io.bywash.engine.record.Length;
import io.bywash.engine.record.Records;
import java.util.Arrays;

/** A wide value that shows whether it is torn: all of it follows from its number. */
record Stats(long number, double half, @Length(12) String name, @Length(6) long[] words) {
  static final Records<Stats> STATS = Records.of(lookup(), Stats.class);

  static Stats of(long number) {
    long[] words = new long[6];
    for (int i = 0; i < words.length; i++) {
      words[i] = number * 31 + i;
    }
    return new Stats(number, number / 2.0, "S" + number % 1_000_000, words);
  }

  boolean isWhole() {
    Stats whole = of(number);
    return half == whole.half && name.equals(whole.name) && Arrays.equals(words, whole.words);
  }

  @Override
  public String toString() {
    return "Stats[" + number + ", " + half + ", " + name + ", " + Arrays.toString(words) + "]";
  }
}
