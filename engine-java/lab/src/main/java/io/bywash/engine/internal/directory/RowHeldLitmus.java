package io.bywash.engine.internal.directory;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.bywash.engine.EntryRemovedException;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.role.RoleHandle;
import io.bywash.engine.litmus.LitmusPair;
import io.bywash.engine.litmus.Meeting;
import io.bywash.engine.litmus.Pool;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** An entry is removed while somebody takes a role in it: {@link DirectoryChanges} and {@link SegmentEntry#tryTake}. */
@JCStressTest
@Description("[row-held] a row is not freed while somebody holds a role in its structure")
@Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "the role was taken, and the row is held")
@Outcome(id = {"0, 0", "0, 1"}, expect = ACCEPTABLE, desc = "the role was not taken")
@Outcome(expect = FORBIDDEN, desc = "the role was taken in bytes that are free")
@State
public class RowHeldLitmus {
  private static final Pool<LitmusPair> PAIRS = new Pool<>(LitmusPair::withRoom);

  private final Meeting meeting = new Meeting();
  private final LitmusPair pair = PAIRS.take();
  private final SegmentEntry queue;
  private RoleHandle role;

  public RowHeldLitmus() {
    pair.first.findOrAdd(LitmusPair.QUEUE);
    queue = pair.queueOf(pair.second);
  }

  @Actor
  public void holder(II_Result result) {
    meeting.meet();
    try {
      role = RoleHandle.tryTake(queue, 0, 0);
      role.exit();
      result.r1 = 1;
    } catch (EntryRemovedException removed) {
      result.r1 = 0;
    }
  }

  @Actor
  public void remover(II_Result result) {
    meeting.meet();
    pair.first.remove("queue");
    result.r2 = DirectoryTable.state(pair.first.directory().word(queue.row())) == SegmentLayout.ROW_FREE ? 1 : 0;
  }

  @Arbiter
  public void afterwards() {
    if (role != null) {
      role.close();
    }
    PAIRS.giveBack(pair);
  }
}
