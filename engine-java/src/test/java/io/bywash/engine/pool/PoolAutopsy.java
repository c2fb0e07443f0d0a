package io.bywash.engine.pool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.pool.InvalidHandleException.Reason;
import io.bywash.engine.pool.PoolScene.Mark;
import io.bywash.engine.subject.DeathSubject;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;

/** The living look at a pool in which somebody died. */
final class PoolAutopsy implements DeathSubject.Examination {
  private final List<Mark> marks;
  private boolean found;

  PoolAutopsy(List<Mark> marks) {
    this.marks = marks;
  }

  /** What the dead had acquired is theirs, with what they had written; nobody sees a torn object. */
  @Override
  public void observe(Entry entry) {
    found = true;
    try (PoolView view = PoolView.open(entry)) {
      for (Mark mark : marks) {
        if (mark.handle() != 0 && !view.isLive(mark.handle())) {
          assertFalse(isActive((SegmentEntry) entry, mark.user()), mark + " is free, and nobody has buried its user");
        } else if (mark.handle() != 0) {
          byte[] bytes = view.get(mark.handle());
          long number = bytes == null ? 0 : Things.number(bytes);
          boolean was = bytes != null ? number == mark.written() : mark.written() == 0 && !view.wasBusy();
          boolean becomes = mark.begun() != mark.written() && (number == mark.begun() || view.wasBusy());
          assertTrue(was || becomes, mark + " has " + number);
        }
      }
      observeAll(view);
      assertEquals(view.allocated(), PoolStatus.of(entry).stuckCount(), "nobody lives");
    }
  }

  private static boolean isActive(SegmentEntry entry, long user) {
    long word = entry.roleWord((int) user & 0x3FF);
    return Owner.state(word) == SegmentLayout.ROLE_ACTIVE && Owner.generation(word) == user >>> 10;
  }

  private static int observeAll(PoolView view) {
    int count = 0;
    for (long handle = view.next(0); handle != 0; handle = view.next(handle)) {
      byte[] bytes = view.get(handle);
      if (bytes != null) {
        Things.number(bytes);
      }
      count++;
    }
    return count;
  }

  @Override
  public void use(Entry entry) {
    try (PoolUser user = PoolUser.open(entry)) {
      work(user, (int) entry.capacity());
      for (Mark mark : found ? marks : List.<Mark>of()) {
        if (mark.handle() != 0) {
          assertEquals(Reason.STALE, assertThrows(InvalidHandleException.class,
              () -> user.release(mark.handle())).reason());
        }
      }
      assertEquals(0, PoolStatus.of(entry).allocatedCount());
    }
  }

  @Override
  public void useAdded(Entry added) {
    try (PoolUser user = PoolUser.open(added)) {
      work(user, (int) added.capacity());
    }
  }

  /** At least so many objects are free: none was lost, and each is acquired once. */
  static void work(PoolUser user, int least) {
    for (int round = 0; round < 3; round++) {
      List<Long> handles = new ArrayList<>();
      for (long handle = user.acquire(); handle != 0; handle = user.acquire()) {
        handles.add(handle);
        user.set(handle, Things.bytes(1_000 + handles.size()));
      }
      assertTrue(handles.size() >= least, handles.size() + " of " + least + " objects were acquired");
      assertEquals(handles.size(), new HashSet<>(handles).size());
      for (int i = 0; i < handles.size(); i++) {
        assertEquals(1_001 + i, Things.number(user.get(handles.get(i))));
        user.release(handles.get(i));
      }
    }
  }

  /** Has an object beside those who die. */
  static final class Companion implements DeathSubject.Companion {
    private static final long OWN = 77;

    private final Entry entry;
    private final PoolUser user;
    private final PoolView view;
    private final long own;

    Companion(Entry entry) {
      this.entry = entry;
      this.user = PoolUser.open(entry);
      this.view = PoolView.open(entry);
      this.own = user.acquire();
      user.set(own, Things.bytes(OWN));
    }

    @Override
    public void live() {
      observeAll(view);
      assertEquals(OWN, Things.number(user.get(own)));
    }

    @Override
    public void takeOver(List<Long> marks) {
      assertEquals(1, view.allocated(), "what the dead had is free");
      for (Mark mark : Mark.of(marks)) {
        assertFalse(mark.handle() != 0 && view.isLive(mark.handle()), mark + " is in use");
      }
      work(user, PoolScene.CAPACITY - 1);
      assertEquals(OWN, Things.number(user.get(own)));
      assertEquals(1, PoolStatus.of(entry).allocatedCount());
    }

    @Override
    public void close() {
      view.close();
      user.close();
    }
  }
}
