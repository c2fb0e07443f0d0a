package io.bywash.engine;

/**
 * One argument of a specification is not allowed. Its parts are available separately, for programs that word their own
 * messages.
 */
public final class InvalidSpecException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  private final String argument;
  private final String value;
  private final String demand;

  /**
   * For the engine's own use. The message is {@code argument=value demand}.
   *
   * @param demand what the value should be, as the rest of the sentence, for example {@code is not between 1 and 256}
   */
  public InvalidSpecException(String argument, Object value, String demand) {
    super(argument + "=" + value + " " + demand);
    this.argument = argument;
    this.value = String.valueOf(value);
    this.demand = demand;
  }

  /** The argument's name in the engine's API, for example {@code ringBytes}. */
  public String argument() {
    return argument;
  }

  /** The value, as text. */
  public String value() {
    return value;
  }

  /** What the value should be, as the rest of the sentence. */
  public String demand() {
    return demand;
  }
}
