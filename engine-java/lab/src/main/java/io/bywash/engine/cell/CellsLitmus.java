package io.bywash.engine.cell;

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
import org.openjdk.jcstress.infra.results.JJ_Result;

/** Values of one word, elements of several, and latest values, each written and read at the same time. */
public final class CellsLitmus {
  private static final Pool<LitmusCells> CELLS = new Pool<>(LitmusCells::new);

  private CellsLitmus() {}

  /** A word that has no ordering of its own, and an atomic one. */
  @JCStressTest
  @Description("[atomic] who sees a value sees what its writer wrote before it")
  @Outcome(id = {"0, 0", "0, 1", "1, 1"}, expect = ACCEPTABLE, desc = "not set yet, or all of it")
  @Outcome(expect = FORBIDDEN, desc = "set before what came before it")
  @State
  public static class Set {
    private final LitmusCells cells = CELLS.take();

    @Actor
    public void writer() {
      cells.writePlain(1);
      cells.first.set(1);
    }

    @Actor
    public void reader(JJ_Result result) {
      Meeting.spinUntil(() -> cells.firstElsewhere.get() != 0);
      result.r1 = cells.firstElsewhere.get();
      result.r2 = cells.readPlain();
    }

    @Arbiter
    public void afterwards() {
      cells.clear();
      CELLS.giveBack(cells);
    }
  }

  /** Each sets one value, and reads the other one. */
  @JCStressTest
  @Description("[atomic] all see one order of all sets")
  @Outcome(id = {"0, 1", "1, 0", "1, 1"}, expect = ACCEPTABLE, desc = "one came first")
  @Outcome(expect = FORBIDDEN, desc = "each came before the other")
  @State
  public static class Order {
    private final Meeting meeting = new Meeting();
    private final LitmusCells cells = CELLS.take();

    @Actor
    public void one(JJ_Result result) {
      meeting.meet();
      cells.first.set(1);
      result.r1 = cells.second.get();
    }

    @Actor
    public void other(JJ_Result result) {
      meeting.meet();
      cells.secondElsewhere.set(1);
      result.r2 = cells.firstElsewhere.get();
    }

    @Arbiter
    public void afterwards() {
      cells.clear();
      CELLS.giveBack(cells);
    }
  }

  /** A word that has no ordering of its own, and an element of an array of numbers. */
  @JCStressTest
  @Description("[number] who sees an element sees what its writer wrote before it")
  @Outcome(id = {"0, 0", "0, 1", "1, 1"}, expect = ACCEPTABLE, desc = "not set yet, or all of it")
  @Outcome(expect = FORBIDDEN, desc = "set before what came before it")
  @State
  public static class Number {
    private final LitmusCells cells = CELLS.take();

    @Actor
    public void writer() {
      cells.writePlain(1);
      cells.numbers.setLong(0, 1);
    }

    @Actor
    public void reader(JJ_Result result) {
      Meeting.spinUntil(() -> cells.numbersElsewhere.getLong(0) != 0);
      result.r1 = cells.numbersElsewhere.getLong(0);
      result.r2 = cells.readPlain();
    }

    @Arbiter
    public void afterwards() {
      cells.clear();
      CELLS.giveBack(cells);
    }
  }

  /** Each of the two copies is written again while an element is read. */
  @JCStressTest
  @Description("[element] an element is whole, though its copies are written again and again")
  @Outcome(id = {"0, 0", "0, 1", "1, 0", "1, 1"}, expect = ACCEPTABLE, desc = "whole, or set too often meanwhile")
  @Outcome(expect = FORBIDDEN, desc = "torn")
  @State
  public static class SetAgain {
    private final Meeting meeting = new Meeting();
    private final LitmusCells cells = CELLS.take();

    @Actor
    public void setter() {
      meeting.meet();
      for (int i = 0; i < 6; i++) {
        cells.setElement();
      }
    }

    @Actor
    public void getter(II_Result result) {
      meeting.meetAndWait(300);
      result.r1 = cells.getElement();
      result.r2 = cells.getElement();
    }

    @Arbiter
    public void afterwards() {
      CELLS.giveBack(cells);
    }
  }

  /** One value is set and read at once. */
  @JCStressTest
  @Description("[latest] who finds a value sees all of it")
  @Outcome(id = {"0", "1"}, expect = ACCEPTABLE, desc = "none yet, or whole")
  @Outcome(expect = FORBIDDEN, desc = "torn")
  @State
  public static class Found {
    private final LitmusCells cells = CELLS.take();

    @Actor
    public void writer() {
      cells.setLatest();
    }

    @Actor
    public void reader(I_Result result) {
      Meeting.spinUntil(() -> cells.reader.isReady());
      result.r1 = cells.getLatest();
    }

    @Arbiter
    public void afterwards() {
      CELLS.giveBack(cells);
    }
  }

  /** Each of the four buffers is written again while a value is read. */
  @JCStressTest
  @Description("[stamp] a value is whole, though its buffer is written again")
  @Outcome(id = {"0, 0", "0, 1", "1, 0", "1, 1"}, expect = ACCEPTABLE, desc = "whole, or replaced too often meanwhile")
  @Outcome(expect = FORBIDDEN, desc = "torn")
  @State
  public static class BufferUsedAgain {
    private final Meeting meeting = new Meeting();
    private final LitmusCells cells = CELLS.take();

    @Actor
    public void writer() {
      meeting.meet();
      for (int i = 0; i < 12; i++) {
        cells.setLatest();
      }
    }

    @Actor
    public void reader(II_Result result) {
      meeting.meetAndWait(300);
      result.r1 = cells.getLatest();
      result.r2 = cells.getLatest();
    }

    @Arbiter
    public void afterwards() {
      CELLS.giveBack(cells);
    }
  }
}
