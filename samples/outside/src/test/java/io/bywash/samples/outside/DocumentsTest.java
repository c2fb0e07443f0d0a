package io.bywash.samples.outside;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The documents agree with each other and with the sources. */
final class DocumentsTest {
  /** With a heading as the last part. */
  private static final Pattern LINK = Pattern.compile("\\]\\((?!https?:)([^)#\\s]*)(#[^)\\s]+)?\\)");

  @Test
  void everyLinkLeadsToAFileAndToAHeadingInIt() throws IOException {
    List<String> dead = new ArrayList<>();
    for (String page : Documents.pages()) {
      Matcher links = LINK.matcher(Documents.read(page));
      while (links.find()) {
        Path source = Outside.BYWASH.resolve(page);
        Path target = links.group(1).isEmpty() ? source : source.resolveSibling(links.group(1)).normalize();
        boolean leads = Files.exists(target)
            && (links.group(2) == null || anchors(Files.readString(target)).contains(links.group(2)));
        if (!leads) {
          dead.add(page + ": " + links.group());
        }
      }
    }
    assertEquals(List.of(), dead);
  }

  private static List<String> anchors(String page) {
    return Pattern.compile("(?m)^#+ (.*)$").matcher(page).results()
        .map(heading -> heading.group(1).toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9 _-]", ""))
        .map(heading -> "#" + heading.replace(' ', '-')).toList();
  }

  @Test
  void theReadmeIsShortAndItsFiguresAreThoseOfTheBenchmarks() throws IOException {
    String readme = Documents.read("README.md");
    assertTrue(readme.lines().count() < 250, "the README has " + readme.lines().count() + " lines");
    List<String> figures = readme.substring(readme.indexOf("## How fast"), readme.indexOf("## Two commands")).lines()
        .filter(line -> line.startsWith("|")).toList();
    assertEquals(5, figures.size(), "the head of the table, its line, and three figures");
    List<String> recorded = Documents.read("docs/BENCHMARKS.md").lines().toList();
    for (String line : figures) {
      assertTrue(recorded.contains(line), "docs/BENCHMARKS.md has no such line: " + line);
    }
  }

  @Test
  void coordinatesInTheDocumentsHaveTheVersionOfTheProject() throws IOException {
    String version = Documents.version();
    for (String page : Documents.pages()) {
      Matcher coordinates = Pattern.compile("io\\.bywash:bywash-[a-z]+:([^\"`\\s]+)"
          + "|<artifactId>bywash-[a-z]+</artifactId>\\s*<version>([^<]+)<").matcher(Documents.read(page));
      while (coordinates.find()) {
        String given = coordinates.group(1) == null ? coordinates.group(2) : coordinates.group(1);
        assertEquals(version, given, page + ": " + coordinates.group());
      }
    }
    assertTrue(Documents.read("README.md").contains("io.bywash:bywash-engine:" + version));
  }

  @Test
  void theSnippetsForKotlinAndOsgiAreLinesOfTheSamples() throws IOException {
    String kotlin = "samples/hello-kotlin/src/main/kotlin/io/bywash/samples/hello/kotlin/";
    assertLines(Documents.blocks("README.md", "### Kotlin", "kotlin"), kotlin + "Hello.kt", kotlin + "HelloSender.kt",
        kotlin + "HelloReceiver.kt");
    assertLines(Documents.blocks("README.md", "### OSGi", "java"),
        "samples/demo-listener/src/main/java/io/bywash/samples/demo/listener/DemoListener.java");
  }

  private static void assertLines(List<String> blocks, String... sources) throws IOException {
    assertEquals(1, blocks.size());
    List<String> lines = new ArrayList<>();
    for (String source : sources) {
      Documents.read(source).lines().map(String::strip).forEach(lines::add);
    }
    for (String line : blocks.getFirst().lines().map(line -> line.replaceAll(" +// .*", "").strip()).toList()) {
      assertTrue(lines.contains(line), () -> "not a line of " + List.of(sources) + ": " + line);
    }
  }
}
