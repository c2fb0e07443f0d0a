package io.bywash.engine.queue;

import static io.bywash.engine.queue.QueueLayout.*;

import io.bywash.engine.internal.role.RoleHandle;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.queue.Cells.Walk;

/**
 * The slot that a role owns, and its exchange for the slot of a cell. To send is to give a full slot for an empty one,
 * to take is to give a spare slot for a full one. Every cell and every role always owns exactly one slot. Used by the
 * role's user, and when the role ends.
 *
 * <p>One compare-and-set of the cell does the exchange. The stores before it announce the exchange, and those after it
 * record the outcome. So whoever takes over the role of a holder that died in between can find out whether the exchange
 * happened ({@link #repair}):
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
 * <p>A slot outside the cells has one owner. Whoever takes a slot out of a cell announces that first, and withdraws the
 * announcement only after the slot's moves were raised. So a search for a slot, first in the cell, then in the
 * announcements, then in the slot's moves, finds it in one of them if it ever was in the cell, and in none of them if
 * it never was.
 *
 * <p>Each taker of a role raises the generation in its "mine". A holder that was taken for dead but lives finds "mine"
 * changed, and does not touch the slot again.
 */
final class Exchanger {
  /** Only a holder that was taken for dead can interfere, and only once. */
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
  /** The generation in "mine" that is this holder's alone. */
  private final int generation;
  /** The role's "mine", as last read or written. */
  private long mine;
  /** At most the next position to send at, or to take at. */
  private long nextSent;
  private long nextTaken;

  /** For a role that was just taken and is not active yet. Repairs what its last holder left half-done. */
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

  /** Prevents earlier holders from changing what the role owns; returns the new generation. */
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
   * Begins an operation. Another thread of the user may have changed what the role owns since the last one. An exchange
   * that an error interrupted is repaired.
   *
   * @throws io.bywash.engine.SegmentClosedException when this participant was taken for dead and has lost the role
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

  /** At most the next position to take at. Other threads may call this. */
  long nextTaken() {
    return nextTaken;
  }

  long nextSent() {
    return nextSent;
  }

  // ---- exchanging

  /**
   * Sends the message in the own slot, and leaves the role with a spare slot. Returns false when the queue is full.
   *
   * @param isNew whether the position becomes the message's sequence, and the role must be usable until it is sent; a
   *     message that is given back already has a sequence, and goes back from a revoked role as well
   * @throws io.bywash.engine.SegmentClosedException when the role of a new message is no longer usable
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
        if (exchange(index, 2 * position, cell, SPARE, isNew)) {
          nextSent = position + 1;
          cells.setTailHint(position + 1);
          return true;
        }
        if (isNew) {
          handle.checkUsable();
        }
      } else if (step > empty) { // another role has sent there
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

  /** Takes the next message in exchange for the own slot, whatever that holds; false when the queue is empty. */
  boolean take() {
    long position = nextTaken;
    Walk walk = null;
    while (true) {
      int index = cells.index(position);
      long cell = cells.cell(index);
      long step = cells.step(cell);
      long full = 2 * cells.turn(position) + 1;
      if (step == full) {
        if (exchange(index, 2 * position + 1, cell, HELD, false)) {
          nextTaken = position + 1;
          cells.setHeadHint(position + 1);
          return true;
        }
      } else if (step > full) { // another role has taken it
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

  /** Whether there is a message after the one that was just taken. */
  boolean isNextThere() {
    return cells.step(cells.cell(cells.index(nextTaken))) == 2 * cells.turn(nextTaken) + 1;
  }

  /** Whether there is room at the next position, unless another role has already sent there. */
  boolean isNextFree() {
    return cells.step(cells.cell(cells.index(nextSent))) == 2 * cells.turn(nextSent);
  }

  /** Whether an exchange that sends is announced. Other threads may call this. */
  boolean isSending() {
    long announced = region.getLongAcquire(atOffset); // [at] whoever sees it gone sees the message in its cell
    return announced != 0 && !Cells.isTaking(announced - 1);
  }

  private boolean exchange(int index, long phase, long cell, int state, boolean ifUsable) {
    int out = cells.slotIn(cell);
    region.setLongRelease(wantOffset, out); // [want] whoever sees this sees what was done to the last slot
    region.setLongRelease(atOffset, phase + 1); // [at] whoever sees this sees which slot is wanted
    // [inside] either this finds the role unusable, or who closes the segment meanwhile finds the announcement
    boolean done = (!ifUsable || handle.isUsable()) && cells.change(index, cell, cells.step(cell) + 1, slot());
    if (done) {
      long moves = raiseMoves(out);
      setMine(out, state);
      region.setLongOpaque(movesOffset, moves);
    }
    region.setLongRelease(atOffset, 0); // [at] whoever sees the announcement gone sees the moves
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

  /** Ends the message: its slot becomes a spare one. */
  void acknowledge() {
    setMine(slot(), SPARE);
  }

  /** Raises one of the role's counters. */
  void count(int counter) {
    long offset = handle.offset() + counter;
    region.setLongOpaque(offset, region.getLongOpaque(offset) + 1);
  }

  /** Stores since when the message is held. */
  void setHeldSince(long nanos) {
    region.setLongOpaque(handle.offset() + ROLE_HELD_SINCE, nanos);
  }

  // ---- taking over

  /**
   * Finds out whether the announced exchange has happened, and completes or cancels it. The proof is the order of the
   * loads; each of them is an acquire load, so the next one is not older.
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
    long cell = cells.cell(index); // [cell] first check where the slot would be
    if (cells.step(cell) == 2 * cells.turn(phase >>> 1) + (phase & 1) + 1 && cells.slotIn(cell) == slot()) {
      return true;
    }
    long next = Cells.isTaking(phase) ? phase - 1 + 2L * cells.capacity : phase + 1;
    for (int other = 0; other < cells.entry.rolesUsed(); other++) { // then whether a role is about to take it
      if (other != role && cells.at(other) == next + 1 // [at]
          && region.getLongAcquire(cells.entry.role(other) + ROLE_WANT) == slot()) { // [want]
        return true;
      }
    }
    // then whether a role has taken it
    return region.getLongOpaque(cells.slot(slot()) + SLOT_MOVES) > region.getLongOpaque(movesOffset);
  }
}
