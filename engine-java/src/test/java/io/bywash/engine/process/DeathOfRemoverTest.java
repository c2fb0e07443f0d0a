package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Participant;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentNotFoundException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Processes that are killed while they remove a segment: it is gone, or it goes on. */
@Timeout(600)
class DeathOfRemoverTest {
  private static final int MAX_BYTES = 48;
  private static final SegmentSpec SPEC = SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 4096));

  @RegisterExtension final TempBus bus = new TempBus();

  @Test
  @Tag("once")
  void aRemoverKilledAtARandomMomentLeavesNothingOrASegmentThatGoesOn() {
    killRemovers(3);
  }

  @Test
  @Tag("stress")
  void manyRemoversKilledAtRandomMomentsLeaveNothingOrSegmentsThatGoOn() {
    killRemovers(100);
  }

  private void killRemovers(int rounds) {
    try (ChildProcess survivor = ChildProcess.start(OpenAndCloseForEver.class, bus.path("gone"))) {
      survivor.await("removing"); // and goes on with whatever the killed ones leave
      for (int round = 0; round < rounds; round++) {
        killRemover();
        openUseAndClose();
        assertTrue(survivor.isAlive());
      }
      survivor.kill();
    }
    for (int round = 0; round < rounds; round++) {
      killRemover();
      openUseAndClose();
      assertFalse(Files.exists(bus.path("gone")));
      Segment.create(bus.path("other"), SPEC).close(); // sweeps what a killed creator left
      assertEquals(List.of(), bus.files());
    }
  }

  private void killRemover() {
    try (ChildProcess remover = ChildProcess.start(OpenAndCloseForEver.class, bus.path("gone"))) {
      remover.await("removing");
      LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(50_000_000));
      remover.kill();
    }
  }

  private void openUseAndClose() {
    try (Segment segment = Segment.open(bus.path("gone"), SPEC)) {
      assertEquals(1, segment.participants().stream()
          .filter(each -> each.alive() && each.pid() == ProcessHandle.current().pid()).count());
      useOnce(segment);
    }
  }

  private static void useOnce(Segment segment) {
    try (Publisher publisher = Programs.publisher(segment);
        Subscriber subscriber = Programs.subscriber(segment, SubscriberOptions.block())) {
      long first = publisher.nextSequence();
      Programs.publishNext(publisher, MAX_BYTES);
      new Programs.Checker(MAX_BYTES, first).readUntil(subscriber, first + 1);
    }
  }

  /** Opens, uses and closes the segment until it is killed. */
  static final class OpenAndCloseForEver implements ChildProgram {
    @Override
    public void run(String... arguments) {
      for (int i = 0; true; i++) {
        try (Segment segment = Segment.open(Path.of(arguments[0]), SPEC)) {
          if (!segment.directory().find(Programs.QUEUE).isPresent()) {
            throw new AssertionError("not whole");
          }
        }
        if (i == 20) {
          ChildProgram.say("removing");
        }
      }
    }
  }

  @Test
  void aRemovalByADeadProcessIsTakenBackByTheNextOneThatAttaches() throws IOException {
    long id = leaveBehindClosing();
    try (Segment next = Segment.attach(bus.path("gone"), 0)) {
      assertEquals(id, new Forgery(next).segmentId());
      assertEquals(SegmentLayout.OPEN, new Forgery(next).state());
      useOnce(next);
    }
    assertFalse(Files.exists(bus.path("gone")));
  }

  @Test
  @Tag("once")
  void aRemovalByADeadProcessIsTakenBackByTheNextOneThatOpens() throws IOException {
    long id = leaveBehindClosing();
    try (Segment next = Segment.open(bus.path("gone"), SPEC)) {
      assertEquals(id, new Forgery(next).segmentId());
      assertEquals(SegmentLayout.OPEN, new Forgery(next).state());
      useOnce(next);
    }
    assertFalse(Files.exists(bus.path("gone")));
  }

  @Test
  @Tag("once")
  void anObserverLeavesARemovalByADeadProcessAsItIs() throws IOException {
    leaveBehindClosing();
    try (Segment observed = Segment.observe(bus.path("gone"))) {
      assertEquals(SegmentLayout.CLOSING, Owner.state(new Forgery(observed).state()));
      assertEquals(List.of(false), observed.participants().stream().map(Participant::alive).toList());
    }
    Segment.attach(bus.path("gone"), 0).close();
  }

  @Test
  void aRemovalByALivingProcessIsWaitedForAndTakenBackWhenItDies() throws IOException {
    try (ChildProcess remover = ChildProcess.start(Programs.Hold.class, bus.path("gone"), 1)) {
      Segment created = Segment.create(bus.path("gone"), SPEC);
      remover.await("ready");
      created.close();
      writeClosing(remover);
      assertThrows(SegmentNotFoundException.class, () -> Segment.attach(bus.path("gone"), 300_000_000));
      assertTrue(Files.exists(bus.path("gone")));
      CompletableFuture<Segment> attaching =
          Threads.supplyAsync(() -> Segment.attach(bus.path("gone"), ChildProgram.PATIENCE_NANOS));
      CompletableFuture<Segment> opening = Threads.supplyAsync(() -> Segment.open(bus.path("gone"), SPEC));
      remover.kill();
      try (Segment attached = attaching.join(); Segment opened = opening.join()) {
        assertEquals(new Forgery(attached).segmentId(), new Forgery(opened).segmentId());
        useOnce(attached);
      }
      assertFalse(Files.exists(bus.path("gone")));
    }
  }

  /** A segment whose only participant was killed between announcing the removal and unlinking; the segment's id. */
  private long leaveBehindClosing() throws IOException {
    try (ChildProcess remover = ChildProcess.start(Programs.Hold.class, bus.path("gone"), 1)) {
      Segment created = Segment.create(bus.path("gone"), SPEC);
      long id = new Forgery(created).segmentId();
      remover.await("ready");
      created.close();
      writeClosing(remover);
      remover.kill();
      return id;
    }
  }

  /** Through the file, since this process is no participant. */
  private void writeClosing(ChildProcess remover) throws IOException {
    try (Segment observed = Segment.observe(bus.path("gone"))) {
      Participant participant = observed.participants().getFirst();
      assertEquals(remover.pid(), participant.pid());
      long word = Owner.word(Owner.participant(participant.id(), participant.epoch()), 0, 0, SegmentLayout.CLOSING);
      try (FileChannel channel = FileChannel.open(bus.path("gone"), StandardOpenOption.WRITE)) {
        ByteBuffer bytes = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(0, word);
        channel.write(bytes, SegmentLayout.STATE_OFFSET);
      }
      assertEquals(word, new Forgery(observed).state());
    }
  }

  @Test
  @Tag("once")
  void theLastOneRemovesTheSegmentThoughAnotherRemoverDied() {
    Segment segment = Segment.create(bus.path("gone"), SPEC);
    try (ChildProcess remover = ChildProcess.start(Programs.Hold.class, segment.path(), 1)) {
      remover.await("ready");
      new Forgery(segment).closing(Owner.participant(1, new Forgery(segment).epoch(1)));
      remover.kill();
    }
    segment.close();
    assertFalse(Files.exists(bus.path("gone")));
  }
}
