package io.bywash.engine.internal;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.bywash.engine.SegmentNotFoundException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.internal.kinds.StructureTypes;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.linux.OpenDirectory;
import io.bywash.engine.litmus.LitmusBus;
import io.bywash.engine.litmus.Mappings;
import io.bywash.engine.litmus.LitmusPair;
import io.bywash.engine.litmus.Meeting;
import io.bywash.engine.litmus.Pool;
import java.nio.file.Files;
import java.nio.file.Path;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** The last participant leaves, and others leave or come at the same time: {@link SegmentCore} at both ends. */
public final class ClosingLitmus {
  private ClosingLitmus() {}

  /** Two leave: each says so, and looks whether the other stays. */
  @JCStressTest
  @Description("[closing] of two that leave at once, at least one sees that nobody stays")
  @Outcome(id = {"0, 0", "0, 1", "1, 0"}, expect = ACCEPTABLE, desc = "at least one removes the segment")
  @Outcome(id = "1, 1", expect = FORBIDDEN, desc = "each leaves the removal to the other")
  @Outcome(expect = FORBIDDEN)
  @State
  public static class BothLeave {
    private static final Pool<LitmusPair> PAIRS = new Pool<>(LitmusPair::withQueue);

    private final Meeting meeting = new Meeting();
    private final LitmusPair pair = PAIRS.take();

    @Actor
    public void first(II_Result result) {
      meeting.meet();
      pair.first.participants().beginLeaving();
      result.r1 = pair.first.participants().anyOtherStays() ? 1 : 0;
    }

    @Actor
    public void second(II_Result result) {
      meeting.meet();
      pair.second.participants().beginLeaving();
      result.r2 = pair.second.participants().anyOtherStays() ? 1 : 0;
    }

    @Arbiter
    public void afterwards() {
      LitmusPair.run(() -> {
        pair.first.participants().leave();
        pair.second.participants().leave();
        pair.first.participants().join("litmus");
        pair.second.participants().join("litmus");
      });
      PAIRS.giveBack(pair);
    }
  }

  /** One removes the segment, one joins it: each changes its word, and looks at the other's. */
  @JCStressTest
  @Description("[closing] the remover sees who joins, or who joins sees the removal")
  @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "removed, and nobody joined")
  @Outcome(id = {"0, 0", "0, 1"}, expect = ACCEPTABLE, desc = "not removed, since somebody joins")
  @Outcome(id = "1, 1", expect = FORBIDDEN, desc = "joined what was removed")
  @Outcome(expect = FORBIDDEN)
  @State
  public static class JoinOrRemove {
    private static final Pool<Removable> SEGMENTS = new Pool<>(Removable::new);

    /** A pair whose file has a second name, to come back to the first one. */
    private static final class Removable {
      private final LitmusPair pair = LitmusPair.withQueue();
      private final Path spare = LitmusBus.newFile();
      private OpenDirectory directory;

      Removable() {
        LitmusPair.run(() -> {
          Files.createLink(spare, pair.first.path());
          directory = OpenDirectory.ofFile(spare);
        });
      }

      void putBack() {
        LitmusPair.run(() -> Files.createLink(pair.first.path(), spare));
        pair.region.setLongRelease(SegmentLayout.STATE_OFFSET, SegmentLayout.OPEN);
      }
    }

    private final Meeting meeting = new Meeting();
    private final Removable segment = SEGMENTS.take();
    private final LitmusPair pair = segment.pair;

    public JoinOrRemove() {
      pair.leaveSecond();
    }

    @Actor
    public void remover() {
      meeting.meetAndWait(2_000);
      LitmusPair.run(() -> pair.first.state().removeUnlessJoined(segment.directory, () -> false));
    }

    @Actor
    public void joiner(II_Result result) {
      meeting.meet();
      pair.joinSecond();
      long state = pair.second.region().getLongVolatile(SegmentLayout.STATE_OFFSET);
      result.r2 = Owner.state(state) == SegmentLayout.OPEN ? 1 : 0;
    }

    @Arbiter
    public void afterwards(II_Result result) {
      result.r1 = Files.exists(pair.first.path()) ? 0 : 1;
      if (result.r1 == 1) {
        segment.putBack();
      }
      SEGMENTS.giveBack(segment);
    }
  }

  /** The same as users do it: the only attachment is closed while another one is made. */
  @JCStressTest
  @Description("[closing] who attached while the last one left has a segment that is there: all of attach and close")
  @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "removed; nobody attached")
  @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "attached, and the segment is there")
  @Outcome(expect = FORBIDDEN, desc = "attached to what was removed, or nobody's segment is left")
  @State
  public static class AttachOrClose {
    private static final SegmentSpec SPEC = SegmentSpec.of(LitmusPair.QUEUE).withParticipantCapacity(2);

    private final Meeting meeting = new Meeting();
    private final Path path = LitmusBus.newFile();
    private final SegmentCore last = BusFiles.create(StructureTypes.ALL, path, SPEC);
    private SegmentCore attached;

    @Actor
    public void leaver() {
      meeting.meetAndWait(50_000);
      last.close();
    }

    @Actor
    public void joiner() {
      meeting.meet();
      try {
        attached = BusFiles.attach(StructureTypes.ALL, path, 0);
      } catch (SegmentNotFoundException gone) {
        attached = null;
      }
    }

    @Arbiter
    public void afterwards(II_Result result) {
      result.r1 = attached != null ? 1 : 0;
      result.r2 = Files.exists(path) ? 1 : 0;
      if (attached != null) {
        attached.close();
      }
      Mappings.made(2);
    }
  }
}
