package io.bywash.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.internal.SegmentCore;
import io.bywash.engine.internal.SegmentFace;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Creating, attaching and removing segments within one process. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class AttachTest {
  private static final SegmentSpec SPEC = SegmentSpec.of(Broadcast.spec("queue", 4096));

  @RegisterExtension final TempBus bus = new TempBus();

  @Test
  void aWaitForASegmentEndsWhenItIsCreated() throws InterruptedException {
    for (int round = 0; round < 20; round++) {
      try (Threads threads = new Threads()) {
        threads.start("attacher", () -> {
          try (Segment segment = Segment.attach(bus.path("late"), TimeUnit.SECONDS.toNanos(50))) {
            assertEquals(2, segment.participants().stream().filter(Participant::alive).count());
          }
        });
        try (Segment segment = Segment.create(bus.path("late"), SPEC)) {
          threads.join();
          assertEquals(1, segment.participants().size());
        }
      }
    }
  }

  @Test
  void aWaitInVainForASegmentTakesItsTimeAndSaysHowLongItWaited() {
    long start = System.nanoTime();
    var failure = assertThrows(SegmentNotFoundException.class, () -> Segment.attach(bus.path("never"), 60_000_000));
    assertTrue(System.nanoTime() - start >= 60_000_000);
    assertTrue(failure.getMessage().contains("60 ms"), failure.getMessage());
    assertEquals(List.of(), bus.files());
  }

  @Test
  void anInterruptEndsTheWaitForASegmentAndStaysSet() {
    Thread.currentThread().interrupt();
    assertThrows(InterruptedWaitException.class, () -> Segment.attach(bus.path("never"), TimeUnit.SECONDS.toNanos(50)));
    assertThrows(SegmentNotFoundException.class, () -> Segment.attach(bus.path("never"), 0), "it does not wait");
    assertTrue(Thread.interrupted());
  }

  @Test
  void whoIsInterruptedPausesBetweenTheTriesToOpenWhatIsBeingRemoved() throws Exception {
    try (Threads threads = new Threads(); Segment segment = Segment.create(bus.path("seg"), SPEC)) {
      SegmentCore core = SegmentFace.core(segment);
      long closing = Owner.word(core.participants().self(), 0, 0, SegmentLayout.CLOSING);
      core.region().setLongVolatile(SegmentLayout.STATE_OFFSET, closing);
      long start = System.nanoTime();
      AtomicBoolean stillInterrupted = new AtomicBoolean();
      threads.start("opener", () -> {
        Thread.currentThread().interrupt();
        Segment.open(segment.path(), SPEC).close();
        stillInterrupted.set(Thread.interrupted());
      });
      long slot = core.geometry().slot(1) + SegmentLayout.SLOT_WORD; // each try is a life of the next slot
      Threads.await(() -> Owner.epoch(core.region().getLongVolatile(slot)) >= 20, "20 tries");
      assertTrue(System.nanoTime() - start >= 500_000_000);
      core.region().setLongVolatile(SegmentLayout.STATE_OFFSET, SegmentLayout.OPEN);
      threads.join();
      assertTrue(stillInterrupted.get());
    }
  }

  @Test
  void aSetInterruptHindersNeitherCreationNorAttachmentNorRemoval() {
    Thread.currentThread().interrupt();
    try (Segment segment = Segment.create(bus.path("interrupted"), SPEC);
        Segment other = Segment.attach(bus.path("interrupted"), 0)) {
      assertEquals(2, other.participants().size());
      assertEquals(2, segment.participants().stream().filter(Participant::alive).count());
      segment.directory().findOrAdd(Broadcast.spec("queue", 4096));
      assertTrue(Thread.currentThread().isInterrupted());
    }
    assertTrue(Thread.interrupted());
    assertEquals(List.of(), bus.files());
  }

  @Test
  void openCreatesOnceAndAttachesThen() {
    try (Segment first = Segment.open(bus.path("open"), SPEC); Segment second = Segment.open(bus.path("open"), SPEC)) {
      assertEquals(2, first.participants().size());
      List<Participant> participants = second.participants();
      assertEquals(List.of(0, 1), participants.stream().map(Participant::id).toList());
      assertEquals(ProcessHandle.current().pid(), participants.get(1).pid());
      assertTrue(participants.get(1).alive());
    }
  }

  @Test
  void theLastOneOutRemovesASegmentThatLivesWhileUsed() {
    Segment first = Segment.create(bus.path("used"), SPEC);
    Segment second = Segment.attach(bus.path("used"), 0);
    first.close();
    first.close();
    assertEquals(List.of("used"), bus.files());
    assertEquals(1, second.participants().size());
    second.close();
    assertEquals(List.of(), bus.files());
  }

  @Test
  void aKeptSegmentStaysWithWhatIsInIt() throws IOException {
    SegmentSpec kept = SPEC.withLifetime(Lifetime.KEPT).withSizeBytes(1 << 20);
    for (int round = 0; round < 5; round++) {
      try (Segment segment = Segment.open(bus.path("kept"), kept)) {
        assertEquals(1 + round, segment.directory().entries().size());
        segment.directory().findOrAdd(Broadcast.spec("added-" + round, 4096));
        assertEquals(1 + round, segment.participants().get(0).epoch(), "each use of the slot is another life");
      }
    }
    Files.delete(bus.path("kept"));
  }

  @Test
  void aSegmentWhoseFileWasDeletedIsNotMixedUpWithItsSuccessor() throws IOException {
    Segment old = Segment.create(bus.path("name"), SPEC);
    Files.delete(bus.path("name"));
    try (Segment successor = Segment.create(bus.path("name"), SPEC)) {
      assertEquals(1, successor.participants().size());
      old.close();
      assertEquals(List.of("name"), bus.files(), "the old one's end must not remove the new one");
    }
  }

  @Test
  void manyThreadsThatOpenAndCloseTheSameNameNeverSeeAnythingButASoundSegment() throws InterruptedException {
    try (Threads threads = new Threads()) {
      for (int i = 0; i < 3; i++) {
        threads.start("opener " + i, () -> {
          for (int round = 0; round < 150; round++) {
            try (Segment segment = Segment.open(bus.path("contested"), SPEC)) {
              assertTrue(segment.directory().find("queue").isPresent());
              assertTrue(segment.participants().stream().anyMatch(Participant::alive));
            }
          }
        });
      }
      threads.join();
    }
    assertFalse(Files.exists(bus.path("contested")));
  }

  @Test
  void namesListsSegmentsInOrderAndNoHiddenFiles() throws IOException {
    try (Segment b = Segment.create(bus.path("b"), SPEC); Segment a = Segment.create(bus.path("a"), SPEC)) {
      assertTrue(Files.exists(bus.path(".lock")));
      assertEquals(List.of(a.name(), b.name()), BusDirectory.at(bus.directory()).names());
    }
    assertEquals(List.of(), BusDirectory.at(bus.directory()).names());
    assertEquals(bus.directory(), BusDirectory.at(bus.directory()).path());
  }
}
