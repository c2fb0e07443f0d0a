package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bywash.engine.BusDirectory;
import io.bywash.engine.Lifetime;
import io.bywash.engine.Removal;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.inspect.BusStatus;
import io.bywash.engine.inspect.BusStatus.FileStatus;
import io.bywash.engine.internal.memory.NativeAccess;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Another user lays traps. Needs the superuser, who can become both. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class TrustTest {
  private static final int VICTIM = 64_123;
  private static final int OTHER = 64_124;
  private static final int GROUP = 64_125;
  private static final Path STANDARD = Path.of("/dev/shm/bywash-" + VICTIM);
  private static final SegmentSpec SPEC = SegmentSpec.of(Broadcast.spec("queue", 4096));

  @RegisterExtension final TempBus bus = new TempBus();
  private final List<Process> started = new ArrayList<>();

  @BeforeEach
  void onlyTheSuperuserCanBecomeTwoOthers() throws IOException {
    assumeTrue((Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid") == 0
        && Files.isExecutable(Path.of("/usr/bin/setpriv")), "NOT CHECKED: this needs the superuser and setpriv");
    Files.setPosixFilePermissions(bus.directory(), PosixFilePermissions.fromString("rwxr-xr-x"));
    removeAll(STANDARD);
  }

  @AfterEach
  void nothingIsLeft() throws Exception {
    for (Process process : started) {
      process.destroyForcibly().waitFor();
    }
    removeAll(STANDARD);
  }

  private static void removeAll(Path folder) throws IOException {
    if (Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  /** Begins {@link TrustProgram} as that user. */
  private BufferedReader start(int user, Object... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("/usr/bin/setpriv", "--reuid=" + user, "--regid=" + user,
        "--groups=" + GROUP, Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        NativeAccess.ENABLED ? "--enable-native-access=ALL-UNNAMED" : "--illegal-native-access=deny",
        "-XX:TieredStopAtLevel=1",
        "-cp", ChildProcess.root(TrustProgram.class) + ":" + ChildProcess.root(Segment.class),
        TrustProgram.class.getName()));
    Stream.of(arguments).map(Object::toString).forEach(command::add);
    ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD);
    builder.environment().remove("BYWASH_DIR");
    Process process = builder.start();
    started.add(process);
    BufferedReader output = process.inputReader();
    assumeTrue("ready".equals(output.readLine()), "NOT CHECKED: another user cannot run this JVM or read these"
        + " classes");
    return output;
  }

  private List<String> run(int user, Object... arguments) throws IOException {
    return start(user, arguments).lines().toList();
  }

  private static void give(Path file, int user) throws IOException {
    Files.setAttribute(file, "unix:uid", user, LinkOption.NOFOLLOW_LINKS);
  }

  private static void makeStandard(int user, String permissions) throws IOException {
    Files.createDirectory(STANDARD);
    Files.setPosixFilePermissions(STANDARD, PosixFilePermissions.fromString(permissions));
    give(STANDARD, user);
  }

  private static void forge(Path file, int user) throws IOException {
    try (Segment segment = Segment.create(file, SPEC.withLifetime(Lifetime.KEPT)
        .withPermissions(PosixFilePermissions.fromString("rw-rw-rw-")))) {
      give(segment.path(), user);
    }
    Path lock = file.resolveSibling(".lock");
    Files.setPosixFilePermissions(lock, PosixFilePermissions.fromString("rw-rw-rw-"));
    give(lock, user);
  }

  @Test
  void whoWaitsForASegmentIsNotLedIntoADirectoryThatAnotherUserMakesMeanwhile() throws Exception {
    BufferedReader victim = start(VICTIM, "attach", "hello");
    makeStandard(OTHER, "rwxrwxrwx");
    forge(STANDARD.resolve("hello"), OTHER);
    String said = victim.readLine();
    assertTrue(said.matches("attach SegmentAccessException: Path " + STANDARD + " is not used, since it is not"
        + " private: it belongs to user " + OTHER + " .*must belong to user " + VICTIM + ".*Have it removed.*"), said);
  }

  @Test
  void aDirectoryThatOthersMayWriteToIsNotUsedAsTheStandardOne() throws Exception {
    makeStandard(VICTIM, "rwxrwxr-x");
    for (String said : run(VICTIM, "use", "hello")) {
      assertTrue(said.contains("SegmentAccessException") && said.contains("is not private"), said);
    }
  }

  @Test
  void aLinkIsNotUsedAsTheStandardDirectory() throws Exception {
    give(bus.directory(), VICTIM);
    Files.createSymbolicLink(STANDARD, bus.directory());
    for (String said : run(VICTIM, "use", "hello")) {
      assertTrue(said.contains("SegmentAccessException") && said.contains("is no directory"), said);
    }
  }

  @Test
  void aFileOfAnotherUserIsNotUsedInTheStandardDirectory() throws Exception {
    makeStandard(VICTIM, "rwx------");
    forge(STANDARD.resolve("hello"), OTHER);
    give(STANDARD.resolve(".lock"), VICTIM);
    List<String> said = run(VICTIM, "use", "hello");
    for (String line : said.subList(0, 3)) {
      assertTrue(line.contains("SegmentAccessException") && line.contains("belongs to user " + OTHER), line);
    }
    assertEquals("create works", said.get(3));
    assertTrue(said.get(4).contains("REFUSED"), said.get(4));
  }

  /** As in a rootless container that has the host's /dev/shm. */
  @Test
  void whoseStandardDirectoryBelongsToAnotherUserGetsADiagnosisAndNotARefusal() throws Exception {
    makeStandard(OTHER, "rwx------");
    List<String> said = run(VICTIM, "doctor");
    assertTrue(said.stream().anyMatch(line -> line.contains("ERROR") && line.contains("is not private")),
        said.toString());
    assertTrue(said.size() > 1, said.toString());
  }

  @Test
  void nothingIsCreatedInADirectoryThatAnotherUserMovesIntoThePlaceOfTheStandardOne() throws Exception {
    Path evil = Path.of("/dev/shm/bywash-test-evil-" + OTHER);
    removeAll(evil);
    Files.createDirectory(evil);
    try {
      Files.setPosixFilePermissions(evil, PosixFilePermissions.fromString("rwxrwxrwx"));
      give(evil, OTHER);
      start(OTHER, "swap", STANDARD, evil, evil);
      List<String> said = run(VICTIM, "open", "hello");
      assertEquals(List.of("tried"), said);
      started.getFirst().destroyForcibly().waitFor();
      Path now = Files.exists(evil) ? evil : STANDARD;
      try (Stream<Path> files = Files.list(now)) {
        assertEquals(List.of(), files.toList());
      }
    } finally {
      removeAll(evil);
    }
  }

  @Test
  void noLinkMakesAProcessChangeThePermissionsOfAnotherFile() throws Exception {
    Path shared = Files.createDirectory(bus.directory().resolve("shared"));
    Path secret = Files.writeString(bus.directory().resolve("secret"), "");
    try {
      Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-------"));
      give(secret, VICTIM);
      Files.setPosixFilePermissions(shared, PosixFilePermissions.fromString("rwxrwx---"));
      give(shared, VICTIM);
      Files.setAttribute(shared, "unix:gid", GROUP);
      Path file = Files.createFile(shared.resolve("aside"));
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
      give(file, OTHER);
      Path link = Files.createSymbolicLink(shared.resolve("link"), secret);
      give(link, OTHER);
      start(OTHER, "swap", shared.resolve(".lock"), file, link);
      List<String> said = run(VICTIM, "create", shared);
      assertEquals(List.of("tried"), said);
      assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(secret)));
    } finally {
      started.getFirst().destroyForcibly().waitFor();
      removeAll(shared);
      Files.delete(secret);
    }
  }

  /** Opening a pipe waits for its other end. Without native access there is no way to open that does not. */
  @Test
  void aNameThatIsAPipeNowAndThenHoldsNobodyUp() throws Exception {
    assumeTrue(NativeAccess.ENABLED);
    Path shared = Files.createDirectory(bus.directory().resolve("shared"));
    try {
      Files.setPosixFilePermissions(shared, PosixFilePermissions.fromString("rwxrwxrwx"));
      Path file = Files.writeString(shared.resolve("file"), "no segment at all");
      Path pipe = shared.resolve("pipe");
      assertEquals(0, new ProcessBuilder("mkfifo", "-m", "0666", pipe.toString()).start().waitFor());
      start(OTHER, "swap", shared.resolve("segment"), file, pipe);
      List<String> said = run(VICTIM, "observe", shared.resolve("segment"));
      assertEquals(List.of("tried"), said);
    } finally {
      started.getFirst().destroyForcibly().waitFor();
      removeAll(shared);
    }
  }

  @Test
  void cleaningLeavesAHiddenFileThatHoldsSomethingElseAndNobodySaysThatItWouldRemoveIt() throws Exception {
    Path foreign = Files.writeString(bus.directory().resolve(".a.0123456789abcdef.tmp"), "abc");
    Path left = Files.createFile(bus.directory().resolve(".b.0123456789abcdef.tmp"));
    List<FileStatus> files = BusStatus.of(BusDirectory.at(bus.directory())).files();
    assertEquals(List.of(BusStatus.State.FOREIGN, BusStatus.State.LEFTOVER),
        files.stream().map(FileStatus::state).sorted().toList());
    assertEquals(1, files.stream().filter(file -> file.explanation().contains("--clean")).count());
    assertEquals(List.of(left.getFileName().toString()), BusDirectory.at(bus.directory()).clean().stream()
        .map(Removal::name).toList());
    assertFalse(Files.exists(left));
    Files.delete(foreign);
  }
}
