package io.bywash.engine.ring;

import static io.bywash.engine.ring.TestRing.overwrite;
import static io.bywash.engine.ring.TestRing.pop;
import static io.bywash.engine.ring.TestRing.push;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import io.bywash.engine.Entry;
import io.bywash.engine.EntryRemovedException;
import io.bywash.engine.Kind;
import io.bywash.engine.NoSpaceException;
import io.bywash.engine.RoleTakenException;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.StructureStatus;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.queue.Producer;
import io.bywash.engine.queue.WorkQueue;
import io.bywash.engine.wait.WaitPolicy;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whoever uses a ring wrongly, or meets its end, is told how, and the ring works on; and what is told about it. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RingMisuseTest {
  @RegisterExtension final TempBus bus = new TempBus();

  static Stream<Arguments> wrongSpecs() {
    return Stream.of(
        wrong("capacity=0 ", () -> Ring.spec("r", 0, 8)),
        wrong("capacity=1073741825 ", () -> Ring.spec("r", (1 << 30) + 1, 8)),
        wrong("elementBytes=0 ", () -> Ring.spec("r", 4, 0)),
        wrong("elementBytes=1048577 ", () -> Ring.spec("r", 4, (1 << 20) + 1)),
        wrong("137438953472 are possible", () -> Ring.spec("r", 1 << 30, 1 << 10)),
        wrong("name=", () -> Ring.spec("", 4, 8)),
        wrong("name=", () -> Ring.spec("a/b", 4, 8)),
        wrong("name=", () -> Ring.spec("r".repeat(65), 4, 8)));
  }

  private static Arguments wrong(String told, Supplier<?> specification) {
    return argumentSet(told, told, specification);
  }

  @ParameterizedTest
  @MethodSource("wrongSpecs")
  void aWrongSpecificationIsRefusedByNameAndValue(String told, Supplier<?> specification) {
    String message = assertThrows(IllegalArgumentException.class, specification::get).getMessage();
    assertTrue(message.contains(told), message);
  }

  @Test
  void aRingThatDoesNotFitIsRefusedAndNothingIsLeftOfIt() {
    try (Segment segment = Segment.create(bus.path("seg"),
        SegmentSpec.of(Ring.spec("r", 4, 8)).withSizeBytes(1 << 20))) {
      String told = assertThrows(NoSpaceException.class,
          () -> segment.directory().findOrAdd(Ring.spec("large", 1_000_000, 32))).getMessage();
      assertTrue(told.contains(Long.toString(Ring.spec("large", 1_000_000, 32).sizeBytes())), told);
      assertEquals(1, segment.directory().entries().size());
      RingAutopsy.work(segment.directory().findOrAdd(Ring.spec("small", 5, Samples.BYTES)));
    }
  }

  @Test
  void whoAsksForAnotherRingThanThereIsGetsEachDifference() {
    try (TestRing ring = TestRing.of(bus.path("seg"), 4)) {
      var told = assertThrows(SpecMismatchException.class,
          () -> ring.first.directory().findOrAdd(Ring.spec(TestRing.NAME, 5, 32)));
      for (String difference : List.of("capacity is 4, wanted 5", "elementSizeBytes is 24, wanted 32")) {
        assertTrue(told.getMessage().contains(difference), told.getMessage());
      }
      told = assertThrows(SpecMismatchException.class, () -> Producer.open(ring.ring));
      assertTrue(told.getMessage().contains("kind is RING, wanted WORK_QUEUE"), told.getMessage());
      Entry queue = ring.first.directory().entries().getFirst();
      assertEquals(Kind.RING, queue.kind());
    }
    try (Segment segment = Segment.create(bus.path("seg"), SegmentSpec.of(WorkQueue.spec("q", 4, 8)))) {
      Entry queue = segment.directory().find("q").orElseThrow();
      assertThrows(SpecMismatchException.class, () -> RingWriter.open(queue));
      assertThrows(SpecMismatchException.class, () -> RingPopper.open(queue));
      assertThrows(SpecMismatchException.class, () -> RingView.of(queue));
      assertThrows(SpecMismatchException.class, () -> RingStatus.of(queue));
    }
  }

  @Test
  void eachRoleIsTakenByOneAtATime() {
    try (TestRing ring = TestRing.of(bus.path("seg"), 4)) {
      RingWriter writer = ring.writer();
      RingPopper popper = ring.popper();
      RoleTakenException taken = assertThrows(RoleTakenException.class, () -> RingWriter.open(ring.elsewhere));
      assertTrue(taken.getMessage().contains("has a writer already"), taken.getMessage());
      assertEquals(ProcessHandle.current().pid(), taken.holderPid());
      assertThrows(RoleTakenException.class, () -> RingPopper.open(ring.ring));
      writer.close();
      writer.close();
      popper.revoke();
      RingAutopsy.work(ring.ring);
      assertThrows(SegmentClosedException.class, () -> writer.push(Samples.one(0)));
      assertThrows(SegmentClosedException.class, () -> pop(popper, 1));
      assertTrue(writer.isReady() && popper.isReady(), "so that nobody waits for them");
    }
  }

  @Test
  void elementsAndRangesOfAnotherSizeAreRefused() {
    try (TestRing ring = TestRing.of(bus.path("seg"), 4); RingWriter writer = ring.writer();
        RingPopper popper = ring.popper()) {
      RingView view = RingView.of(ring.ring);
      MemorySegment three = Samples.room(3);
      String told = assertThrows(IllegalArgumentException.class, () -> writer.push(new byte[23])).getMessage();
      assertTrue(told.contains("element has 23 bytes, and those of entry \"ring\" have 24"), told);
      assertThrows(IllegalArgumentException.class, () -> writer.pushOverwrite(new byte[25]));
      assertThrows(IllegalArgumentException.class, () -> popper.pop(new byte[25]));
      assertThrows(IndexOutOfBoundsException.class, () -> writer.pushBulk(three, 0, 4, 0));
      assertThrows(IndexOutOfBoundsException.class, () -> writer.pushBulkOverwrite(three, 1, 3));
      assertThrows(IndexOutOfBoundsException.class, () -> writer.pushBulk(three, -1, 1, 0));
      assertThrows(IndexOutOfBoundsException.class, () -> popper.popBulk(three, 0, 4, 0));
      assertThrows(IndexOutOfBoundsException.class, () -> view.lastN(three, 0, Integer.MAX_VALUE));
      assertThrows(IllegalArgumentException.class, () -> writer.pushBulk(three, 0, -1, 0));
      assertThrows(IllegalArgumentException.class, () -> view.lastN(three, 0, -1));
      assertThrows(IllegalArgumentException.class, () -> popper.popBulk(three, 0, 0, 0));
      assertThrows(IllegalArgumentException.class, () -> view.from(-1, three, 0, 3));
      assertEquals(0, view.lastN(three, 0, 3));
      push(writer, 2);
      assertThrows(IllegalArgumentException.class, () -> popper.popBulk(three.asReadOnly(), 0, 1, 0));
      assertEquals(2, pop(popper, 4), "what could not be copied was not popped");
      ring.assertDrained(2, 0);
    }
  }

  @Test
  void observersReadTheNewestElementsAndTakeNoRole() {
    try (TestRing ring = TestRing.of(bus.path("seg"), 4); RingWriter writer = ring.writer()) {
      overwrite(writer, 9);
      RingView view = observe();
      assertThrows(SegmentClosedException.class, () -> view.lastN(Samples.room(1), 0, 1));
    }
  }

  /** A view of a segment that is closed then. */
  private RingView observe() {
    try (Segment observed = Segment.observe(bus.path("seg"))) {
      Entry entry = observed.directory().find(TestRing.NAME).orElseThrow();
      assertThrows(IllegalStateException.class, () -> RingWriter.open(entry));
      assertThrows(IllegalStateException.class, () -> RingPopper.open(entry));
      RingView view = RingView.of(entry);
      MemorySegment elements = Samples.room(5);
      assertEquals(4, view.lastN(elements, 0, 5));
      Samples.check(elements, 4, 5);
      assertEquals(9, view.pushedCount());
      assertEquals(5, RingStatus.of(entry).lostCount(), "though nobody has come to them");
      return view;
    }
  }

  @Test
  void whoUsesARemovedRingIsTold() throws Exception {
    try (TestRing ring = TestRing.of(bus.path("seg"), 4); Threads threads = new Threads()) {
      RingWriter writer = ring.writer();
      RingPopper popper = ring.popper();
      RingView view = RingView.of(ring.elsewhere);
      threads.start("popper", () ->
          assertThrows(EntryRemovedException.class, () -> pop(popper, 1, TestRing.PATIENCE_NANOS)));
      Threads.await(() -> RingStatus.of(ring.ring).roles().size() == 2, "the popper");
      writer.close();
      RingWriter again = RingWriter.open(ring.elsewhere);
      ring.second.directory().remove(TestRing.NAME);
      threads.join();
      assertThrows(EntryRemovedException.class, () -> {
        for (int i = 0; i < 100; i++) {
          again.pushOverwrite(Samples.one(i));
        }
      });
      assertThrows(EntryRemovedException.class, () -> view.lastN(Samples.room(1), 0, 1));
      assertThrows(EntryRemovedException.class, view::pushedCount);
    }
  }

  @Test
  void aStatusShowsCountersHoldersAndWhoHoldsTheWriterBack() {
    try (TestRing ring = TestRing.of(bus.path("seg"), 4); RingWriter writer = ring.writer();
        RingPopper popper = ring.popper()) {
      assertTrue(ring.status().isUntouched());
      writer.label("sampler");
      overwrite(writer, 6);
      pop(popper, 1);
      push(writer, 1);
      RingStatus status = ring.status();
      assertEquals(List.of(7L, 1L, 2L, 4L),
          status.counters().stream().map(StructureStatus.Counter::value).toList());
      assertEquals(1.0, status.fill().orElseThrow());
      assertFalse(status.isUntouched());
      assertEquals(List.of("writer", "popper"), status.holders().stream().map(each -> each.task()).toList());
      assertEquals("sampler", status.holders().getFirst().label());
      assertEquals(List.of(), status.obstacles(status, 1), "the writer does not wait");
      assertEquals(ProcessHandle.current().pid(), ring.ring.owner().orElseThrow().pid());
    }
  }

  @Test
  void aPopperThatHoldsTheWriterBackIsNamed() throws Exception {
    try (TestRing ring = TestRing.of(bus.path("seg"), 4);
        RingWriter writer = RingWriter.open(ring.ring, WaitPolicy.BLOCK);
        RingPopper popper = ring.popper(); Threads threads = new Threads()) {
      assumeTrue(NativeAccess.ENABLED,
          "without native access nobody is seen to wait");
      threads.start("writer", () -> push(writer, 5, TestRing.PATIENCE_NANOS));
      Threads.await(() -> !ring.status().obstacles(ring.status(), 1).isEmpty(), "an obstacle");
      RingStatus status = waiting(ring);
      StructureStatus.Obstacle obstacle = status.obstacles(status, 1).getFirst();
      assertEquals(StructureStatus.Effect.STOPS, obstacle.effect());
      assertEquals(RingLayout.POPPER_ROLE, obstacle.role());
      assertEquals(List.of(ProcessHandle.current().pid()), obstacle.heldBackPids());
      assertTrue(obstacle.problem().contains("the ring is full"), obstacle.problem());
      pop(popper, 1);
      threads.join();
    }
  }

  /** It looks away for a moment every 50 ms. */
  private static RingStatus waiting(TestRing ring) {
    RingStatus[] found = new RingStatus[1];
    Threads.await(() -> {
      found[0] = ring.status();
      return found[0].roles().getFirst().waits();
    }, "a writer that waits");
    return found[0];
  }
}
