package io.bywash.engine.queue;

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
import org.openjdk.jcstress.infra.results.I_Result;

/** The message in the slot of a cell: {@link Producer} sends, {@link Consumer} takes. */
public final class CellLitmus {
  private CellLitmus() {}

  /** One message. */
  @JCStressTest
  @Description("[cell] who takes a message sees all of it")
  @Outcome(id = "0", expect = ACCEPTABLE, desc = "not sent yet")
  @Outcome(id = "1", expect = ACCEPTABLE, desc = "sent, and whole")
  @Outcome(expect = FORBIDDEN, desc = "sent before it was written")
  @State
  public static class Sent {
    private static final Pool<LitmusJobs> QUEUES = new Pool<>(() -> new LitmusJobs(2));

    private final LitmusJobs queue = QUEUES.take();
    private final long position = queue.cells.tail();
    private final int index = queue.cells.index(position);
    private final long step = queue.step(index);

    @Actor
    public void producer() {
      queue.send();
    }

    @Actor
    public void consumer(I_Result result) {
      Meeting.spinUntil(() -> queue.step(index) != step);
      result.r1 = queue.take(1);
    }

    @Arbiter
    public void afterwards() {
      queue.drain();
      QUEUES.giveBack(queue);
    }
  }

  /** A queue of one: each slot is used again at once. */
  @JCStressTest
  @Description("[cell] a slot is written again only after its message was read")
  @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "both were whole")
  @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "the second had not been sent")
  @Outcome(expect = FORBIDDEN, desc = "a message was written over while it was read")
  @State
  public static class UsedAgain {
    private static final Pool<LitmusJobs> QUEUES = new Pool<>(() -> new LitmusJobs(1));

    private final LitmusJobs queue = QUEUES.take();

    public UsedAgain() {
      queue.send();
    }

    @Actor
    public void producer() {
      for (int i = 0; i < 3; i++) {
        queue.send();
      }
    }

    @Actor
    public void consumer(II_Result result) {
      result.r1 = queue.take(1);
      result.r2 = queue.take(1);
    }

    @Arbiter
    public void afterwards() {
      queue.drain();
      QUEUES.giveBack(queue);
    }
  }

  /** A queue of one, and somebody who only looks: {@link QueueView}. */
  @JCStressTest
  @Description("[cell] who looks at a message without taking it sees all of it, or nothing")
  @Outcome(id = "0", expect = ACCEPTABLE, desc = "there was none, or it was taken meanwhile")
  @Outcome(id = "1", expect = ACCEPTABLE, desc = "it was whole")
  @Outcome(expect = FORBIDDEN, desc = "another message was written there meanwhile")
  @State
  public static class Peeked {
    private static final Pool<LitmusJobs> QUEUES = new Pool<>(() -> new LitmusJobs(1));

    private final LitmusJobs queue = QUEUES.take();

    public Peeked() {
      queue.send();
    }

    @Actor
    public void users() {
      for (int i = 0; i < 3; i++) {
        queue.take(1);
        queue.send();
      }
    }

    @Actor
    public void viewer(I_Result result) {
      result.r1 = queue.peek();
    }

    @Arbiter
    public void afterwards() {
      queue.drain();
      QUEUES.giveBack(queue);
    }
  }
}
