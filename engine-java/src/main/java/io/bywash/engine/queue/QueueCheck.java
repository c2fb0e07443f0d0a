package io.bywash.engine.queue;

import static io.bywash.engine.queue.QueueLayout.*;

import io.bywash.engine.DamagedSegmentException;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;

/**
 * Searches for what is impossible in a queue that may be in use. No interleaving of other participants' steps can cause
 * a finding: words are read in the reverse of the order in which they are written, or read again before one is noted.
 */
final class QueueCheck {
  private static final int MAX_TRIES = 3;
  private static final int MAX_FINDINGS = 20;

  private final Cells cells;
  private final List<String> problems = new ArrayList<>();

  private QueueCheck(Cells cells) {
    this.cells = cells;
  }

  /** A sentence on each finding. */
  static List<String> problems(Cells cells) {
    QueueCheck check = new QueueCheck(cells);
    check.step(check::checkHints);
    check.step(check::checkOrder);
    check.step(check::checkMessages);
    for (int role = 0; role < cells.roleCount; role++) {
      int index = role;
      check.step(() -> check.checkRole(index));
    }
    check.step(() -> check.note(slotOfTwo(cells)));
    return check.problems;
  }

  private void step(Runnable check) {
    if (problems.size() < MAX_FINDINGS) {
      try {
        check.run();
      } catch (DamagedSegmentException damage) {
        problems.add(damage.getMessage());
      }
    }
  }

  private void note(String problem) {
    if (problem != null && problems.size() < MAX_FINDINGS) {
      problems.add(problem);
    }
  }

  // ---- one owner for each slot

  /**
   * A sentence on a slot that two cells or roles own at the same time; null when there is none. A role that is in an
   * exchange, or whose last holder died in one, is left out. There are as many owners as slots, so if no slot has two
   * owners, each has one.
   */
  static String slotOfTwo(Cells cells) {
    long[] owned = new long[(cells.slotCount + 63) >>> 6];
    for (int owner = 0; owner < cells.slotCount; owner++) {
      int slot = slotOf(cells, owner);
      if (slot >= 0) {
        long bit = 1L << (slot & 63);
        if ((owned[slot >>> 6] & bit) != 0) {
          String twice = owners(cells, slot);
          if (twice != null) {
            return twice;
          }
        }
        owned[slot >>> 6] |= bit;
      }
    }
    return null;
  }

  /** The slot that an owner has; owners are the cells, then the roles. Returns -1 when it is not known. */
  private static int slotOf(Cells cells, int owner) {
    if (owner < cells.capacity) {
      return cells.slotIn(cells.cell(owner));
    }
    int role = owner - cells.capacity;
    // [at] first, since whoever gives a slot away announces that until it owns another one
    return cells.at(role) == 0 ? cells.checkSlot(Cells.slotOf(cells.mine(role))) : -1;
  }

  /** Searches again for two owners of a slot: the first must still own it after the second was found. */
  private static String owners(Cells cells, int slot) {
    for (int tries = 0; tries < MAX_TRIES; tries++) {
      long moves = moves(cells, slot);
      int first = owner(cells, slot, 0);
      long word = first >= 0 && first < cells.capacity ? cells.cell(first) : 0;
      int second = first < 0 ? -1 : owner(cells, slot, first + 1);
      if (second < 0) {
        return null;
      }
      boolean same = first >= cells.capacity || cells.cell(first) == word;
      if (same && slotOf(cells, first) == slot && slotOf(cells, second) == slot && moves(cells, slot) == moves) {
        return "slot " + slot + " belongs to " + name(cells, first) + " and to " + name(cells, second);
      }
    }
    return null;
  }

  private static long moves(Cells cells, int slot) {
    VarHandle.acquireFence(); // loads before this are not newer
    return cells.region.getLongAcquire(cells.slot(slot) + SLOT_MOVES);
  }

  private static int owner(Cells cells, int slot, int from) {
    for (int owner = from; owner < cells.slotCount; owner++) {
      if (slotOf(cells, owner) == slot) {
        return owner;
      }
    }
    return -1;
  }

  private static String name(Cells cells, int owner) {
    return owner < cells.capacity ? "cell " + owner : "role " + (owner - cells.capacity);
  }

  // ---- order

  /** Hints are at most the position that they are hints for. */
  private void checkHints() {
    long tail = cells.tailHint();
    if (tail > 0 && cells.step(cells.cell(cells.index(tail - 1))) <= 2 * cells.turn(tail - 1)) {
      note("messages are said to have been sent up to position " + tail + ", and were not");
    }
    long head = cells.headHint();
    if (head > 0 && cells.step(cells.cell(cells.index(head - 1))) <= 2 * cells.turn(head - 1) + 1) {
      note("messages are said to have been taken up to position " + head + ", and were not");
    }
  }

  /**
   * Each cell is sent to, and taken from, as often as the next one or once more; the first cell as often as the last
   * one or once more.
   */
  private void checkOrder() {
    for (int index = 0; index < cells.capacity && cells.capacity > 1; index++) {
      boolean isLast = index == cells.capacity - 1;
      int next = isLast ? 0 : index + 1;
      long before = cells.step(cells.cell(index));
      long other = cells.step(cells.cell(next)); // read between the two reads of the first cell
      long after = cells.step(cells.cell(index));
      int lead = isLast ? 0 : 1; // how far the cell may be ahead of the next one
      int lag = isLast ? 1 : 0;
      if (sent(before) - sent(other) > lead || taken(before) - taken(other) > lead
          || sent(other) - sent(after) > lag || taken(other) - taken(after) > lag) {
        note("cells " + index + " and " + next + " are at steps " + before + " and " + other + ", which does not fit"
            + " together");
      }
    }
  }

  private static long sent(long step) {
    return step + 1 >>> 1;
  }

  private static long taken(long step) {
    return step >>> 1;
  }

  // ---- messages

  private void checkMessages() {
    for (int index = 0; index < cells.capacity; index++) {
      long cell = cells.cell(index);
      if ((cells.step(cell) & 1) != 0) {
        int slot = cells.slotIn(cell);
        long position = (cells.step(cell) >>> 1 << cells.turnShift) + index;
        String problem = problemOf(slot, position);
        long sequence = cells.region.getLongOpaque(cells.slot(slot) + SLOT_SEQUENCE);
        if (problem == null && Cells.deliveries(cells.deliveriesWord(slot)) == 0 && sequence != position) {
          problem = "a message with sequence " + sequence + " at position " + position;
        }
        VarHandle.acquireFence();
        if (problem != null && cells.cell(index) == cell) {
          note("cell " + index + " has " + problem);
        }
      }
    }
  }

  /** What is wrong with the message in a slot, which may have another owner by now; null when nothing is. */
  private String problemOf(int slot, long limit) {
    long at = cells.slot(slot);
    int length = cells.region.getInt(at + SLOT_LENGTH);
    long sequence = cells.region.getLongOpaque(at + SLOT_SEQUENCE);
    long deliveries = cells.deliveriesWord(slot);
    VarHandle.acquireFence(); // before checking whether the slot still has the same owner
    if (length < 1 || length > cells.maxMessageBytes || sequence < 0 || sequence > limit
        || Cells.deliveries(deliveries) < 0 || Cells.reason(deliveries) < NO_DEAD_LETTER
        || Cells.reason(deliveries) > DELIVERED_TOO_OFTEN) {
      return "a message of " + length + " bytes with sequence " + sequence + ", delivered "
          + Cells.deliveries(deliveries) + " times, a dead letter for reason " + Cells.reason(deliveries);
    }
    return null;
  }

  private void checkRole(int role) {
    long at = cells.at(role);
    long want = cells.region.getLongOpaque(cells.entry.role(role) + ROLE_WANT);
    long mine = cells.mine(role);
    int slot = Cells.slotOf(mine);
    int state = (int) mine & 0xFF;
    if (at < 0 || at - 1 >>> 1 > Cells.MAX_POSITION && at != 0 || want < 0 || want >= cells.slotCount
        || slot >= cells.slotCount || state != SPARE && state != HELD) {
      note("role " + role + " has slot " + slot + " in state " + state + ", wants slot " + want + ", and is in"
          + " exchange " + at);
    } else if (at == 0 && state == HELD) {
      long moves = moves(cells, slot);
      String problem = problemOf(slot, Cells.MAX_POSITION);
      if (problem != null && cells.at(role) == 0 && cells.mine(role) == mine && moves(cells, slot) == moves) {
        note("role " + role + " holds " + problem);
      }
    }
  }
}
