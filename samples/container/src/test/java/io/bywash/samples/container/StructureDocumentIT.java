package io.bywash.samples.container;

import static org.junit.jupiter.api.Assertions.assertEquals;

import aQute.bnd.osgi.Builder;
import aQute.bnd.osgi.Jar;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.queue.Producer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What docs/OSGI.md shows of work queues and calls, done. */
final class StructureDocumentIT {
  private static final Path FELIX = Path.of(System.getProperty("bywash.test.felix"));
  private static final Path DOCUMENT = Path.of(System.getProperty("bywash.test.document"));
  private static final Pattern FILE = Pattern.compile("`(load/[\\w.-]+\\.cfg)`[^`]*```properties\\n(.*?)```",
      Pattern.DOTALL);
  private static final Pattern BLOCK = Pattern.compile("```java\\n(.*?public class (\\w+).*?)```", Pattern.DOTALL);

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

  @Test
  void itsConsumerCallsItsResponderForEachMessage() throws Exception {
    Path home = temporary.resolve("felix");
    copy(FELIX, home);
    Matcher files = FILE.matcher(Files.readString(DOCUMENT));
    while (files.find()) {
      Files.writeString(home.resolve(files.group(1)), files.group(2));
    }
    List<String> command = List.of("--sun-misc-unsafe-memory-access=allow", "-jar", "bin/felix.jar");
    try (Shell shell = new Shell(home, bus, command)) {
      shell.ask("bywash:ls", "io.bywash.endpoint");
      Files.move(bundle(), home.resolve("load/docs.jar"), StandardCopyOption.ATOMIC_MOVE);
      try (Segment market = Segment.attach(bus.resolve("market"), 0);
          Producer producer = Producer.open(market.directory().find("jobs", Kind.WORK_QUEUE))) {
        for (long order = 1; order <= 3; order++) {
          producer.offer(ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(order).putLong(7).array());
        }
      }
      shell.await("three orders", lines -> lines.stream().filter(line -> line.endsWith(" at 700")).count() == 3);
      shell.stop();
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(from.relativize(file).toString()));
      }
    }
  }

  /** The classes that have to do with trade, as a bundle. */
  private Path bundle() throws Exception {
    Path classes = Files.createDirectories(temporary.resolve("classes"));
    List<String> arguments = new ArrayList<>(List.of("-d", classes.toString(), "-cp",
        System.getProperty("java.class.path"), "-proc:none"));
    Matcher blocks = BLOCK.matcher(Files.readString(DOCUMENT));
    List<String> found = new ArrayList<>();
    while (blocks.find()) {
      if (blocks.group(1).contains("Trade")) {
        found.add(blocks.group(2));
        Path source = temporary.resolve(blocks.group(2) + ".java");
        arguments.add(Files.writeString(source, blocks.group(1)).toString());
      }
    }
    assertEquals(List.of("Trade", "Quoter", "Clerk"), found);
    assertEquals(0, ToolProvider.getSystemJavaCompiler().run(null, null, null, arguments.toArray(String[]::new)));
    try (Builder builder = new Builder()) {
      builder.setProperty("Bundle-SymbolicName", "docs.trade");
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
