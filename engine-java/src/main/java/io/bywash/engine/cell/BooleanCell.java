package io.bywash.engine.cell;

/**
 * An atomic {@code boolean} in shared memory: the lowest byte of the cell's word, 0 or 1, whose other bytes mean
 * nothing. All else is as in {@link LongCell}.
 */
public final class BooleanCell extends Cell {
  BooleanCell(Atomics atomics, long offset) {
    super(atomics, offset);
  }

  /** The value. */
  public boolean get() {
    return isTrue(word());
  }

  /** Sets the value. */
  public void set(boolean value) {
    setWord(value ? 1 : 0);
  }

  /** Sets the value if it is {@code expected}; returns whether it was. */
  public boolean compareAndSet(boolean expected, boolean value) {
    long next = value ? 1 : 0;
    return isTrue(changeWord(word -> isTrue(word) == expected ? next : word)) == expected;
  }

  static boolean isTrue(long word) {
    return (word & 0xFF) != 0;
  }
}
