package io.bywash.engine.internal.waiting;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.bywash.engine.internal.role.RoleHandle;
import io.bywash.engine.internal.layout.SegmentLayout;
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
import org.openjdk.jcstress.infra.results.I_Result;

/** The two words in which a role announces itself, while wakers clear one of them. */
public final class WaitingSummaryLitmus {
  private static final int ROLE = 1;

  private WaitingSummaryLitmus() {}

  /** A structure whose summary is out of date: it names a word of bits in which nobody is. */
  private static final class Stale {
    final LitmusPair pair = LitmusPair.withQueue();
    final Waiters sleeping = pair.queueOf(pair.first).waitingForData();
    final Waiters waking = pair.queueOf(pair.second).waitingForData();
    private int doorbell;

    Stale() {
      RoleHandle.tryTake(pair.queueOf(pair.first), ROLE, 0).exit();
      reset();
    }

    void reset() {
      sleeping.announce(ROLE);
      sleeping.withdraw(ROLE);
      doorbell = new WaitRoom(pair.first).doorbellValue();
    }

    int wasRung() {
      return new WaitRoom(pair.first).doorbellValue() == doorbell ? 0 : 1;
    }
  }

  /**
   * A waker that only tidies up, and a sleeper with another waker behind it in one thread, since a test has two
   * threads: that waker may find the summary cleared by the first.
   */
  @JCStressTest
  @Description("[summary] a sleeper that was passed while another waker cleared the summary is woken by that one")
  @Outcome(id = "1", expect = ACCEPTABLE, desc = "it was woken by one of the wakers")
  @Outcome(id = "0", expect = FORBIDDEN, desc = "it sleeps, and nobody wakes it")
  @Outcome(expect = FORBIDDEN)
  @State
  public static class TwoWakers {
    private static final Pool<Stale> STRUCTURES = new Pool<>(Stale::new);

    private final Meeting meeting = new Meeting();
    private final Stale structure = STRUCTURES.take();

    @Actor
    public void tidy() {
      meeting.meet();
      structure.waking.signal();
    }

    @Actor
    public void sleeperAndWaker() {
      meeting.meet();
      structure.sleeping.announce(ROLE);
      structure.sleeping.signal();
    }

    @Arbiter
    public void afterwards(I_Result result) {
      result.r1 = structure.wasRung();
      structure.reset();
      STRUCTURES.giveBack(structure);
    }
  }

  /** One waker that tidies up, and a sleeper: who stays announced stands in the summary. */
  @JCStressTest
  @Description("[summary] a role that waits unseen stands in the summary")
  @Outcome(id = {"0, 1", "1, 0", "1, 1"}, expect = ACCEPTABLE, desc = "it was woken, or the next waker finds it")
  @Outcome(id = "0, 0", expect = FORBIDDEN, desc = "it waits, and no waker will find it")
  @Outcome(expect = FORBIDDEN)
  @State
  public static class OneWaker {
    private static final Pool<Stale> STRUCTURES = new Pool<>(Stale::new);

    private final Meeting meeting = new Meeting();
    private final Stale structure = STRUCTURES.take();

    @Actor
    public void tidy() {
      meeting.meet();
      structure.waking.signal();
    }

    @Actor
    public void sleeper() {
      meeting.meet();
      structure.sleeping.announce(ROLE);
    }

    @Arbiter
    public void afterwards(II_Result result) {
      result.r1 = structure.wasRung();
      long summary = structure.sleeping.row().offset() + SegmentLayout.SUMMARY_FOR_DATA;
      result.r2 = structure.sleeping.isAnnounced(ROLE) ? (int) structure.pair.region.getLongOpaque(summary) : 0;
      structure.reset();
      STRUCTURES.giveBack(structure);
    }
  }
}
