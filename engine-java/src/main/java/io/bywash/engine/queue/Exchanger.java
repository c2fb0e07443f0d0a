package io.bywash.engine.queue;

import static io.bywash.engine.queue.QueueLayout.*;

import io.bywash.engine.internal.role.RoleHandle;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.queue.Cells.Walk;

/**
 * The slot that a role owns, and its exchange for the one in a cell: a full one is sent for an empty one, a spare one
 * is given for a full one that is taken. Every cell and every role owns exactly one slot, always. Used by the role's
 * user, and at its end.
 *
 * <p>One compare-and-set of the cell does the exchange. What comes before it announces it, and what comes behind it
 * tells its outcome, so that whoever takes the role of one that died in between finds out whether it happened
 * ({@link #repair}):
 * <pre>
 *   want = slot in the cell                       release [want]
 *   at   = 2 * position + (taking ? 1 : 0) + 1    release [at]
 *   compare-and-set the cell: next step, own slot         [cell]
 *   raise the moves of the slot that came out     opaque
 *   mine = that slot, held if it was taken        compare-and-set [mine]
 *   moves = its moves                             opaque
 *   at   = 0                                      release [at]
 * </pre>
 *
 * <p>A slot outside of the cells has one owner. Whoever takes it out of a cell has announced that before, and keeps the
 * announcement until the slot's moves have been raised. So somebody who looks for a slot in the cell, then in the
 * announcements, then at its moves, finds it in one of these places if it ever was in the cell; and in none of them if
 * it was not.
 *
 * <p>Who is taken for dead and lives finds its "mine" changed, since each taker of a role raises the generation in it,
 * and does not touch the slot any more.
 */
final class Exchanger {
  /** Only one that was taken for dead may come between, and does so once. */
  private static final int MAX_TRIES = 1_000;

  private final Cells cells;
  private final Region region;
  private final RoleHandle handle;
  private final int role;
  private final long ownSlot;
  private final long mineOffset;
  private final long movesOffset;
  private final long wantOffset;
  private final long atOffset;
  /** What nobody but this one has in "mine". */
  private final int generation;
  /** What the role owns, as it last was. */
  private long mine;
  /** No higher than the next position to send at, or to take at. */
  private long nextSent;
  private long nextTaken;

  /** Of a role that was just taken, and does not count yet: puts right what its last holder left. */
  Exchanger(Cells cells, RoleHandle handle) {
    this.cells = cells;
    this.region = cells.region;
    this.handle = handle;
    this.role = handle.index();
    this.ownSlot = cells.ownSlot(role);
    this.mineOffset = handle.offset() + ROLE_MINE;
    this.movesOffset = handle.offset() + ROLE_MOVES;
    this.wantOffset = handle.offset() + ROLE_WANT;
    this.atOffset = handle.offset() + ROLE_AT;
    this.generation = fence();
    refresh();
    String twice = QueueCheck.slotOfTwo(cells);
    if (twice != null) {
      throw cells.entry.damaged(twice);
    }
  }

  /** From now on nobody who held the role before changes what it owns; the generation that says so. */
  private int fence() {
    for (int tries = 0; tries < MAX_TRIES; tries++) {
      long before = region.getLongOpaque(mineOffset);
      long after = before + (1L << MINE_GENERATION_SHIFT);
      if (region.compareAndSetLong(mineOffset, before, after)) { // [mine]
        return (int) (after >>> MINE_GENERATION_SHIFT);
      }
    }
    throw cells.impossible("changes what it owns all the time", role);
  }

  /**
   * Begins an operation: what the role owns may have been changed by another thread of its user. An exchange that an
   * error ended is put right.
   *
   * @throws io.bywash.engine.SegmentClosedException when this participant was taken for dead, and the role is another's
   */
  void refresh() {
    mine = region.getLongOpaque(mineOffset) ^ ownSlot;
    if ((int) (mine >>> MINE_GENERATION_SHIFT) != generation) {
      throw handle.takenAway();
    }
    if (region.getLongOpaque(atOffset) != 0) {
      repair();
    }
    long state = mine & 0xFF;
    if (state != SPARE && state != HELD) {
      throw cells.impossible("has a slot in state " + state, role);
    }
    cells.checkSlot(slot());
  }

  /** The slot that the role owns. */
  int slot() {
    return Cells.slotOf(mine);
  }

  boolean isHeld() {
    return Cells.isHeld(mine);
  }

  /** No higher than the next position to take at, for those that ask from another thread. */
  long nextTaken() {
    return nextTaken;
  }

  long nextSent() {
    return nextSent;
  }

  // ---- exchanging

  /**
   * Sends the message in the own slot; false when the queue is full. What the role has then is a spare slot.
   *
   * @param isNew whether the position becomes its sequence; a message that is given back has one
   */
  boolean send(boolean isNew) {
    long position = nextSent;
    Walk walk = null;
    while (true) {
      int index = cells.index(position);
      long cell = cells.cell(index);
      long step = cells.step(cell);
      long empty = 2 * cells.turn(position);
      if (step == empty) {
        if (isNew) {
          region.setLong(cells.slot(slot()) + SLOT_SEQUENCE, position);
        }
        if (exchange(index, 2 * position, cell, SPARE)) {
          nextSent = position + 1;
          cells.setTailHint(position + 1);
          return true;
        }
      } else if (step > empty) { // somebody has sent there
        position = Math.max(cells.sentBy(index, step), cells.tailHint());
      } else {
        cells.checkNotTooHigh(position, step, empty);
        nextSent = position;
        return false;
      }
      walk = walk == null ? cells.new Walk() : walk;
      walk.step();
    }
  }

  /** Takes the next message for the own slot, whatever was in that; false when the queue is empty. */
  boolean take() {
    long position = nextTaken;
    Walk walk = null;
    while (true) {
      int index = cells.index(position);
      long cell = cells.cell(index);
      long step = cells.step(cell);
      long full = 2 * cells.turn(position) + 1;
      if (step == full) {
        if (exchange(index, 2 * position + 1, cell, HELD)) {
          nextTaken = position + 1;
          cells.setHeadHint(position + 1);
          return true;
        }
      } else if (step > full) { // somebody has taken it
        position = Math.max(cells.takenBy(index, step), cells.headHint());
      } else {
        cells.checkNotTooHigh(position, step, full);
        nextTaken = position;
        return false;
      }
      walk = walk == null ? cells.new Walk() : walk;
      walk.step();
    }
  }

  /** Whether there is a message behind the one that was just taken. */
  boolean isNextThere() {
    return cells.step(cells.cell(cells.index(nextTaken))) == 2 * cells.turn(nextTaken) + 1;
  }

  /** Whether there is room at the position that is sent at next, unless somebody else has come further. */
  boolean isNextFree() {
    return cells.step(cells.cell(cells.index(nextSent))) == 2 * cells.turn(nextSent);
  }

  private boolean exchange(int index, long phase, long cell, int state) {
    int out = cells.slotIn(cell);
    region.setLongRelease(wantOffset, out); // [want] what was done to the last one is seen by who sees this
    region.setLongRelease(atOffset, phase + 1); // [at] who sees this sees what is wanted
    boolean done = cells.change(index, cell, cells.step(cell) + 1, slot());
    if (done) {
      long moves = raiseMoves(out);
      setMine(out, state);
      region.setLongOpaque(movesOffset, moves);
    }
    region.setLongRelease(atOffset, 0); // [at] who does not see the announcement any more sees the moves
    return done;
  }

  private long raiseMoves(int slot) {
    long offset = cells.slot(slot) + SLOT_MOVES;
    long moves = region.getLongOpaque(offset) + 1;
    region.setLongOpaque(offset, moves);
    return moves;
  }

  private void setMine(int slot, int state) {
    long next = mine & -1L << MINE_GENERATION_SHIFT | (long) slot << MINE_SLOT_SHIFT | state;
    if (!region.compareAndSetLong(mineOffset, mine ^ ownSlot, next ^ ownSlot)) { // [mine]
      throw handle.takenAway();
    }
    mine = next;
  }

  /** The message is done with: the slot is a spare one. */
  void acknowledge() {
    setMine(slot(), SPARE);
  }

  /** Raises one of the role's counts. */
  void count(int counter) {
    long offset = handle.offset() + counter;
    region.setLongOpaque(offset, region.getLongOpaque(offset) + 1);
  }

  /** Notes since when the message is held. */
  void setHeldSince(long nanos) {
    region.setLongOpaque(handle.offset() + ROLE_HELD_SINCE, nanos);
  }

  // ---- taking over

  /**
   * Finds out whether the exchange that is announced has happened, and ends it. The order of the looks is the proof;
   * each of them is an acquire load, so that the next one is not older.
   */
  private void repair() {
    long phase = region.getLongOpaque(atOffset) - 1;
    long want = region.getLongOpaque(wantOffset);
    if (phase < 0 || phase >>> 1 > Cells.MAX_POSITION || want < 0 || want >= cells.slotCount) {
      throw cells.impossible("is in exchange " + phase + " for slot " + want, role);
    }
    cells.checkSlot(slot());
    if (slot() != want) {
      if (!hasHappened(phase)) {
        region.setLongRelease(atOffset, 0); // [at]
        return;
      }
      raiseMoves((int) want);
      setMine((int) want, Cells.isTaking(phase) ? HELD : SPARE);
    }
    region.setLongOpaque(movesOffset, region.getLongOpaque(cells.slot(slot()) + SLOT_MOVES));
    region.setLongRelease(atOffset, 0); // [at]
  }

  private boolean hasHappened(long phase) {
    int index = cells.index(phase >>> 1);
    long cell = cells.cell(index); // [cell] first where the slot went
    if (cells.step(cell) == 2 * cells.turn(phase >>> 1) + (phase & 1) + 1 && cells.slotIn(cell) == slot()) {
      return true;
    }
    long next = Cells.isTaking(phase) ? phase - 1 + 2L * cells.capacity : phase + 1;
    for (int other = 0; other < cells.entry.rolesUsed(); other++) { // then who is about to take it from there
      if (other != role && cells.at(other) == next + 1 // [at]
          && region.getLongAcquire(cells.entry.role(other) + ROLE_WANT) == slot()) { // [want]
        return true;
      }
    }
    // then whether somebody has taken it
    return region.getLongOpaque(cells.slot(slot()) + SLOT_MOVES) > region.getLongOpaque(movesOffset);
  }
}
