package io.bywash.samples.container;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The distribution as its user starts it. */
final class DistributionIT {
  private static final Path FELIX = Path.of(System.getProperty("bywash.test.felix"));
  private static final long DEADLINE_NANOS = TimeUnit.SECONDS.toNanos(60);

  @Test
  void startsAllBundlesAndAnswersTheCommandOfBywash(@TempDir Path temporary) throws Exception {
    ProcessBuilder builder = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "--sun-misc-unsafe-memory-access=allow", "-jar", "bin/felix.jar", temporary.resolve("cache").toString())
        .directory(FELIX.toFile()).redirectErrorStream(true);
    builder.environment().put("BYWASH_DIR", temporary.resolve("bus").toString());
    Process process = builder.start();
    List<String> lines = Collections.synchronizedList(new ArrayList<>());
    Thread reader = Thread.ofVirtual().start(() ->
        process.inputReader(StandardCharsets.UTF_8).lines().forEach(lines::add));
    try (PrintStream shell = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8)) {
      askUntil(shell, "bywash:queues", "There are no queues", lines); // the shell is there before the last bundles
      shell.println("lb -s");
      shell.println("stop 0");
      assertTrue(process.waitFor(DEADLINE_NANOS, TimeUnit.NANOSECONDS), () -> text(lines));
      reader.join();
      String output = text(lines);
      assertEquals(0, process.exitValue(), output);
      for (String bundle : List.of("io.bywash.engine", "io.bywash.bus", "io.bywash.osgi",
          "org.jetbrains.kotlin.osgi-bundle",
          "io.bywash.wrapped.kotlinx-coroutines-core", "org.apache.felix.scr", "org.apache.felix.configadmin")) {
        assertTrue(lines.stream().anyMatch(line -> line.contains("|Active") && line.contains("|" + bundle + " ")),
            bundle + " is active in:\n" + output);
      }
      assertTrue(lines.stream().noneMatch(line -> line.contains("WARN") || line.contains("ERROR")), output);
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  private static void askUntil(PrintStream shell, String command, String answer, List<String> lines) throws Exception {
    long start = System.nanoTime();
    while (!text(lines).contains(answer)) {
      assertTrue(System.nanoTime() - start < DEADLINE_NANOS, () -> text(lines));
      shell.println(command);
      Thread.sleep(100);
    }
  }

  private static String text(List<String> lines) {
    return String.join("\n", lines.toArray(String[]::new));
  }
}
