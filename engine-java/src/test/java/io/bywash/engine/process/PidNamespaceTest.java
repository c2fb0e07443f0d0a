package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Participant;
import io.bywash.engine.RoleTakenException;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Participants in another pid namespace, as in another container: their pid means nothing here, their lock does. */
@Timeout(180)
class PidNamespaceTest {
  private static final List<String> OTHER_NAMESPACE =
      List.of("unshare", "--pid", "--fork", "--mount-proc", "--kill-child=SIGKILL");

  @RegisterExtension final TempBus bus = new TempBus();

  @BeforeEach
  void needNamespaces() {
    ChildProcess.assumeWorks(OTHER_NAMESPACE);
  }

  @Test
  void theLivingThereAreNotTakenForDeadAndTheDeadThereAreFound() {
    SegmentSpec spec = SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 4096)).withParticipantCapacity(2);
    try (Segment segment = Segment.create(bus.path("contained"), spec)) {
      try (ChildProcess there =
          ChildProcess.startBy(OTHER_NAMESPACE, List.of(), Programs.Hold.class, segment.path(), 1, "pb")) {
        there.await("ready");
        Participant other = segment.participants().get(1);
        assertTrue(other.alive());
        assertNotEquals(there.pid(), other.pid(), "it is in this namespace");
        assertThrows(RoleTakenException.class, () -> Programs.publisher(segment));
        assertEquals(List.of(), segment.recover().dead());
        there.pause(); // of the starter; the child goes on, and has to be alive all the same
        assertTrue(segment.participants().get(1).alive());
        there.resume();
        there.kill();
        ChildProcess.eventually("the one there is dead", () -> !segment.participants().get(1).alive());
      }
      try (Publisher publisher = Programs.publisher(segment)) {
        for (int i = 0; i < 500; i++) {
          Programs.publishNext(publisher, 48); // the dead subscriber holds nobody back
        }
      }
      Segment.attach(segment.path(), 0).close(); // and its slot is there for others
      assertEquals(1, segment.participants().size());
    }
  }

  /** The first two processes of a namespace of their own have the same process ids as those of another one. */
  @Test
  void whoHasTheSamePidThereIsNotTakenForThisProcess() {
    SegmentSpec spec = SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 4096)).withParticipantCapacity(4);
    try (Segment segment = Segment.create(bus.path("contained"), spec);
        ChildProcess first =
            ChildProcess.startBy(OTHER_NAMESPACE, List.of(), Programs.Hold.class, segment.path(), 1, "b")) {
      first.await("ready");
      assertEquals(List.of(true, false), segment.participants().stream().map(Participant::local).toList());
      long pid = segment.participants().getLast().pid();
      try (ChildProcess second =
          ChildProcess.startBy(OTHER_NAMESPACE, List.of(), Neighbours.class, segment.path(), pid)) {
        assertEquals(2, second.awaitLong("same"), "participants with the pid of the second one");
        assertEquals(1, second.awaitLong("local"));
        second.finish();
      }
      first.tell("leave");
      first.finish();
    }
  }

  /** Says how many participants have its pid, if that is the one of the argument, and how many are local. */
  static final class Neighbours implements ChildProgram {
    @Override
    public void run(String... arguments) {
      try (Segment segment = Segment.attach(java.nio.file.Path.of(arguments[0]), PATIENCE_NANOS)) {
        long pid = Long.parseLong(arguments[1]);
        ChildProgram.say("same " + segment.participants().stream().filter(each -> each.pid() == pid).count());
        ChildProgram.say("local " + segment.participants().stream().filter(Participant::local).count());
      }
    }
  }

  @Test
  void whoeverIsThereFindsOutWhoDiedHere() {
    SegmentSpec spec = SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 4096)).withParticipantCapacity(3);
    try (Segment segment = Segment.create(bus.path("contained"), spec);
        ChildProcess here = ChildProcess.start(Programs.Hold.class, segment.path(), 1, "pb")) {
      here.await("ready");
      try (ChildProcess there = ChildProcess.startBy(OTHER_NAMESPACE, List.of(), TakeOver.class, segment.path())) {
        there.await("taken");
        here.kill();
        there.tell("take over");
        assertEquals(here.pid(), there.awaitLong("published"), "the publisher before");
        there.finish();
      }
      assertEquals(1, segment.participants().stream().filter(Participant::alive).count());
    }
  }

  /**
   * Says "taken" when it may not publish; told to, publishes, and says "published" with the pid of the publisher
   * before.
   */
  static final class TakeOver implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      try (Segment segment = Segment.attach(java.nio.file.Path.of(arguments[0]), PATIENCE_NANOS)) {
        RoleTakenException taken = assertThrows(RoleTakenException.class, () -> Programs.publisher(segment));
        ChildProgram.say("taken");
        ChildProgram.hear();
        try (Publisher publisher = Programs.publisher(segment)) {
          for (int i = 0; i < 500; i++) {
            Programs.publishNext(publisher, 48);
          }
        }
        ChildProgram.say("published " + taken.holderPid());
      }
    }
  }
}
