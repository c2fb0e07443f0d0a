package io.bywash.engine.litmus;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.openjdk.jcstress.Main;
import org.openjdk.jcstress.infra.collectors.DiskReadCollector;
import org.openjdk.jcstress.infra.collectors.InProcessCollector;
import org.openjdk.jcstress.infra.collectors.TestResult;

/**
 * One run of the harness, in a JVM of its own, which starts one more for each test and mode. Its log and report are in
 * {@code target/litmus}.
 */
final class LitmusRun {
  private static final Path SHARED_MEMORY = Path.of("/dev/shm");

  private final Path directory;
  private final List<String> command = new ArrayList<>();

  /**
   * A run.
   *
   * @param name of its directory
   * @param jvmOptions of all JVMs
   */
  LitmusRun(String name, String... jvmOptions) {
    directory = Path.of("target", "litmus", name);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(jvmOptions)); // the harness hands them on
  }

  /**
   * Runs the tests whose names match.
   *
   * @param pattern a regular expression; a part of the name is enough
   * @param millis how long each test runs in each mode
   * @param everyCompiler whether each actor runs interpreted, and compiled by either compiler, in all combinations
   */
  Collection<TestResult> run(String pattern, int millis, boolean everyCompiler)
      throws IOException, InterruptedException {
    deleteAll(directory);
    Files.createDirectories(directory);
    Path bus = Files.createTempDirectory(SHARED_MEMORY, "bywash-litmus-");
    Thread cleanUp = new Thread(() -> deleteAll(bus));
    Runtime.getRuntime().addShutdownHook(cleanUp); // for a build that is stopped by hand
    command.add("-D" + LitmusBus.DIRECTORY_PROPERTY + "=" + bus);
    command.add("-Dbywash.exit.hook=off"); // thousands of segments, which go with their directory
    command.addAll(List.of(Main.class.getName(), "-v", "-t", pattern, "-m", "quick", "-time", Integer.toString(millis),
        "-iters", "1", "-f", "1", "-sc", Boolean.toString(everyCompiler), "-af", "NONE", "-pth", "false",
        "-spinStyle", "THREAD_YIELD", "-strideSize", "64", "-strideCount", "2", "-r", "report",
        "-jvmArgs", "-XX:+UseSerialGC"));
    Path log = directory.resolve("log.txt");
    Process process = new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true)
        .redirectOutput(log.toFile()).start();
    try {
      process.waitFor(); // not zero when a test failed, which the results tell better
    } finally {
      List<ProcessHandle> children = process.descendants().toList();
      process.destroyForcibly().waitFor(1, TimeUnit.MINUTES);
      for (ProcessHandle child : children) {
        child.destroyForcibly();
        child.onExit().join();
      }
      deleteAll(bus);
      Runtime.getRuntime().removeShutdownHook(cleanUp);
    }
    Collection<TestResult> results = results(log);
    if (results.isEmpty()) {
      throw new AssertionError("the harness ended with " + process.exitValue() + " and without a result, see "
          + log.toAbsolutePath());
    }
    return results;
  }

  private Collection<TestResult> results(Path log) throws IOException {
    InProcessCollector results = new InProcessCollector();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "jcstress-results-*.bin.gz")) {
      for (Path file : files) {
        DiskReadCollector reader = new DiskReadCollector(file.toString(), results);
        reader.dump();
        reader.close();
      }
    } catch (ClassNotFoundException unreadable) {
      throw new AssertionError("the results cannot be read, see " + log, unreadable);
    }
    return results.getTestResults();
  }

  private static void deleteAll(Path directory) {
    if (Files.exists(directory)) {
      try (Stream<Path> files = Files.walk(directory)) {
        files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
      } catch (IOException failure) {
        throw new UncheckedIOException(failure);
      }
    }
  }
}
