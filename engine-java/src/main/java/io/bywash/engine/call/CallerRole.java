package io.bywash.engine.call;

import io.bywash.engine.call.CallFailedException.Reason;
import io.bywash.engine.internal.events.EngineEvents;
import io.bywash.engine.internal.layout.Numbers;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.internal.role.Role;
import io.bywash.engine.internal.role.RoleHandle;
import io.bywash.engine.wait.WaitPolicy;
import io.bywash.engine.wait.Waitable;
import java.lang.ref.Reference;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * What a caller's own calls, claims and client use of it: its operations, and how it waits. {@link Caller} is what
 * users see.
 */
@SuppressWarnings("exports")
abstract class CallerRole extends Role implements Waitable {
  final Slots slots;
  final Region region;
  final RequestWriter writer;
  final InFlight inFlight;
  private final RoleHandle handle;
  private boolean wantsSlot;
  /** Whether this thread waits, and so looks at deadlines itself. */
  private boolean waits;
  /** What else ends a wait; null when nothing does. */
  private BooleanSupplier news;

  CallerRole(Slots slots, RoleHandle handle, WaitPolicy waitPolicy) {
    super(handle, waitPolicy, slots.entry.waitingForSpace());
    this.slots = slots;
    this.region = slots.region;
    this.handle = handle;
    this.writer = new RequestWriter(this, slots);
    this.inFlight = new InFlight(this, slots, handle);
  }

  static void checkTimeout(long timeoutNanos) {
    Numbers.checkPositive("timeoutNanos", timeoutNanos);
  }

  final void checkLength(int length) {
    if (length < 0 || length > slots.maxRequestBytes) {
      throw new IllegalArgumentException("length=" + length + ": a request of endpoint \"" + entry.name()
          + "\" has 0 to " + slots.maxRequestBytes + " bytes");
    }
  }

  // ---- operations

  /** Begins the operation of writing to {@link InFlight#nextSlot}; false when all slots are in use. */
  final boolean tryEnter() {
    if (writer.isWriting()) {
      guard.checkUsable();
      throw new IllegalStateException("the last claim was neither sent nor aborted");
    }
    guard.enter();
    boolean entered = false;
    try {
      entered = handle.isHeld() && inFlight.reserve();
      if (!entered) {
        inFlight.update(false); // calls that are done do not end the next wait
        EngineEvents.writerBlocked(entry.core().path(), entry.name(), handle.index());
      }
      if (!entered && !handle.isHeld()) {
        throw handle.takenAway();
      }
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      if (!entered) {
        guard.exit();
      }
    }
    return entered;
  }

  /** As {@link #tryEnter}, but waits for a slot. Returns how much of the time since {@code start} is left then. */
  final long enter(int length, int type, long start, long timeoutNanos) {
    boolean waited = false;
    for (; !tryEnter(); waited = true) {
      long left = timeoutNanos - (System.nanoTime() - start);
      if (left <= 0) {
        throw new CallFailedException(Reason.TIMED_OUT, "No request of up to " + length + " bytes and type " + type
            + " was sent to endpoint \"" + entry.name() + "\" within " + timeoutNanos + " ns: all "
            + slots.slotCount + " slots of this caller are in use");
      }
      awaitChange(left, true);
    }
    return waited ? Math.max(timeoutNanos - (System.nanoTime() - start), 1) : timeoutNanos;
  }

  /** Begins an operation, unless an open claim of this thread has done so; its end would give up what it protects. */
  final boolean enterBeside() {
    if (writer.isWriting() && guard.isCallerInside()) {
      guard.checkUsable();
      return false;
    }
    guard.enter();
    return true;
  }

  final void exitBeside(boolean entered) {
    if (entered) {
      guard.exit();
    }
  }

  // ---- for an open claim

  /** Sends it. */
  final Call send(int start, int length, int type, long timeoutNanos) {
    return inFlight.toBePolled(inFlight.send(start, length, type, timeoutNanos));
  }

  final void exit() {
    guard.exit();
  }

  final void checkUsable() {
    guard.checkUsable();
  }

  // ---- for a call

  final void look(Call call) {
    boolean entered = enterBeside();
    try {
      inFlight.update(call);
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      exitBeside(entered);
      Reference.reachabilityFence(this);
    }
  }

  /** Waits until a call is done, for up to {@code timeoutNanos}; whether it is. */
  final boolean await(Call call, long timeoutNanos) {
    beginWait(timeoutNanos);
    return awaitEnd(call, timeoutNanos);
  }

  /** As {@link #await(Call, long)}, for a call of this class that has begun to wait. */
  final boolean awaitEnd(Call call, long timeoutNanos) {
    long start = System.nanoTime();
    while (isPendingAfterLook(call)) {
      long now = System.nanoTime();
      long left = timeoutNanos - (now - start);
      if (left <= 0) {
        return false;
      }
      awaitChange(Math.max(Math.min(call.deadlineNanos - now, left), 1), false);
    }
    return true;
  }

  private boolean isPendingAfterLook(Call call) {
    boolean entered = enterBeside();
    try {
      if (call.isPending()) {
        inFlight.update(true);
      }
      return call.isPending();
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      exitBeside(entered);
      Reference.reachabilityFence(this);
    }
  }

  final boolean cancel(Call call) {
    boolean entered = enterBeside();
    try {
      return inFlight.fail(call, Reason.CANCELLED);
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      exitBeside(entered);
    }
  }

  final void close(Call call) {
    if (call.isPending() && guard.isUsable()) {
      cancel(call);
    }
    inFlight.release(call);
    call.end();
  }

  // ---- for a client that many threads share

  /** Has waits also end when that holds. A change of it is followed by {@link #wake}. */
  final void wakeFor(BooleanSupplier newNews) {
    news = newNews;
  }

  /** Wakes the thread that waits in this role. Any thread may call this. */
  final void wake() {
    if (entry.core().tryBeginOperation()) { // else the segment is being closed, which wakes it as well
      try {
        entry.core().participants().wakeSelfIn(handle.index());
      } finally {
        entry.core().endOperation();
      }
    }
  }

  /** Waits until a call is done, a slot is free if {@code forSlot}, or there are news. */
  final void awaitNews(long mostNanos, boolean forSlot) {
    long now = System.nanoTime();
    long untilDeadline = inFlight.nextDeadline(now + mostNanos) - now;
    awaitChange(Math.max(Math.min(mostNanos, untilDeadline), 1), forSlot);
  }

  /** The calls that are not closed. */
  final List<Call> allCalls() {
    return inFlight.all();
  }

  // ---- waiting, and the end

  final void awaitChange(long mostNanos, boolean forSlot) {
    waits = true;
    wantsSlot = forSlot;
    try {
      awaitOnce(Long.MAX_VALUE, mostNanos);
    } finally {
      waits = false;
      wantsSlot = false;
    }
  }

  @Override
  protected final boolean hasWork() {
    return inFlight.hasReply() || inFlight.mayBeLost() || news != null && news.getAsBoolean()
        || wantsSlot && inFlight.hasFreeSlot()
        || !waits && inFlight.count() > 0 && inFlight.nextDeadline(0) - System.nanoTime() <= 0;
  }

  @Override
  protected final long changeStamp() {
    return slots.answersStamp();
  }

  /** A deadline passes without anything else. */
  @Override
  protected final boolean isTimed() {
    return true;
  }

  @Override
  protected final void finish() {
    if (inFlight != null) { // null when the role could not be taken
      inFlight.abandonAll();
    }
  }
}
