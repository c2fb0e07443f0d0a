package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bywash.engine.Segment;
import io.bywash.engine.TempBus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The engine as the named module that it is, used by a program of one source file. */
@Tag("once")
@Timeout(180)
class NamedModuleTest {
  private static final String PROGRAM = """
      import io.bywash.engine.*;
      import io.bywash.engine.broadcast.*;
      import io.bywash.engine.record.*;

      private record Price(long time, double value, @Length(8) String symbol) {}

      static final Records<Price> PRICES = Records.of(java.lang.invoke.MethodHandles.lookup(), Price.class);

      void main(String[] arguments) {
        var spec = SegmentSpec.of(PRICES.declare(Broadcast.spec("prices", 1 << 16)));
        try (var segment = Segment.open(java.nio.file.Path.of(arguments[0]), spec)) {
          var entry = segment.directory().find("prices", Kind.BROADCAST);
          try (var publisher = Publisher.open(entry);
              var subscriber = Subscriber.open(entry, SubscriberOptions.block())) {
            publisher.offer(PRICES, new Price(1, 2.5, "hello"));
            subscriber.poll(PRICES, price -> IO.println(price.symbol()
                + " " + Segment.class.getModule() + " " + segment.participants().getFirst().canWake()), 1);
          }
        }
      }
      """;

  @RegisterExtension final TempBus bus = new TempBus();

  private final Path engine = Path.of(ChildProcess.root(Segment.class));
  private Path program;

  @BeforeEach
  void writeProgram(@TempDir Path sources) throws IOException {
    assumeTrue(Files.isRegularFile(engine) || Files.exists(engine.resolve("module-info.class")),
        "the engine was compiled without its module descriptor");
    program = Files.writeString(sources.resolve("Hello.java"), PROGRAM);
  }

  @Test
  void aModuleThatIsGrantedNativeAccessUsesItWithoutAWarning() throws Exception {
    assertEquals(List.of("hello module io.bywash.engine true"), run("--enable-native-access=io.bywash.engine"));
  }

  @Test
  void aModuleWithoutNativeAccessWorksAndSaysSoOnce() throws Exception {
    List<String> lines = run("--illegal-native-access=deny");
    assertEquals("hello module io.bywash.engine false", lines.getLast());
    assertEquals(1, lines.stream().filter(line -> line.contains("--enable-native-access=io.bywash.engine")).count(),
        lines.toString());
    assertTrue(lines.stream().noneMatch(line -> line.contains("WARNING")), lines.toString());
  }

  private List<String> run(String option) throws Exception {
    Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), option,
        "-p", engine.toString(), "--add-modules", "io.bywash.engine", program.toString(), bus.path("module").toString())
        .redirectErrorStream(true).start();
    try {
      List<String> lines = process.inputReader().readAllLines();
      assertTrue(process.waitFor(90, TimeUnit.SECONDS));
      assertEquals(0, process.exitValue(), lines.toString());
      return lines;
    } finally {
      process.destroyForcibly();
    }
  }
}
