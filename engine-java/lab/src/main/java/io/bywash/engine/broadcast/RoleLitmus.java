package io.bywash.engine.broadcast;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.bywash.engine.RoleTakenException;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.litmus.Meeting;
import io.bywash.engine.litmus.Pool;
import io.bywash.engine.wait.Waitable;
import java.util.List;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/** Taking and giving back roles. */
public final class RoleLitmus {
  private RoleLitmus() {}

  /** {@link Subscriber} joins at the oldest message of a full ring, {@link BroadcastStatus} looks at its lag. */
  @JCStressTest
  @Description("[role-active] who sees a role active sees its holder's position, not that of an earlier one")
  @Outcome(id = "-1", expect = ACCEPTABLE, desc = "not active yet")
  @Outcome(id = "8", expect = ACCEPTABLE, desc = "active, and where it said")
  @Outcome(expect = FORBIDDEN, desc = "active with the position of an earlier holder")
  @State
  public static class Active {
    private static final SubscriberOptions AT_OLDEST = SubscriberOptions.block().startingAtOldest();
    private static final Pool<LitmusQueue> QUEUES = new Pool<>(() -> {
      LitmusQueue queue = new LitmusQueue();
      queue.fillRing(LitmusQueue.LARGE_COUNT, LitmusQueue.LARGE);
      return queue;
    });

    private final Meeting meeting = new Meeting();
    private final LitmusQueue queue = QUEUES.take();

    @Actor
    public void subscriber() {
      meeting.meet();
      queue.join(AT_OLDEST);
    }

    @Actor
    public void observer(I_Result result) {
      meeting.meetAndWait(600);
      List<BroadcastStatus.SubscriberStatus> subscribers = BroadcastStatus.of(queue.writing).subscribers();
      result.r1 = subscribers.isEmpty() ? -1 : (int) subscribers.getFirst().lagMessages();
    }

    @Arbiter
    public void afterwards() {
      queue.drain(); // leaves another position behind
      queue.subscriber.close();
      queue.fillRing(1, LitmusQueue.LARGE);
      QUEUES.giveBack(queue);
    }
  }

  /** One {@link Publisher} publishes and leaves, the next one takes over. */
  @JCStressTest
  @Description("[role-free] who takes a role goes on where its last holder stopped")
  @Outcome(id = "-1", expect = ACCEPTABLE, desc = "not given back yet")
  @Outcome(id = "1", expect = ACCEPTABLE, desc = "taken behind the last message")
  @Outcome(expect = FORBIDDEN, desc = "taken, and the last message is unknown")
  @State
  public static class Free {
    private static final Pool<LitmusQueue> QUEUES = new Pool<>(LitmusQueue::new);

    private final LitmusQueue queue = QUEUES.take();
    private final long before = queue.publisher.nextSequence();
    private Publisher next;

    @Actor
    public void publisher() {
      queue.publish(LitmusQueue.SMALL);
      queue.publisher.close();
    }

    @Actor
    public void nextPublisher(I_Result result) {
      Meeting.spinUntil(() -> queue.roleState(BroadcastLayout.PUBLISHER_ROLE) == SegmentLayout.ROLE_FREE);
      try {
        next = Publisher.open(queue.reading);
        result.r1 = (int) (next.nextSequence() - before);
      } catch (RoleTakenException taken) {
        result.r1 = -1;
      }
    }

    @Arbiter
    public void afterwards() {
      if (next != null) {
        next.close();
      }
      queue.publisher = Publisher.open(queue.writing);
      QUEUES.giveBack(queue);
    }
  }

  /** One {@link Publisher} publishes and leaves, {@link Subscriber#publisherGone} tells its reader. */
  @JCStressTest
  @Description("[role-free] who finds that the publisher has gone can read all that it committed")
  @Outcome(id = "-1", expect = ACCEPTABLE, desc = "not gone yet")
  @Outcome(id = "1", expect = ACCEPTABLE, desc = "gone, and its last message is there")
  @Outcome(expect = FORBIDDEN, desc = "gone, and its last message is not there, or torn")
  @State
  public static class Gone {
    private static final Pool<LitmusQueue> QUEUES = new Pool<>(() -> new LitmusQueue(SubscriberOptions.block()));

    private final LitmusQueue queue = QUEUES.take();
    private final Waitable gone = queue.subscriber.publisherGone();

    @Actor
    public void publisher() {
      queue.publish(LitmusQueue.SMALL);
      queue.publisher.close();
    }

    @Actor
    public void reader(I_Result result) {
      Meeting.spinUntil(() -> queue.roleState(BroadcastLayout.PUBLISHER_ROLE) == SegmentLayout.ROLE_FREE);
      result.r1 = gone.isReady() ? queue.read() : -1;
    }

    @Arbiter
    public void afterwards() {
      queue.drain();
      queue.publisher = Publisher.open(queue.writing);
      QUEUES.giveBack(queue);
    }
  }
}
