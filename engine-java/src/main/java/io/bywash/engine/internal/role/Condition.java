package io.bywash.engine.internal.role;

import io.bywash.engine.internal.SegmentCore;
import io.bywash.engine.internal.waiting.WaitPoint;
import io.bywash.engine.internal.waiting.Waiters;
import io.bywash.engine.wait.Waitable;
import java.util.function.BooleanSupplier;

/** What the user of a role may wait for beside the role's own work. Any thread may use it. */
final class Condition implements Waitable, WaitPoint {
  private final Role user;
  private final WaitPoint main;
  private final BooleanSupplier holds;

  /** A condition of {@code user}, whose own wait point is {@code main}. */
  Condition(Role user, WaitPoint main, BooleanSupplier holds) {
    this.user = user;
    this.main = main;
    this.holds = holds;
  }

  @Override
  public SegmentCore core() {
    return main.core();
  }

  @Override
  public Waiters waiters() {
    return main.waiters();
  }

  @Override
  public int role() {
    return main.role();
  }

  @Override
  public boolean isWaitOver() {
    return user.isUnusableOr(holds);
  }

  @Override
  public boolean isReady() {
    return isWaitOver();
  }

  @Override
  public long changeStamp() {
    return main.changeStamp();
  }

  /** A death changes nothing in the structure. */
  @Override
  public boolean isTimed() {
    return true;
  }
}
