package io.bywash.samples.container;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The distribution as its user starts it. */
final class DistributionIT {
  private static final Path FELIX = Path.of(System.getProperty("bywash.test.felix"));

  @Test
  void startsAllBundlesAndAnswersTheCommandOfBywash(@TempDir Path temporary) throws Exception {
    try (Shell shell = new Shell(FELIX, temporary.resolve("bus"), List.of("--sun-misc-unsafe-memory-access=allow",
        "-jar", "bin/felix.jar", temporary.resolve("cache").toString()))) {
      shell.ask("bywash:queues", "There are no queues");
      shell.type("lb -s");
      shell.stop();
      for (String bundle : List.of("bywash-engine", "bywash-kotlin", "bywash-osgi",
          "org.jetbrains.kotlin.osgi-bundle", "io.bywash.wrapped.kotlinx-coroutines-core", "org.apache.felix.scr",
          "org.apache.felix.configadmin", "org.apache.felix.fileinstall")) {
        assertTrue(shell.lines().stream().anyMatch(line -> line.contains("|Active")
            && line.contains("|" + bundle + " ")), bundle + " is active in:\n" + shell);
      }
      assertTrue(shell.lines().stream().noneMatch(line -> line.contains("WARN") || line.contains("ERROR")),
          shell.toString());
    }
  }

  @Test
  void theZipHoldsItAndEachJarIsNamedInTheNotices() throws IOException {
    Set<String> jars = new TreeSet<>();
    try (Stream<Path> files = Files.walk(FELIX)) {
      files.filter(file -> file.toString().endsWith(".jar") && !file.endsWith("bin/felix.jar"))
          .forEach(jar -> jars.add(FELIX.relativize(jar).toString()));
    }
    Set<String> named = Files.readAllLines(FELIX.resolve("NOTICE")).stream().map(line -> line.split(" ")[0])
        .filter(word -> word.endsWith(".jar")).collect(Collectors.toCollection(TreeSet::new));
    assertEquals(jars, named);
    assertTrue(Files.readString(FELIX.resolve("LICENSE")).contains("Apache License"));
    try (ZipFile zip = new ZipFile(FELIX.resolveSibling("felix.zip").toFile())) {
      for (String name : List.of("LICENSE", "NOTICE", "bin/felix.jar", "conf/config.properties", "load/README")) {
        assertTrue(zip.getEntry("felix/" + name) != null, name);
      }
      jars.forEach(name -> assertTrue(zip.getEntry("felix/" + name) != null, name));
    }
  }
}
