package io.bywash.engine.internal.waiting;

/** A role's wait point whose looks a test observes, and answers. */
public abstract class ObservedWaitPoint extends WaitPoint {
  private final WaitPoint role;

  protected ObservedWaitPoint(WaitPoint role) {
    this.role = role;
  }

  /** Waits as the role would with the policy {@code BLOCK}. */
  protected final void block() {
    waiters().room().await(this, WaitStrategy.BLOCK, Long.MAX_VALUE, false);
  }

  /** What the role itself would answer. */
  protected final boolean isRoleReady() {
    return role.isWaitOver();
  }

  protected final boolean isAnnounced() {
    return waiters().isAnnounced(role());
  }

  protected final int doorbellValue() {
    return waiters().room().doorbellValue();
  }

  @Override
  protected final Waiters waiters() {
    return role.waiters();
  }

  @Override
  protected final int role() {
    return role.role();
  }

  @Override
  protected final long changeStamp() {
    return role.changeStamp();
  }
}
