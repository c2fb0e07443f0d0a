package io.bywash.engine.internal;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Lifetime;
import io.bywash.engine.SegmentFormatException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.internal.kinds.StructureTypes;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.linux.SegmentFile;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.internal.segment.Geometry;
import io.bywash.engine.litmus.LitmusBus;
import io.bywash.engine.litmus.Mappings;
import io.bywash.engine.litmus.LitmusPair;
import io.bywash.engine.litmus.Meeting;
import io.bywash.engine.litmus.Pool;
import java.nio.file.Path;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/** A segment is formatted while somebody looks at its file: {@link SegmentCore} and {@link Geometry} at both ends. */
@JCStressTest
@Description("[ready] who sees the ready word sees the header and all tables")
@Outcome(id = "0", expect = ACCEPTABLE, desc = "no segment yet")
@Outcome(id = "1", expect = ACCEPTABLE, desc = "a segment that is not ready")
@Outcome(id = "2", expect = ACCEPTABLE, desc = "ready, and complete")
@Outcome(expect = FORBIDDEN, desc = "ready, and not complete")
@State
public class ReadyLitmus {
  private static final SegmentSpec SPEC =
      SegmentSpec.of(LitmusPair.QUEUE).withParticipantCapacity(1).withEntryCapacity(1).withLifetime(Lifetime.KEPT);
  private static final Pool<Blank> BLANKS = new Pool<>(Blank::new);

  /** A file of zeros. It keeps its name, which is needed to map it without native access. */
  private static final class Blank {
    private final Path path = LitmusBus.newFile();
    private SegmentFile file;
    private Region region;

    Blank() {
      LitmusPair.run(() -> {
        file = SegmentFile.create(path, SPEC.permissions());
        file.allocate(SPEC.sizeBytes());
        region = file.map(SPEC.sizeBytes());
      });
    }
  }

  private final Blank blank = BLANKS.take();

  @Actor
  public void creator() {
    LitmusPair.run(() -> SegmentCore.format(StructureTypes.ALL, blank.path, blank.file, SPEC, 42));
  }

  @Actor
  public void observer(I_Result result) {
    Meeting.spinUntil(() -> blank.region.getLongOpaque(SegmentLayout.READY_OFFSET) != 0);
    try {
      Geometry geometry = Geometry.read(blank.region, blank.path);
      boolean complete = geometry.segmentId() == 42 && geometry.slotCount() == 1 && geometry.rowCount() == 1
          && Owner.state(blank.region.getLongOpaque(geometry.slot(0))) == SegmentLayout.SLOT_ACTIVE
          && (blank.region.getLongOpaque(geometry.row(0)) & 0xFF) == SegmentLayout.ROW_LIVE;
      result.r1 = complete ? 2 : 3;
    } catch (SegmentFormatException noSegment) {
      result.r1 = 0;
    } catch (DamagedSegmentException damaged) {
      result.r1 = damaged.getMessage().contains("never made ready") ? 1 : 4;
    }
  }

  @Arbiter
  public void afterwards() {
    blank.region.zero(0, SPEC.sizeBytes());
    Mappings.made(1);
    BLANKS.giveBack(blank);
  }
}
