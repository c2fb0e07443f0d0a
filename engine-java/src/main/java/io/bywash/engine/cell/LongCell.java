package io.bywash.engine.cell;

/**
 * An atomic {@code long} in shared memory. Each method takes effect as one step for all processes, in one order that
 * all of them see, and who sees a value also sees what its writer wrote before. Used by one thread at a time; see
 * {@link Atomics} for the exceptions of all methods.
 */
public final class LongCell extends Cell {
  LongCell(Atomics atomics, long offset) {
    super(atomics, offset);
  }

  /** The value. */
  public long get() {
    return word();
  }

  /** Sets the value. */
  public void set(long value) {
    setWord(value);
  }

  /** Adds {@code delta}, and returns the value before. An overflow wraps. */
  public long getAndAdd(long delta) {
    return addToWord(delta);
  }

  /** Sets the value if it is {@code expected}; returns whether it was. */
  public boolean compareAndSet(long expected, long value) {
    return changeWord(expected, value);
  }

  /** Lowers the value to {@code value} if it is greater, and returns the value before. */
  public long getAndMin(long value) {
    return changeWord(word -> Math.min(word, value));
  }

  /** Raises the value to {@code value} if it is less, and returns the value before. */
  public long getAndMax(long value) {
    return changeWord(word -> Math.max(word, value));
  }
}
