package io.bywash.samples.hello;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.samples.hello.Scripts.Ended;
import io.bywash.samples.hello.Scripts.Running;
import java.io.File;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Where {@code mvnw} takes Maven from: tried with a small archive that a local server has instead of Apache. */
@Timeout(120)
final class WrapperTest {
  private static final String NAME = "apache-maven-9.9.9";
  private static final String PLACE = "apache/binaries";

  @TempDir static Path site;
  private static Process server;
  private static String siteUrl;

  @TempDir Path scratch;
  private Scripts scripts;
  /** What the server has for this test, and where. */
  private Path served;
  private String url;

  @BeforeAll
  static void startServer() throws Exception {
    File log = site.resolve("log").toFile();
    String jwebserver = Path.of(System.getProperty("java.home"), "bin", "jwebserver").toString();
    server = new ProcessBuilder(jwebserver, "-p", "0", "-d", site.toString()).redirectErrorStream(true)
        .redirectOutput(log).start();
    while (siteUrl == null) {
      assertTrue(server.isAlive(), () -> "the server ended; see " + log);
      siteUrl = log().lines().filter(line -> line.startsWith("URL ")).map(line -> line.substring(4)).findFirst()
          .orElse(null);
    }
  }

  @AfterAll
  static void endServer() throws InterruptedException {
    server.destroy();
    server.waitFor();
  }

  private static String log() throws IOException {
    return Files.readString(site.resolve("log"));
  }

  private long downloads() throws IOException {
    return log().lines().filter(line -> line.contains("GET /" + served.getFileName() + "/")).count();
  }

  @BeforeEach
  void makeCheckoutAndArchives() throws Exception {
    scripts = new Scripts(scratch);
    scripts.allow("sh", "readlink", "dirname", "sed");
    Path maven = scratch.resolve("maven");
    Scripts.write(maven.resolve(NAME + "/bin/mvn"), "for a; do echo \"fetched: $a\"; done");
    served = Files.createTempDirectory(site, "");
    url = siteUrl + served.getFileName() + "/";
    Files.createDirectories(served.resolve(PLACE));
    Path tar = served.resolve(PLACE).resolve(NAME + "-bin.tar.gz");
    List<String> pack = List.of("tar", "-C", maven.toString(), "-czf", tar.toString(), NAME);
    assertEquals(0, new ProcessBuilder(pack).inheritIO().start().waitFor());
    Path zip = served.resolve(PLACE).resolve(NAME + "-bin.zip");
    Map<String, String> withModes = Map.of("create", "true", "enablePosixFileAttributes", "true");
    try (FileSystem files = FileSystems.newFileSystem(zip, withModes)) {
      Path program = files.getPath(NAME, "bin", "mvn");
      Files.createDirectories(program.getParent());
      Files.copy(maven.resolve(NAME + "/bin/mvn"), program);
      Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
    wrapperProperties(sha256(tar), sha256(zip));
  }

  private static String sha256(Path file) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
  }

  /** The repository's own, but for the server, the version and the checksums. */
  private void wrapperProperties(String tarSum, String zipSum) throws IOException {
    Path file = scripts.checkout.resolve(".mvn/wrapper/maven-wrapper.properties");
    Files.writeString(file, Files.readString(file).replaceAll("(?m)^version=.*", "version=9.9.9")
        .replaceAll("(?m)^place=.*", "place=" + url + PLACE)
        .replaceAll("(?m)^sha256.tar.gz=.*", "sha256.tar.gz=" + tarSum)
        .replaceAll("(?m)^sha256.zip=.*", "sha256.zip=" + zipSum));
  }

  private void mavenOnPath(String version) throws IOException {
    Scripts.write(scripts.bin.resolve("mvn"), "[ \"$*\" != --version ] || echo 'Apache Maven " + version + "'",
        "for a; do echo \"path: $a\"; done");
  }

  private void allowFetching() throws IOException {
    scripts.allow("mkdir", "mktemp", "mv", "rm", "sha256sum", "curl", "tar", "gzip");
  }

  private Ended mvnw() throws Exception {
    return scripts.run(scripts.checkout.resolve("mvnw").toString(), "-q", "a goal");
  }

  private static void assertRan(String which, Ended ended) {
    assertEquals(which + ": -q\n" + which + ": a goal\n", ended.out(), ended.err());
    assertEquals(0, ended.exitCode());
  }

  private void assertNothingIsKept() throws IOException {
    if (Files.exists(scratch.resolve(".m2"))) {
      try (Stream<Path> files = Files.walk(scratch.resolve(".m2"))) {
        assertEquals(List.of(),
            files.filter(file -> !Files.isDirectory(file) || file.toString().contains("fetch")).toList());
      }
    }
  }

  @Test
  void aMavenOnThePathThatIsNewEnoughIsUsedAndNothingElseIsNeeded() throws Exception {
    for (String version : List.of("3.6.3", "3.8.7", "3.10.0", "4.0.0-rc-5")) {
      mavenOnPath(version);
      assertRan("path", mvnw());
    }
    assertEquals(0, downloads(), log());
  }

  @Test
  void aMavenOnThePathThatIsTooOldIsPassedOverForOneThatIsFetchedOnce() throws Exception {
    allowFetching();
    for (String version : List.of("3.6.2", "3.0.5", "2.12.9", "of no known version")) {
      mavenOnPath(version);
      assertRan("fetched", mvnw());
    }
    while (downloads() == 0) { // what was served is logged afterwards
      assertTrue(server.isAlive(), log());
      Thread.sleep(10);
    }
    assertEquals(1, downloads(), log());
  }

  @Test
  void wgetAndUnzipDoAsWell() throws Exception {
    scripts.allow("mkdir", "mktemp", "mv", "rm", "sha256sum", "wget", "unzip");
    assertRan("fetched", mvnw());
  }

  @Test
  void aRepositoryThatIsNamedServesWhenApacheDoesNot() throws Exception {
    allowFetching();
    Path mirror = Files.createDirectories(served.resolve("mirror/org/apache/maven/apache-maven"));
    Files.move(served.resolve(PLACE), mirror.resolve("9.9.9"));
    Ended refused = mvnw();
    assertEquals(1, refused.exitCode());
    assertTrue(refused.err().contains("MVNW_REPOURL"), refused.err());
    assertNothingIsKept();
    scripts.set("MVNW_REPOURL", url + "mirror/");
    assertRan("fetched", mvnw());
  }

  @Test
  void anArchiveWithAnotherChecksumIsNeitherUsedNorKept() throws Exception {
    allowFetching();
    Path tar = served.resolve(PLACE).resolve(NAME + "-bin.tar.gz");
    Path mirror = Files.createDirectories(served.resolve("mirror/org/apache/maven/apache-maven/9.9.9"));
    Files.copy(tar, mirror.resolve(tar.getFileName()));
    Files.write(tar, new byte[] {0}, StandardOpenOption.APPEND);
    Ended refused = mvnw();
    assertEquals(1, refused.exitCode());
    assertTrue(refused.err().contains("SHA-256") && refused.err().contains(sha256(tar)), refused.err());
    assertNothingIsKept();
    scripts.set("MVNW_REPOURL", url + "mirror");
    assertRan("fetched", mvnw());
  }

  @Test
  void whatIsMissingToFetchItIsSaid() throws Exception {
    scripts.allow("mkdir", "mktemp", "mv", "rm", "sha256sum");
    Ended refused = mvnw();
    assertEquals(1, refused.exitCode());
    assertTrue(refused.err().contains("neither tar with gzip nor unzip"), refused.err());
    scripts.allow("tar", "gzip");
    refused = mvnw();
    assertEquals(1, refused.exitCode());
    assertTrue(refused.err().contains("neither curl nor wget"), refused.err());
    assertNothingIsKept();
  }

  @Test
  void severalThatFetchAtTheSameTimeDoNotDisturbEachOther() throws Exception {
    allowFetching();
    List<Running> all = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      all.add(scripts.start(scripts.checkout.resolve("mvnw").toString(), "-q", "a goal"));
    }
    for (Running each : all) {
      assertRan("fetched", each.await());
    }
    try (Stream<Path> files = Files.walk(scratch.resolve(".m2"))) {
      List<Path> left = files.filter(Files::isRegularFile).toList();
      assertTrue(left.size() == 1 && left.getFirst().endsWith("bin/mvn"), left.toString());
    }
  }

  @Test
  void noFileOfTheRepositoryNamesAPackageRegistry() throws IOException {
    Pattern registry = Pattern.compile("\\b(repo\\d*\\.maven|(central|oss)\\.sonatype|maven\\.google)");
    try (Stream<Path> files = Files.walk(Scripts.REPOSITORY)) {
      for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
        String path = Scripts.REPOSITORY.relativize(file).toString();
        if (!path.matches("(.*/)?(target|\\.git|\\.idea|\\.kotlin)/.*")) {
          assertTrue(!registry.matcher(Files.readString(file, ISO_8859_1)).find(), path);
        }
      }
    }
  }
}
