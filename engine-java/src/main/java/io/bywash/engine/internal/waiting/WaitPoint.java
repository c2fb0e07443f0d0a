package io.bywash.engine.internal.waiting;

/** What a role waits for, and where it announces that it waits. Any thread may call any method. */
public abstract class WaitPoint {
  /** The role of those that have none: an observer's, which nobody wakes. */
  protected static final int NO_ROLE = -1;

  /** Where the role announces itself to the other side. */
  protected abstract Waiters waiters();

  /** The role's index in its structure, or {@link #NO_ROLE}. */
  protected abstract int role();

  /** Whether waiting is over: there is something to do, or the role can no longer be used. */
  protected abstract boolean isWaitOver();

  /**
   * A number that changes with whatever all roles that wait here may wait for, and is the same for all of them; one
   * that may be ready only because time passed changes with each call. A role's end need not show. It need not be
   * exact: it saves checking roles for which nothing has changed.
   */
  protected abstract long changeStamp();

  /** Whether waiting may be over though nothing was woken and the stamp is the same: it is checked every 50 ms. */
  protected boolean isTimed() {
    return false;
  }
}
