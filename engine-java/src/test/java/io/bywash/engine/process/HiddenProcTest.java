package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Participant;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A user from whom /proc, mounted with hidepid, hides the processes of others: it vetoes nothing then, and the lock
 * decides.
 */
@Timeout(180)
class HiddenProcTest {
  private static final List<String> HIDDEN = List.of("unshare", "--mount", "sh", "-c",
      "mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\"", "sh");

  @RegisterExtension final TempBus bus = new TempBus();

  @Test
  void whereProcIsHiddenFromAnotherUserTheLockDecides() throws IOException {
    ChildProcess.assumeWorks(HIDDEN);
    assumeWorks("test", "!", "-e", "/proc/1/stat");
    assumeWorks("test", "-r", Path.of(ChildProcess.root(HiddenProcTest.class)).resolve("io").toString());
    Files.setPosixFilePermissions(bus.directory(), PosixFilePermissions.fromString("rwxrwxrwx"));
    SegmentSpec spec = SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 4096))
        .withPermissions(PosixFilePermissions.fromString("rw-rw-rw-"));
    try (Segment segment = Segment.create(bus.path("hidden"), spec)) {
      Forgery forgery = new Forgery(segment);
      forgery.role(0, forgery.runningParticipantWithoutLock(2));
      assertTrue(segment.participants().get(1).alive(), "here /proc shows that it runs");
      assertTrue(segment.recover().isEmpty());
      try (ChildProcess child = ChildProcess.startBy(HIDDEN, List.of(), Bury.class, segment.path())) {
        assertEquals("true false", child.await("alive"), "what it sees of this process: with a lock, and without one");
        assertEquals("1", child.await("recovered"));
        child.finish();
      }
      assertTrue(segment.participants().getFirst().alive());
      Programs.publisher(segment).close();
    }
  }

  private static void assumeWorks(String... program) {
    List<String> command = new ArrayList<>(HIDDEN);
    command.addAll(List.of(program));
    try {
      Assumptions.assumeTrue(new ProcessBuilder(command).start().waitFor() == 0,
          "NOT CHECKED: does not hold for another user here: " + String.join(" ", program));
    } catch (IOException | InterruptedException failure) {
      throw new AssertionError(failure);
    }
  }

  /** Attaches, says who of the two others is alive, and recovers. */
  static final class Bury implements ChildProgram {
    @Override
    public void run(String... arguments) {
      try (Segment segment = Segment.attach(Path.of(arguments[0]), PATIENCE_NANOS)) {
        List<Participant> all = segment.participants();
        ChildProgram.say("alive " + all.get(0).alive() + " " + all.get(2).alive());
        ChildProgram.say("recovered " + segment.recover().dead().size());
      }
    }
  }
}
