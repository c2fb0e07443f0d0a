package io.bywash.engine.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.ring.RingScene.Marks;
import io.bywash.engine.subject.DeathSubject;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** The living look at a ring in which somebody died. */
final class RingAutopsy implements DeathSubject.Examination {
  private final Marks marks;

  RingAutopsy(Marks marks) {
    this.marks = marks;
  }

  @Override
  public void observe(Entry entry) {
    RingStatus status = RingStatus.of(entry);
    assertTrue(status.pushedCount() >= marks.pushed() && status.pushedCount() <= marks.pushing(), status + " " + marks);
    assertTrue(status.poppedCount() >= marks.popped() && status.poppedCount() <= marks.popping(), status + " " + marks);
    observeNewest(entry);
  }

  /** The newest elements are there, whole, popped or not. */
  private static void observeNewest(Entry entry) {
    RingView view = RingView.of(entry);
    int capacity = (int) entry.capacity();
    MemorySegment elements = Samples.room(capacity);
    int due = (int) Math.min(view.pushedCount(), capacity);
    assertEquals(due, view.lastN(elements, 0, capacity));
    Samples.check(elements, due, view.pushedCount() - due);
  }

  @Override
  public void use(Entry entry) {
    work(entry);
  }

  @Override
  public void useAdded(Entry added) {
    work(added);
  }

  static void work(Entry entry) {
    try (RingWriter writer = RingWriter.open(entry); RingPopper popper = RingPopper.open(entry)) {
      work(entry, writer, popper);
    }
  }

  /** What is there is popped once and in order; then both kinds of pushes do what they should. */
  private static void work(Entry entry, RingWriter writer, RingPopper popper) {
    int capacity = (int) entry.capacity();
    drain(entry, popper);
    for (int round = 0; round < 4; round++) {
      assertEquals(capacity, push(writer, capacity + 1), "gated");
      assertEquals(Math.min(capacity, 2), pop(popper, 2));
      long lost = popper.lostCount();
      overwrite(writer, capacity + round);
      drain(entry, popper);
      assertEquals(Math.max(capacity - 2, 0) + round, popper.lostCount() - lost, "lost in round " + round);
    }
    observeNewest(entry);
  }

  private static int push(RingWriter writer, int count) {
    return writer.pushBulk(Samples.of(writer.pushedCount(), count), 0, count, 0);
  }

  private static void overwrite(RingWriter writer, int count) {
    writer.pushBulkOverwrite(Samples.of(writer.pushedCount(), count), 0, count);
  }

  /** Pops elements that have the numbers behind those that were popped or lost; how many. */
  private static int pop(RingPopper popper, int limit) {
    MemorySegment elements = Samples.room(limit);
    int count = popper.popBulk(elements, 0, limit, 0);
    Samples.check(elements, count, popper.poppedCount() + popper.lostCount() - count);
    return count;
  }

  private static void drain(Entry entry, RingPopper popper) {
    RingStatus before = RingStatus.of(entry);
    long popped = popper.poppedCount();
    while (pop(popper, 3) > 0) {
      // there may be more
    }
    assertEquals(before.readyCount(), popper.poppedCount() - popped, "what was ready came");
    assertEquals(before.lostCount(), popper.lostCount(), "what was dropped was counted");
    assertEquals(before.pushedCount(), popper.poppedCount() + popper.lostCount());
  }

  /** Who observes beside those who die; the roles are theirs. */
  static final class Companion implements DeathSubject.Companion {
    private final Entry entry;

    Companion(Entry entry) {
      this.entry = entry;
    }

    @Override
    public void live() {
      RingStatus.of(entry);
      observeWhileItChanges();
    }

    private void observeWhileItChanges() {
      MemorySegment elements = Samples.room(RingScene.CAPACITY);
      int count = RingView.of(entry).lastN(elements, 0, RingScene.CAPACITY);
      if (count > 0) {
        Samples.check(elements, count, Samples.number(elements, 0));
      }
    }

    @Override
    public void takeOver(List<Long> marks) {
      new RingAutopsy(Marks.of(marks)).observe(entry);
      work(entry);
    }

    @Override
    public void close() {}
  }
}
