package io.bywash.engine.internal.waiting;

import io.bywash.engine.internal.SegmentCore;

/** What a role waits for, and where it announces that it waits. Any thread may call any method. */
public interface WaitPoint {
  /** The role of those that have none: an observer's, which nobody wakes. */
  int NO_ROLE = -1;

  SegmentCore core();

  /** Where the role announces itself to the other side. */
  Waiters waiters();

  /** The role's index in its structure, or {@link #NO_ROLE}. */
  int role();

  /** Whether waiting is over: there is something to do, or the role can no longer be used. */
  boolean isWaitOver();

  /**
   * A number that changes with whatever all roles that wait here may wait for, and is the same for all of them; one
   * that may be ready only because time passed changes with each call. A role's end need not show. It need not be
   * exact: it saves checking roles for which nothing has changed.
   */
  long changeStamp();

  /** Whether waiting may be over though nothing was woken and the stamp is the same: it is looked at every 50 ms. */
  default boolean isTimed() {
    return false;
  }
}
