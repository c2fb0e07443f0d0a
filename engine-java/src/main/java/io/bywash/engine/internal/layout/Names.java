package io.bywash.engine.internal.layout;

import io.bywash.engine.InvalidSpecException;
import java.util.regex.Pattern;

/** The rule for names of segments and entries. */
public final class Names {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

  private Names() {}

  /** Returns {@code name} if it is a name; otherwise throws an exception that names {@code argument}. */
  public static String check(String argument, String name) {
    if (!isName(name)) {
      throw new InvalidSpecException(argument, "\"" + name + "\"",
          "is no name; use 1 to 64 characters of A-Z a-z 0-9 . _ - beginning with a letter or a digit");
    }
    return name;
  }

  public static boolean isName(String name) {
    return name != null && NAME.matcher(name).matches();
  }
}
