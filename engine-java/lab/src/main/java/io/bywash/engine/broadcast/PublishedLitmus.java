package io.bywash.engine.broadcast;

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
import org.openjdk.jcstress.infra.results.I_Result;

/** The record before the published position: {@link Publisher} commits, {@link Subscriber} polls. */
public final class PublishedLitmus {
  private PublishedLitmus() {}

  /** A reader in place. */
  @JCStressTest
  @Description("[published] who sees the position sees the record before it, in place")
  @Outcome(id = "0", expect = ACCEPTABLE, desc = "not published yet")
  @Outcome(id = "1", expect = ACCEPTABLE, desc = "published, and whole")
  @Outcome(expect = FORBIDDEN, desc = "published before it was written")
  @State
  public static class InPlace {
    private static final Pool<LitmusQueue> QUEUES = new Pool<>(() -> new LitmusQueue(SubscriberOptions.block()));

    private final LitmusQueue queue = QUEUES.take();
    private final long position = queue.ring.published();

    @Actor
    public void publisher() {
      queue.publish(LitmusQueue.SMALL);
    }

    @Actor
    public void subscriber(I_Result result) {
      Meeting.spinUntil(() -> queue.hasPublished(position));
      result.r1 = queue.read();
    }

    @Arbiter
    public void afterwards() {
      queue.drain();
      QUEUES.giveBack(queue);
    }
  }

  /** Two messages that are published at once. */
  @JCStressTest
  @Description("[published] what was staged is seen with the next publish, all of it or nothing")
  @Outcome(id = "0", expect = ACCEPTABLE, desc = "not published yet")
  @Outcome(id = "2", expect = ACCEPTABLE, desc = "both published, and whole")
  @Outcome(expect = FORBIDDEN, desc = "one without the other, or torn")
  @State
  public static class Staged {
    private static final Pool<LitmusQueue> QUEUES = new Pool<>(() -> new LitmusQueue(SubscriberOptions.block()));

    private final LitmusQueue queue = QUEUES.take();
    private final long position = queue.ring.published();

    @Actor
    public void publisher() {
      queue.stage(LitmusQueue.SMALL);
      queue.stage(LitmusQueue.SMALL);
      queue.publisher.publish();
    }

    @Actor
    public void subscriber(I_Result result) {
      Meeting.spinUntil(() -> queue.hasPublished(position));
      result.r1 = queue.readTwo();
    }

    @Arbiter
    public void afterwards() {
      queue.drain();
      QUEUES.giveBack(queue);
    }
  }

  /** A reader of copies. */
  @JCStressTest
  @Description("[published] who sees the position sees the record before it, in a copy")
  @Outcome(id = "0", expect = ACCEPTABLE, desc = "not published yet")
  @Outcome(id = "1", expect = ACCEPTABLE, desc = "published, and whole")
  @Outcome(expect = FORBIDDEN, desc = "published before it was written")
  @State
  public static class Copy {
    private static final Pool<LitmusQueue> QUEUES = new Pool<>(() -> new LitmusQueue(SubscriberOptions.skip()));

    private final LitmusQueue queue = QUEUES.take();
    private final long position = queue.ring.published();

    @Actor
    public void publisher() {
      queue.publish(LitmusQueue.SMALL);
    }

    @Actor
    public void subscriber(I_Result result) {
      Meeting.spinUntil(() -> queue.hasPublished(position));
      result.r1 = queue.read();
    }

    @Arbiter
    public void afterwards() {
      queue.drain();
      QUEUES.giveBack(queue);
    }
  }
}
