package io.bywash.samples.outside;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A folder outside of the repository, with a Maven repository of its own in which nothing but Bywash is. */
final class Outside {
  static final Path BYWASH = Path.of("../..").toAbsolutePath().normalize();
  static final Path JAVA = Path.of(System.getProperty("java.home"), "bin/java");
  private static final long PATIENCE_SECONDS = 480;
  private static final List<String> MODULES = List.of("engine-java", "bus-kotlin", "felix-bundle");

  final Path repository;
  private final Path folder;

  Outside(Path folder) throws IOException {
    this.folder = folder;
    repository = Files.createDirectories(folder.resolve("repository"));
    // All else comes from the repository that this build has filled, as from a mirror.
    Files.writeString(folder.resolve("settings.xml"), """
        <settings><mirrors><mirror><id>here</id><mirrorOf>*</mirrorOf><url>%s</url></mirror></mirrors></settings>
        """.formatted(Path.of(System.getProperty("bywash.test.repository")).toUri()));
  }

  /** Puts there what the build before this module has made, in the places that {@code ./mvnw install} chooses. */
  void install() throws IOException {
    put(BYWASH.resolve("pom.xml"), "bywash-parent", "pom");
    for (String module : MODULES) {
      String artifact = artifact(module);
      put(BYWASH.resolve(module).resolve("pom.xml"), artifact, "pom");
      put(BYWASH.resolve(module).resolve("target").resolve(module + ".jar"), artifact, "jar");
    }
  }

  private static String artifact(String module) {
    return "bywash-" + Map.of("engine-java", "engine", "bus-kotlin", "kotlin", "felix-bundle", "osgi").get(module);
  }

  private void put(Path file, String artifact, String type) throws IOException {
    Path target = installed(artifact, type);
    Files.createDirectories(target.getParent());
    Files.copy(file, target);
  }

  /** The file of an artifact of Bywash in this repository. */
  Path installed(String artifact, String type) throws IOException {
    String version = Documents.version();
    return repository.resolve("io/bywash").resolve(artifact).resolve(version)
        .resolve(artifact + "-" + version + "." + type);
  }

  /** Runs {@code mvnw} of a checkout with this repository; it has to succeed. */
  void maven(Path checkout, Path project, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("sh", checkout.resolve("mvnw").toString(), "-B", "-q", "-ntp",
        "-s", folder.resolve("settings.xml").toString(), "-Dmaven.repo.local=" + repository));
    command.addAll(List.of(System.getProperty("bywash.test.versions").strip().split("\\s+")));
    command.addAll(List.of(arguments));
    run(project, Map.of(), command);
  }

  /** Runs a program, which has to succeed, and returns what it said on both its outputs. */
  String run(Path directory, Map<String, String> environment, List<String> command) throws Exception {
    Path output = Files.createTempFile(folder, "output", "");
    ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true)
        .redirectOutput(output.toFile()).redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
    builder.environment().putAll(environment);
    Process process = builder.start();
    try {
      assertTrue(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS), () -> command + " does not end");
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    String said = Files.readString(output);
    assertEquals(0, process.exitValue(), () -> command + ": " + said);
    return said;
  }
}
