package io.bywash.engine.inspect;

import io.bywash.engine.inspect.LayoutStatus.Place;
import io.bywash.engine.internal.layout.LayoutText;
import io.bywash.engine.internal.layout.LayoutText.Field;
import io.bywash.engine.internal.layout.LayoutText.Type;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Writes the layouts of a segment's entries as a C header. A layout is text from shared memory, so nothing but names
 * and numbers is copied from it. If it does not have the form of docs/SPEC.md, a comment in the header says so instead.
 * Static assertions have the C compiler check sizes and offsets.
 */
final class CHeader {
  private static final Pattern FIELD_TYPE = Pattern.compile("(byte|short|char|int|long|float|double|boolean"
      + "|string\\[(?<bytes>[0-9]{1,10})]|enum\\((?<constants>[A-Za-z0-9_$,]+)\\)|\\((?<part>[A-Za-z0-9_$]+)\\))"
      + "(\\[(?<count>[0-9]{1,10})])?");
  private static final Map<String, String> NUMBERS = Map.of("byte", "int8_t", "short", "int16_t", "char", "uint16_t",
      "int", "int32_t", "long", "int64_t", "float", "float", "double", "double", "boolean", "bool");
  /** Words that are names in Java, but not in C. */
  private static final Set<String> KEYWORDS = Set.of("auto", "bool", "extern", "inline", "register", "restrict",
      "signed", "sizeof", "struct", "typedef", "typeof", "union", "unsigned", "nullptr", "constexpr", "alignas",
      "alignof", "static_assert", "thread_local");

  private final StringBuilder text = new StringBuilder("""
      #pragma once
      #include <stdbool.h>
      #include <stddef.h>
      #include <stdint.h>
      """);
  private final Set<String> names = new HashSet<>();

  private CHeader() {}

  /** The header for all entries that declare a layout. */
  static String of(LayoutStatus status) {
    CHeader header = new CHeader();
    for (Place place : status.places()) {
      if (!place.layout().isEmpty()) {
        header.add(place);
      }
    }
    return header.text.toString();
  }

  private void add(Place place) {
    String prefix = place.name().replaceAll("[^A-Za-z0-9_]", "_");
    prefix = Character.isDigit(prefix.charAt(0)) ? "_" + prefix : prefix;
    while (!names.add(prefix)) {
      prefix += "_"; // "a.b" beside "a-b"
    }
    int begin = text.length();
    text.append("\n/* entry ").append(place.name()).append(" */\n");
    try {
      new Entry(prefix, LayoutText.parse(place.layout())).write();
    } catch (IllegalArgumentException unknown) {
      text.setLength(begin);
      text.append("\n/* entry ").append(place.name()).append(" has a layout of another form */\n");
    }
  }

  /** The structs of one entry, each before those that contain it. */
  private final class Entry {
    private final String prefix;
    private final List<Type> types;
    private final Map<String, Type> byName = new HashMap<>();
    private final Set<String> begun = new HashSet<>();
    private final Set<String> written = new HashSet<>();

    Entry(String prefix, List<Type> types) {
      this.prefix = prefix;
      this.types = types;
      types.forEach(each -> byName.put(each.name(), each));
    }

    void write() {
      types.forEach(this::write);
    }

    private void write(Type type) {
      if (!begun.add(type.name())) {
        if (!written.contains(type.name())) {
          throw new IllegalArgumentException("type " + type.name() + " contains itself");
        }
        return;
      }
      StringBuilder body = new StringBuilder();
      StringBuilder checks = new StringBuilder();
      String self = "struct " + prefix + "_" + type.name();
      String apart = apart(type);
      for (Field field : type.fields()) {
        String name = KEYWORDS.contains(field.name()) ? field.name() + "_" : field.name();
        body.append("  ").append(apart).append(member(type, field, name)).append(";\n");
        checks.append("_Static_assert(offsetof(").append(self).append(", ").append(name).append(") == ")
            .append(field.offset()).append(", \"").append(name).append("\");\n");
      }
      text.append(self).append(" {\n").append(body).append("};\n").append(checks).append("_Static_assert(sizeof(")
          .append(self).append(") == ").append(type.sizeBytes()).append(", \"").append(type.name()).append("\");\n");
      if (!type.isPart()) {
        text.append("enum { ").append(prefix).append('_').append(type.name()).append("_TYPE = ").append(type.number())
            .append(" };\n");
      }
      written.add(type.name());
    }

    /** Says how far apart the fields are where that is further than numbers need, as atomics are; else nothing. */
    private static String apart(Type type) {
      List<Field> fields = type.fields();
      long distance = fields.isEmpty() ? 0 : type.sizeBytes() / fields.size();
      boolean even = distance > Long.BYTES && Long.bitCount(distance) == 1
          && distance * fields.size() == type.sizeBytes();
      for (int i = 0; even && i < fields.size(); i++) {
        even = fields.get(i).offset() == i * distance && NUMBERS.containsKey(fields.get(i).type());
      }
      return even ? "_Alignas(" + distance + ") " : "";
    }

    private String member(Type type, Field field, String name) {
      Matcher parts = FIELD_TYPE.matcher(field.type());
      if (!parts.matches()) {
        throw new IllegalArgumentException("type " + field.type() + " of field " + field.name() + " is unknown");
      }
      String count = parts.group("count") == null ? "" : "[" + parts.group("count") + "]";
      if (parts.group("bytes") != null) {
        return "char " + name + "[" + parts.group("bytes") + "]";
      }
      if (parts.group("constants") != null) {
        String enumName = prefix + "_" + type.name() + "_" + name;
        text.append("enum ").append(enumName).append(" { ").append(enumName).append('_')
            .append(parts.group("constants").replace(",", ", " + enumName + "_")).append(" };\n");
        return "int32_t " + name + count;
      }
      if (parts.group("part") != null) {
        Type part = byName.get(parts.group("part"));
        if (part == null) {
          throw new IllegalArgumentException("there is no type " + parts.group("part"));
        }
        write(part);
        return "struct " + prefix + "_" + part.name() + " " + name + count;
      }
      return NUMBERS.get(parts.group(1)) + " " + name + count;
    }
  }
}
