package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.BusDirectory;
import io.bywash.engine.Kind;
import io.bywash.engine.Lifetime;
import io.bywash.engine.Participant;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.inspect.BusStatus;
import io.bywash.engine.inspect.SegmentStatus;
import io.bywash.engine.inspect.StatusText;
import io.bywash.engine.inspect.Verification;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A JVM that ends in good order leaves its segments, though its program closes nothing. */
@Tag("once")
@Timeout(180)
class ExitHookTest {
  @RegisterExtension final TempBus bus = new TempBus();

  /** How a JVM ends. */
  enum End { LAST_THREAD, EXIT, TERMINATED, KILLED }

  /** Opens a segment with roles, and closes nothing. */
  static final class Forgetful implements ChildProgram {
    @Override
    @SuppressWarnings("resource") // on purpose
    public void run(String... arguments) throws Exception {
      Segment segment = Segment.open(Path.of(arguments[0]), spec(Lifetime.valueOf(arguments[1])));
      Publisher publisher = Publisher.open(segment.directory().find("queue", Kind.BROADCAST));
      Subscriber subscriber = Subscriber.open(segment.directory().find("queue", Kind.BROADCAST));
      if (arguments.length > 2) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
          try {
            Thread.sleep(300); // the engine's own hook runs meanwhile
          } catch (InterruptedException impossible) {
            return;
          }
          boolean sent = publisher.offer(new byte[1]);
          ChildProgram.say("last " + sent + " " + subscriber.poll(message -> {}, 10));
          segment.close();
        }));
      }
      ChildProgram.say("open");
      if (End.valueOf(ChildProgram.hear()) == End.EXIT) {
        System.exit(0);
      }
    }
  }

  private static SegmentSpec spec(Lifetime lifetime) {
    return SegmentSpec.of(Broadcast.spec("queue", 4096)).withLifetime(lifetime);
  }

  private static void end(ChildProcess child, End end) {
    switch (end) {
      case TERMINATED -> child.terminate();
      case KILLED -> child.kill();
      default -> child.tell(end.toString());
    }
  }

  @ParameterizedTest
  @EnumSource(End.class)
  void theLastOneRemovesTheNameUnlessItIsKilled(End end) {
    try (ChildProcess child = ChildProcess.start(Forgetful.class, bus.path("exit"), Lifetime.WHILE_USED)) {
      child.await("open");
      end(child, end);
      child.awaitEnd();
    }
    assertEquals(end == End.KILLED ? List.of("exit") : List.of(), bus.files());
    bus.path("exit").toFile().delete();
  }

  @Test
  void whatIsKeptStaysAndItsRolesAreFree() {
    try (ChildProcess child = ChildProcess.start(Forgetful.class, bus.path("exit"), Lifetime.KEPT)) {
      child.await("open");
      end(child, End.EXIT);
      child.awaitEnd();
    }
    assertEquals(List.of("exit"), bus.files());
    try (Segment segment = Segment.attach(bus.path("exit"), 0);
        Publisher publisher = Publisher.open(segment.directory().find("queue", Kind.BROADCAST))) {
      while (publisher.nextSequence() < 100) {
        assertTrue(publisher.offer(new byte[100], 0, 100, 0, ChildProgram.PATIENCE_NANOS),
            "the one that left is waited for");
      }
    }
    bus.path("exit").toFile().delete();
  }

  @Test
  void anotherParticipantKeepsTheSegmentWhenOneLeavesAtItsExit() {
    try (Segment segment = Segment.create(bus.path("exit"), spec(Lifetime.WHILE_USED))) {
      try (ChildProcess child = ChildProcess.start(Forgetful.class, bus.path("exit"), Lifetime.WHILE_USED)) {
        child.await("open");
        assertEquals(2, segment.participants().size());
        end(child, End.TERMINATED);
        child.awaitEnd();
      }
      assertEquals(List.of("exit"), bus.files());
      Participant gone = segment.participants().getLast();
      assertTrue(!gone.alive() && gone.leaving(), gone.toString());
      String text = new StatusText().bus(BusStatus.of(BusDirectory.at(bus.directory())))
          .segment(SegmentStatus.of(segment), SegmentStatus.of(segment)).findings(Verification.of(segment)).toString();
      assertTrue(text.contains("1 participant, and 1 that left") && text.contains(gone.pid() + " (left)")
          && text.contains("process " + gone.pid() + " left as its JVM ended and holds role"), text);
      assertTrue(!text.contains("dead") && !text.contains("died") && !text.contains("gone"), text);
      assertEquals(1, segment.recover().dead().size(), "its lock is free, and its slot is cleared by whoever comes"
          + " across it");
    }
  }

  @Test
  void theApplicationsOwnHooksCanStillUseTheBus() {
    try (ChildProcess child = ChildProcess.start(Forgetful.class, bus.path("exit"), Lifetime.WHILE_USED, "hook")) {
      child.await("open");
      end(child, End.TERMINATED);
      assertEquals("true 1", child.await("last"));
      child.awaitEnd();
    }
    assertEquals(List.of(), bus.files());
  }

  @Test
  void itCanBeSwitchedOff() {
    try (ChildProcess child = ChildProcess.startBy(List.of(), List.of("-Dbywash.exit.hook=off"), Forgetful.class,
        bus.path("exit"), Lifetime.WHILE_USED)) {
      child.await("open");
      end(child, End.EXIT);
      child.awaitEnd();
    }
    assertEquals(List.of("exit"), bus.files());
    bus.path("exit").toFile().delete();
  }
}
