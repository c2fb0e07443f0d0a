package io.bywash.engine.internal.waiting;

/** What a role waits for, and where it announces that it waits. Any thread may call any method. */
public abstract class WaitPoint {
  /** Stands for the role of an observer, which nobody wakes. */
  protected static final int NO_ROLE = -1;

  /** Where the role announces itself to the other side. */
  protected abstract Waiters waiters();

  /** The role's index in its structure, or {@link #NO_ROLE}. */
  protected abstract int role();

  /** Whether waiting is over: there is something to do, or the role can no longer be used. */
  protected abstract boolean isWaitOver();

  /**
   * Whether somebody should have woken a role that waits here: what it waits for is there, and not only the time for
   * another look.
   */
  protected boolean isWakeDue() {
    return isWaitOver();
  }

  /**
   * A number that changes with anything that the roles waiting here may wait for, the same for all of them. If a role
   * may become ready just because time passes, it changes with each call. The end of a role need not change it. It need
   * not be exact: it only saves checking roles for which nothing has changed.
   */
  protected abstract long changeStamp();

  /**
   * Whether a wake is of use to this wait now. If not, it is not announced, so that others of the same structure get
   * the wakes. It is then checked every few milliseconds, or by the hub when {@link #changeStamp} has changed.
   */
  protected boolean usesWakes() {
    return true;
  }

  /** Whether the wait may be over without a wake or another stamp, so that it has to be checked every 50 ms. */
  protected boolean isTimed() {
    return false;
  }
}
