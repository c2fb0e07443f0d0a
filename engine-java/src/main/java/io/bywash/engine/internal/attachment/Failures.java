package io.bywash.engine.internal.attachment;

/**
 * Several steps that are all taken, whichever of them fail; the first failure is thrown in the end, with the others in
 * it.
 */
public final class Failures {
  private Throwable first;

  /** Takes a step. */
  public void collect(Runnable step) {
    try {
      step.run();
    } catch (RuntimeException | Error failure) {
      if (first == null) {
        first = failure;
      } else if (first != failure) {
        first.addSuppressed(failure);
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
