package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.BusDirectory;
import io.bywash.engine.BusException;
import io.bywash.engine.Lifetime;
import io.bywash.engine.Removal;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentAccessException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.inspect.BusStatus;
import io.bywash.engine.inspect.Finding;
import io.bywash.engine.inspect.HostStatus;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a limit of the process or of the host refuses is told as that, and not as something else. */
@Timeout(120)
class NamedCauseTest {
  private static final SegmentSpec SPEC = SegmentSpec.of(Broadcast.spec("queue", 1 << 20));

  @RegisterExtension final TempBus bus = new TempBus();

  private String said(List<String> wrapper, Map<String, String> environment, Class<? extends ChildProgram> program,
      Object argument) {
    List<String> command = new ArrayList<>(wrapper);
    environment.forEach((name, value) -> command.addAll(List.of("env", name + "=" + value)));
    ChildProcess.assumeWorks(wrapper);
    try (ChildProcess child = ChildProcess.startBy(command, List.of(), program, argument)) {
      String said = child.await("told");
      child.finish();
      return said;
    }
  }

  private static void say(String line) {
    ChildProgram.say("told " + line);
  }

  /** Creates a segment in a directory, and prints what it is told. */
  static final class Create implements ChildProgram {
    @Override
    public void run(String... arguments) {
      try (Segment segment = Segment.create(Path.of(arguments[0], "segment"), SPEC)) {
        say("created " + segment.name());
      } catch (BusException refused) {
        say(refused.getClass().getSimpleName() + ": " + refused.getMessage());
      }
    }
  }

  @Test
  void aLimitOnTheSizeOfFilesIsNotALackOfSpace() {
    String said = said(List.of("bash", "-c", "ulimit -f 512; exec \"$@\"", "bash"), Map.of(), Create.class,
        bus.directory());
    assertTrue(said.startsWith("SegmentAccessException: ") && said.contains("ulimit -f"), said);
  }

  @Test
  void aFileSystemWithoutInodesIsNotALackOfSpace() {
    String said = said(List.of("unshare", "--mount", "sh", "-c", "mount -t tmpfs -o size=8m,nr_inodes=2 tmpfs '"
        + bus.directory() + "' && exec \"$@\"", "sh"), Map.of(), Create.class, bus.directory());
    assertTrue(said.startsWith("NoSpaceException: ") && said.contains("inode"), said);
  }

  @Test
  void aProcessThatMayNotMapSoMuchIsToldThat() throws IOException {
    Path file = bus.path("segment");
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(1L << 40);
    }
    String said = said(List.of("bash", "-c", "ulimit -v 16777216; exec \"$@\"", "bash"), Map.of(), Observe.class, file);
    assertTrue(said.startsWith("SegmentAccessException: ") && said.contains("ulimit -v"), said);
    Files.delete(file);
  }

  /** Looks at a file, and prints what it is told. */
  static final class Observe implements ChildProgram {
    @Override
    public void run(String... arguments) {
      try (Segment segment = Segment.observe(Path.of(arguments[0]))) {
        say("observed " + segment.name());
      } catch (BusException refused) {
        say(refused.getClass().getSimpleName() + ": " + refused.getMessage());
      }
    }
  }

  /** Looks for the standard directory and prints what it is told. */
  static final class Standard implements ChildProgram {
    @Override
    public void run(String... arguments) {
      try {
        say("names " + BusDirectory.standard().names());
      } catch (SegmentAccessException refused) {
        say(refused.getMessage());
      }
    }
  }

  @Test
  void aDirectoryThatTheLocaleCannotExpressIsToldAsThat() {
    String said = said(List.of(), Map.of("LC_ALL", "C", "BYWASH_DIR", "/dev/shm/bywash-test-\u00e4"),
        Standard.class, "");
    // That depends on how the JVM reads the name.
    assertTrue(said.contains("LC_ALL=C.UTF-8") || said.equals("names []"), said);
  }

  /** Creates a segment in the standard directory, and prints what it is told. */
  static final class CreateInStandard implements ChildProgram {
    @Override
    public void run(String... arguments) {
      try (Segment segment = Segment.create("segment", SPEC)) {
        say("created " + segment.name());
      } catch (BusException refused) {
        say(refused.getClass().getSimpleName() + ": " + refused.getMessage());
      }
    }
  }

  @Test
  void aStandardDirectoryThatCannotBeMadeIsToldWithTheReason() {
    String said = said(List.of("unshare", "--mount", "sh", "-c", "mount -t tmpfs -o ro tmpfs /dev/shm && exec env -u"
        + " BYWASH_DIR \"$@\"", "sh"), Map.of(), CreateInStandard.class, "");
    assertTrue(said.startsWith("SegmentAccessException: ") && said.contains("/dev/shm is read-only"), said);
  }

  @Test
  void whatIsNoDirectoryHasNoNamesButAMessage() throws IOException {
    Path file = Files.createFile(bus.directory().resolve("file"));
    SegmentAccessException refused = assertThrows(SegmentAccessException.class, () -> BusDirectory.at(file).names());
    assertTrue(refused.getMessage().contains("is no directory"), refused.getMessage());
    Files.delete(file);
  }

  @Test
  void aDirectoryThatCannotBeMadeNeedsAttention() {
    List<Finding> findings = HostStatus.of(BusDirectory.at(bus.directory().resolve("missing/bus"))).findings();
    assertTrue(findings.stream().anyMatch(finding -> finding.severity() == Finding.Severity.ERROR
        && finding.problem().contains("missing does not exist")), findings.toString());
  }

  @Test
  void aCopyOfAUsedSegmentIsNotLive() throws IOException {
    try (Segment segment = Segment.create(bus.path("original"), SPEC.withLifetime(Lifetime.KEPT))) {
      Files.copy(segment.path(), bus.path("copy"));
      assertEquals(Map.of("original", BusStatus.State.LIVE, "copy", BusStatus.State.KEPT), Map.of(
          "original", state("original"), "copy", state("copy")));
      try (Segment copy = Segment.attach(bus.path("copy"), 0)) {
        assertEquals(1, copy.participants().stream().filter(each -> each.alive()).count());
      }
    }
    BusDirectory.at(bus.directory()).remove("copy");
    BusDirectory.at(bus.directory()).remove("original");
  }

  private BusStatus.State state(String name) {
    return BusStatus.of(BusDirectory.at(bus.directory())).files().stream().filter(file -> file.name().equals(name))
        .findFirst().orElseThrow().state();
  }

  /** No {@link ChildProgram}: that one looks into /proc whether its parent lives, for which it needs a descriptor. */
  @Test
  void closingWithoutAFileDescriptorLeftFailsWithNothingButAMessage() throws IOException {
    Process process = new ProcessBuilder("bash", "-c", "ulimit -n 64; exec \"$@\"", "bash",
        Path.of(System.getProperty("java.home"), "bin", "java").toString(), System.getProperty("bywash.test.jvmFlag"),
        "-XX:TieredStopAtLevel=1", "-cp", String.join(File.pathSeparator, ChildProcess.classPath()),
        CloseWithoutDescriptors.class.getName(), bus.directory().toString())
        .redirectError(ProcessBuilder.Redirect.DISCARD).start();
    assertEquals("closed\n", new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
    assertEquals(List.of("segment"), BusDirectory.at(bus.directory()).clean().stream().map(Removal::name).toList());
  }

  /** Uses up all descriptors, and closes a segment. */
  static final class CloseWithoutDescriptors {
    private CloseWithoutDescriptors() {}

    public static void main(String... arguments) throws Exception {
      Path classes = Path.of(ChildProcess.root(Segment.class)); // here they are files, which could not be opened later
      try (Stream<Path> files = Files.walk(classes)) {
        for (Path file : files.filter(each -> each.toString().matches(".*/engine/.*\\.class")).toList()) {
          Class.forName(classes.relativize(file).toString().replace(".class", "").replace('/', '.'), false,
              CloseWithoutDescriptors.class.getClassLoader());
        }
      }
      Segment segment = Segment.create(Path.of(arguments[0], "segment"), SPEC);
      List<FileInputStream> open = new ArrayList<>();
      try {
        while (true) {
          open.add(new FileInputStream("/dev/null"));
        }
      } catch (IOException none) {
        // now there is none left
      }
      String outcome = "closed";
      try {
        segment.close();
      } catch (BusException told) {
        // with its reason
      } catch (Error escaped) {
        outcome = escaped.toString();
      }
      open.forEach(CloseWithoutDescriptors::closeQuietly);
      System.out.println(outcome);
    }

    private static void closeQuietly(FileInputStream stream) {
      try {
        stream.close();
      } catch (IOException closedAnyway) {
        // it was /dev/null
      }
    }
  }
}
