package io.bywash.engine.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Claim;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.StructureStatus;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.directory.StructureType;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** At the end of the process, all segments are left, even if leaving one of them fails. */
class ExitOrderTest {
  private static final SegmentSpec SPEC = SegmentSpec.of(new EntrySpec("made-up", Kind.BROADCAST, 10, 8, 4, 4096));

  @RegisterExtension final TempBus bus = new TempBus();

  /** A kind of which nobody can tell whether it retains anything, as long as it has a failure. */
  private static final class Failing extends StructureType {
    private RuntimeException failure;

    Failing() {
      super(Kind.BROADCAST);
    }

    @Override
    protected String damage(SegmentEntry entry) {
      return null;
    }

    @Override
    protected StructureStatus status(SegmentEntry entry) {
      throw new AssertionError("nobody asks for it");
    }

    @Override
    protected List<String> problems(SegmentEntry entry) {
      return List.of();
    }

    @Override
    protected String retained(SegmentEntry entry) {
      if (failure != null) {
        throw failure;
      }
      return null;
    }
  }

  @Test
  void allOthersAreLeftThoughOneFails() {
    Failing type = new Failing();
    SegmentCore bad = BusFiles.create(List.of(type), bus.path("bad"), SPEC);
    SegmentCore good = BusFiles.create(List.of(), bus.path("good"), SPEC);
    type.failure = new IllegalStateException("on purpose");
    assertSame(type.failure, assertThrows(IllegalStateException.class, () -> ExitHook.leave(List.of(bad, good))));
    assertEquals(List.of("bad"), bus.files());
    type.failure = null;
    good.close();
    bad.close();
  }

  @Test
  void whoHasLeftAtTheExitKeepsNothingInUseWhenItClosesWithARoleInUse() throws Exception {
    SegmentSpec spec = SegmentSpec.of(Broadcast.spec("queue", 4096));
    Segment leaving = Segment.create(bus.path("left"), spec);
    try (Segment other = Segment.attach(bus.path("left"), 0);
        Publisher publisher = Publisher.open(leaving.directory().find("queue", Kind.BROADCAST));
        Claim claim = publisher.tryClaim(8); Threads threads = new Threads()) {
      ExitHook.leave(List.of(SegmentFace.core(leaving)));
      threads.start("closer", leaving::close);
      threads.join();
      assertTrue(other.participants().getFirst().leaving());
      claim.abort();
      assertEquals(1, other.participants().size());
    }
  }
}
