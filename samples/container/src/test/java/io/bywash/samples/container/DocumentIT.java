package io.bywash.samples.container;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import aQute.bnd.osgi.Resource;
import aQute.bnd.repository.fileset.FileSetRepository;
import biz.aQute.resolve.Bndrun;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What docs/OSGI.md shows, done. */
final class DocumentIT {
  private static final Path FELIX = Path.of(System.getProperty("bywash.test.felix"));
  private static final Path DOCUMENT = Path.of(System.getProperty("bywash.test.document"));
  private static final Pattern BLOCK = Pattern.compile("```(\\w+)\\n(.*?)```", Pattern.DOTALL);
  private static final String ALLOW = "--sun-misc-unsafe-memory-access=allow";

  /** Turns each price's event into an order, so that both of a pair of bridges are seen. */
  private static final String PROBE = """
      package docs;

      import java.util.Map;
      import org.osgi.service.component.annotations.*;
      import org.osgi.service.event.*;

      @Component(property = "event.topics=prices/NEW", immediate = true)
      public class Probe implements EventHandler {
        @Reference EventAdmin events;
        @Reference(target = "(event.topics=orders/*)") EventHandler orders;

        @Activate
        void activate() {
          System.out.println("the probe is there");
        }

        @Override
        public void handleEvent(Event event) {
          events.postEvent(new Event("orders/NEW", Map.of("order", "buy at " + event.getProperty("price"))));
        }
      }
      """;

  /** The same with typed events and alarms. */
  private static final String TYPED_PROBE = """
      package docs;

      import java.util.Map;
      import org.osgi.service.component.annotations.*;
      import org.osgi.service.typedevent.*;

      @Component(property = "event.topics=prices/NEW", immediate = true)
      public class TypedProbe implements UntypedEventHandler {
        @Reference TypedEventBus events;
        @Reference(target = "(event.topics=alarms/NEW)") TypedEventHandler<?> alarms;

        @Activate
        void activate() {
          System.out.println("the typed probe is there");
        }

        @Override
        public void notifyUntyped(String topic, Map<String, Object> event) {
          events.deliverUntyped("alarms/NEW", Map.of("text", "alarm at " + event.get("price")));
        }
      }
      """;

  @TempDir
  private Path temporary;
  @TempDir(factory = SharedMemory.class)
  private Path bus;

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

  /** All Java is; of the others, the tests below take those that there are. */
  @Test
  void noBlockIsLeftOut() throws IOException {
    Map<String, Integer> counts = new TreeMap<>();
    Matcher blocks = BLOCK.matcher(Files.readString(DOCUMENT));
    while (blocks.find()) {
      counts.merge(blocks.group(1), 1, Integer::sum);
    }
    counts.remove("java");
    // of the properties StructureDocumentIT takes two
    assertEquals(Map.of("sh", 1, "properties", 3, "gogo", 2, "ini", 1, "bnd", 1), counts);
  }

  @Test
  void itsComponentsRunInTheDistributionWhenTheyAreDroppedIntoIt() throws Exception {
    Path home = temporary.resolve("felix");
    copy(FELIX, home);
    List<String> command = List.of(blocks("sh").getFirst().strip().substring("java ".length()).split(" "));
    try (Shell shell = new Shell(home, bus, Stream.concat(Stream.of(ALLOW), command.stream()).toList())) {
      shell.ask("bywash:ls", "There are no queues");
      String queue = blocks("properties").getFirst();
      for (String name : List.of("orders", "alarms")) {
        Files.writeString(home.resolve("load/io.bywash.queue-" + name + ".cfg"), queue.replace("prices", name));
      }
      copyFromClassPath("org.apache.felix.eventadmin", home.resolve("load"));
      Path jars = Files.createDirectory(home.resolve("jars"));
      for (String line : blocks("gogo").getLast().lines().toList()) {
        copyFromClassPath(line.substring(line.lastIndexOf('/') + 1, line.lastIndexOf(".jar")), jars);
        shell.type(line);
      }
      Path bundle = new Sources("docs", Stream.concat(blocks("java").stream(), Stream.of(PROBE, TYPED_PROBE)).toList())
          .build(temporary);
      Files.move(bundle, home.resolve("load/docs.jar"), StandardCopyOption.ATOMIC_MOVE);
      for (String probe : List.of("the probe", "the typed probe")) { // events that nobody handles are gone
        shell.await(probe, lines -> lines.stream().anyMatch(line -> line.contains(probe + " is there")));
      }
      Files.writeString(home.resolve("load/io.bywash.queue-prices.cfg"), queue);
      List<Long> prices = LongStream.range(100, 200).boxed().toList();
      for (String word : List.of("price", "streamed")) {
        shell.await("all prices by " + word, lines -> numbers(lines, word).size() == prices.size());
        assertEquals(prices, numbers(shell.lines(), word));
      }
      shell.ask("bywash:tail market orders 3", "10 bytes  buy at ");
      shell.ask("bywash:tail market alarms 3", "12 bytes  alarm at ");
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
    copyFromClassPath("org.eclipse.osgi", home);
    try (Shell shell = new Shell(home, bus,
        List.of("--enable-native-access=ALL-UNNAMED", "-jar", "org.eclipse.osgi.jar"))) {
      Files.createDirectories(home.resolve("load"));
      Files.writeString(home.resolve("load/io.bywash.queue-prices.cfg"), blocks("properties").getFirst());
      shell.await("a queue", lines -> Files.exists(bus.resolve("market")));
    }
  }

  @Test
  void bndResolvesItsRunFileAndRunsIt() throws Exception {
    Path jars = temporary.resolve("jars");
    copy(FELIX.resolve("bundle"), jars);
    copyFromClassPath("org.apache.felix.framework", jars);
    Path home = Files.createDirectories(temporary.resolve("run"));
    Path file = Files.writeString(home.resolve("bywash.bndrun"), blocks("bnd").getFirst());
    List<String> command = new ArrayList<>(List.of(ALLOW));
    try (Bndrun run = Bndrun.createBndrun(null, file.toFile()); Stream<Path> repository = Files.list(jars)) {
      run.getWorkspace().addBasicPlugin(
          new FileSetRepository("jars", repository.map(Path::toFile).toList()));
      command.addAll(run.getRunVM());
      try (Resource jar = run.export("bnd.executablejar", Map.of()).getValue();
          OutputStream out = Files.newOutputStream(home.resolve("run.jar"))) {
        jar.write(out);
      }
      assertEquals(List.of(), run.getErrors());
    }
    command.addAll(List.of("-jar", "run.jar"));
    try (Shell shell = new Shell(home, bus, command)) {
      shell.ask("bywash:ls", bus.toString());
    }
  }

  /** Without its version in the name. */
  private static void copyFromClassPath(String name, Path folder) throws IOException {
    for (String jar : System.getProperty("java.class.path").split(":")) {
      if (jar.matches(".*/" + Pattern.quote(name) + "-[0-9][^/]*")) {
        Files.copy(Path.of(jar), folder.resolve(name + ".jar"));
      }
    }
    assertTrue(Files.exists(folder.resolve(name + ".jar")), name);
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
}
