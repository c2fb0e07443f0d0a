package io.bywash.engine.internal.attachment;

/**
 * Collects the failures of several steps that are all taken, even if some fail. The first failure is thrown at the end,
 * with the others suppressed in it.
 */
public final class Failures {
  private Throwable first;

  /** Takes a step. */
  public void collect(Runnable step) {
    try {
      step.run();
    } catch (RuntimeException | Error failure) {
      add(failure);
    }
  }

  /** Adds the failure of a step that was taken. */
  void add(Throwable failure) {
    if (first == null) {
      first = failure;
    } else if (first != failure) {
      try {
        first.addSuppressed(failure);
      } catch (OutOfMemoryError | StackOverflowError shortage) {
        // the first one is thrown in any case
      }
    }
  }

  /** Throws the first failure, if there was one. */
  public void rethrow() {
    switch (first) {
      case RuntimeException failure -> throw failure;
      case Error failure -> throw failure;
      case null, default -> {}
    }
  }
}
