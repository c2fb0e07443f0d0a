package io.bywash.engine.internal.segment;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.bywash.engine.internal.BusFiles;
import io.bywash.engine.internal.SegmentCore;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.kinds.StructureTypes;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.internal.role.RoleHandle;
import io.bywash.engine.litmus.Mappings;
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

/** Participants come and go: {@link Participants} at both ends. */
public final class SlotLitmus {
  private SlotLitmus() {}

  /** One joins, the other looks whether everybody can wake it. */
  @JCStressTest
  @Description("[slot-active] who sees a slot active sees its holder's identity and capabilities")
  @Outcome(id = {"0, 0", "0, 1"}, expect = ACCEPTABLE, desc = "not active yet")
  @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "active, and complete")
  @Outcome(expect = FORBIDDEN, desc = "active, and not complete")
  @State
  public static class Active {
    private static final Pool<LitmusPair> PAIRS = new Pool<>(LitmusPair::withQueue);
    private static final long PID = ProcessHandle.current().pid();

    private final LitmusPair pair = PAIRS.take();

    public Active() {
      pair.leaveSecond();
      pair.forgetSecond();
    }

    @Actor
    public void joiner() {
      pair.joinSecond();
    }

    @Actor
    public void observer(II_Result result) {
      Meeting.spinUntil(() -> Owner.state(pair.secondSlotWord()) == SegmentLayout.SLOT_ACTIVE);
      result.r1 = Owner.state(pair.secondSlotWord()) == SegmentLayout.SLOT_ACTIVE ? 1 : 0;
      boolean canWake = pair.first.participants().everybodyCanWake();
      long pid = pair.first.participants().pid(pair.secondSlotWord());
      result.r2 = canWake == NativeAccess.ENABLED && pid == PID ? 1 : 0;
    }

    @Arbiter
    public void afterwards() {
      PAIRS.giveBack(pair);
    }
  }

  /**
   * One closes its last role and with it a segment that is closing; the other looks whether it lives, then at the
   * role.
   */
  @JCStressTest
  @Description("[slot-free] who sees a participant gone sees that its roles are free")
  @Outcome(id = {"1, 1", "1, 0"}, expect = ACCEPTABLE, desc = "it lives")
  @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "it is gone, and its role is free")
  @Outcome(expect = FORBIDDEN, desc = "it is gone, and holds a role")
  @State
  public static class Free {
    private static final Pool<LitmusPair> PAIRS = new Pool<>(() -> {
      LitmusPair pair = LitmusPair.withQueue();
      pair.second.close();
      return pair;
    });

    private final LitmusPair pair = PAIRS.take();
    private final SegmentEntry queue = pair.queueOf(pair.first);
    private final SegmentCore leaving = BusFiles.attach(StructureTypes.ALL, pair.first.path(), 0);
    private final RoleHandle role = RoleHandle.tryTake(pair.queueOf(leaving), 0, 0);
    private final long owner = queue.roleWord(0);

    public Free() {
      role.exit(); // of taking it, which makes it inside an operation
      leaving.close();
    }

    @Actor
    public void leaver() {
      role.close();
    }

    @Actor
    public void observer(II_Result result) {
      Meeting.spinUntil(() -> Owner.state(pair.secondSlotWord()) == SegmentLayout.SLOT_FREE);
      result.r1 = pair.first.participants().isAlive(owner) ? 1 : 0;
      result.r2 = queue.roleWord(0) == owner ? 1 : 0;
    }

    @Arbiter
    public void afterwards() {
      Mappings.made(1);
      PAIRS.giveBack(pair);
    }
  }
}
