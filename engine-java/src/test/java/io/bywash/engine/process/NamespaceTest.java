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
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A process in another pid namespace, as in another container: only its lock counts, since its pid means nothing here. */
@Timeout(180)
class NamespaceTest {
  private static final List<String> ELSEWHERE = List.of("unshare", "--fork", "--pid", "--mount-proc", "--kill-child");

  @RegisterExtension final TempBus bus = new TempBus();

  @BeforeAll
  static void requireNamespaces() throws InterruptedException {
    boolean allowed;
    try {
      List<String> command = new ArrayList<>(ELSEWHERE);
      command.add("true");
      allowed = new ProcessBuilder(command).start().waitFor() == 0;
    } catch (IOException none) {
      allowed = false;
    }
    Assumptions.assumeTrue(allowed, "SKIPPED: this user may not make a pid namespace with unshare(1)");
  }

  @Test
  void aProcessElsewhereLivesAsLongAsItsLockAndSeesTheSameOfThisOne() {
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
