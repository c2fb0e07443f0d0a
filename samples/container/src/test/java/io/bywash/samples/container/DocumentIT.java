package io.bywash.samples.container;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import aQute.bnd.osgi.Builder;
import aQute.bnd.osgi.Jar;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What docs/OSGI.md shows, done. */
final class DocumentIT {
  private static final Path FELIX = Path.of(System.getProperty("bywash.test.felix"));
  private static final Path DOCUMENT = Path.of(System.getProperty("bywash.test.document"));
  private static final Pattern BLOCK = Pattern.compile("```(\\w+)\\n(.*?)```", Pattern.DOTALL);
  private static final String ALLOW = "--sun-misc-unsafe-memory-access=allow";

  /** Turns each price's event into an order, so that both bridges are seen. */
  private static final String PROBE = """
      package docs;

      import java.util.Map;
      import org.osgi.service.component.annotations.*;
      import org.osgi.service.event.*;

      @Component(property = "event.topics=prices/NEW")
      public class Probe implements EventHandler {
        @Reference EventAdmin events;

        @Override
        public void handleEvent(Event event) {
          events.postEvent(new Event("orders/NEW", Map.of("order", "buy at " + event.getProperty("price"))));
        }
      }
      """;

  @TempDir
  private Path temporary;
  private Path bus;

  @BeforeEach
  void makeBus() throws IOException {
    bus = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-test-");
  }

  @AfterEach
  void removeBus() throws IOException {
    try (Stream<Path> files = Files.walk(bus)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  private static List<String> blocks(String language) throws IOException {
    List<String> found = new ArrayList<>();
    Matcher blocks = BLOCK.matcher(Files.readString(DOCUMENT));
    while (blocks.find()) {
      if (blocks.group(1).equals(language)) {
        found.add(blocks.group(2));
      }
    }
    assertTrue(!found.isEmpty(), language);
    return found;
  }

  @Test
  void itsComponentsRunInTheDistributionWhenTheyAreDroppedIntoIt() throws Exception {
    Path home = temporary.resolve("felix");
    copy(FELIX, home);
    List<String> command = List.of(blocks("sh").getFirst().strip().substring("java ".length()).split(" "));
    try (Shell shell = new Shell(home, bus, Stream.concat(Stream.of(ALLOW), command.stream()).toList())) {
      shell.ask("bywash:ls", "There are no queues");
      String queue = blocks("properties").getFirst();
      Files.writeString(home.resolve("load/io.bywash.queue-prices.cfg"), queue);
      Files.writeString(home.resolve("load/io.bywash.queue-orders.cfg"), queue.replace("prices", "orders"));
      for (String jar : System.getProperty("java.class.path").split(":")) {
        if (jar.matches(".*/org\\.(apache\\.felix\\.eventadmin|osgi\\.util\\.pushstream)-.*")) {
          Files.copy(Path.of(jar), home.resolve("load").resolve(Path.of(jar).getFileName()));
        }
      }
      Path bundle = bundle();
      Files.move(bundle, home.resolve("load/docs.jar"), StandardCopyOption.ATOMIC_MOVE);
      List<Long> prices = LongStream.range(100, 200).boxed().toList();
      for (String word : List.of("price", "streamed")) {
        shell.await("all prices by " + word, lines -> numbers(lines, word).size() == prices.size());
        assertEquals(prices, numbers(shell.lines(), word));
      }
      shell.ask("bywash:tail market orders 3", "10 bytes  buy at ");
      shell.ask("bywash:stat market", "publisher");
      shell.stop();
    }
  }

  private static List<Long> numbers(List<String> lines, String word) {
    Pattern said = Pattern.compile("(?:g! )*" + word + " (\\d+)");
    return lines.stream().map(said::matcher).filter(Matcher::matches).map(match -> Long.valueOf(match.group(1)))
        .toList();
  }

  @Test
  void itsLinesStartBywashInAnUnmodifiedFelix() throws Exception {
    Path home = Files.createDirectories(temporary.resolve("felix"));
    jars(home);
    Files.createDirectories(home.resolve("bin"));
    Files.copy(FELIX.resolve("bin/org.apache.felix.main.jar"), home.resolve("bin/felix.jar"));
    Files.createDirectories(home.resolve("bundle")); // as its distribution has them
    for (String shellBundle : List.of("runtime", "command", "shell")) {
      String jar = "org.apache.felix.gogo." + shellBundle + ".jar";
      Files.copy(FELIX.resolve("bundle").resolve(jar), home.resolve("bundle").resolve(jar));
    }
    Files.createDirectories(home.resolve("conf"));
    Files.writeString(home.resolve("conf/config.properties"), "felix.auto.deploy.action=install,start\n");
    try (Shell shell = new Shell(home, bus,
        List.of("--enable-native-access=ALL-UNNAMED", ALLOW, "-jar", "bin/felix.jar"))) {
      List<String> lines = blocks("gogo").getFirst().lines().toList();
      shell.ask("help", "gogo:");
      lines.forEach(shell::type);
      shell.ask(lines.getLast(), bus.toString());
      shell.stop();
    }
  }

  @Test
  void itsConfigurationStartsBywashInEquinox() throws Exception {
    Path home = Files.createDirectories(temporary.resolve("equinox"));
    jars(temporary);
    Files.createDirectories(home.resolve("configuration"));
    Files.writeString(home.resolve("configuration/config.ini"), blocks("ini").getFirst());
    for (String jar : System.getProperty("java.class.path").split(":")) {
      if (jar.contains("/org.eclipse.osgi-")) {
        Files.copy(Path.of(jar), home.resolve("org.eclipse.osgi.jar"));
      }
    }
    try (Shell shell = new Shell(home, bus,
        List.of("--enable-native-access=ALL-UNNAMED", "-jar", "org.eclipse.osgi.jar"))) {
      Files.createDirectories(home.resolve("load"));
      Files.writeString(home.resolve("load/io.bywash.queue-prices.cfg"), blocks("properties").getFirst());
      shell.await("a queue", lines -> Files.exists(bus.resolve("market")));
    }
  }

  private static void jars(Path home) throws IOException {
    copy(FELIX.resolve("bundle"), home.resolve("jars"));
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Path copy = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(copy);
        } else {
          Files.copy(file, copy);
        }
      }
    }
  }

  /** All its Java, compiled, as a bundle. */
  private Path bundle() throws Exception {
    Path sources = Files.createDirectories(temporary.resolve("sources"));
    Path classes = Files.createDirectories(temporary.resolve("classes"));
    List<String> arguments = new ArrayList<>(List.of("-d", classes.toString(), "-cp",
        System.getProperty("java.class.path"), "-proc:none"));
    for (String source : Stream.concat(blocks("java").stream(), Stream.of(PROBE)).toList()) {
      Matcher name = Pattern.compile("public class (\\w+)").matcher(source);
      assertTrue(name.find(), source);
      arguments.add(Files.writeString(sources.resolve(name.group(1) + ".java"), source).toString());
    }
    assertEquals(0, ToolProvider.getSystemJavaCompiler().run(null, null, null, arguments.toArray(String[]::new)));
    try (Builder builder = new Builder()) {
      builder.setProperty("Bundle-SymbolicName", "docs");
      builder.setProperty("-includeresource", classes.toString());
      builder.setProperty("-privatepackage", "docs");
      for (String jar : System.getProperty("java.class.path").split(":")) {
        builder.addClasspath(Path.of(jar).toFile());
      }
      Jar jar = builder.build();
      assertEquals(List.of(), builder.getErrors());
      Path file = temporary.resolve("docs.jar");
      jar.write(file.toFile());
      return file;
    }
  }
}
