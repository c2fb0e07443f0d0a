package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bywash.engine.Participant;
import io.bywash.engine.RoleTakenException;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.process.ChildProcess.Setup;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Processes with and without native access on one segment: two kinds of locks, and wakers that cannot wake. */
@Tag("once")
@Timeout(180)
class MixedBackEndTest {
  private static final int MAX_BYTES = 48;

  @RegisterExtension final TempBus bus = new TempBus();

  private Segment create() {
    return Segment.create(bus.path("mixed"), SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 1 << 16)));
  }

  private static ChildProcess startReader(Setup setup, Segment segment) {
    return ChildProcess.start(setup, Programs.Subscribe.class, segment.path(), MAX_BYTES, "block");
  }

  @ParameterizedTest
  @EnumSource
  void nothingIsLostBetweenProcessesOfBothKinds(Setup publishing) {
    long count = 500_000;
    try (Segment segment = create();
        ChildProcess reader = startReader(publishing.other(), segment);
        ChildProcess writer =
            ChildProcess.start(publishing, Programs.Publish.class, segment.path(), MAX_BYTES, 1, count)) {
      reader.await("joined");
      reader.tell("until " + count);
      String checksum = Long.toString(Payload.checksum(0, count, MAX_BYTES));
      assertEquals(count + " " + checksum, writer.await("published"));
      assertEquals(count + " 0 " + checksum, reader.await("read"));
    }
  }

  @ParameterizedTest
  @EnumSource
  void aWaitingReaderGetsEachMessageOfAPublisherOfTheOtherKind(Setup publishing) {
    long count = 40;
    try (Segment segment = create();
        ChildProcess reader = startReader(publishing.other(), segment);
        ChildProcess writer = ChildProcess.start(publishing, PublishWhenTold.class, segment.path())) {
      reader.await("joined");
      writer.await("ready");
      assertEquals(publishing == Setup.NATIVE, canWake(segment, writer));
      assertEquals(publishing == Setup.PORTABLE, canWake(segment, reader));
      for (long sequence = 0; sequence < count; sequence++) {
        reader.tell("until " + (sequence + 1)); // waits, since the next one is published only when it was read
        writer.tell("publish");
        assertEquals(sequence + 1 + " 0 " + Payload.checksum(0, sequence + 1, MAX_BYTES), reader.await("read"));
      }
    }
  }

  private static boolean canWake(Segment segment, ChildProcess child) {
    return participant(segment, child).canWake();
  }

  private static Participant participant(Segment segment, ChildProcess child) {
    return segment.participants().stream().filter(each -> each.pid() == child.pid()).findAny().orElseThrow();
  }

  /** Publishes one message for each line. */
  static final class PublishWhenTold implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      try (Segment segment = Segment.attach(Path.of(arguments[0]), PATIENCE_NANOS);
          Publisher publisher = Programs.publisher(segment)) {
        ChildProgram.say("ready");
        while (true) {
          ChildProgram.hear();
          Programs.publishNext(publisher, MAX_BYTES);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void eachKindSeesTheOtherLiveAndDieAndTakesItsRoleAndItsSlot(Setup victimSetup) {
    try (Segment segment = create();
        ChildProcess victim = ChildProcess.start(victimSetup, Programs.Hold.class, segment.path(), 1, "pb");
        ChildProcess witness = ChildProcess.start(victimSetup.other(), Witness.class, segment.path())) {
      victim.await("ready");
      witness.await("ready");
      witness.tell("look " + victim.pid());
      assertEquals("true", witness.await("alive"));
      witness.tell("publish");
      assertEquals("refused " + victim.pid(), witness.await("publisher"));
      int slot = participant(segment, victim).id();
      victim.kill();
      witness.tell("look " + victim.pid());
      assertEquals("false", witness.await("alive"));
      witness.tell("publish");
      assertEquals("opened, subscribers 0", witness.await("publisher"));
      witness.tell("attach");
      assertEquals(slot, witness.awaitLong("slot"));
    }
  }

  @Test
  void eachKindSeesThatTheOtherOneWasOnlyPaused() {
    for (Setup setup : Setup.values()) {
      try (Segment segment = create();
          ChildProcess paused = ChildProcess.start(setup, Programs.Hold.class, segment.path(), 1, "p");
          ChildProcess witness = ChildProcess.start(setup.other(), Witness.class, segment.path())) {
        paused.await("ready");
        witness.await("ready");
        paused.pause();
        for (int i = 0; i < 50; i++) {
          witness.tell("publish");
          assertEquals("refused " + paused.pid(), witness.await("publisher"));
        }
        paused.resume();
        paused.tell("leave");
        paused.await("left");
        witness.tell("publish");
        assertEquals("opened, subscribers 0", witness.await("publisher"));
      }
    }
  }

  /** Obeys "look PID" with "alive", "publish" with "publisher", and "attach" with its second "slot". */
  static final class Witness implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      Path file = Path.of(arguments[0]);
      try (Segment segment = Segment.attach(file, PATIENCE_NANOS)) {
        ChildProgram.say("ready");
        while (true) {
          String[] order = ChildProgram.hear().split(" ");
          switch (order[0]) {
            case "look" -> ChildProgram.say("alive " + segment.participants().stream()
                .filter(participant -> participant.pid() == Long.parseLong(order[1])).findAny().orElseThrow().alive());
            case "publish" -> {
              try (Publisher publisher = Programs.publisher(segment)) {
                ChildProgram.say("publisher opened, subscribers " + publisher.subscriberCount());
              } catch (RoleTakenException refused) {
                ChildProgram.say("publisher refused " + refused.holderPid());
              }
            }
            case "attach" -> {
              List<Participant> before = segment.participants().stream().filter(Participant::alive).toList();
              try (Segment second = Segment.attach(file, 0);
                  Subscriber used = Programs.subscriber(second, SubscriberOptions.skip())) {
                List<Participant> now = new java.util.ArrayList<>(segment.participants());
                now.removeIf(participant -> before.stream().anyMatch(old -> old.id() == participant.id()));
                ChildProgram.say("slot " + now.getFirst().id() + (used.lostCount() == 0 ? "" : "?"));
              }
            }
            default -> throw new AssertionError(order[0]);
          }
        }
      }
    }
  }
}
