package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Participant;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.SubscriberOptions;
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
 * Processes of which /proc says nothing: in another pid namespace, as in another container, where a pid means something else;
 * and of another user, where /proc is mounted with hidepid. Only the lock counts.
 */
@Timeout(180)
class NamespaceTest {
  private static final List<String> ELSEWHERE = List.of("unshare", "--fork", "--pid", "--mount-proc", "--kill-child");
  /** As another user, from whom /proc hides the processes of all others. */
  private static final List<String> HIDDEN = List.of("unshare", "--mount", "sh", "-c",
      "mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\"", "sh");

  @RegisterExtension final TempBus bus = new TempBus();

  private static boolean isAllowed(List<String> wrapper, String... program) {
    try {
      List<String> command = new ArrayList<>(wrapper);
      command.addAll(List.of(program));
      return new ProcessBuilder(command).start().waitFor() == 0;
    } catch (IOException none) {
      return false;
    } catch (InterruptedException timeout) {
      throw new AssertionError(timeout);
    }
  }

  @Test
  void aProcessElsewhereLivesAsLongAsItsLockAndSeesTheSameOfThisOne() {
    Assumptions.assumeTrue(isAllowed(ELSEWHERE, "true"), "SKIPPED: this user may not make a pid namespace with unshare(1)");
    try (Segment segment = Segment.create(bus.path("elsewhere"), SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 4096)));
        ChildProcess child = ChildProcess.startBy(ELSEWHERE, List.of(), Look.class, segment.path())) {
      assertEquals("true true", child.await("alive"), "what it sees: this process, and itself");
      Participant far = segment.participants().get(1);
      assertTrue(far.alive());
      assertEquals(1, far.pid(), "the pid that it has there, which is another process's here");
      assertTrue(segment.recover().isEmpty());
      child.tell("recover");
      assertEquals("nothing", child.await("recovered"));
      assertTrue(segment.participants().getFirst().alive());
      child.kill();
      ChildProcess.eventually("it is dead", () -> !segment.participants().get(1).alive());
      assertEquals(2, segment.recover().rolesFreed());
      Programs.publisher(segment).close();
    }
  }

  @Test
  void whereProcIsHiddenFromAnotherUserTheLockDecides() throws IOException {
    Path classes = Path.of(ChildProcess.root(NamespaceTest.class));
    Assumptions.assumeTrue(isAllowed(HIDDEN, "test", "-r", classes.toString()) && isAllowed(HIDDEN, "test", "!", "-e",
        "/proc/1/stat"), "SKIPPED: this user may not mount a /proc with hidepid for another user who can read " + classes);
    Files.setPosixFilePermissions(bus.directory(), PosixFilePermissions.fromString("rwxrwxrwx"));
    SegmentSpec spec = SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 4096))
        .withPermissions(PosixFilePermissions.fromString("rw-rw-rw-"));
    try (Segment segment = Segment.create(bus.path("hidden"), spec)) {
      Forgery forgery = new Forgery(segment);
      forgery.role(0, forgery.runningParticipantWithoutLock(2));
      assertTrue(segment.participants().get(1).alive(), "here /proc shows that it runs");
      assertTrue(segment.recover().isEmpty());
      try (ChildProcess child = ChildProcess.startIn(HIDDEN, Bury.class, segment.path())) {
        assertEquals("true false", child.await("alive"), "what it sees of this process: with a lock, and without one");
        assertEquals("1", child.await("recovered"));
        child.finish();
      }
      assertTrue(segment.participants().getFirst().alive());
      Programs.publisher(segment).close();
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

  /** Attaches, says who is alive, and recovers when told to. */
  static final class Look implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      Segment segment = Segment.attach(Path.of(arguments[0]), PATIENCE_NANOS);
      Programs.publisher(segment);
      Programs.subscriber(segment, SubscriberOptions.block());
      List<Participant> all = segment.participants();
      ChildProgram.say("alive " + all.get(0).alive() + " " + all.get(1).alive());
      ChildProgram.hear();
      ChildProgram.say("recovered " + (segment.recover().isEmpty() ? "nothing" : "somebody"));
      ChildProgram.hear();
    }
  }
}
