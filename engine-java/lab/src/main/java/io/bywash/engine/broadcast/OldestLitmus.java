package io.bywash.engine.broadcast;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.bywash.engine.EvictedException;
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

/**
 * The boundary of what is given up: {@link Publisher} overwrites the very record that a reader of copies is at. The
 * ring is full, and the reader is at its oldest message.
 */
public final class OldestLitmus {
  private OldestLitmus() {}

  /** Copies of more than a hundred bytes are made by the JDK's bulk copy. */
  @JCStressTest
  @Description("[oldest] a copy whose position was not given up afterwards is whole: bulk copy")
  @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "the oldest message, whole")
  @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "told that it was lost, and the one after it, whole")
  @Outcome(expect = FORBIDDEN, desc = "torn, out of order, or lost without being told")
  @State
  public static class Bulk {
    private static final Pool<LitmusQueue> QUEUES = new Pool<>(() -> {
      LitmusQueue queue = new LitmusQueue(SubscriberOptions.skip());
      queue.fillRing(LitmusQueue.LARGE_COUNT, LitmusQueue.LARGE);
      return queue;
    });

    private final LitmusQueue queue = QUEUES.take();

    @Actor
    public void publisher() {
      queue.publish(LitmusQueue.LARGE);
    }

    @Actor
    public void subscriber(II_Result result) {
      result.r1 = queue.read();
      result.r2 = queue.lost;
    }

    @Arbiter
    public void afterwards() {
      queue.drain();
      queue.fillRing(LitmusQueue.LARGE_COUNT, LitmusQueue.LARGE);
      QUEUES.giveBack(queue);
    }
  }

  /** Short copies are made word by word: the reader is at the ring's last record. */
  @JCStressTest
  @Description("[oldest] a copy whose position was not given up afterwards is whole: copy in words")
  @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "the oldest message, whole")
  @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "told that it was lost, and the one after it, whole")
  @Outcome(expect = FORBIDDEN, desc = "torn, out of order, or lost without being told")
  @State
  public static class Words {
    private static final Pool<LitmusQueue> QUEUES = new Pool<>(() -> {
      LitmusQueue queue = new LitmusQueue(SubscriberOptions.skip());
      goToLastRecord(queue);
      return queue;
    });

    private final LitmusQueue queue = QUEUES.take();

    private static void goToLastRecord(LitmusQueue queue) {
      while ((queue.publisher.nextSequence() + 1) % LitmusQueue.SMALL_COUNT != 0) {
        queue.fillRing(1, LitmusQueue.SMALL);
      }
      queue.drain();
      queue.fillRing(LitmusQueue.SMALL_COUNT, LitmusQueue.SMALL);
    }

    @Actor
    public void publisher() {
      queue.publish(LitmusQueue.SMALL);
    }

    @Actor
    public void subscriber(II_Result result) {
      result.r1 = queue.read();
      result.r2 = queue.lost;
    }

    @Arbiter
    public void afterwards() {
      goToLastRecord(queue);
      QUEUES.giveBack(queue);
    }
  }

  /** A reader that may be cut off now; the publisher does so and overwrites what it reads. */
  @JCStressTest
  @Description("[oldest] [revoked] who reads what was overwritten after it was cut off finds that it was cut off")
  @Outcome(id = "1", expect = ACCEPTABLE, desc = "the oldest message, whole")
  @Outcome(id = "-1", expect = ACCEPTABLE, desc = "cut off, and told so")
  @Outcome(expect = FORBIDDEN, desc = "torn, or taken for damage")
  @State
  public static class Evicted {
    private static final SubscriberOptions IMPATIENT = SubscriberOptions.evictAfter(1).startingAtOldest();
    private static final Pool<LitmusQueue> QUEUES = new Pool<>(() -> {
      LitmusQueue queue = new LitmusQueue();
      queue.fillRing(LitmusQueue.LARGE_COUNT, LitmusQueue.LARGE);
      return queue;
    });

    private final Meeting meeting = new Meeting();
    private final LitmusQueue queue = QUEUES.take();

    public Evicted() {
      queue.join(IMPATIENT);
      if (queue.publish(LitmusQueue.LARGE)) {
        throw new IllegalStateException("the publisher did not wait for a subscriber in its way");
      }
    }

    @Actor
    public void publisher() {
      meeting.meetAndWait(200);
      queue.publish(LitmusQueue.LARGE);
    }

    @Actor
    public void subscriber(I_Result result) {
      meeting.meet();
      try {
        result.r1 = queue.read();
      } catch (EvictedException cutOff) {
        result.r1 = -1;
      }
    }

    @Arbiter
    public void afterwards() {
      queue.leave();
      queue.fillRing(1, LitmusQueue.LARGE);
      QUEUES.giveBack(queue);
    }
  }
}
