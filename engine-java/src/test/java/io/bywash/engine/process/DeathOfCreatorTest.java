package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Segment;
import io.bywash.engine.SegmentAccessException;
import io.bywash.engine.SegmentNotFoundException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.linux.SegmentFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Processes that are killed while they create a segment: it is there as a whole or not at all. */
@Timeout(600)
class DeathOfCreatorTest {
  private static final int MAX_BYTES = 48;
  private static final String TEMPORARY = ".born.0123456789abcdef.tmp";

  @RegisterExtension final TempBus bus = new TempBus();

  private static SegmentSpec spec(long ringBytes) {
    return SegmentSpec.of(Broadcast.spec(Programs.QUEUE, ringBytes));
  }

  @Test
  void aCreatorKilledAtARandomMomentLeavesAWholeSegmentOrNone() {
    killCreators(6);
  }

  @Test
  @Tag("stress")
  void manyCreatorsKilledAtRandomMomentsLeaveWholeSegmentsOrNone() {
    killCreators(150);
  }

  private void killCreators(int rounds) {
    for (int round = 0; round < rounds; round++) {
      long ringBytes = round % 2 == 0 ? 1 << 25 : 4096; // mostly allocating, or mostly all the rest
      try (ChildProcess creator = ChildProcess.start(CreateForEver.class, bus.path("born"), ringBytes)) {
        creator.await("creating");
        LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(50_000_000));
        creator.kill();
      }
      try (Segment found = Segment.attach(bus.path("born"), 0)) {
        assertEquals(spec(ringBytes).sizeBytes(), found.sizeBytes());
        useWholly(found);
      } catch (SegmentNotFoundException none) {
        assertEquals(List.of(), bus.files().stream().filter(name -> !name.startsWith(".born.")).toList());
      }
      try (Segment next = Segment.create(bus.path("born"), spec(4096))) {
        assertEquals(List.of("born"), bus.files(), "the next creator did not tidy up");
        useWholly(next);
      }
      assertEquals(List.of(), bus.files());
    }
  }

  private static void useWholly(Segment segment) {
    try (Publisher publisher = Programs.publisher(segment);
        Subscriber subscriber = Programs.subscriber(segment, SubscriberOptions.block())) {
      Programs.publishNext(publisher, MAX_BYTES);
      new Programs.Checker(MAX_BYTES, 0).readUntil(subscriber, 1);
    }
  }

  /** Arguments: file, bytes of the ring. Creates and closes the segment until it is killed. */
  static final class CreateForEver implements ChildProgram {
    @Override
    public void run(String... arguments) {
      SegmentSpec spec = spec(Long.parseLong(arguments[1]));
      Segment.create(Path.of(arguments[0]), spec).close();
      ChildProgram.say("creating");
      while (true) {
        Segment.create(Path.of(arguments[0]), spec).close();
      }
    }
  }

  @Test
  void whatADeadCreatorLeftIsRemovedAndWhatALivingOneBuildsIsNot() {
    try (ChildProcess builder = ChildProcess.start(Build.class, bus.path(TEMPORARY))) {
      builder.await("building");
      Segment.create(bus.path("other"), spec(4096)).close();
      assertEquals(List.of(TEMPORARY), bus.files());
      builder.kill();
      Segment.create(bus.path("other"), spec(4096)).close();
      assertEquals(List.of(), bus.files());
    }
  }

  /** Is for ever at the point where a creator has made its hidden file and locked the first slot. */
  static final class Build implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      SegmentFile file = SegmentFile.create(Path.of(arguments[0]), PosixFilePermissions.fromString("rw-------"));
      assertTrue(file.tryLock(SegmentLayout.SLOT_LOCKS));
      ChildProgram.say("building");
      ChildProgram.hear();
    }
  }

  @Test
  @Tag("stress") // takes as long as the engine waits for the lock, 10 s each time
  void aPausedHolderOfTheDirectorysLockIsToldOfAndEverythingWorksAfterItsDeath() {
    Segment segment = Segment.create(bus.path("born"), spec(4096));
    try (ChildProcess holder = ChildProcess.start(LockDirectory.class, bus.path(".lock"))) {
      holder.await("locked");
      holder.pause();
      assertThrows(SegmentAccessException.class, () -> Segment.create(bus.path("other"), spec(4096)));
      assertThrows(SegmentAccessException.class, segment::close);
      assertEquals(List.of("born"), bus.files());
      holder.kill();
      try (Segment next = Segment.attach(bus.path("born"), 0)) {
        assertEquals(1, next.participants().size(), "the refused removal kept its slot");
      }
      assertEquals(List.of(), bus.files());
    }
  }

  /** Holds the lock under which names come and go. */
  static final class LockDirectory implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      SegmentFile file = SegmentFile.open(Path.of(arguments[0]), false);
      assertTrue(file.tryLock(0));
      ChildProgram.say("locked");
      ChildProgram.hear();
    }
  }

  @Test
  void theHiddenNameOfAFinishedSegmentIsRemovedThoughTheSegmentIsInUse() throws IOException {
    try (Segment segment = Segment.create(bus.path("born"), spec(4096))) {
      Files.createLink(bus.path(TEMPORARY), segment.path()); // its creator was killed, and this is the next user
      Segment.create(bus.path("other"), spec(4096)).close();
      assertEquals(List.of("born"), bus.files());
    }
  }

  @Test
  void filesThatOnlyLookSimilarAreLeftAlone() throws IOException {
    List<Path> others =
        List.of(bus.path(".born.tmp"), bus.path(".born.0123.tmp"), bus.path("born.0123456789abcdef.tmp"));
    for (Path other : others) {
      Files.createFile(other);
    }
    Segment.create(bus.path("other"), spec(4096)).close();
    assertEquals(3, bus.files().size());
    for (Path other : others) {
      Files.delete(other);
    }
  }
}
