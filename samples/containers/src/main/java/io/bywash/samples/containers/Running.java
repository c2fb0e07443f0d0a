package io.bywash.samples.containers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** A container in a process of its own, and what its bundle has counted. */
final class Running {
  private final Process process;
  private final Map<String, Long> counts = new ConcurrentHashMap<>();

  private final Thread reader = Thread.ofVirtual().unstarted(this::read);

  private Running(Process process) {
    this.process = process;
  }

  /**
   * Starts the distribution with this sample's bundle, and a configuration that says which part it plays.
   *
   * @param home a folder for what this container stores; made anew
   * @param configuration of the components with that {@code pid}
   */
  static Running start(Path distribution, Path bundle, Path home, String pid, String configuration)
      throws IOException {
    Path load = Files.createDirectories(home.resolve("load"));
    Files.writeString(load.resolve(pid + ".cfg"), configuration);
    Process process = new ProcessBuilder(ProcessHandle.current().info().command().orElseThrow(),
        "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow", "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1", "-Dgosh.args=--nointeractive", "-Dfelix.fileinstall.dir=" + load,
        "-Dbywash.container.bundles=" + bundle.toUri(), "-jar", distribution.resolve("bin/felix.jar").toString(),
        home.resolve("storage").toString()).directory(distribution.toFile())
        .redirectError(ProcessBuilder.Redirect.INHERIT).start();
    Running running = new Running(process);
    running.reader.start();
    return running;
  }

  private void read() {
    try {
      process.inputReader(StandardCharsets.UTF_8).lines().filter(line -> line.startsWith("counts ")).forEach(line -> {
        for (String count : line.substring("counts ".length()).split(" ")) {
          int end = count.indexOf('=');
          counts.put(count.substring(0, end), Long.valueOf(count.substring(end + 1)));
        }
      });
    } catch (UncheckedIOException killed) {
      // what it has counted stays
    }
  }

  long pid() {
    return process.pid();
  }

  long count(String name) {
    return counts.getOrDefault(name, 0L);
  }

  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  /** Stops it in good order. */
  void stop() throws InterruptedException {
    process.destroy();
    process.waitFor();
    reader.join();
  }
}
