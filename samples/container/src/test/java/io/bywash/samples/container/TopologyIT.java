package io.bywash.samples.container;

import static org.junit.jupiter.api.Assertions.assertEquals;

import aQute.bnd.osgi.Builder;
import aQute.bnd.osgi.Jar;
import io.bywash.engine.Segment;
import io.bywash.samples.topologies.MarketTopologyKt;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A file of samples/topologies, which serves programs, serves a container as it is. */
final class TopologyIT {
  private static final Path FELIX = Path.of(System.getProperty("bywash.test.felix"));
  private static final String PACKAGE = "io/bywash/samples/topologies/";

  private static final String DEPLOYMENT = """
      package io.bywash.samples.topologies;

      import io.bywash.bus.BusTopology;
      import io.bywash.engine.SegmentSpec;
      import java.util.Hashtable;
      import java.util.Map;
      import org.osgi.framework.*;

      public class Deployment implements BundleActivator {
        @Override
        public void start(BundleContext context) {
          BusTopology market = MarketTopologyKt.market("market");
          context.registerService(SegmentSpec.class, market.toSpec(),
              new Hashtable<>(Map.of("bywash.segment", market.getName())));
        }

        @Override
        public void stop(BundleContext context) {}
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

  @Test
  void aTopologyOfTheDslIsDeployedAsAServiceAndIsTheSameForAProgram() throws Exception {
    Path home = temporary.resolve("felix");
    copyTree(FELIX, home);
    List<String> command = List.of("--sun-misc-unsafe-memory-access=allow", "-jar", "bin/felix.jar");
    try (Shell shell = new Shell(home, bus, command)) {
      shell.ask("bywash:ls", "There are no queues");
      Path deployed = home.resolve("load/market.jar");
      Files.move(bundle(), deployed, StandardCopyOption.ATOMIC_MOVE);
      shell.await("the segment", lines -> Files.exists(bus.resolve("market")));
      shell.ask("bywash:ls", "of market.topology");
      try (Segment same = Segment.open(bus.resolve("market"), MarketTopologyKt.market("market").toSpec())) {
        assertEquals(2, same.participants().size());
      }
      Files.delete(deployed);
      shell.await("no segment", lines -> Files.notExists(bus.resolve("market")));
      shell.stop();
    }
  }

  private static void copyTree(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(from.relativize(file).toString()));
      }
    }
  }

  /** The classes of the topology's file, and an activator. */
  private Path bundle() throws Exception {
    Path classes = Files.createDirectories(temporary.resolve("classes"));
    Path source = Files.writeString(temporary.resolve("Deployment.java"), DEPLOYMENT);
    String classPath = System.getProperty("java.class.path");
    assertEquals(0, ToolProvider.getSystemJavaCompiler().run(null, null, null, "-d", classes.toString(), "-cp",
        classPath, "-proc:none", source.toString()));
    for (String name : List.of("MarketTopologyKt.class", "Tick.class")) {
      try (InputStream sample = MarketTopologyKt.class.getResourceAsStream(name)) {
        Files.copy(sample, classes.resolve(PACKAGE + name));
      }
    }
    try (Builder builder = new Builder()) {
      builder.setProperty("Bundle-SymbolicName", "market.topology");
      builder.setProperty("Bundle-Activator", "io.bywash.samples.topologies.Deployment");
      builder.setProperty("-includeresource", classes.toString());
      for (String jar : classPath.split(":")) {
        builder.addClasspath(Path.of(jar).toFile());
      }
      Jar jar = builder.build();
      assertEquals(List.of(), builder.getErrors());
      Path file = temporary.resolve("market.jar");
      jar.write(file.toFile());
      return file;
    }
  }
}
