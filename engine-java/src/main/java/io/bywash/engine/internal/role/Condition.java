package io.bywash.engine.internal.role;

import io.bywash.engine.internal.waiting.WaitPoint;
import io.bywash.engine.internal.waiting.Waiters;
import io.bywash.engine.wait.Waitable;
import java.util.function.BooleanSupplier;

/** A condition that the user of a role can wait for, other than the role's own work. Any thread may use it. */
final class Condition extends WaitPoint implements Waitable {
  private final Role user;
  private final BooleanSupplier holds;

  Condition(Role user, BooleanSupplier holds) {
    this.user = user;
    this.holds = holds;
  }

  @Override
  protected Waiters waiters() {
    return user.waiters();
  }

  @Override
  protected int role() {
    return user.role();
  }

  @Override
  protected boolean isWaitOver() {
    return user.isUnusableOr(holds);
  }

  @Override
  public boolean isReady() {
    return isWaitOver();
  }

  @Override
  protected long changeStamp() {
    return user.changeStamp();
  }

  /** Timed, since a death changes nothing in the structure. */
  @Override
  protected boolean isTimed() {
    return true;
  }
}
