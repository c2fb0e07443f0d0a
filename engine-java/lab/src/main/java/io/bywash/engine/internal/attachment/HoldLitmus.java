package io.bywash.engine.internal.attachment;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.litmus.LitmusPair;
import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/** A role that is held by one thread, as for a reply that comes later, is closed or left by another one. */
public final class HoldLitmus {
  private static final Row ROW = row();

  private HoldLitmus() {}

  private static Row row() {
    LitmusPair pair = LitmusPair.withQueue();
    return pair.queueOf(pair.first);
  }

  /** Counts its ends instead of giving anything back. */
  private static final class Role extends UsageGuard {
    final AtomicInteger ends = new AtomicInteger();

    Role() {
      super(ROW);
    }

    @Override
    public void end() {
      ends.incrementAndGet();
    }
  }

  /** {@link UsageGuard#hold} against {@link UsageGuard#makeUnusable} and the look that follows it. */
  @JCStressTest
  @Description("[inside] who holds a role and who closes it: at least one sees the other's step")
  @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "held, and the closer leaves the end to whoever holds it")
  @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "refused, and the closer ends it")
  @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "refused, and the end is that of whoever was refused")
  @Outcome(expect = FORBIDDEN, desc = "held after its end")
  @State
  public static class Closing {
    private final Role role = new Role();

    @Actor
    public void holder(II_Result result) {
      try {
        role.hold();
        result.r1 = 1;
      } catch (SegmentClosedException closed) {
        result.r1 = 0;
      }
    }

    @Actor
    public void closer(II_Result result) {
      role.makeUnusable();
      result.r2 = role.isInside() ? 0 : 1;
    }
  }

  /** {@link UsageGuard#letGo} against {@link UsageGuard#exit}, of a role that is unusable by then. */
  @JCStressTest
  @Description("[inside] of the last two users who leave an unusable role, at least one ends it")
  @Outcome(id = "1", expect = ACCEPTABLE, desc = "ended")
  @Outcome(expect = FORBIDDEN, desc = "each left the end to the other one")
  @State
  public static class Leaving {
    private final Role role = new Role();

    public Leaving() {
      role.enter();
      role.hold();
      role.makeUnusable();
    }

    @Actor
    public void holder() {
      role.letGo();
    }

    @Actor
    public void user() {
      role.exit();
    }

    @Arbiter
    public void afterwards(I_Result result) {
      result.r1 = role.ends.get() > 0 ? 1 : 0;
    }
  }
}
