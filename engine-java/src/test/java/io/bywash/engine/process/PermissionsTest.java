package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bywash.engine.BusDirectory;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Where segments lie, and who may use them. */
@Timeout(180)
class PermissionsTest {
  private static final SegmentSpec SPEC = SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 4096));

  @RegisterExtension final TempBus bus = new TempBus();

  private static String permissions(Path file) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
  }

  @Test
  void onlyItsOwnerMayUseASegmentUnlessAskedForOtherwise() throws IOException {
    try (Segment segment = Segment.create(bus.path("private"), SPEC);
        Segment shared = Segment.create(bus.path("shared"),
            SPEC.withPermissions(PosixFilePermissions.fromString("rw-rw-r--")))) {
      assertEquals("rw-------", permissions(segment.path()));
      assertEquals("rw-------", permissions(bus.path(".lock")));
      assertEquals("rw-rw-r--", permissions(shared.path()));
    }
  }

  @Test
  void theStandardDirectoryIsTheUsersOwn() throws IOException {
    assumeTrue(System.getenv("BYWASH_DIR") == null, "BYWASH_DIR is set, so the standard directory is another");
    Path directory = BusDirectory.standard().path();
    assertEquals("/dev/shm/bywash-" + Files.getAttribute(Path.of("/proc/self"), "unix:uid"), directory.toString());
    assumeFalse(Files.exists(directory), directory + " exists and may be in use, so this test keeps out of it");
    try {
      try (Segment segment = Segment.create("private", SPEC)) {
        assertEquals(directory.resolve("private"), segment.path());
        assertEquals("rwx------", permissions(directory));
        assertEquals("rw-------", permissions(segment.path()));
        assertEquals(List.of("private"), BusDirectory.standard().names());
      }
      assertEquals(List.of(), BusDirectory.standard().names());
    } finally {
      Files.deleteIfExists(directory.resolve("private"));
      Files.deleteIfExists(directory.resolve(".lock"));
      Files.deleteIfExists(directory);
    }
  }

  @Test
  void theEnvironmentNamesTheDirectoryForAProcess() {
    Map<String, String> environment = Map.of("BYWASH_DIR", bus.directory().toString());
    try (ChildProcess creator = ChildProcess.start(environment, CreateByName.class, "named")) {
      creator.await("created");
      assertEquals(List.of("named"), bus.files());
      try (Segment segment = Segment.attach(bus.path("named"), 0)) {
        assertEquals(creator.pid(), segment.participants().getFirst().pid());
      }
      creator.tell("leave");
      creator.finish();
      assertFalse(Files.exists(bus.path("named")));
    }
  }

  /** Creates a segment in the standard directory and closes it when told to. */
  static final class CreateByName implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      try (Segment segment = Segment.create(arguments[0], SPEC)) {
        ChildProgram.say("created " + segment.path());
        ChildProgram.hear();
      }
    }
  }
}
