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
  /** The packages by their names behind {@code io.bywash.engine}; "" is the public front door. */
  private static final Map<String, Set<String>> ALLOWED = Map.ofEntries(
      entry("internal.memory", Set.of()),
      entry("internal.linux", Set.of("internal.memory")),
      entry("internal.layout", Set.of("", "internal.memory")),
      entry("internal.record", Set.of("", "internal.memory")),
      entry("internal.files", Set.of("", "internal.layout", "internal.linux", "internal.segment")),
      entry("internal.segment", Set.of("", "internal.directory", "internal.layout", "internal.linux",
          "internal.memory")),
      entry("internal.waiting", Set.of("", "wait", "internal", "internal.directory", "internal.layout",
          "internal.linux", "internal.memory", "internal.segment")),
      entry("internal.role", Set.of("", "wait", "internal", "internal.directory", "internal.layout", "internal.linux",
          "internal.memory", "internal.waiting")),
      entry("internal.directory", Set.of("", "internal", "internal.files", "internal.layout", "internal.linux",
          "internal.memory", "internal.role", "internal.segment", "internal.waiting")),
      entry("internal", Set.of("", "internal.directory", "internal.files", "internal.layout", "internal.linux",
          "internal.memory", "internal.role", "internal.segment", "internal.waiting")),
      entry("wait", Set.of("internal.linux", "internal.role", "internal.waiting")),
      entry("record", Set.of("", "internal.layout", "internal.memory", "internal.record")),
      entry("broadcast", Set.of("", "wait", "record", "internal", "internal.directory", "internal.layout",
          "internal.linux", "internal.memory", "internal.record", "internal.role", "internal.segment",
          "internal.waiting")),
      entry("queue", Set.of("", "wait", "record", "internal", "internal.directory", "internal.layout",
          "internal.linux", "internal.memory", "internal.record", "internal.role", "internal.segment",
          "internal.waiting")),
      entry("internal.kinds", Set.of("internal.directory", "broadcast", "queue")),
      entry("inspect", Set.of("", "internal", "internal.directory", "internal.files", "internal.layout",
          "internal.linux", "internal.memory", "internal.segment", "internal.waiting")),
      entry("", Set.of("internal", "internal.directory", "internal.files", "internal.kinds", "internal.layout",
          "internal.linux", "internal.segment", "broadcast", "queue")));
  private static final Pattern ARROW = Pattern.compile("^\\s+(\\S+)\\s+->\\s+(\\S+)");

  @Test
  void noPackageUsesOneThatIsNotBelowIt() throws Exception {
    Map<String, Set<String>> used = new TreeMap<>();
    for (String line : jdeps()) {
      Matcher arrow = ARROW.matcher(line);
      if (arrow.find() && arrow.group(1).startsWith(ENGINE) && arrow.group(2).startsWith(ENGINE)) {
        used.computeIfAbsent(packageOf(arrow.group(1)), key -> new TreeSet<>()).add(packageOf(arrow.group(2)));
      }
    }
    assertEquals(new TreeSet<>(ALLOWED.keySet()), used.keySet(),
        "a new package needs its arrows here and in ARCHITECTURE.md");
    used.forEach((from, to) -> {
      to.remove(from);
      to.removeAll(ALLOWED.getOrDefault(from, Set.of()));
      assertTrue(to.isEmpty(), () -> "package \"" + from + "\" uses " + to);
    });
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

  private static String packageOf(String type) {
    String name = type.substring(0, type.lastIndexOf('.'));
    return name.length() > ENGINE.length() && !name.endsWith(".") ? strip(name) : "";
  }

  /** Without the front and without the outer classes of a nested one. */
  private static String strip(String name) {
    return name.substring(ENGINE.length() + 1).replaceAll("\\.?[A-Z].*", "");
  }
}
