package io.bywash.osgi.internal.queue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads the keys of a configuration, whether they are numbers or text, and collects what is wrong with them: a value
 * that cannot be used, by its key, and keys that mean nothing.
 */
public final class ConfigurationReader {
  /** Keys that others put into configurations. */
  private static final List<String> FOREIGN =
      List.of(".", ":", "component.", "felix.", "org.", "osgi.ds.", "service.", "webconsole.", "config.", "metatype.");

  private final Map<String, Object> properties;
  private final Set<String> known = new HashSet<>();
  private final List<String> faults = new ArrayList<>();

  /** Reads these. */
  public ConfigurationReader(Map<String, Object> properties) {
    this.properties = properties;
  }

  /** The text of a key that must be there. */
  public String text(String key) {
    String text = text(key, "");
    if (text.isEmpty()) {
      faults.add(key + " is missing");
    }
    return text;
  }

  /** The text of a key; {@code otherwise} when it is absent or blank. */
  public String text(String key, String otherwise) {
    known.add(key);
    Object value = properties.get(key);
    String text = value == null ? "" : value.toString().strip();
    return text.isEmpty() ? otherwise : text;
  }

  /** One of some words. */
  public String oneOf(String key, String otherwise, String... words) {
    String text = text(key, otherwise);
    if (!List.of(words).contains(text)) {
      faults.add(key + "=" + text + " is none of " + String.join(", ", words));
    }
    return text;
  }

  /** A whole number from {@code min} to {@code max}. */
  public long number(String key, long otherwise, long min, long max) {
    String text = text(key, Long.toString(otherwise));
    try {
      long number = Long.parseLong(text);
      if (number >= min && number <= max) {
        return number;
      }
    } catch (NumberFormatException wrong) {
      // so it is reported
    }
    faults.add(key + "=" + text + " is no whole number from " + min + " to " + max);
    return otherwise;
  }

  /** What is wrong with the values so far; empty when nothing is. */
  String faults() {
    return String.join("; ", faults);
  }

  /** Keys that were not asked for, apart from those of the framework and its tools. */
  List<String> unknownKeys() {
    return properties.keySet().stream()
        .filter(key -> !known.contains(key) && FOREIGN.stream().noneMatch(key::startsWith)).sorted().toList();
  }
}
