package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bywash.engine.BusDirectory;
import io.bywash.engine.BusException;
import io.bywash.engine.Kind;
import io.bywash.engine.Lifetime;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentExistsException;
import io.bywash.engine.SegmentFormatException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.inspect.Verification;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * What the operating system forbids: files and directories of every mode, seen by their owner, their group and others.
 * The superuser is never refused, so the looking is done by processes of other users.
 */
@Timeout(180)
class ForbiddenTest {
  private static final SegmentSpec SPEC = SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 4096, 4))
      .withLifetime(Lifetime.KEPT);
  private static final int OWNER = 64_001;
  private static final int GROUP = 64_002;
  private static final int STRANGER = 64_003;
  private static final List<String> MODES =
      List.of("rw-------", "rw-r-----", "rw-r--r--", "rw-rw----", "rw-rw-rw-", "r--r--r--");

  @RegisterExtension final TempBus bus = new TempBus();

  private static List<String> as(int user, int group) {
    return List.of("setpriv", "--reuid=" + user, "--regid=" + group, "--clear-groups");
  }

  private static void assumeOtherUsersCanRun() throws IOException {
    assumeTrue((Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid") == 0,
        "NOT CHECKED: only the superuser can become other users");
    ChildProcess.assumeWorks(as(STRANGER, STRANGER));
    List<String> classes = new ArrayList<>(as(STRANGER, STRANGER));
    classes.addAll(List.of("test", "-r", ChildProcess.root(ForbiddenTest.class), "-a"));
    ChildProcess.assumeWorks(classes); // "true" ends the condition: a word that is not empty
  }

  private void giveAway(Path file, int user, int group, String mode) throws IOException {
    Files.setAttribute(file, "unix:uid", user);
    Files.setAttribute(file, "unix:gid", group);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
  }

  @Test
  void whoMayReadMayObserveAndWhoMayWriteMayAttach() throws IOException {
    assumeOtherUsersCanRun();
    Files.setPosixFilePermissions(bus.directory(), PosixFilePermissions.fromString("rwxr-xr-x"));
    try {
      for (String mode : MODES) {
        Path file = bus.path(mode.replace('-', '_'));
        Segment.create(file, SPEC).close();
        giveAway(file, OWNER, GROUP, mode);
      }
      assertSees(as(OWNER, STRANGER), 0);
      assertSees(as(STRANGER, GROUP), 3);
      assertSees(as(STRANGER, STRANGER), 6);
    } finally {
      for (String mode : MODES) {
        Files.deleteIfExists(bus.path(mode.replace('-', '_')));
      }
    }
  }

  /** The rights begin at {@code first} in the mode. */
  private void assertSees(List<String> user, int first) {
    try (ChildProcess child = ChildProcess.startBy(user, List.of(), Look.class, bus.directory())) {
      for (String mode : MODES) {
        String rights = mode.substring(first, first + 2);
        String file = mode.replace('-', '_');
        String refused = "SegmentAccessException";
        assertEquals(file + " observe " + (rights.startsWith("r") ? "works" : refused), child.await("saw"));
        assertEquals(file + " attach " + (rights.equals("rw") ? "works" : refused), child.await("saw"));
        assertEquals(file + " open " + (rights.equals("rw") ? "works" : refused), child.await("saw"));
        assertEquals(file + " create SegmentExistsException", child.await("saw"));
      }
      child.finish();
    }
  }

  /** Observes, attaches to, opens and creates each file of a directory; says "saw" with what came of it. */
  static final class Look implements ChildProgram {
    private interface Use {
      Segment open();
    }

    @Override
    public void run(String... arguments) {
      Path directory = Path.of(arguments[0]);
      for (String mode : MODES) {
        Path file = directory.resolve(mode.replace('-', '_'));
        say(file, "observe", () -> Segment.observe(file));
        say(file, "attach", () -> Segment.attach(file, 0));
        say(file, "open", () -> Segment.open(file, SPEC));
        say(file, "create", () -> Segment.create(file, SPEC));
      }
    }

    private static void say(Path file, String what, Use use) {
      String outcome;
      try (Segment segment = use.open()) {
        segment.directory().find(Programs.QUEUE, Kind.BROADCAST);
        outcome = "works";
      } catch (BusException refused) {
        outcome = refused.getClass().getSimpleName();
      }
      ChildProgram.say("saw " + file.getFileName() + " " + what + " " + outcome);
    }
  }

  @Test
  void aDirectoryThatMayNotBeUsedIsNamedAndASharedOneIsSharedByAllUsers() throws IOException {
    assumeOtherUsersCanRun();
    Files.setPosixFilePermissions(bus.directory(), PosixFilePermissions.fromString("rwxr-xr-x"));
    Path directory = Files.createDirectory(bus.path("directory"));
    try {
      Segment.create(directory.resolve("existing"), SPEC).close();
      Files.setPosixFilePermissions(directory.resolve("existing"), PosixFilePermissions.fromString("rw-rw-rw-"));
      Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
      assertEquals("SegmentAccessException SegmentAccessException SegmentAccessException", create(directory));
      Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
      assertEquals("works SegmentAccessException [existing]", create(directory));
      Files.setAttribute(directory, "unix:mode", 01777);
      Files.deleteIfExists(directory.resolve(".lock")); // made while the directory was this user's alone
      assertEquals("works works [existing, new]", create(directory));
      Segment.open(directory.resolve("shared"), SPEC).close(); // and the superuser shares their lock
      Files.delete(directory.resolve("shared"));
    } finally {
      for (String name : List.of("existing", "new", "shared", ".lock")) {
        Files.deleteIfExists(directory.resolve(name));
      }
      Files.delete(directory);
    }
  }

  private static String create(Path directory) {
    try (ChildProcess child =
        ChildProcess.startBy(as(STRANGER, STRANGER), List.of(), CreateBeside.class, directory)) {
      String outcome = child.await("did");
      child.finish();
      return outcome;
    }
  }

  /** Attaches to what is in a directory, creates and closes a segment beside it, and lists the names meanwhile. */
  static final class CreateBeside implements ChildProgram {
    @Override
    public void run(String... arguments) {
      Path directory = Path.of(arguments[0]);
      String did = "did " + outcome(() -> Segment.attach(directory.resolve("existing"), 0).close());
      try (Segment created = Segment.create(directory.resolve("new"), SPEC.withLifetime(Lifetime.WHILE_USED))) {
        did += " works " + BusDirectory.at(directory).names();
        Segment.attach(created.path(), 0).close();
      } catch (BusException refused) {
        did += " " + refused.getClass().getSimpleName() + " " + outcome(() -> BusDirectory.at(directory).names())
            .replace("works", "[existing]");
      }
      ChildProgram.say(did);
    }

    private static String outcome(Runnable use) {
      try {
        use.run();
        return "works";
      } catch (BusException refused) {
        return refused.getClass().getSimpleName();
      }
    }
  }

  @Test
  void whoLeavesLastAndMayNotRemoveTheSegmentLeavesItToItsOwner() throws IOException {
    assumeOtherUsersCanRun();
    Files.setPosixFilePermissions(bus.directory(), PosixFilePermissions.fromString("rwxr-xr-x"));
    Path directory = Files.createDirectory(bus.path("sticky"));
    try {
      Files.setAttribute(directory, "unix:mode", 01777);
      Segment segment = Segment.create(directory.resolve("shared"), SPEC.withLifetime(Lifetime.WHILE_USED)
          .withPermissions(PosixFilePermissions.fromString("rw-rw-rw-")));
      try (ChildProcess last = ChildProcess.startBy(as(STRANGER, STRANGER), List.of(), LeaveLast.class,
          segment.path())) {
        last.await("attached");
        segment.close();
        last.tell("leave");
        last.await("left");
        last.finish();
      }
      assertEquals(List.of("shared"), BusDirectory.at(directory).names());
      try (Segment next = Segment.attach(directory.resolve("shared"), 0)) {
        assertEquals(List.of(), Verification.of(next));
      }
      assertEquals(List.of(), BusDirectory.at(directory).names(), "its owner removes it");
    } finally {
      Files.deleteIfExists(directory.resolve("shared"));
      Files.deleteIfExists(directory.resolve(".lock"));
      Files.delete(directory);
    }
  }

  /** Attaches, and leaves when it is told to. */
  static final class LeaveLast implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      Segment segment = Segment.attach(Path.of(arguments[0]), 0);
      ChildProgram.say("attached");
      ChildProgram.hear();
      segment.close();
      ChildProgram.say("left");
    }
  }

  @Test
  void anObserverWithoutTheRightToWriteMapsReadOnlyAndChangesNothing() throws IOException {
    assumeOtherUsersCanRun();
    Files.setPosixFilePermissions(bus.directory(), PosixFilePermissions.fromString("rwxr-xr-x"));
    SegmentSpec readable =
        SPEC.withLifetime(Lifetime.WHILE_USED).withPermissions(PosixFilePermissions.fromString("rw-r--r--"));
    try (Segment segment = Segment.create(bus.path("seen"), readable);
        Publisher publisher = Programs.publisher(segment)) {
      for (int i = 0; i < 20; i++) {
        Programs.publishNext(publisher, 100);
      }
      byte[] before = Files.readAllBytes(segment.path());
      try (ChildProcess child = ChildProcess.startBy(as(STRANGER, STRANGER), List.of(), Observe.class,
          segment.path())) {
        assertEquals("20", child.await("received"));
        String rights = child.await("mapped");
        assertTrue(rights.matches("r--s( r--s)*"), rights);
        child.finish();
      }
      assertArrayEquals(before, Files.readAllBytes(segment.path()), "the observer wrote");
    }
  }

  /**
   * Observes and reads all; says "received" with the number of messages and "mapped" with the rights of its mappings.
   */
  static final class Observe implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      Path file = Path.of(arguments[0]);
      try (Segment segment = Segment.observe(file);
          Subscriber subscriber = Programs.subscriber(segment, SubscriberOptions.skip().startingAtOldest())) {
        Programs.Checker checker = new Programs.Checker(100, 0);
        checker.readUntil(subscriber, 20);
        segment.participants();
        ChildProgram.say("received " + checker.received);
        StringBuilder rights = new StringBuilder("mapped ");
        for (String mapping : Files.readAllLines(Path.of("/proc/self/maps"))) {
          if (mapping.endsWith(file.toString())) {
            rights.append(mapping.split(" +")[1]).append(' ');
          }
        }
        ChildProgram.say(rights);
      }
    }
  }

  @Test
  void aPipeInPlaceOfASegmentIsRefusedAtOnce() throws Exception {
    Path pipe = bus.path("pipe");
    assumeTrue(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor() == 0,
        "NOT CHECKED: mkfifo does not work here");
    try {
      assertThrows(SegmentFormatException.class, () -> Segment.attach(pipe, 0));
      assertThrows(SegmentFormatException.class, () -> Segment.observe(pipe));
      assertThrows(SegmentFormatException.class, () -> Segment.open(pipe, SPEC));
      assertThrows(SegmentExistsException.class, () -> Segment.create(pipe, SPEC));
    } finally {
      Files.delete(pipe);
    }
  }
}
