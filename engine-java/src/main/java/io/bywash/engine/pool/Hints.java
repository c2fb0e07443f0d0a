package io.bywash.engine.pool;

import static io.bywash.engine.pool.PoolLayout.*;

import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.memory.Region;

/**
 * Two bitmaps that find an object that is probably free, in a time that does not depend on how many are. Nothing
 * depends on them: a bit that says free for an object that is not costs a try, and a bit that is lost with the process
 * that was about to change it costs a search through the leases, which alone decide. Any thread may use them.
 */
final class Hints {
  static final int NONE = -1;

  private final Region region;
  private final int capacity;
  private final int words;
  private final long fullOffset;
  private final long takenOffset;

  Hints(Region region, long dataOffset, int capacity) {
    this.region = region;
    this.capacity = capacity;
    this.words = words(capacity);
    this.fullOffset = dataOffset;
    this.takenOffset = dataOffset + takenOffset(capacity);
  }

  /** Where a search of the user of a role begins, so that users get in each other's way only when few are free. */
  int start(int role, int roleCount) {
    return (int) ((long) words * role / roleCount);
  }

  private long takenAt(int word) {
    return takenOffset + (long) word * Long.BYTES;
  }

  private long fullAt(int word) {
    return fullOffset + (long) (word >>> 6) * Long.BYTES;
  }

  /** The bits of a bitmap's word that mean something, where the bitmap has so many bits. */
  private static long valid(int word, int bits) {
    int count = bits - (word << 6);
    return count >= Long.SIZE ? -1L : (1L << count) - 1;
  }

  /**
   * Takes an object that is probably free, so that nobody else is sent to it.
   *
   * @param from the index of the word to begin with
   * @return its index; {@link #NONE} when there seems to be none
   */
  int take(int from) {
    int word = from;
    for (int tries = 0; word != NONE && tries < Owner.MAX_TRIES; tries++) {
      int index = takeIn(word);
      if (index != NONE) {
        return index;
      }
      word = notFull(from);
    }
    return NONE;
  }

  private int takeIn(int word) {
    long valid = valid(word, capacity);
    long free = ~region.getLongOpaque(takenAt(word)) & valid;
    while (free != 0) {
      long bit = Long.lowestOneBit(free);
      long before = region.getAndBitwiseOrLong(takenAt(word), bit);
      if ((before & bit) == 0) { // whoever finds the word full marks that: it may soon have room again
        return (word << 6) + Long.numberOfTrailingZeros(bit);
      }
      free = ~before & valid;
    }
    markFull(word);
    return NONE;
  }

  /** The next word, from one on and around, that seems to have room. */
  private int notFull(int from) {
    int fullWords = words(words);
    for (int i = 0; i <= fullWords; i++) { // the first one twice: from the word on, and at last up to it
      int full = ((from >>> 6) + i) % fullWords;
      long free = ~region.getLongOpaque(fullOffset + (long) full * Long.BYTES) & valid(full, words);
      free &= i == 0 ? -1L << from : -1L;
      if (free != 0) {
        return (full << 6) + Long.numberOfTrailingZeros(free);
      }
    }
    return NONE;
  }

  private void markFull(int word) {
    if ((region.getLongOpaque(fullAt(word)) & 1L << word) != 0) {
      return;
    }
    region.getAndBitwiseOrLong(fullAt(word), 1L << word);
    if ((~region.getLongVolatile(takenAt(word)) & valid(word, capacity)) != 0) { // given back meanwhile
      region.getAndBitwiseAndLong(fullAt(word), ~(1L << word));
    }
  }

  /** An object was taken that no hint had led to. */
  void mark(int index) {
    region.getAndBitwiseOrLong(takenAt(index >>> 6), 1L << index);
  }

  /** An object is free. */
  void give(int index) {
    int word = index >>> 6;
    if ((region.getLongOpaque(takenAt(word)) & 1L << index) != 0) {
      region.getAndBitwiseAndLong(takenAt(word), ~(1L << index));
    }
    if ((region.getLongVolatile(fullAt(word)) & 1L << word) != 0) {
      region.getAndBitwiseAndLong(fullAt(word), ~(1L << word));
    }
  }
}
