package io.bywash.engine.litmus;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.openjdk.jcstress.infra.runners.TestList;

/**
 * The labels of the engine's orderings: each stands at both ends, and a litmus test says in its description which one
 * it is about.
 */
class LabelsTest {
  private static final Path ENGINE = Path.of("../src/main/java");
  private static final Path SPEC = Path.of("../../docs/SPEC.md");
  /** A word in brackets that is not an index of an array. */
  private static final Pattern LABEL = Pattern.compile("(?<![\\w\\])])\\[([a-z]+(?:-[a-z]+)*)]");

  private final Map<String, List<String>> places = new TreeMap<>();

  LabelsTest() throws IOException {
    List<Path> sources;
    try (Stream<Path> files = Files.walk(ENGINE)) {
      sources = files.filter(file -> file.toString().endsWith(".java")).sorted().toList();
    }
    for (Path source : sources) {
      List<String> lines = Files.readAllLines(source);
      for (int i = 0; i < lines.size(); i++) {
        for (String label : labels(lines.get(i))) {
          places.computeIfAbsent(label, ignored -> new ArrayList<>()).add(source.getFileName() + ":" + (i + 1));
        }
      }
    }
    assertFalse(places.isEmpty(), "no label in " + ENGINE.toAbsolutePath());
  }

  private static Set<String> labels(String text) {
    Set<String> found = new TreeSet<>();
    Matcher matcher = LABEL.matcher(text);
    while (matcher.find()) {
      found.add(matcher.group(1));
    }
    return found;
  }

  @Test
  void eachLabelStandsAtBothEnds() {
    Map<String, List<String>> alone = new TreeMap<>(places);
    alone.values().removeIf(lines -> lines.size() > 1);
    assertEquals(Map.of(), alone, "labels that stand once");
  }

  @Test
  void eachLabelHasALitmusTestAndEachLitmusTestALabel() {
    Set<String> tested = new TreeSet<>();
    for (String name : TestList.tests()) {
      Set<String> labels = labels(TestList.getInfo(name).description());
      assertFalse(labels.isEmpty(), name + " names no label in its description");
      tested.addAll(labels);
    }
    assertEquals(places.keySet(), tested, "the labels in the engine, and those that the litmus tests name");
  }

  @Test
  void theSpecificationKnowsNoOtherLabels() throws IOException {
    Set<String> specified = labels(Files.readString(SPEC));
    assertFalse(specified.isEmpty(), "no label in " + SPEC);
    specified.removeAll(places.keySet());
    assertEquals(Set.of(), specified, "labels that the specification names, and the engine does not have");
  }
}
