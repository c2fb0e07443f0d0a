package io.bywash.samples.hello;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A checkout of a test's own, with spaces in its path, and scripts that run in it with nothing on their PATH but what
 * the test puts there.
 */
final class Scripts {
  static final Path REPOSITORY = Path.of("../..").toAbsolutePath().normalize();

  final Path checkout;
  final Path bin;
  private final Path scratch;
  private final Map<String, String> environment = new HashMap<>();

  record Ended(int exitCode, String out, String err) {}

  Scripts(Path scratch) throws IOException {
    this.scratch = scratch;
    checkout = Files.createDirectories(scratch.resolve("a checkout"));
    bin = Files.createDirectories(scratch.resolve("tools here"));
    for (String file : List.of("mvnw", "bywash", "pom.xml", ".mvn/find-jdk.sh",
        ".mvn/wrapper/maven-wrapper.properties")) {
      Files.createDirectories(checkout.resolve(file).getParent());
      Files.copy(REPOSITORY.resolve(file), checkout.resolve(file));
    }
    set("HOME", scratch.toString());
    set("JAVA_HOME", System.getProperty("java.home"));
  }

  void set(String variable, String value) {
    environment.put(variable, value);
  }

  /** Puts tools of this machine on the PATH; skips the test, aloud, if one is missing. */
  void allow(String... tools) throws IOException {
    for (String tool : tools) {
      Path place = Stream.of(System.getenv("PATH").split(":")).map(folder -> Path.of(folder, tool))
          .filter(Files::isExecutable).findFirst().orElse(null);
      assumeTrue(place != null, "NOT CHECKED: this machine has no " + tool);
      write(bin.resolve(tool), "exec '" + place.toAbsolutePath() + "' \"$@\"");
    }
  }

  /** Writes a program for {@code sh}. */
  static Path write(Path file, String... lines) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, "#!/bin/sh\n" + String.join("\n", lines) + "\n");
    return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  Running start(String script, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("/bin/sh", script));
    command.addAll(List.of(arguments));
    Path output = Files.createTempDirectory(scratch, "output");
    ProcessBuilder builder = new ProcessBuilder(command).directory(scratch.toFile())
        .redirectOutput(output.resolve("out").toFile()).redirectError(output.resolve("err").toFile());
    builder.environment().clear();
    builder.environment().putAll(environment);
    builder.environment().put("PATH", bin.toString());
    return new Running(builder.start(), output);
  }

  Ended run(String script, String... arguments) throws Exception {
    return start(script, arguments).await();
  }

  record Running(Process process, Path output) {
    String err() throws IOException {
      return Files.readString(output.resolve("err"));
    }

    Ended await() throws Exception {
      try {
        assertTrue(process.waitFor(60, TimeUnit.SECONDS), () -> "the script does not end; see " + output);
      } finally {
        process.destroyForcibly();
      }
      return new Ended(process.exitValue(), Files.readString(output.resolve("out")), err());
    }
  }
}
