package io.bywash.engine.broadcast;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.bywash.engine.RoleTakenException;
import io.bywash.engine.SegmentClosedException;
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

/** A role is revoked by one thread while another one is in the middle of using it. */
public final class RevokeLitmus {
  private RevokeLitmus() {}

  /** {@link Publisher#revoke} against a stream; whoever revokes publishes next. */
  @JCStressTest
  @Description("[inside] [role-free] two publishers never write at once: what the revoked one said it sent is there,"
      + " and its successor goes on behind")
  @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "what was said to be sent arrived; the publisher met the end")
  @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "what was said to be sent arrived; the end came later")
  @Outcome(expect = FORBIDDEN, desc = "messages went astray")
  @State
  public static class Writer {
    /** Fewer than fill the ring. */
    private static final int MESSAGES = 200;
    private static final Pool<LitmusQueue> QUEUES = new Pool<>(LitmusQueue::new);

    private final Meeting meeting = new Meeting();
    private final LitmusQueue queue = QUEUES.take();
    private final long before = queue.publisher.nextSequence();
    private final Publisher revoked = queue.publisher;
    private int sent;

    @Actor
    public void publisher(II_Result result) {
      meeting.meet();
      byte[] message = new byte[1];
      try {
        for (int i = 0; i < MESSAGES; i++) {
          if (revoked.offer(message)) {
            sent++;
          }
        }
      } catch (SegmentClosedException told) {
        result.r2 = 1;
      }
    }

    @Actor
    public void revoker() {
      meeting.meetAndWait(20_000);
      revoked.revoke();
      Publisher next = null;
      while (next == null) {
        try {
          next = Publisher.open(queue.reading);
        } catch (RoleTakenException quarantined) {
          Thread.onSpinWait();
        }
      }
      next.offer(new byte[1]);
      next.close();
    }

    @Arbiter
    public void afterwards(II_Result result) {
      queue.publisher = Publisher.open(queue.writing);
      result.r1 = (int) (queue.publisher.nextSequence() - before) - sent - 1;
      QUEUES.giveBack(queue);
    }
  }

  /** {@link Subscriber#revoke} against a read of the oldest message, which is overwritten as soon as that may be. */
  @JCStressTest
  @Description("[revoked] who reads what was overwritten after its role was revoked finds that it was")
  @Outcome(id = "1", expect = ACCEPTABLE, desc = "the oldest message, whole")
  @Outcome(id = "-1", expect = ACCEPTABLE, desc = "revoked, and told so")
  @Outcome(id = "0", expect = ACCEPTABLE, desc = "revoked as it began: nothing is handed over, the next call is told")
  @Outcome(expect = FORBIDDEN, desc = "torn, or taken for damage")
  @State
  public static class Reader {
    private static final SubscriberOptions PATIENT = SubscriberOptions.evictAfter(Long.MAX_VALUE).startingAtOldest();
    private static final Pool<LitmusQueue> QUEUES = new Pool<>(() -> {
      LitmusQueue queue = new LitmusQueue();
      queue.fillRing(LitmusQueue.LARGE_COUNT, LitmusQueue.LARGE);
      return queue;
    });

    private final Meeting meeting = new Meeting();
    private final LitmusQueue queue = QUEUES.take();

    public Reader() {
      queue.join(PATIENT);
      if (queue.publish(LitmusQueue.LARGE)) {
        throw new IllegalStateException("the publisher did not wait for a subscriber in its way");
      }
    }

    @Actor
    public void revokerAndPublisher() {
      meeting.meetAndWait(200);
      queue.subscriber.revoke();
      queue.publish(LitmusQueue.LARGE);
    }

    @Actor
    public void subscriber(I_Result result) {
      meeting.meet();
      try {
        result.r1 = queue.read();
      } catch (SegmentClosedException told) {
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
