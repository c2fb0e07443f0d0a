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
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * The position of a reader in place holds the publisher back: the ring is full, {@link Subscriber} reads the oldest
 * message, and {@link Publisher} overwrites it as soon as it may.
 */
@JCStressTest
@Description("[position] a message is read to its end before it is overwritten")
@Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "read whole; the publisher found no room")
@Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "read whole; the publisher overwrote it afterwards")
@Outcome(expect = FORBIDDEN, desc = "overwritten while it was read")
@State
public class PositionLitmus {
  private static final Pool<LitmusQueue> QUEUES = new Pool<>(() -> {
    LitmusQueue queue = new LitmusQueue(SubscriberOptions.block());
    queue.fillRing(LitmusQueue.LARGE_COUNT, LitmusQueue.LARGE);
    return queue;
  });

  private final LitmusQueue queue = QUEUES.take();
  private final long position = queue.sharedPosition();

  @Actor
  public void subscriber(II_Result result) {
    result.r1 = queue.read();
  }

  @Actor
  public void publisher(II_Result result) {
    Meeting.spinUntil(() -> queue.sharedPosition() != position);
    result.r2 = queue.publish(LitmusQueue.LARGE) ? 1 : 0;
  }

  @Arbiter
  public void afterwards() {
    queue.drain();
    queue.fillRing(LitmusQueue.LARGE_COUNT, LitmusQueue.LARGE);
    QUEUES.giveBack(queue);
  }
}
