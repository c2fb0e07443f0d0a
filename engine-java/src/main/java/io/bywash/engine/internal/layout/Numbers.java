package io.bywash.engine.internal.layout;

import io.bywash.engine.InvalidSpecException;

/** The rules for arguments that are numbers. */
public final class Numbers {
  private Numbers() {}

  /** Throws if an argument of a specification is out of range. */
  public static void checkSpec(String argument, long value, long least, long most) {
    if (value < least || value > most) {
      throw new InvalidSpecException(argument, value, "is not between " + least + " and " + most);
    }
  }

  /** Throws if an argument of a call is less than 1. */
  public static void checkPositive(String argument, long value) {
    if (value < 1) {
      throw new IllegalArgumentException(argument + "=" + value + " must be at least 1");
    }
  }
}
