package io.bywash.engine.pool;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.bywash.engine.litmus.Meeting;
import io.bywash.engine.litmus.Pool;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** An object that is released, handed over, written and read at the same time. */
public final class PoolLitmus {
  private static final Pool<LitmusPool> POOLS = new Pool<>(LitmusPool::new);

  private PoolLitmus() {}

  /** One releases the object, and another one acquires it. */
  @JCStressTest
  @Description("[lease] who acquires an object comes after all that its last holder did")
  @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "not released yet")
  @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "acquired, with all that was written")
  @Outcome(expect = FORBIDDEN, desc = "acquired before the last holder was done")
  @State
  public static class Release {
    private final LitmusPool pool = POOLS.take().acquire();
    private long acquired;

    @Actor
    public void holder() {
      pool.set();
      pool.user.release(pool.handle);
    }

    @Actor
    public void other(II_Result result) {
      Meeting.spinUntil(() -> (acquired = pool.other.acquire()) != 0);
      if (acquired != 0) {
        result.r1 = 1;
        result.r2 = pool.data();
      }
    }

    @Arbiter
    public void afterwards() {
      if (acquired != 0) {
        pool.other.release(acquired);
      }
      POOLS.giveBack(pool);
    }
  }

  /** One hands the object to another one. */
  @JCStressTest
  @Description("[lease] who gets an object from another user finds what that one wrote")
  @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "not yet")
  @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "with all that was written")
  @Outcome(expect = FORBIDDEN, desc = "without it")
  @State
  public static class Gift {
    private final LitmusPool pool = POOLS.take().acquire();

    @Actor
    public void holder() {
      pool.set();
      pool.user.transfer(pool.handle, pool.other.id());
    }

    @Actor
    public void other(II_Result result) {
      Meeting.spinUntil(() -> pool.other.holds(pool.handle));
      if (pool.other.holds(pool.handle)) {
        result.r1 = 1;
        result.r2 = pool.getAsHolder(pool.handle);
      }
    }

    @Arbiter
    public void afterwards() {
      pool.other.release(pool.handle);
      POOLS.giveBack(pool);
    }
  }

  /** One writes the object again and again, in one use and the next, while another one copies it. */
  @JCStressTest
  @Description("[object] a copy is whole, and of one use")
  @Outcome(id = {"0, 0", "0, 1", "1, 0", "1, 1"}, expect = ACCEPTABLE, desc = "whole, or free or being written")
  @Outcome(expect = FORBIDDEN, desc = "torn")
  @State
  public static class WrittenAgain {
    private final Meeting meeting = new Meeting();
    private final LitmusPool pool = POOLS.take().acquire();

    @Actor
    public void holder() {
      meeting.meet();
      for (int i = 0; i < 4; i++) {
        pool.set();
        pool.set();
        pool.user.release(pool.handle);
        pool.acquire();
      }
    }

    @Actor
    public void viewer(II_Result result) {
      meeting.meetAndWait(300);
      result.r1 = pool.look();
      result.r2 = pool.look();
    }

    @Arbiter
    public void afterwards() {
      pool.user.release(pool.handle);
      POOLS.giveBack(pool);
    }
  }

  /** One hands the object to another one that ends. */
  @JCStressTest
  @Description("[transfer] an object that is handed to a user that ends is free, or still the giver's")
  @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "it was handed over, and is free")
  @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "it is still the giver's")
  @Outcome(expect = FORBIDDEN, desc = "it is lost, or had twice")
  @State
  public static class Ending {
    private final Meeting meeting = new Meeting();
    private final LitmusPool pool = POOLS.take().acquire();
    private final int id = pool.other.id();

    @Actor
    public void giver(II_Result result) {
      meeting.meetAndWait(500);
      result.r1 = pool.user.transfer(pool.handle, id) ? 1 : 0;
    }

    @Actor
    public void ending() {
      meeting.meet();
      pool.other.close();
    }

    @Arbiter
    public void afterwards(II_Result result) {
      result.r2 = pool.view.allocated();
      if (pool.user.holds(pool.handle)) {
        pool.user.release(pool.handle);
      }
      pool.openOther();
      POOLS.giveBack(pool);
    }
  }
}
