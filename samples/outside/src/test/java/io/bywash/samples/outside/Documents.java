package io.bywash.samples.outside;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What the documents of the repository say. */
final class Documents {
  private Documents() {}

  static String read(String page) throws IOException {
    return Files.readString(Outside.BYWASH.resolve(page));
  }

  /** All pages, by their paths in the repository. */
  static List<String> pages() throws IOException {
    try (Stream<Path> root = Files.list(Outside.BYWASH);
        Stream<Path> docs = Files.list(Outside.BYWASH.resolve("docs"))) {
      return Stream.concat(root, docs).map(file -> Outside.BYWASH.relativize(file).toString())
          .filter(file -> file.endsWith(".md")).sorted().toList();
    }
  }

  /** The code blocks of a language in a page, or in the section of it that begins with a heading. */
  static List<String> blocks(String page, String heading, String language) throws IOException {
    String text = read(page);
    int start = heading.isEmpty() ? 0 : text.indexOf("\n" + heading + "\n");
    if (start < 0) {
      throw new AssertionError(page + " has no heading '" + heading + "'");
    }
    String level = heading.replaceAll("[^#].*", "");
    Matcher next = Pattern.compile("\n#{1," + Math.max(1, level.length()) + "} ").matcher(text);
    int end = !heading.isEmpty() && next.find(start + 1 + heading.length()) ? next.start() : text.length();
    return Pattern.compile("```" + language + "\n(.*?)```", Pattern.DOTALL).matcher(text.substring(start, end))
        .results().map(block -> block.group(1)).toList();
  }

  /** The version of the project. */
  static String version() throws IOException {
    Matcher version = Pattern.compile("(?m)^ {2}<version>(.*)</version>$").matcher(read("pom.xml"));
    if (!version.find()) {
      throw new AssertionError("pom.xml has no version");
    }
    return version.group(1);
  }
}
