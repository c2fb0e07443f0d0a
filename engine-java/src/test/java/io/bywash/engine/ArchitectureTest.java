package io.bywash.engine;

import static java.util.Map.entry;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.process.ChildProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Map.Entry;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Which package of the engine uses which, as docs/ARCHITECTURE.md draws it: read from classes with {@code jdeps}. */
@Tag("once")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class ArchitectureTest {
  private static final String ENGINE = "io.bywash.engine";
  /** The types of the public front door that open segments; all its others are words in which packages talk. */
  private static final Set<String> DOOR = Set.of("BusDirectory", "Directory", "Segment");
  private static final String WORDS = "words";
  /**
   * The packages by their names behind {@code io.bywash.engine}, and "" for the front door, each below the next; and
   * what it uses of those that stand before it. Exceptions, specifications and values of the front door are no part of
   * the order: all may use them, and they use what {@link #WORDS_USE} says.
   */
  private static final List<Entry<String, Set<String>>> ORDER = List.of(
      entry("internal.events", Set.of()),
      entry("internal.memory", Set.of()),
      entry("internal.linux", Set.of("internal.memory")),
      entry("internal.layout", Set.of("internal.memory")),
      entry("internal.files", Set.of("internal.layout", "internal.linux")),
      entry("internal.segment", Set.of("internal.layout", "internal.linux", "internal.memory")),
      entry("internal.attachment", Set.of("internal.events", "internal.files", "internal.layout", "internal.linux",
          "internal.memory", "internal.segment")),
      entry("internal.waiting", Set.of("internal.attachment", "internal.events", "internal.linux", "internal.layout",
          "internal.memory", "internal.segment")),
      entry("wait", Set.of("internal.linux", "internal.waiting")),
      entry("internal.directory", Set.of("internal.attachment", "internal.events", "internal.files", "internal.layout",
          "internal.linux", "internal.memory", "internal.segment", "internal.waiting")),
      entry("internal.role", Set.of("wait", "internal.attachment", "internal.directory", "internal.layout",
          "internal.linux", "internal.memory", "internal.segment", "internal.waiting")),
      entry("internal.record", Set.of("internal.memory")),
      entry("record", Set.of("internal.layout", "internal.memory", "internal.record")),
      entry("broadcast", Set.of("wait", "record", "internal.attachment", "internal.directory", "internal.events",
          "internal.layout", "internal.linux", "internal.memory", "internal.record", "internal.role",
          "internal.segment", "internal.waiting")),
      entry("queue", Set.of("wait", "record", "internal.attachment", "internal.directory", "internal.events",
          "internal.layout", "internal.memory", "internal.record", "internal.role", "internal.segment",
          "internal.waiting")),
      entry("cell", Set.of("wait", "record", "internal.attachment", "internal.directory", "internal.layout",
          "internal.memory", "internal.record", "internal.role", "internal.segment", "internal.waiting")),
      entry("ring", Set.of("wait", "record", "internal.attachment", "internal.directory", "internal.events",
          "internal.layout", "internal.memory", "internal.role", "internal.segment", "internal.waiting")),
      entry("pool", Set.of("wait", "record", "internal.attachment", "internal.directory", "internal.layout",
          "internal.memory", "internal.role", "internal.segment", "internal.waiting")),
      entry("call", Set.of("wait", "record", "internal.attachment", "internal.directory", "internal.events",
          "internal.layout", "internal.linux", "internal.memory", "internal.record", "internal.role",
          "internal.segment", "internal.waiting")),
      entry("internal.kinds", Set.of("internal.directory", "broadcast", "call", "cell", "pool", "queue", "ring")),
      entry("internal", Set.of("internal.attachment", "internal.directory", "internal.files", "internal.layout",
          "internal.linux", "internal.memory", "internal.segment")),
      entry("", Set.of("internal", "internal.directory", "internal.files", "internal.kinds", "internal.layout",
          "internal.linux", "internal.segment")),
      entry("inspect", Set.of("", "internal", "internal.attachment", "internal.directory", "internal.files",
          "internal.layout", "internal.linux", "internal.memory", "internal.segment", "internal.waiting")));
  /** Limits and names of specifications are those of the layout; the sealed status of structures names all kinds. */
  private static final Map<String, Set<String>> WORDS_USE = Map.of(
      "EntrySpec", Set.of("internal.layout"), "SegmentSpec", Set.of("internal.layout"),
      "StructureStatus", Set.of("internal.directory", "broadcast", "call", "cell", "pool", "queue", "ring"));
  private static final Pattern ARROW = Pattern.compile("^\\s+(\\S+)\\s+->\\s+(\\S+)");

  @Test
  void noPackageUsesOneThatIsNotBelowIt() throws Exception {
    Map<String, Set<String>> used = new TreeMap<>();
    Map<String, Set<String>> usedByWords = new TreeMap<>();
    for (String line : jdeps()) {
      Matcher arrow = ARROW.matcher(line);
      if (arrow.find() && arrow.group(1).startsWith(ENGINE) && arrow.group(2).startsWith(ENGINE)) {
        String from = placeOf(arrow.group(1));
        String to = placeOf(arrow.group(2));
        Set<String> uses = from.equals(WORDS)
            ? usedByWords.computeIfAbsent(arrow.group(1).substring(ENGINE.length() + 1), key -> new TreeSet<>())
            : used.computeIfAbsent(from, key -> new TreeSet<>());
        if (!to.equals(WORDS) && !to.equals(from)) {
          uses.add(to);
        }
      }
    }
    Set<String> below = new TreeSet<>();
    for (Entry<String, Set<String>> each : ORDER) {
      assertTrue(below.containsAll(each.getValue()), () -> each + " names a package that is not below it");
      below.add(each.getKey());
      assertEquals(new TreeSet<>(each.getValue()), used.getOrDefault(each.getKey(), Set.of()),
          () -> "what \"" + each.getKey() + "\" uses");
    }
    assertEquals(below, used.keySet(), "a new package needs its place here and in ARCHITECTURE.md");
    usedByWords.values().removeIf(Set::isEmpty);
    assertEquals(new TreeMap<>(WORDS_USE), usedByWords);
  }

  /** The only class of the front door that names a kind is the sealed type that they all are. */
  @Test
  void thatThereAreBroadcastsIsKnownToTheListOfKindsOnly() throws Exception {
    Set<String> knowing = new TreeSet<>();
    for (String line : jdeps()) {
      Matcher arrow = ARROW.matcher(line);
      if (arrow.find() && packageOf(arrow.group(2)).equals("broadcast")
          && !packageOf(arrow.group(1)).equals("broadcast")) {
        knowing.add(arrow.group(1));
      }
    }
    assertEquals(Set.of(ENGINE + ".StructureStatus", ENGINE + ".internal.kinds.StructureTypes"), knowing);
  }

  private static List<String> jdeps() throws IOException, InterruptedException {
    Path tool = Path.of(System.getProperty("java.home"), "bin", "jdeps");
    Process process = new ProcessBuilder(tool.toString(), "-v", ChildProcess.root(Segment.class))
        .redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), output);
    return output.lines().toList();
  }

  /** The place of a type in the order: its package, unless it is one of the front door's words. */
  private static String placeOf(String type) {
    String place = packageOf(type);
    String name = type.substring(ENGINE.length() + 1).replaceAll("\\$.*", "");
    return place.isEmpty() && !DOOR.contains(name) ? WORDS : place;
  }

  private static String packageOf(String type) {
    String name = type.substring(0, type.lastIndexOf('.'));
    return name.length() > ENGINE.length() && !name.endsWith(".") ? strip(name) : "";
  }

  /** Without the front and without the outer classes of a nested one. */
  private static String strip(String name) {
    return name.substring(ENGINE.length() + 1).replaceAll("\\.?[A-Z].*", "");
  }
}
