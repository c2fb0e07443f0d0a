package io.bywash.engine.ring;

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
import org.openjdk.jcstress.infra.results.II_Result;

/** The words of a ring: {@link RingWriter} pushes, {@link RingPopper} pops, {@link RingView} looks. */
public final class RingLitmus {
  /** Up to so much later one side begins. */
  private static final int DELAY_NANOS = 300;

  private RingLitmus() {}

  /** One element, popped as soon as the tail is seen. */
  @JCStressTest
  @Description("[tail] who sees the tail sees the element before it")
  @Outcome(id = "0", expect = ACCEPTABLE, desc = "not pushed yet")
  @Outcome(id = "1", expect = ACCEPTABLE, desc = "pushed, and whole")
  @Outcome(expect = FORBIDDEN, desc = "pushed before it was written")
  @State
  public static class Pushed {
    private static final Pool<LitmusRing> RINGS = new Pool<>(LitmusRing::new);

    private final LitmusRing ring = RINGS.take();
    private final long tail = ring.tail();

    @Actor
    public void writer() {
      ring.push(1);
    }

    @Actor
    public void popper(I_Result result) {
      Meeting.spinUntil(() -> ring.tail() != tail);
      result.r1 = ring.pop(1);
    }

    @Arbiter
    public void afterwards() {
      ring.drain();
      RINGS.giveBack(ring);
    }
  }

  /** A full ring: the writer fills it again, as soon as there is room, over elements that were just popped. */
  @JCStressTest
  @Description("[head] elements are read to their end before they are overwritten")
  @Outcome(id = "16, 0", expect = ACCEPTABLE, desc = "read whole; the writer found no room")
  @Outcome(id = "16, 16", expect = ACCEPTABLE, desc = "read whole; the writer overwrote some of them afterwards")
  @Outcome(expect = FORBIDDEN, desc = "overwritten while they were read")
  @State
  public static class Popped {
    private static final Pool<LitmusRing> RINGS = new Pool<>(() -> {
      LitmusRing ring = new LitmusRing();
      ring.overwrite(LitmusRing.CAPACITY);
      return ring;
    });

    private final LitmusRing ring = RINGS.take();
    private final long head = ring.head();

    @Actor
    public void popper(II_Result result) {
      result.r1 = ring.pop(LitmusRing.CAPACITY);
    }

    @Actor
    public void writer(II_Result result) {
      Meeting.spinUntil(() -> ring.head() != head);
      result.r2 = ring.push(LitmusRing.CAPACITY);
    }

    @Arbiter
    public void afterwards() {
      ring.drain();
      ring.push(LitmusRing.CAPACITY);
      RINGS.giveBack(ring);
    }
  }

  /** A full ring, all of which is overwritten while it is popped. */
  @JCStressTest
  @Description("[intent] what was popped is whole though it was being overwritten, and what is lost is counted")
  @Outcome(id = "-1", expect = FORBIDDEN, desc = "torn, out of order, or lost without being counted")
  @Outcome(expect = ACCEPTABLE, desc = "all of it, or what was not overwritten")
  @State
  public static class Overwritten {
    private static final Pool<LitmusRing> RINGS = new Pool<>(() -> {
      LitmusRing ring = new LitmusRing();
      ring.overwrite(LitmusRing.CAPACITY);
      return ring;
    });

    private final Meeting meeting = new Meeting();
    private final LitmusRing ring = RINGS.take();

    @Actor
    public void writer() {
      meeting.meetAndWait(DELAY_NANOS);
      ring.overwrite(LitmusRing.PLACES);
    }

    @Actor
    public void popper(I_Result result) {
      meeting.meet();
      result.r1 = ring.pop(LitmusRing.CAPACITY);
    }

    @Arbiter
    public void afterwards() {
      ring.drain();
      ring.push(LitmusRing.CAPACITY);
      RINGS.giveBack(ring);
    }
  }

  /** The same for one who only looks. */
  @JCStressTest
  @Description("[intent] the newest elements are whole and in order though they are being overwritten")
  @Outcome(id = "-1", expect = FORBIDDEN, desc = "torn, or out of order")
  @Outcome(expect = ACCEPTABLE, desc = "whole")
  @State
  public static class Looked {
    private static final Pool<LitmusRing> RINGS = new Pool<>(() -> {
      LitmusRing ring = new LitmusRing();
      ring.overwrite(LitmusRing.CAPACITY);
      return ring;
    });

    private final Meeting meeting = new Meeting();
    private final LitmusRing ring = RINGS.take();

    @Actor
    public void writer() {
      meeting.meetAndWait(DELAY_NANOS);
      ring.overwrite(LitmusRing.PLACES);
    }

    @Actor
    public void view(I_Result result) {
      meeting.meet();
      result.r1 = ring.look();
    }

    @Arbiter
    public void afterwards() {
      RINGS.giveBack(ring);
    }
  }

  /** The popper loses one element of each two that it passes. */
  @JCStressTest
  @Description("[lost] the head and the count of lost elements that are read belong together")
  @Outcome(id = "1", expect = ACCEPTABLE, desc = "they do")
  @Outcome(expect = FORBIDDEN, desc = "the count belongs to another head")
  @State
  public static class Lost {
    private static final int MOVES = 4;
    private static final Pool<LitmusRing> RINGS = new Pool<>(LitmusRing::new);

    private final Meeting meeting = new Meeting();
    private final LitmusRing ring = RINGS.take();

    @Actor
    public void popper() {
      meeting.meetAndWait(100);
      Elements.Head head = ring.elements.readHead();
      for (int i = 0; i < MOVES; i++) {
        head = ring.elements.moveHead(head, head.position() + 2, head.lost() + 1);
      }
    }

    @Actor
    public void reader(I_Result result) {
      meeting.meet();
      Elements.Head head = ring.elements.readHead();
      result.r1 = head.position() == 2 * head.lost() ? 1 : 0;
    }

    @Arbiter
    public void afterwards() {
      RINGS.giveBack(ring);
    }
  }
}
