package io.bywash.engine.internal.directory;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Entry;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.litmus.LitmusPair;
import io.bywash.engine.litmus.Meeting;
import io.bywash.engine.litmus.Pool;
import java.util.Optional;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** An entry is added while somebody looks for it: {@link DirectoryChanges} and {@link DirectoryTable}. */
@JCStressTest
@Description("[row-live] who sees a row live sees all of it")
@Outcome(id = {"0, 0", "0, 1"}, expect = ACCEPTABLE, desc = "not live yet")
@Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "live, and complete")
@Outcome(expect = FORBIDDEN, desc = "live, and not complete")
@State
public class RowLitmus {
  private static final Pool<LitmusPair> PAIRS = new Pool<>(LitmusPair::withRoom);

  private final Meeting meeting = new Meeting();
  private final LitmusPair pair = PAIRS.take();
  private final long row = pair.first.geometry().row(0);

  @Actor
  public void adder() {
    meeting.meet();
    pair.second.findOrAdd(LitmusPair.QUEUE);
  }

  @Actor
  public void finder(II_Result result) {
    meeting.meetAndWait(5_000);
    result.r1 = (pair.region.getLongOpaque(row) & 0xFF) == SegmentLayout.ROW_LIVE ? 1 : 0;
    try {
      Optional<Entry> found = pair.first.directory().find("queue");
      if (found.isPresent()) {
        result.r2 = ((SegmentEntry) found.get()).differences(LitmusPair.QUEUE).isEmpty() ? 1 : 2;
      }
    } catch (DamagedSegmentException incomplete) {
      result.r2 = 3;
    }
  }

  @Arbiter
  public void afterwards() {
    pair.region.zero(row, SegmentLayout.ROW_BYTES);
    pair.region.setLongRelease(SegmentLayout.NEXT_FREE_OFFSET, pair.first.geometry().dataOffset());
    PAIRS.giveBack(pair);
  }
}
