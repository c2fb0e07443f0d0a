package io.bywash.engine.internal.layout;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The text form of a layout, as docs/SPEC.md describes it: one line for each type of element, followed by one line for
 * each of its fields, which begins with a space.
 */
public final class LayoutText {
  /** What a type that occurs only within others has in place of a number. */
  public static final String PART = "-";

  private static final String NAME = "[A-Za-z0-9_$]+";
  private static final Pattern TYPE_LINE = Pattern.compile("([0-9]{1,10}|-) ([0-9]{1,18}) (" + NAME + ")");
  private static final Pattern FIELD_LINE = Pattern.compile(" ([0-9]{1,18}) ([^ ]+) (" + NAME + ")");

  private LayoutText() {}

  /** The first 8 bytes of the text's SHA-256, as they stand in shared memory; 0 for an empty text. */
  public static long fingerprint(String text) {
    if (text.isEmpty()) {
      return 0;
    }
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.US_ASCII));
      long fingerprint = 0;
      for (int i = Long.BYTES - 1; i >= 0; i--) {
        fingerprint = fingerprint << 8 | hash[i] & 0xFF;
      }
      return fingerprint;
    } catch (NoSuchAlgorithmException impossible) {
      throw new AssertionError("every Java platform has SHA-256", impossible);
    }
  }

  /**
   * One sentence for each difference between two layouts. Types are matched by their numbers, or else by their names;
   * fields by their names.
   *
   * @param entry the beginning of each sentence
   */
  public static List<String> differences(String entry, String found, String wanted) {
    Map<String, String> ours = lines(wanted);
    Map<String, String> theirs = lines(found);
    Set<String> all = new LinkedHashSet<>(ours.keySet());
    all.addAll(theirs.keySet());
    List<String> differences = new ArrayList<>();
    for (String what : all) {
      String here = ours.getOrDefault(what, "missing");
      String there = theirs.getOrDefault(what, "missing");
      if (!here.equals(there)) {
        differences.add(entry + what + " is " + there + ", wanted " + here);
      }
    }
    if (differences.isEmpty()) {
      differences.add(entry + "its fingerprint is not that of its layout");
    }
    return differences;
  }

  /** The lines, by what they describe, for example {@code type 7} or {@code field price of type 7}. */
  private static Map<String, String> lines(String text) {
    Map<String, String> lines = new LinkedHashMap<>();
    String type = "type ?";
    for (String line : text.split("\n")) {
      String content = line.strip();
      if (line.startsWith(" ")) {
        String name = content.substring(content.lastIndexOf(' ') + 1);
        lines.put("field " + name + " of " + type, "\"" + content + "\"");
      } else if (!content.isEmpty()) {
        String[] words = content.split(" ", 3);
        type = "type " + (words[0].equals(PART) ? words[words.length - 1] : words[0]);
        lines.put(type, "\"" + content + "\"");
      }
    }
    return lines;
  }

  /** A field of a type, as its line describes it. */
  public record Field(long offset, String type, String name) {}

  /** A type of elements. Its number is {@link #PART} if it occurs only within others. */
  public record Type(String number, long sizeBytes, String name, List<Field> fields) {
    public boolean isPart() {
      return number.equals(PART);
    }
  }

  /**
   * The types in a text.
   *
   * @throws IllegalArgumentException when a line does not have the form of a type or a field. Only the form is checked:
   *     the text comes from shared memory, so field types, offsets and sizes may make no sense
   */
  public static List<Type> parse(String text) {
    List<Type> types = new ArrayList<>();
    for (String line : text.split("\n")) {
      Matcher type = TYPE_LINE.matcher(line);
      Matcher field = FIELD_LINE.matcher(line);
      if (type.matches()) {
        types.add(new Type(type.group(1), Long.parseLong(type.group(2)), type.group(3), new ArrayList<>()));
      } else if (field.matches() && !types.isEmpty()) {
        types.getLast().fields.add(new Field(Long.parseLong(field.group(1)), field.group(2), field.group(3)));
      } else {
        throw new IllegalArgumentException("line \"" + line + "\" of a layout is neither a type nor a field");
      }
    }
    return types;
  }
}
