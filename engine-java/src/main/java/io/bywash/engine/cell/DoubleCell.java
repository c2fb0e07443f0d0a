package io.bywash.engine.cell;

/**
 * An atomic {@code double} in shared memory. All else is as in {@link LongCell}.
 */
public final class DoubleCell extends Cell {
  DoubleCell(Atomics atomics, long offset) {
    super(atomics, offset);
  }

  /** The value. */
  public double get() {
    return Double.longBitsToDouble(word());
  }

  /** Sets the value. */
  public void set(double value) {
    setWord(Double.doubleToRawLongBits(value));
  }

  /** Adds {@code delta}, and returns the value before. */
  public double getAndAdd(double delta) {
    return before(value -> value + delta);
  }

  /**
   * Sets the value if it is {@code expected}, bit by bit: 0.0 is not -0.0, and a NaN is itself. Returns whether it was.
   */
  public boolean compareAndSet(double expected, double value) {
    return changeWord(Double.doubleToRawLongBits(expected), Double.doubleToRawLongBits(value));
  }

  /** Lowers the value to {@link Math#min} of it and {@code value}, and returns the value before. */
  public double getAndMin(double value) {
    return before(found -> Math.min(found, value));
  }

  /** Raises the value to {@link Math#max} of it and {@code value}, and returns the value before. */
  public double getAndMax(double value) {
    return before(found -> Math.max(found, value));
  }

  private double before(java.util.function.DoubleUnaryOperator change) {
    return Double.longBitsToDouble(changeWord(
        word -> Double.doubleToRawLongBits(change.applyAsDouble(Double.longBitsToDouble(word)))));
  }
}
