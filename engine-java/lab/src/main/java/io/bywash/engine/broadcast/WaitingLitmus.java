package io.bywash.engine.broadcast;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.bywash.engine.internal.role.Role;
import io.bywash.engine.internal.waiting.ObservedWaitPoint;
import io.bywash.engine.internal.waiting.WaitRoom;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.litmus.Meeting;
import io.bywash.engine.litmus.Pool;
import java.util.function.BooleanSupplier;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * No wake-up is lost: the waker sees the sleeper's announcement, or the sleeper sees what the waker did. The waker
 * has no fence; it rests on the sleeper's membarrier, and on compiled code that keeps its load behind its store.
 */
public final class WaitingLitmus {
  /** The sleeper's fence takes about that long. */
  private static final int FENCE_NANOS = 2_000;

  private WaitingLitmus() {}

  /**
   * A role about to sleep: {@link WaitRoom#await} is told at its first look that there is nothing, so that it announces
   * itself; the last look before the sleep is the role's own, and ends the wait in any case.
   */
  private static final class Sleeper extends ObservedWaitPoint {
    private final BooleanSupplier wakerIsDone;
    private boolean looked;
    private boolean announced;
    private boolean saw;
    private int doorbell;

    Sleeper(Role role, BooleanSupplier wakerIsDone) {
      super(role);
      this.wakerIsDone = wakerIsDone;
      this.doorbell = doorbellValue();
    }

    /** That it announces itself between the two looks, without which no outcome below would mean anything. */
    void check() {
      goToSleep();
      if (!announced || wasRung() == 1) {
        throw new IllegalStateException("nobody rang, but the sleeper's announcement is not there");
      }
    }

    /** 1 when the role's last look before its sleep found something to do. */
    int goToSleep() {
      looked = false;
      block();
      return saw ? 1 : 0;
    }

    @Override
    protected boolean isWaitOver() {
      if (!looked) {
        looked = true;
        return false;
      }
      saw = isRoleReady();
      announced = isAnnounced();
      while (!saw && !wakerIsDone.getAsBoolean()) { // it stays announced, as one that sleeps
        Thread.onSpinWait();
      }
      return true;
    }

    /** 1 when a waker saw the announcement, and changed the doorbell. */
    int wasRung() {
      return doorbellValue() == doorbell ? 0 : 1;
    }
  }

  /** A subscriber that waits for a message. */
  @JCStressTest
  @Description("[waiting] a message is seen by the subscriber, or the subscriber by the publisher")
  @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "the subscriber saw the message")
  @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "the publisher saw the subscriber")
  @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "both saw the other")
  @Outcome(id = "0, 0", expect = FORBIDDEN, desc = "it sleeps, and nobody wakes it")
  @Outcome(expect = FORBIDDEN)
  @State
  public static class ForData {
    private static final Pool<LitmusQueue> QUEUES = new Pool<>(() -> {
      LitmusQueue queue = new LitmusQueue(SubscriberOptions.block());
      new Sleeper(queue.subscriber, () -> true).check();
      return queue;
    });

    private final Meeting meeting = new Meeting();
    private final LitmusQueue queue = QUEUES.take();
    private final Sleeper sleeper = new Sleeper(queue.subscriber, () -> this.done);
    private volatile boolean done;

    @Actor
    public void publisher() {
      meeting.meetAndWait(FENCE_NANOS);
      queue.publish(LitmusQueue.SMALL);
      done = true;
    }

    @Actor
    public void subscriber(II_Result result) {
      meeting.meet();
      result.r2 = sleeper.goToSleep();
    }

    @Arbiter
    public void afterwards(II_Result result) {
      result.r1 = sleeper.wasRung();
      queue.drain();
      QUEUES.giveBack(queue);
    }
  }

  /** A publisher that waits for room. */
  @JCStressTest
  @Description("[waiting] room is seen by the publisher, or the publisher by the subscriber")
  @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "the publisher saw the room")
  @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "the subscriber saw the publisher")
  @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "both saw the other")
  @Outcome(id = "0, 0", expect = FORBIDDEN, desc = "it sleeps, and nobody wakes it")
  @Outcome(expect = FORBIDDEN)
  @State
  public static class ForSpace {
    private static final Pool<LitmusQueue> QUEUES = new Pool<>(() -> {
      LitmusQueue queue = new LitmusQueue(SubscriberOptions.block());
      queue.fillRing(LitmusQueue.LARGE_COUNT, LitmusQueue.LARGE);
      new Sleeper(queue.publisher, () -> true).check();
      return queue;
    });

    private final Meeting meeting = new Meeting();
    private final LitmusQueue queue = QUEUES.take();
    private final Sleeper sleeper = new Sleeper(queue.publisher, () -> this.done);
    private volatile boolean done;

    @Actor
    public void subscriber() {
      meeting.meetAndWait(FENCE_NANOS);
      queue.read();
      done = true;
    }

    @Actor
    public void publisher(II_Result result) {
      meeting.meet();
      queue.publish(LitmusQueue.LARGE); // in vain or not, it knows now what it waits for
      result.r2 = sleeper.goToSleep();
    }

    @Arbiter
    public void afterwards(II_Result result) {
      result.r1 = sleeper.wasRung();
      queue.drain();
      queue.fillRing(LitmusQueue.LARGE_COUNT, LitmusQueue.LARGE);
      QUEUES.giveBack(queue);
    }
  }

  /**
   * The bare pattern: two words, a release store before an opaque load on one side, the sleeper's fence on the other.
   * What is stored takes longer to compute than the fence lasts, in one stretch of code without a branch: if a
   * compiler moved the load to its beginning, both would miss each other.
   */
  @JCStressTest
  @Description("[waiting] compiled code keeps an opaque load behind an earlier release store")
  @Outcome(id = {"0, 1", "1, 0", "1, 1"}, expect = ACCEPTABLE, desc = "at least one saw the other")
  @Outcome(id = "0, 0", expect = FORBIDDEN, desc = "neither saw the other, though the sleeper ran a membarrier")
  @Outcome(expect = FORBIDDEN)
  @State
  public static class Bare {
    private static final int QUEUE = 0;
    private static final int BITMAP = 128;
    private static final Pool<Region> REGIONS = new Pool<>(() -> Region.allocate(256));

    private final Meeting meeting = new Meeting();
    private final Region region = REGIONS.take();
    private final double seed = region.address(0);

    @Actor
    public void waker(II_Result result) {
      meeting.meet();
      double value = slower(slower(slower(slower(seed))));
      region.setLongRelease(QUEUE, Double.doubleToRawLongBits(value) | 1);
      result.r1 = (int) region.getLongOpaque(BITMAP);
    }

    private static double slow(double value) {
      double one = Math.sqrt(Math.sqrt(value + 1) + 2);
      double two = Math.sqrt(Math.sqrt(one + 3) + 4);
      double three = Math.sqrt(Math.sqrt(two + 5) + 6);
      return Math.sqrt(Math.sqrt(three + 7) + 8);
    }

    private static double slower(double value) {
      double one = slow(slow(slow(slow(value))));
      double two = slow(slow(slow(slow(one))));
      double three = slow(slow(slow(slow(two))));
      return slow(slow(slow(slow(three))));
    }

    @Actor
    public void sleeper(II_Result result) {
      meeting.meetAndWait(500);
      region.getAndBitwiseOrLong(BITMAP, 1);
      WaitRoom.fence();
      result.r2 = (int) region.getLongOpaque(QUEUE) & 1;
    }

    @Arbiter
    public void afterwards() {
      region.setLongRelease(QUEUE, 0);
      region.setLongRelease(BITMAP, 0);
      REGIONS.giveBack(region);
    }
  }
}
