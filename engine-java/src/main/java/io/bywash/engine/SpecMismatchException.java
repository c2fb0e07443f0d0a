package io.bywash.engine;

import java.util.List;

/** What exists differs from what the caller specified. */
public final class SpecMismatchException extends BusException {
  private static final long serialVersionUID = 1L;

  private final transient List<String> differences;

  /** With one sentence for each difference. */
  public SpecMismatchException(String message, List<String> differences) {
    super(message + differences.size() + (differences.size() == 1 ? " difference: " : " differences: ")
        + String.join("; ", differences));
    this.differences = List.copyOf(differences);
  }

  /** Each difference as a sentence: what it is about, the value found, the value wanted. */
  public List<String> differences() {
    return differences;
  }
}
