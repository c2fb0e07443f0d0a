package io.bywash.engine.internal.role;

import io.bywash.engine.InterruptedWaitException;
import io.bywash.engine.Revocable;
import io.bywash.engine.internal.attachment.UsageGuard;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.Label;
import io.bywash.engine.internal.waiting.WaitPoint;
import io.bywash.engine.internal.waiting.WaitRoom;
import io.bywash.engine.internal.waiting.WaitStrategy;
import io.bywash.engine.internal.waiting.Waiters;
import io.bywash.engine.wait.WaitPolicy;
import io.bywash.engine.wait.Waitable;
import java.lang.ref.Reference;
import java.util.function.BooleanSupplier;

/** What all roles have in common: their entry, their usage guard, and waiting. Not part of the public API. */
public abstract class Role extends WaitPoint implements Waitable, Revocable {
  protected final SegmentEntry entry;
  protected final UsageGuard guard;
  private final Waiters waiters;
  private final WaitStrategy waitStrategy;
  private final BooleanSupplier work = this::hasWork;
  /** The result of the last wait: it was over soon, and without sleeping. */
  private boolean lastWasBrief;
  /** Whether the current call has already waited, and since when. */
  private boolean hasWaited;
  private long waitingSinceNanos;
  /** When this last probed whether entry and name are still there. */
  private long probedNanos = System.nanoTime() - WaitRoom.PROBE_NANOS;

  @SuppressWarnings("this-escape") // the handle refers to this weakly, and uses it only when the role is given back
  protected Role(UsageGuard guard, WaitPolicy waitPolicy, Waiters waiters) {
    this.entry = (SegmentEntry) waiters.row();
    this.guard = guard;
    this.waiters = waiters;
    this.waitStrategy = WaitStrategy.valueOf(waitPolicy.name());
    if (guard instanceof RoleHandle roleHandle) {
      roleHandle.guard(this);
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
    if (!guard.isUsable() || !entry.core().file().tryBeginLook()) {
      return true;
    }
    try {
      return condition.getAsBoolean();
    } catch (RuntimeException fault) {
      if (guard.isUsable()) {
        throw fault;
      }
    } catch (InternalError fault) {
      if (guard.isUsable()) {
        throw entry.core().truncated(fault);
      }
    } finally {
      entry.core().file().endLook();
    }
    return true; // it was closed after the first check, and its memory is gone
  }

  /** A condition that the user of this role can wait for. The wait also ends when the role can no longer be used. */
  protected final Waitable condition(BooleanSupplier holds) {
    return new Condition(this, holds);
  }

  /**
   * Whether what the role waits for is there; true for a role that never waits. Another thread calls this while the
   * role's own thread waits.
   */
  protected boolean hasWork() {
    return true;
  }

  @Override
  public boolean isReady() {
    return isWaitOver();
  }

  @Override
  public final void revoke() {
    guard.revoke();
    Reference.reachabilityFence(this); // or the cleaner would report that nobody closed it
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

  @Override
  public void close() {
    guard.close();
  }

  /** Does what has to be done before the role is given back. Nobody uses the role then. */
  protected void finish() {}

  /** Tells those who depend on this role that it was revoked. Its user may be inside; any thread may call this. */
  protected void revoked() {}

  /**
   * Whether the user, who is inside, may be past its last look at whether the role is usable, and send something that
   * the segment stays for. Asked after the role became unusable, and every thread has passed a safepoint.
   */
  protected boolean isSending() {
    return false;
  }

  @Override
  protected final Waiters waiters() {
    return waiters;
  }

  @Override
  protected final int role() {
    return guard instanceof RoleHandle handle ? handle.index() : NO_ROLE;
  }

  @Override
  protected final boolean isWaitOver() {
    return isUnusableOr(work);
  }

  @Override
  protected long changeStamp() {
    return 0;
  }

  /**
   * Begins a call that may wait if {@code timeoutNanos} allows it. The call then tries, and repeats that while
   * {@link #awaitOnce} returns true.
   *
   * @throws InterruptedWaitException when the call may wait and this thread was interrupted
   */
  protected final void beginWait(long timeoutNanos) {
    if (timeoutNanos > 0) {
      checkInterrupt(timeoutNanos);
      hasWaited = false;
    }
  }

  /** Throws {@link InterruptedWaitException} when the call may wait and this thread was interrupted. */
  protected final void checkInterrupt(long timeoutNanos) {
    if (timeoutNanos > 0 && Thread.currentThread().isInterrupted()) {
      throw new InterruptedWaitException("Thread \"" + Thread.currentThread().getName() + "\" was interrupted while it"
          + " used entry \"" + entry.name() + "\" in segment " + entry.core().path() + " with a timeout. Nothing was"
          + " taken or sent.");
    }
  }

  /**
   * Waits once, for at most {@link WaitRoom#PROBE_NANOS} if it sleeps. Returns false when {@code timeoutNanos} have
   * passed since the first wait of the call that {@link #beginWait} began.
   *
   * @throws InterruptedWaitException when this thread was interrupted
   */
  protected final boolean awaitOnce(long timeoutNanos) {
    return awaitOnce(timeoutNanos, Long.MAX_VALUE);
  }

  /** As {@link #awaitOnce(long)}, for at most {@code mostNanos}, which is at least 1. */
  protected final boolean awaitOnce(long timeoutNanos, long mostNanos) {
    if (timeoutNanos <= 0) {
      return false;
    }
    long now = System.nanoTime();
    if (!hasWaited) {
      hasWaited = true;
      waitingSinceNanos = now;
    }
    long left = timeoutNanos - (now - waitingSinceNanos);
    if (left <= 0) {
      return false;
    }
    checkInterrupt(left);
    try {
      if (now - probedNanos >= WaitRoom.PROBE_NANOS) {
        probedNanos = now;
        entry.probeFromOutside();
        entry.core().probePeers();
      }
      lastWasBrief = waiters.room().await(this, waitStrategy, Math.min(left, mostNanos), lastWasBrief);
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    }
    return true;
  }
}
