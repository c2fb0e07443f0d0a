package io.bywash.samples.hello;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The smallest program: as processes, in both orders, and as it stands in the README. */
@Timeout(120)
final class HelloTest {
  private static final Path SOURCES = Path.of("src/main/java/io/bywash/samples/hello");

  private static Process start(Path bus, String program) throws IOException {
    String classes = Path.of("target/classes").toAbsolutePath().toString();
    String engine = Path.of("../../engine-java/target/classes").toAbsolutePath().toString();
    ProcessBuilder builder = new ProcessBuilder(ProcessHandle.current().info().command().orElseThrow(), "-p",
        engine + ":" + classes, "--enable-native-access=io.bywash.engine", "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1", "-m",
        "io.bywash.samples.hello/io.bywash.samples.hello." + program).redirectErrorStream(true);
    builder.environment().put("BYWASH_DIR", bus.toString());
    return builder.start();
  }

  private static void greets(String first, String second) throws Exception {
    Path bus = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-hello-test-");
    List<Process> processes = new ArrayList<>();
    try {
      processes.add(start(bus, first));
      processes.add(start(bus, second));
      List<String> said = new ArrayList<>();
      for (Process process : processes) {
        assertTrue(process.waitFor(60, TimeUnit.SECONDS), "a process does not end");
        said.add(new String(process.getInputStream().readAllBytes()));
        assertEquals(0, process.exitValue(), said.getLast());
      }
      int subscriber = first.equals("HelloSubscriber") ? 0 : 1;
      assertEquals("Hello from process " + processes.get(1 - subscriber).pid() + "\n", said.get(subscriber));
      assertEquals("greeted 1 subscriber\n", said.get(1 - subscriber));
      assertTrue(!Files.exists(bus.resolve("hello")), "the segment is left");
    } finally {
      processes.forEach(Process::destroyForcibly);
      Files.deleteIfExists(bus.resolve("hello"));
      Files.deleteIfExists(bus.resolve(".lock"));
      Files.delete(bus);
    }
  }

  @Test
  void aNamedModuleGreetsASubscriberThatStartedFirst() throws Exception {
    greets("HelloSubscriber", "HelloPublisher");
  }

  @Test
  void aNamedModuleGreetsASubscriberThatStartedSecond() throws Exception {
    greets("HelloPublisher", "HelloSubscriber");
  }

  @Test
  void theProgramsInTheReadmeAreTheProgramsHereAndShorterThan25Lines() throws IOException {
    String readme = Files.readString(Path.of("../../README.md"));
    String section = readme.substring(readme.indexOf("\n### Java\n"), readme.indexOf("\n### Kotlin\n"));
    List<String> blocks = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(section).results()
        .map(block -> block.group(1)).toList();
    assertEquals(3, blocks.size());
    for (String program : List.of("Greeting", "HelloSubscriber", "HelloPublisher")) {
      List<String> source = Files.readAllLines(SOURCES.resolve(program + ".java"));
      assertTrue(source.size() < 25 + 1, program + " has " + source.size() + " lines");
      List<String> stripped = source.stream().map(String::strip).toList();
      assertTrue(blocks.stream().anyMatch(block -> stripped.containsAll(block.lines().map(String::strip).toList())),
          "no block in the README has only lines of " + program);
    }
  }
}
