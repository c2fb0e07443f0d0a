package io.bywash.engine.internal.role;

import io.bywash.engine.InterruptedWaitException;
import io.bywash.engine.Revocable;
import io.bywash.engine.internal.SegmentCore;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.Label;
import io.bywash.engine.internal.waiting.WaitPoint;
import io.bywash.engine.internal.waiting.WaitRoom;
import io.bywash.engine.internal.waiting.Waiters;
import io.bywash.engine.wait.WaitPolicy;
import io.bywash.engine.wait.Waitable;
import java.lang.ref.Reference;
import java.util.function.BooleanSupplier;

/** What all roles have in common: their entry, the hold on it, and waiting. Not part of the public API. */
public abstract class Role implements Waitable, Revocable {
  protected final SegmentEntry entry;
  protected final UsageGuard guard;
  protected final WaitPolicy waitPolicy;
  private final WaitPoint waitPoint;
  /** What the last wait answered: it was over soon, and without sleeping. */
  private boolean lively;
  /** When it was last looked whether entry and name are still there. */
  private long probedNanos = System.nanoTime() - WaitRoom.PROBE_NANOS;

  @SuppressWarnings("this-escape") // the handle refers to it weakly, and uses it when it is given back
  protected Role(UsageGuard guard, WaitPolicy waitPolicy, Waiters waiters) {
    this.entry = waiters.entry();
    this.guard = guard;
    this.waitPolicy = waitPolicy;
    this.waitPoint = new Point(this, waiters, guard instanceof RoleHandle handle ? handle.index() : WaitPoint.NO_ROLE);
    if (guard instanceof RoleHandle own) {
      own.guard(this);
    }
  }

  private record Point(Role user, Waiters waiters, int role) implements WaitPoint {
    @Override
    public SegmentCore core() {
      return user.entry.core();
    }

    @Override
    public boolean isWaitOver() {
      return user.isUnusableOr(user::hasWork);
    }

    @Override
    public long changeStamp() {
      return user.changeStamp();
    }
  }

  /** Labels this role for people who inspect the segment. */
  protected final void setLabel(String label) {
    Label.check(label);
    if (!(guard instanceof RoleHandle handle)) {
      throw new IllegalStateException("Segment " + entry.core().path() + " is attached read-only, so that nobody sees"
          + " this role of entry \"" + entry.name() + "\", nor its label.");
    }
    guard.checkUsable();
    entry.core().whileMapped(() -> {
      handle.label(label);
      return null;
    });
  }

  /** Whether the role can no longer be used, or a condition holds. */
  final boolean isUnusableOr(BooleanSupplier condition) {
    try {
      return !guard.isUsable() || condition.getAsBoolean();
    } catch (RuntimeException | InternalError fault) {
      if (guard.isUsable()) {
        throw fault;
      }
      return true; // it was closed after the first look, and its memory is gone
    }
  }

  /** What a role waits for, or a condition of one, for the hub; null when it is neither. */
  public static WaitPoint waitPoint(Waitable waitable) {
    if (waitable instanceof Role role) {
      return role.waitPoint;
    }
    return waitable instanceof Condition condition ? condition : null;
  }

  /** What the user of this role may wait for beside its work; over, too, when the role may not be used any more. */
  protected final Waitable condition(BooleanSupplier holds) {
    return new Condition(this, waitPoint, holds);
  }

  /** Whether what the role waits for is there. Asked by another thread while the role's own thread waits. */
  protected abstract boolean hasWork();

  @Override
  public final void revoke() {
    guard.revoke();
    Reference.reachabilityFence(this); // or the cleaner would say that nobody has closed it
  }

  @Override
  public final void retire() {
    guard.retire();
    Reference.reachabilityFence(this);
  }

  @Override
  public final boolean isGivenBack() {
    return !entry.core().hasTaken(guard);
  }

  /** See {@link WaitPoint#changeStamp}. */
  protected abstract long changeStamp();

  /** What is to be done before the role is given back; nobody uses it then. */
  protected void finish() {}

  protected final boolean isWaitOver() {
    return waitPoint.isWaitOver();
  }

  /** Begins a call that may wait, unless {@code timeoutNanos} says that it must not. */
  protected final void checkInterrupt(long timeoutNanos) {
    if (timeoutNanos > 0 && Thread.currentThread().isInterrupted()) {
      throw new InterruptedWaitException("Thread \"" + Thread.currentThread().getName() + "\" was interrupted while it"
          + " used entry \"" + entry.name() + "\" in segment " + entry.core().path() + " with a timeout. Nothing was"
          + " taken or sent.");
    }
  }

  /**
   * Waits once, for {@link WaitRoom#PROBE_NANOS} at the most when it sleeps; false when {@code timeoutNanos} have
   * passed since {@code startNanos}.
   *
   * @throws InterruptedWaitException when this thread was interrupted
   */
  protected final boolean awaitOnce(long startNanos, long timeoutNanos) {
    long now = System.nanoTime();
    long left = timeoutNanos - (now - startNanos);
    if (left <= 0) {
      return false;
    }
    checkInterrupt(left);
    if (now - probedNanos >= WaitRoom.PROBE_NANOS) {
      probedNanos = now;
      probe();
    }
    lively = entry.core().waitRoom().await(waitPoint, waitPolicy, left, lively);
    return true;
  }

  private void probe() {
    try {
      entry.probeFromOutside();
      entry.core().probePeers();
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    }
  }
}
