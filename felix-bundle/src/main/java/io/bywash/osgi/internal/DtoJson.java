package io.bywash.osgi.internal;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.osgi.dto.DTO;

/** DTOs as JSON: each is an object of its fields. */
final class DtoJson {
  private DtoJson() {}

  static String of(Object value) {
    return switch (value) {
      case DTO dto -> fields(dto);
      case Map<?, ?> map -> map.entrySet().stream().map(each -> quoted(each.getKey().toString()) + ":"
          + of(each.getValue())).collect(Collectors.joining(",", "{", "}"));
      case List<?> list -> list.stream().map(DtoJson::of).collect(Collectors.joining(",", "[", "]"));
      case Number number -> number.toString();
      case Boolean truth -> truth.toString();
      case null -> "null";
      default -> quoted(value.toString());
    };
  }

  private static String fields(DTO dto) {
    List<String> fields = new ArrayList<>();
    try {
      for (Field field : dto.getClass().getFields()) {
        fields.add(quoted(field.getName()) + ":" + of(field.get(dto)));
      }
    } catch (IllegalAccessException impossible) {
      throw new IllegalStateException(impossible);
    }
    return fields.stream().collect(Collectors.joining(",", "{", "}"));
  }

  private static String quoted(String text) {
    StringBuilder out = new StringBuilder("\"");
    text.chars().forEach(each -> {
      if (each == '"' || each == '\\') {
        out.append('\\').append((char) each);
      } else if (each < ' ') {
        out.append(String.format("\\u%04x", each));
      } else {
        out.append((char) each);
      }
    });
    return out.append('"').toString();
  }
}
