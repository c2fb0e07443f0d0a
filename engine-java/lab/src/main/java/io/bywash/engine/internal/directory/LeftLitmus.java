package io.bywash.engine.internal.directory;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.StructureStatus;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.role.RoleHandle;
import io.bywash.engine.litmus.LitmusBus;
import io.bywash.engine.litmus.Meeting;
import io.bywash.engine.litmus.Pool;
import java.util.List;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** A role that leaves something is given back: {@link SegmentEntry#freeRole} and {@link SegmentEntry#leftCount}. */
@JCStressTest
@Description("[left] who sees both raises of the count sees that the role is free")
@Outcome(id = {"0, 0", "1, 0"}, expect = ACCEPTABLE, desc = "not free yet")
@Outcome(id = {"0, 1", "1, 1"}, expect = ACCEPTABLE, desc = "free, which is about to be told")
@Outcome(id = "2, 1", expect = ACCEPTABLE, desc = "free, and told")
@Outcome(expect = FORBIDDEN, desc = "told, but not free")
@State
public class LeftLitmus {
  private static final StructureType LEAVING = new StructureType(Kind.BROADCAST) {
    @Override
    protected String damage(SegmentEntry entry) {
      return null;
    }

    @Override
    protected StructureStatus status(SegmentEntry entry) {
      throw new UnsupportedOperationException();
    }

    @Override
    protected List<String> problems(SegmentEntry entry) {
      return List.of();
    }

    @Override
    protected boolean leavesSomething(SegmentEntry entry, int role) {
      return true;
    }
  };
  private static final SegmentSpec SPEC = SegmentSpec.of(new EntrySpec("leaving", Kind.BROADCAST, 1, 1, 1, 0));
  private static final Pool<LitmusBus.Pair> PAIRS = new Pool<>(() -> LitmusBus.create(SPEC, List.of(LEAVING)));

  private final Meeting meeting = new Meeting();
  private final LitmusBus.Pair pair = PAIRS.take();
  private final SegmentEntry first = (SegmentEntry) pair.first().directory().find("leaving").orElseThrow();
  private final SegmentEntry second = (SegmentEntry) pair.second().directory().find("leaving").orElseThrow();
  private final RoleHandle role = RoleHandle.tryTake(first, 0, 0);
  private final long before = first.leftCount();

  @Actor
  public void holder() {
    meeting.meet();
    role.exit();
    role.close();
  }

  @Actor
  public void other(II_Result result) {
    meeting.meet();
    result.r1 = (int) (second.leftCount() - before);
    result.r2 = Owner.state(second.roleWord(0)) == SegmentLayout.ROLE_FREE ? 1 : 0;
  }

  @Arbiter
  public void afterwards() {
    PAIRS.giveBack(pair);
  }
}
