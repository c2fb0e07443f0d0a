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

/** Somebody repairs the role of a dead one while others exchange the slots that it is about. */
public final class RepairLitmus {
  /** Up to so much later one side begins: a repair takes longer than an exchange. */
  private static final int DELAY_NANOS = 2_000;

  private RepairLitmus() {}

  /** The slot of the dead one is in a cell, and is taken out; its taker goes on to other exchanges. */
  @JCStressTest
  @Description("[cell] [at] [want] an exchange that happened is found, wherever the slot has gone")
  @Outcome(id = "1", expect = ACCEPTABLE, desc = "the role owns what it took out")
  @Outcome(expect = FORBIDDEN, desc = "the role owns the slot that it has given away")
  @State
  public static class Happened {
    private static final Pool<LitmusJobs> QUEUES = new Pool<>(() -> new LitmusJobs(2));

    private final Meeting meeting = new Meeting();
    private final LitmusJobs queue = QUEUES.take();
    private final LitmusJobs.Dead dead = queue.new Dead(true);

    public Happened() {
      queue.send();
    }

    @Actor
    public void others() {
      meeting.meetAndWait(DELAY_NANOS);
      queue.take(1);
      queue.take(1);
      queue.send();
      queue.take(1);
    }

    @Actor
    public void repairer(I_Result result) {
      meeting.meet();
      result.r1 = dead.repair() == dead.after ? 1 : 0;
    }

    @Arbiter
    public void afterwards() {
      dead.end();
      queue.drain();
      QUEUES.giveBack(queue);
    }
  }

  /** The dead one did not come to its exchange; another one sends there, whose slot is taken out. */
  @JCStressTest
  @Description("[cell] [at] [want] an exchange that did not happen is not found")
  @Outcome(id = "1", expect = ACCEPTABLE, desc = "the role owns what it had")
  @Outcome(expect = FORBIDDEN, desc = "the role owns a slot that it did not take out")
  @State
  public static class NotHappened {
    private static final Pool<LitmusJobs> QUEUES = new Pool<>(() -> new LitmusJobs(2));

    private final Meeting meeting = new Meeting();
    private final LitmusJobs queue = QUEUES.take();
    private final LitmusJobs.Dead dead = queue.new Dead(false);

    @Actor
    public void others() {
      meeting.meetAndWait(DELAY_NANOS);
      queue.send();
      queue.take(1);
      queue.send();
      queue.take(1);
    }

    @Actor
    public void repairer(I_Result result) {
      meeting.meet();
      result.r1 = dead.repair() == dead.before ? 1 : 0;
    }

    @Arbiter
    public void afterwards() {
      dead.end();
      queue.drain();
      QUEUES.giveBack(queue);
    }
  }

  /** One that was taken for dead acknowledges what it holds while its role is taken over. */
  @JCStressTest
  @Description("[mine] of one that was taken for dead and its successor only one has the message")
  @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "it was acknowledged, and the successor found nothing")
  @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "the successor has it, and the other one was told")
  @Outcome(expect = FORBIDDEN, desc = "both have it, or nobody")
  @State
  public static class TakenForDead {
    private static final Pool<LitmusJobs> QUEUES = new Pool<>(() -> new LitmusJobs(2));

    private final Meeting meeting = new Meeting();
    private final LitmusJobs queue = QUEUES.take();
    private final Place place;
    private final LitmusJobs.Taken taken;

    public TakenForDead() {
      queue.send();
      place = Place.take(queue.cells, QueueLayout.MODE_CONSUMER);
      place.exchanger().take();
      taken = queue.new Taken(place);
    }

    @Actor
    public void former(II_Result result) {
      meeting.meetAndWait(DELAY_NANOS);
      result.r1 = taken.acknowledge() ? 1 : 0;
    }

    @Actor
    public void successor(II_Result result) {
      meeting.meet();
      result.r2 = taken.takeOver() ? 1 : 0;
    }

    @Arbiter
    public void afterwards() {
      taken.end();
      queue.drain();
      QUEUES.giveBack(queue);
    }
  }

  /** One consumer is closed with a message in flight; another one looks. */
  @JCStressTest
  @Description("[left] who looks as somebody leaves a message finds it then, or at its next look")
  @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "then, or before the other one took it")
  @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "at the next look")
  @Outcome(expect = FORBIDDEN, desc = "never, or twice")
  @State
  public static class Left {
    private static final Pool<LitmusJobs> QUEUES = new Pool<>(() -> new LitmusJobs(2));

    private final Meeting meeting = new Meeting();
    private final LitmusJobs queue = QUEUES.take();
    private final Consumer closing = Consumer.open(queue.sending);

    public Left() {
      queue.drain(); // has looked
    }

    @Actor
    public void closer() {
      queue.send();
      closing.take(); // by the thread that closes it: others leave it to that one
      meeting.meet();
      closing.close();
    }

    @Actor
    public void consumer(II_Result result) {
      meeting.meetAndWait(DELAY_NANOS);
      result.r1 = queue.take(1);
    }

    @Arbiter
    public void afterwards(II_Result result) {
      closing.close(); // where the actors did not run
      result.r2 = queue.take(1);
      queue.drain();
      QUEUES.giveBack(queue);
    }
  }
}
