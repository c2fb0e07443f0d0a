package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.BroadcastLayout.ROLE_POSITION;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.bywash.engine.Claim;
import io.bywash.engine.internal.role.RoleHandle;
import io.bywash.engine.litmus.Meeting;
import io.bywash.engine.litmus.Pool;
import java.util.concurrent.TimeUnit;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * A subscriber joins at the oldest message, while {@link Publisher} gives up that very message: both store, both
 * look, and one of them has to see the other.
 */
public final class JoinLitmus {
  private JoinLitmus() {}

  /** The two looks themselves, as close as can be. */
  @JCStressTest
  @Description("[join] the publisher sees the role, or the subscriber sees what was given up")
  @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "the publisher overwrites; the subscriber knows")
  @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "the publisher waits for the subscriber")
  @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "both saw each other: it waits, and the subscriber moves on")
  @Outcome(id = "1, 0", expect = FORBIDDEN, desc = "the publisher overwrites where the subscriber is going to read")
  @Outcome(expect = FORBIDDEN)
  @State
  public static class Looks {
    private static final Pool<LitmusQueue> QUEUES = new Pool<>(JoinLitmus::fullQueue);

    private final Meeting meeting = new Meeting();
    private final LitmusQueue queue = QUEUES.take();
    private final RoleHandle role =
        RoleHandle.tryTake(queue.reading, BroadcastLayout.FIRST_SUBSCRIBER_ROLE, BroadcastLayout.MODE_BLOCK);
    private final long position = queue.ring.oldest();
    private Claim claim;

    public Looks() {
      role.exit(); // of taking it, which makes it inside an operation
      queue.reading.region().setLongRelease(role.offset() + ROLE_POSITION, position);
    }

    @Actor
    public void publisher(II_Result result) {
      meeting.meet();
      claim = queue.publisher.tryClaim(LitmusQueue.LARGE);
      result.r1 = claim != null ? 1 : 0;
    }

    @Actor
    public void subscriber(II_Result result) {
      meeting.meetAndWait(200);
      role.activate();
      result.r2 = queue.ring.oldest() > position ? 1 : 0;
    }

    @Arbiter
    public void afterwards() {
      if (claim != null) {
        claim.abort();
      }
      role.close();
      queue.fillRing(1, LitmusQueue.LARGE);
      QUEUES.giveBack(queue);
    }
  }

  /** The whole of joining, and reading the first message. */
  @JCStressTest
  @Description("[join] the publisher waits for whoever joined at the oldest message: all of Subscriber.open")
  @Outcome(id = "1, 1, 1", expect = ACCEPTABLE, desc = "the publisher overwrites; the subscriber begins behind that")
  @Outcome(id = "0, 0, 1", expect = ACCEPTABLE, desc = "the publisher waits for the subscriber")
  @Outcome(id = "0, 1, 1", expect = ACCEPTABLE, desc = "both saw each other: it waits, and the subscriber moves on")
  @Outcome(id = "1, 0, .*", expect = FORBIDDEN, desc = "the publisher overwrites what the subscriber is going to read")
  @Outcome(expect = FORBIDDEN, desc = "the first message is not whole")
  @State
  public static class Open {
    private static final SubscriberOptions[] AT_OLDEST = {SubscriberOptions.block().startingAtOldest(),
        SubscriberOptions.evictAfter(TimeUnit.HOURS.toNanos(1)).startingAtOldest()};
    private static final Pool<LitmusQueue> QUEUES = new Pool<>(JoinLitmus::fullQueue);

    private final Meeting meeting = new Meeting();
    private final LitmusQueue queue = QUEUES.take();
    private final long oldestSequence = queue.publisher.nextSequence() - LitmusQueue.LARGE_COUNT;
    private final SubscriberOptions options = AT_OLDEST[(int) oldestSequence & 1];

    @Actor
    public void publisher(III_Result result) {
      meeting.meetAndWait(1_000);
      result.r1 = queue.publish(LitmusQueue.LARGE) ? 1 : 0;
    }

    @Actor
    public void subscriber(III_Result result) {
      meeting.meet();
      queue.join(options);
      result.r2 = (int) (queue.subscriber.nextSequence() - oldestSequence);
    }

    @Arbiter
    public void afterwards(III_Result result) {
      result.r3 = queue.read();
      queue.leave();
      queue.fillRing(1, LitmusQueue.LARGE);
      QUEUES.giveBack(queue);
    }
  }

  private static LitmusQueue fullQueue() {
    LitmusQueue queue = new LitmusQueue();
    queue.fillRing(LitmusQueue.LARGE_COUNT, LitmusQueue.LARGE);
    return queue;
  }
}
