package io.bywash.samples.outside;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Programs of a Java and of a Kotlin user, built by Maven against the coordinates in the README. */
@Timeout(1200)
final class ProgramsIT {
  private static final String IMPORTS = """
      import static java.lang.invoke.MethodHandles.lookup;
      import static java.nio.charset.StandardCharsets.UTF_8;
      import static java.util.concurrent.TimeUnit.SECONDS;
      import io.bywash.engine.*;
      import io.bywash.engine.broadcast.*;
      import io.bywash.engine.record.*;
      import java.nio.file.*;
      """;

  private static final String KOTLIN = """
      import io.bywash.bus.*
      import io.bywash.bus.broadcast.*
      import kotlin.time.Duration.Companion.seconds
      import kotlinx.coroutines.flow.first
      import kotlinx.coroutines.runBlocking
      import kotlinx.coroutines.withTimeout
      """;

  @TempDir Path folder;
  private Path shared;
  private Outside outside;

  @BeforeEach
  void makeFolder() throws IOException {
    shared = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-outside-test-");
    outside = new Outside(folder);
  }

  @AfterEach
  void nothingIsLeft() throws IOException {
    Files.deleteIfExists(shared.resolve(".lock"));
    Files.delete(shared);
  }

  /** Compiles a program in a project of its own, and returns its class path. */
  private String build(String artifact, Path source, String text) throws Exception {
    Path project = Files.createDirectories(folder.resolve("project"));
    String dependency = Documents.blocks("README.md", "## Use it", "xml").getFirst();
    assertTrue(dependency.contains("<artifactId>bywash-engine</artifactId>"), dependency);
    boolean isKotlin = source.toString().endsWith(".kt");
    Files.writeString(project.resolve("pom.xml"),
        Files.readString(Path.of("src/test/resources/pom.xml"))
            .replace("@DEPENDENCY@", dependency.replace("bywash-engine", artifact))
            .replace("@LANGUAGE@", isKotlin ? "kotlin" : "java")
            .replace("@KOTLIN_PHASE@", isKotlin ? "compile" : "none"));
    Path file = project.resolve("src/main").resolve(source);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
    outside.maven(Outside.BYWASH, project, "compile", "dependency:copy-dependencies");
    try (Stream<Path> jars = Files.list(project.resolve("target/dependency"))) {
      return Stream.concat(Stream.of(project.resolve("target/classes")), jars).map(Path::toString)
          .collect(Collectors.joining(":"));
    }
  }

  private String run(Map<String, String> environment, String... arguments) throws Exception {
    List<String> command = Stream.concat(Stream.of(Outside.JAVA.toString(), "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1", "-Djava.io.tmpdir=" + shared), Stream.of(arguments)).toList();
    return outside.run(folder, environment, command);
  }

  private String javaProgram() throws IOException {
    List<String> blocks = Documents.blocks("README.md", "### Java", "java");
    assertEquals(3, blocks.size());
    return IMPORTS + "public final class Main {\n" + blocks.get(0)
        + "static final Records<Greeting> GREETINGS = Greeting.GREETINGS;\n"
        + "static void publish() {\n" + blocks.get(1) + "}\nstatic void receive() {\n" + blocks.get(2) + "}\n"
        + "public static void main(String[] arguments) throws java.io.IOException {\n"
        + Documents.blocks("docs/FAQ.md", "## Testing in one process", "java").getFirst() + "}\n}\n";
  }

  @Test
  void aJavaProgramBuildsByTheReadmeAndEachWayToGrantNativeAccessThereGrantsIt() throws Exception {
    outside.install();
    String classPath = build("bywash-engine", Path.of("java/Main.java"), javaProgram());
    String without = run(Map.of(), "-cp", classPath, "Main");
    assertTrue(without.contains("4 bytes\n"), without);
    assertTrue(without.contains("works without native access"), without);
    String readme = Documents.read("README.md");
    String flag = "--enable-native-access=ALL-UNNAMED";
    assertTrue(readme.contains("java " + flag), "the flag");
    assertEquals("4 bytes\n", run(Map.of(), flag, "-cp", classPath, "Main"));
    assertTrue(readme.contains("ENV JDK_JAVA_OPTIONS=" + flag), "the variable");
    String byVariable = run(Map.of("JDK_JAVA_OPTIONS", flag), "-cp", classPath, "Main");
    assertEquals(List.of("4 bytes"), byVariable.lines().filter(line -> !line.startsWith("NOTE: ")).toList());
    assertTrue(readme.contains("`Enable-Native-Access: ALL-UNNAMED`"), "the attribute");
    assertEquals("4 bytes\n", run(Map.of(), "-jar", jar(classPath).toString()));
  }

  private Path jar(String classPath) throws IOException {
    Manifest manifest = new Manifest();
    Attributes attributes = manifest.getMainAttributes();
    attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    attributes.put(Attributes.Name.MAIN_CLASS, "Main");
    attributes.put(new Attributes.Name("Enable-Native-Access"), "ALL-UNNAMED");
    attributes.put(Attributes.Name.CLASS_PATH, Stream.of(classPath.split(":"))
        .map(entry -> Path.of(entry).toUri().toString()).collect(Collectors.joining(" ")));
    Path jar = folder.resolve("main.jar");
    new JarOutputStream(Files.newOutputStream(jar), manifest).close();
    return jar;
  }

  @Test
  void aKotlinProgramBuildsByTheReadmeAndSendsToItself() throws Exception {
    outside.install();
    String block = Documents.blocks("README.md", "### Kotlin", "kotlin").getFirst();
    int declarations = block.indexOf("\n\n");
    String program = KOTLIN + block.substring(0, declarations) + "\nsuspend fun asInTheReadme() {\n"
        + block.substring(declarations) + "}\n" + """
        fun main() = runBlocking {
            hello.use { bus ->
                val receiver = bus.receiver(greetings)
                bus.sender(greetings).send("to myself")
                println(receiver.receive())
            }
        }
        """;
    String classPath = build("bywash-kotlin", Path.of("kotlin/Main.kt"), program);
    assertEquals("to myself\n", run(Map.of("BYWASH_DIR", shared.toString()), "--enable-native-access=ALL-UNNAMED",
        "-cp", classPath, "MainKt"));
  }

  @Test
  void metadataSaysWhichJdkIsNeededAndNamesWhatThePomNames() throws IOException {
    for (String module : List.of("engine-java", "bus-kotlin", "felix-bundle")) {
      String metadata = Documents.read(module + "/target/gradle/module.json");
      assertFalse(metadata.contains("${"), metadata);
      assertEquals(2, Pattern.compile("\"org.gradle.jvm.version\": 25,").matcher(metadata).results().count(), metadata);
      String pom = Documents.read(module + "/pom.xml");
      assertTrue(pom.contains("<!-- do_not_remove: published-with-gradle-metadata -->"), module);
      Set<String> named = Pattern.compile("\"group\": \"([^\"]+)\", \"module\": \"([^\"]+)\", \"version\"")
          .matcher(metadata).results().map(found -> found.group(1) + ":" + found.group(2))
          .collect(Collectors.toCollection(TreeSet::new));
      String dependencies = pom.substring(pom.indexOf("<dependencies>"), pom.indexOf("</dependencies>"));
      Set<String> wanted = Pattern.compile("<dependency>(.*?)</dependency>", Pattern.DOTALL).matcher(dependencies)
          .results().map(found -> found.group(1)).filter(one -> !one.contains("<scope>") && !one.contains("<optional>"))
          .map(one -> one.replaceAll("(?s).*<groupId>(.*)</groupId>.*<artifactId>(.*)</artifactId>.*", "$1:$2"))
          .collect(Collectors.toCollection(TreeSet::new));
      assertEquals(wanted, named, module);
      try (JarFile jar = new JarFile(Outside.BYWASH.resolve(module).resolve("target").resolve(module + ".jar")
          .toFile())) {
        String required = jar.getManifest().getMainAttributes().getValue("Require-Capability");
        assertTrue(required.contains("(osgi.ee=JavaSE)(version=25)"), required);
      }
    }
  }

  private Path copyCheckout() throws Exception {
    Path checkout = Files.createDirectories(folder.resolve("checkout"));
    String copy = "cd \"$0\" && git ls-files -z | xargs -0 cp --parents -t \"$1\"";
    outside.run(checkout, Map.of(), List.of("sh", "-c", copy, Outside.BYWASH.toString(), checkout.toString()));
    return checkout;
  }

  /** The command itself, in a copy of the checkout. */
  @Test
  @Tag("stress")
  void mvnwInstallPutsThereWhatTheProgramsHereGet() throws Exception {
    Path checkout = copyCheckout();
    assertTrue(Documents.read("README.md").contains("\n./mvnw install -DskipTests\n"));
    outside.maven(checkout, checkout, "install", "-DskipTests");
    for (String artifact : List.of("bywash-engine", "bywash-kotlin", "bywash-osgi")) {
      for (String type : List.of("pom", "jar", "module")) {
        assertTrue(Files.isRegularFile(outside.installed(artifact, type)), artifact + " " + type);
      }
    }
    String classPath = build("bywash-engine", Path.of("java/Main.java"), javaProgram());
    assertEquals("4 bytes\n", run(Map.of(), "--enable-native-access=ALL-UNNAMED", "-cp", classPath, "Main"));
  }

  @Test
  @Tag("stress")
  void twoReleaseBuildsGiveTheSameBytes() throws Exception {
    assumeTrue(Files.exists(Path.of(System.getProperty("bywash.test.repository")).resolve("org/cyclonedx")),
        "NOT CHECKED: ./mvnw -Prelease -DskipTests package was never run here, so its plugins are missing");
    Path checkout = copyCheckout();
    List<Map<String, String>> builds = new ArrayList<>();
    for (int build = 0; build < 2; build++) {
      outside.maven(checkout, checkout, "-Prelease", "-Dmaven.test.skip=true", "-pl",
          "engine-java,bus-kotlin,felix-bundle", "-am", "clean", "package");
      Map<String, String> sums = new TreeMap<>();
      for (String module : List.of("engine-java", "bus-kotlin", "felix-bundle")) {
        for (String file : List.of(module + ".jar", module + "-sources.jar", module + "-javadoc.jar", "bom.json")) {
          byte[] bytes = Files.readAllBytes(checkout.resolve(module).resolve("target").resolve(file));
          sums.put(module + "/" + file, HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes)));
        }
      }
      builds.add(sums);
    }
    assertEquals(builds.getFirst(), builds.getLast());
  }
}
