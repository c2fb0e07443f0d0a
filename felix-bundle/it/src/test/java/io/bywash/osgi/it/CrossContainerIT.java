package io.bywash.osgi.it;

import static io.bywash.osgi.it.Container.awaitUntil;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A bundle in Felix calls a bundle in Equinox, each of which is killed. */
final class CrossContainerIT {
  private final List<Process> processes = new ArrayList<>();
  private Path bus;

  @BeforeEach
  void makeBus() throws IOException {
    bus = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-test-");
  }

  @AfterEach
  void endAll() throws Exception {
    for (Process process : processes) {
      kill(process);
    }
    delete(bus);
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  private static void kill(Process process) throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  /** A process, and what it has said so far. */
  private record Running(Process process, Queue<String> lines) {
    long count(String words) {
      return lines.stream().filter(line -> line.contains(words)).count();
    }

    void awaitMore(String words) {
      long before = count(words);
      awaitUntil("more that " + words + " after " + lines, () -> count(words) > before + 10);
    }
  }

  private Running start(String framework, String role) throws IOException {
    Path storage = Files.createDirectories(bus.resolveSibling(bus.getFileName() + "-" + role));
    Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
        "-Djava.io.tmpdir=" + storage,
        "-Dbywash.test.containers=" + Container.DIRECTORY,
        "-Dbywash.test.classes=" + System.getProperty("bywash.test.classes"), "-cp",
        System.getProperty("java.class.path"), ContainerProgram.class.getName(), framework, bus.toString(), role)
        .redirectError(ProcessBuilder.Redirect.INHERIT).start();
    processes.add(process);
    Queue<String> lines = new ConcurrentLinkedQueue<>();
    Thread.ofVirtual().start(() -> process.inputReader(StandardCharsets.UTF_8).lines().forEach(lines::add));
    return new Running(process, lines);
  }

  @Test
  void aCallerInOneContainerOutlivesTheResponderInAnotherAndTheOtherWayRound() throws Exception {
    Running responder = start("equinox", "responder");
    Running caller = start("felix", "caller");
    caller.awaitMore("answered");
    kill(responder.process());
    caller.awaitMore("failed NO_RESPONDER");
    start("equinox", "responder");
    caller.awaitMore("answered");
    assertTrue(caller.lines().stream().filter(line -> line.contains("answered")).allMatch(CrossContainerIT::isTwice),
        () -> caller.lines().toString());
    assertEquals(0, caller.count("ended"), () -> caller.lines().toString());
    kill(caller.process());
    start("felix", "caller").awaitMore("answered");
    for (String role : List.of("responder", "caller")) {
      for (Process process : processes) {
        kill(process);
      }
      delete(bus.resolveSibling(bus.getFileName() + "-" + role));
    }
  }

  private static boolean isTwice(String line) {
    String[] words = line.split(" ");
    return 2 * Long.parseLong(words[0]) == Long.parseLong(words[2]);
  }
}
