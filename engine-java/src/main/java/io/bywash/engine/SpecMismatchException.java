package io.bywash.engine;

import java.util.List;

/** A segment or an entry exists and differs from what the caller specified. */
public final class SpecMismatchException extends BusException {
  private static final long serialVersionUID = 1L;

  private final transient List<String> differences;

  /** Creates an exception that lists the differences after {@code message}. */
  public SpecMismatchException(String message, List<String> differences) {
    super(message + differences.size() + (differences.size() == 1 ? " difference: " : " differences: ")
        + String.join("; ", differences));
    this.differences = List.copyOf(differences);
  }

  /** One sentence for each difference: what differs, what was found, and what was expected. */
  public List<String> differences() {
    return differences;
  }
}
