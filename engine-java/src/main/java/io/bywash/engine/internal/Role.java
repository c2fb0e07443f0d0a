package io.bywash.engine.internal;

import io.bywash.engine.wait.WaitPolicy;

/** What all roles have in common: their entry, the hold on it, and waiting. Not part of the public API. */
public abstract class Role {
  protected final SegmentEntry entry;
  protected final Hold hold;
  protected final WaitPolicy waitPolicy;
  private final WaitPoint waitPoint;
  /** What the last wait answered: it was over soon, and without sleeping. */
  private boolean lively;

  protected Role(SegmentEntry entry, Hold hold, WaitPolicy waitPolicy, int waitingBitmap) {
    this.entry = entry;
    this.hold = hold;
    this.waitPolicy = waitPolicy;
    this.waitPoint = new Point(this, entry.offset() + waitingBitmap);
    if (hold instanceof RoleHandle handle) {
      handle.guard(this);
    }
  }

  private record Point(Role role, long waitingBitmap) implements WaitPoint {
    @Override
    public SegmentCore core() {
      return role.entry.core();
    }

    @Override
    public boolean isWaitOver() {
      return !role.hold.isUsable() || role.hasWork();
    }
  }

  /** The wait point of any role, for the hub. */
  public static WaitPoint waitPoint(Role role) {
    return role.waitPoint;
  }

  /** Whether what the role waits for is there. Asked by another thread while the role's own thread waits. */
  protected abstract boolean hasWork();

  protected final boolean isWaitOver() {
    return waitPoint.isWaitOver();
  }

  /**
   * Waits once, for {@link WaitRoom#PROBE_NANOS} at the most when it sleeps; false when {@code timeoutNanos} have passed
   * since {@code startNanos}, or this thread was interrupted, which stays set.
   */
  protected final boolean awaitOnce(long startNanos, long timeoutNanos) {
    long left = timeoutNanos - (System.nanoTime() - startNanos);
    if (left <= 0 || Thread.currentThread().isInterrupted()) {
      return false;
    }
    lively = entry.core().waitRoom().await(waitPoint, waitPolicy, left, lively);
    return true;
  }
}
