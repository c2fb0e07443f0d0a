package io.bywash.engine.cell;

/**
 * An atomic {@code int} in shared memory: the lower half of the cell's word, whose upper half means nothing. All else
 * is as in {@link LongCell}.
 */
public final class IntCell extends Cell {
  IntCell(Atomics atomics, long offset) {
    super(atomics, offset);
  }

  /** The value. */
  public int get() {
    return (int) word();
  }

  /** Sets the value. */
  public void set(int value) {
    setWord(value);
  }

  /** Adds {@code delta}, and returns the value before. An overflow wraps. */
  public int getAndAdd(int delta) {
    return (int) addToWord(delta);
  }

  /** Sets the value if it is {@code expected}; returns whether it was. */
  public boolean compareAndSet(int expected, int value) {
    return (int) changeWord(word -> (int) word == expected ? value : word) == expected;
  }

  /** Lowers the value to {@code value} if it is greater, and returns the value before. */
  public int getAndMin(int value) {
    return (int) changeWord(word -> (int) word <= value ? word : value);
  }

  /** Raises the value to {@code value} if it is less, and returns the value before. */
  public int getAndMax(int value) {
    return (int) changeWord(word -> (int) word >= value ? word : value);
  }
}
