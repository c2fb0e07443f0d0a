package io.bywash.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.bywash.engine.subject.Subject;
import io.bywash.engine.subject.Subjects;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The specification and the engine name the same constants with the same values. A table of the specification belongs
 * to the layout class that its header, or else the heading above it, names in parentheses; its first column is the
 * value, and its last the constant's name.
 */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class LayoutTest {
  private static final Path SPEC = Path.of("../docs/SPEC.md");
  private static final Map<String, String> CLASSES = classes();
  private static final Pattern CLASS = Pattern.compile("\\((\\w+Layout)\\)");
  private static final Pattern CONSTANT = Pattern.compile("`([A-Z][A-Z0-9_]*)`");
  private static final Pattern TYPE = Pattern.compile("(?:(\\d+) )?(?:x (\\d+) )?(int|longs?|bytes)");

  /** Layout classes by their simple names: that of all segments, and those of each kind of structure. */
  private static Map<String, String> classes() {
    Map<String, String> classes = new TreeMap<>(
        Map.of("SegmentLayout", "io.bywash.engine.internal.layout.SegmentLayout"));
    for (Subject subject : Subjects.all()) {
      subject.layouts().forEach(layout -> classes.put(layout.simpleName(), layout.className()));
    }
    return classes;
  }

  private record Row(String constant, long value, String type, int line) {
    /** The bytes of the row's type; 0 when it has none. */
    long sizeBytes() {
      Matcher matcher = TYPE.matcher(type);
      if (type.isEmpty()) {
        return 0;
      }
      assertTrue(matcher.matches(), () -> "SPEC.md line " + line + ": type \"" + type + "\"");
      long count = matcher.group(1) == null ? 1 : Long.parseLong(matcher.group(1));
      long times = matcher.group(2) == null ? 1 : Long.parseLong(matcher.group(2));
      return count * times * unitBytes();
    }

    long unitBytes() {
      return type.startsWith("int") ? Integer.BYTES : type.contains("long") ? Long.BYTES : 1;
    }
  }

  private record Table(String layout, boolean ofOffsets, List<Row> rows) {}

  private static List<Table> tables() throws IOException {
    List<Table> tables = new ArrayList<>();
    List<String> lines = Files.readAllLines(SPEC);
    String heading = "";
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).startsWith("#")) {
        heading = lines.get(i);
      } else if (lines.get(i).startsWith("|")) {
        int header = i;
        Table table = begin(heading, lines.get(i), i + 1);
        assertTrue(lines.get(i + 1).matches("[|: -]+"), () -> "SPEC.md line " + (header + 2) + " is no table ruler");
        for (i += 2; i < lines.size() && lines.get(i).startsWith("|"); i++) {
          table.rows.add(row(lines.get(i), i + 1, table.ofOffsets));
        }
        tables.add(table);
      }
    }
    assertTrue(tables.size() >= 10, () -> "only " + tables.size() + " tables found in " + SPEC.toAbsolutePath());
    return tables;
  }

  private static String[] cells(String line) {
    String[] cells = line.strip().replaceAll("^\\||\\|$", "").split("\\|", -1);
    return Arrays.stream(cells).map(String::strip).toArray(String[]::new);
  }

  private static Table begin(String heading, String header, int line) {
    String[] cells = cells(header);
    assertEquals("constant", cells[cells.length - 1], "the last column at SPEC.md line " + line);
    Matcher layout = Stream.of(header, heading).map(CLASS::matcher).filter(Matcher::find).findFirst()
        .orElseGet(() -> fail("SPEC.md line " + line + ": neither the table nor its heading names a layout class"));
    assertTrue(CLASSES.containsKey(layout.group(1)), () -> "SPEC.md line " + line + ": " + layout.group(1));
    return new Table(layout.group(1), cells[0].equals("offset"), new ArrayList<>());
  }

  private static Row row(String text, int line, boolean ofOffsets) {
    String[] cells = cells(text);
    Matcher constant = CONSTANT.matcher(cells[cells.length - 1]);
    assertTrue(constant.matches(), () -> "SPEC.md line " + line + " names no constant: " + text);
    try {
      return new Row(constant.group(1), Long.decode(cells[0]), ofOffsets ? cells[1] : "", line);
    } catch (NumberFormatException noNumber) {
      return fail("SPEC.md line " + line + " begins with no number: " + text, noNumber);
    }
  }

  private static Map<String, Long> constants(String layout) throws ReflectiveOperationException {
    Map<String, Long> constants = new TreeMap<>();
    for (Field field : Class.forName(CLASSES.get(layout)).getDeclaredFields()) {
      boolean isNumber = field.getType() == int.class || field.getType() == long.class;
      if (isNumber && Modifier.isStatic(field.getModifiers()) && Modifier.isFinal(field.getModifiers())) {
        field.setAccessible(true);
        constants.put(field.getName(), ((Number) field.get(null)).longValue());
      }
    }
    int least = layout.equals("SegmentLayout") ? 10 : 1; // a small kind may need few
    assertTrue(constants.size() >= least, () -> "only " + constants + " in " + layout);
    return constants;
  }

  @Test
  void theSpecificationNamesEveryConstantOfTheLayoutsWithItsValueAndNoOther() throws Exception {
    for (String layout : CLASSES.keySet()) {
      Map<String, Long> specified = new TreeMap<>();
      for (Table table : tables()) {
        if (table.layout.equals(layout)) {
          table.rows.forEach(row -> assertNull(specified.put(row.constant, row.value),
              "SPEC.md line " + row.line + ": " + row.constant + " stands there twice"));
        }
      }
      assertEquals(constants(layout), specified, layout);
    }
  }

  @Test
  void theWordsOfATableAreAlignedAndDoNotOverlap() throws IOException {
    int words = 0;
    for (Table table : tables()) {
      long end = 0;
      for (Row row : table.rows) {
        if (table.ofOffsets) {
          assertTrue(row.value >= end, "SPEC.md line " + row.line + ": " + row.constant + " begins before byte " + end);
          assertEquals(0, row.value % row.unitBytes(), "SPEC.md line " + row.line + ": alignment of " + row.constant);
          end = row.value + row.sizeBytes();
          words++;
        }
      }
    }
    assertTrue(words > 30, "only " + words + " words were checked");
  }

  @Test
  void wordsOfDifferentWritersShareNoLineOf128Bytes() throws Exception {
    Map<String, Long> segment = constants("SegmentLayout");
    assertApart(segment, "READY_OFFSET", "STATE_OFFSET", "INTENT_OFFSET");
    assertApart(segment, "CHECKSUM_OFFSET", "STATE_OFFSET");
    assertApart(segment, "SLOT_HELD_ROWS", "SLOT_DOORBELL");
    assertApart(segment, "ROLES_USED", "WAITING_FOR_DATA", "WAITING_FOR_SPACE", "OWN_WORDS", "SUMMARY_FOR_DATA",
        "SUMMARY_FOR_SPACE");
    for (String repeated : List.of("SLOT_BYTES", "ROW_BYTES", "ROLE_BYTES", "HEADER_BYTES", "PAGE_BYTES", "ROLES")) {
      assertEquals(0, segment.get(repeated) % 128, repeated);
    }
    assertTrue(segment.get("SLOT_DOORBELL") + Integer.BYTES <= segment.get("SLOT_BYTES"));
    assertTrue(segment.get("ROW_TEXT_BYTES") + Long.BYTES <= segment.get("ROW_BYTES"));
    assertTrue(segment.get("SUMMARY_FOR_SPACE") + 128 <= segment.get("ROLES"));
    for (Subject subject : Subjects.all()) {
      for (Subject.Layout layout : subject.layouts()) {
        assertOwnWords(layout, segment);
      }
    }
  }

  private static void assertOwnWords(Subject.Layout layout, Map<String, Long> segment) throws Exception {
    Map<String, Long> own = constants(layout.simpleName());
    assertApart(own, layout.apart().toArray(String[]::new));
    for (String word : layout.apart()) {
      assertTrue(own.get(word) >= segment.get("OWN_WORDS"), word + " is among the words of all structures");
    }
    for (String word : layout.ofRoles()) {
      assertTrue(own.get(word) >= Long.BYTES && own.get(word) + Long.BYTES <= segment.get("ROLE_LABEL"), word);
    }
    for (String word : layout.ofHolders()) {
      assertTrue(own.get(word) >= 128 && own.get(word) + Long.BYTES <= segment.get("ROLE_BYTES"), word);
    }
    assertTrue(layout.end().applyAsLong(own) <= segment.get("SUMMARY_FOR_DATA"),
        layout.className() + ": words reach into the summaries of those that wait");
  }

  private static void assertApart(Map<String, Long> constants, String... names) {
    for (int i = 0; i < names.length; i++) {
      for (int j = 0; j < i; j++) {
        assertNotEquals(constants.get(names[i]) / 128, constants.get(names[j]) / 128, names[i] + " and " + names[j]);
      }
    }
  }

  @Test
  void statesAndModesOfOneWordFitItsFourBitsAndDiffer() throws Exception {
    Map<String, Long> all = constants("SegmentLayout");
    for (List<String> states : List.of(List.of("OPEN", "CLOSING", "REMOVED"),
        List.of("SLOT_FREE", "SLOT_JOINING", "SLOT_ACTIVE", "SLOT_LEAVING", "SLOT_CLOSED"),
        List.of("ROLE_FREE", "ROLE_JOINING", "ROLE_ACTIVE", "ROLE_REVOKED"))) {
      assertEquals(states.size(), states.stream().map(all::get).distinct().count(), () -> states + " are not distinct");
      assertFalse(states.stream().anyMatch(state -> all.get(state) < 0 || all.get(state) > 15), states::toString);
    }
  }
}
