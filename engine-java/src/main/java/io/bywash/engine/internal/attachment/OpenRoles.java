package io.bywash.engine.internal.attachment;

import io.bywash.engine.internal.segment.Participants;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.stream.Stream;

/**
 * What keeps an attachment from giving up its slot, lock and memory: open roles, operations in progress, and the rows
 * that these hold. Any thread may call any method.
 */
final class OpenRoles {
  private final Participants participants;
  private Set<UsageGuard> roles = new HashSet<>();
  private Set<UsageGuard> observers = Collections.newSetFromMap(new WeakHashMap<>()); // they need not be closed
  private final int[] rowHolds;
  private int operations;
  private volatile boolean closing; // written under the lock
  /** Whether all threads have passed a safepoint since the roles of a closing segment became unusable. */
  private boolean passed;
  /** How many threads are ending the roles of a closing segment. */
  private int closers;
  /** Whether the segment was left to others, or removed, or that has begun, since the last role ended. */
  private boolean nameLeft;
  private boolean left;

  OpenRoles(Participants participants, int rowCount) {
    this.participants = participants;
    this.rowHolds = new int[rowCount];
  }

  boolean isClosing() {
    return closing;
  }

  // ---- operations

  /** Begins an operation; false, and none was begun, when the segment is being closed. */
  synchronized boolean tryBegin() {
    if (!closing) {
      operations++;
    }
    return !closing;
  }

  /** Begins an operation on a role, even while the segment is being closed; false when the role was given back. */
  synchronized boolean tryBegin(UsageGuard role) {
    boolean isOpen = isOpen(role);
    operations += isOpen ? 1 : 0;
    return isOpen;
  }

  /** Begins an operation, even while the segment is being closed; false when this participant has left. */
  synchronized boolean tryBeginLast() {
    operations += left ? 0 : 1;
    return !left;
  }

  /** Ends an operation; true when it was the last thing that kept a closing segment, and slot and memory have to go. */
  synchronized boolean end() {
    operations--;
    boolean last = nameLeft && roles.isEmpty() && operations == 0 && !left;
    left |= last;
    return last;
  }

  // ---- roles

  /** Adds a role, which holds its row if others can see it; false, and it was not added, when closing. */
  synchronized boolean add(UsageGuard role) {
    if (closing) {
      return false;
    }
    if (!role.isShared()) {
      return observers.add(role);
    }
    boolean held = false;
    try {
      roles.add(role);
      hold(role.row().row());
      held = true;
    } finally {
      if (!held) {
        roles.remove(role); // a set that finds no heap to grow has its new member all the same
      }
    }
    return true;
  }

  /**
   * Removes a role that was given back. True when the segment was closed before: then an operation was begun, in which
   * the caller has to settle what becomes of it.
   */
  synchronized boolean remove(UsageGuard role) {
    observers.remove(role);
    if (!roles.remove(role)) {
      return false;
    }
    if (role.isShared()) {
      letGo(role.row().row());
    }
    nameLeft = false;
    boolean wasClosed = closing && closers == 0;
    operations += wasClosed ? 1 : 0;
    return wasClosed;
  }

  synchronized boolean isOpen(UsageGuard role) {
    return roles.contains(role) || observers.contains(role);
  }

  /** The roles in a row; those in all rows if {@code row} is null. */
  synchronized List<UsageGuard> in(Row row) {
    return Stream.concat(roles.stream(), observers.stream())
        .filter(role -> row == null || role.row().isSameAs(row)).toList();
  }

  // ---- rows

  /** Announces that this participant holds a row, until {@link #letGo} was called as often as this. */
  synchronized void hold(int row) {
    if (rowHolds[row]++ == 0) {
      participants.setHeld(row, true);
    }
  }

  /** As {@link #hold}; false, and the row is not held, when the segment is being closed. */
  synchronized boolean tryHold(int row) {
    if (!closing) {
      hold(row);
    }
    return !closing;
  }

  synchronized void letGo(int row) {
    if (--rowHolds[row] == 0 && !left) {
      try {
        participants.setHeld(row, false);
      } catch (InternalError cut) {
        // the file is gone, and all holds with it
      }
    }
  }

  // ---- closing

  /**
   * Begins the caller's operation, and lets no other begin. Returns all roles that were not given back, or null if this
   * participant has left. An error changes nothing.
   */
  synchronized List<UsageGuard> beginClosing() {
    if (left) {
      return null;
    }
    Set<UsageGuard> all = new HashSet<>(roles);
    all.addAll(observers);
    List<UsageGuard> list = List.copyOf(all);
    Set<UsageGuard> none = Collections.emptySet();
    closing = true;
    roles = all;
    observers = none;
    operations++;
    closers++;
    return list;
  }

  /**
   * Notes that those roles were ended whose users are outside.
   *
   * @param passed whether all threads have passed a safepoint since the roles became unusable; else any role may send
   */
  synchronized void noteEnded(boolean passed) {
    this.passed |= passed;
    closers--;
  }

  /**
   * Whether the segment is closing and has to be left now by the caller, since nothing can be sent in it any more. Else
   * others see that it is closed here: it stays in use for a role whose user is still inside and may be about to send
   * something, which one whose role was revoked cannot.
   */
  synchronized boolean tryBeginLeaving() {
    if (!closing || left || nameLeft) {
      return false;
    }
    boolean may = roles.isEmpty() || passed && roles.stream().noneMatch(UsageGuard::mayStillSend);
    if (!may && participants.self() != 0 && participants.hasSlot()) {
      participants.showClosed();
    }
    nameLeft = may;
    return may;
  }

  /** Notes whether what {@link #tryBeginLeaving} began counts as done. */
  synchronized void setNameLeft(boolean isLeft) {
    nameLeft = isLeft;
  }

  /** Whether slot, lock and memory were given up. They are not while the caller holds this object's lock. */
  synchronized boolean hasLeft() {
    return left;
  }
}
