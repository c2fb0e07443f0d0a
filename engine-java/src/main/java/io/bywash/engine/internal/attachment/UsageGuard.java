package io.bywash.engine.internal.attachment;

import io.bywash.engine.BusException;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.internal.linux.EngineLog;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Lets a role be used until it or its segment is closed, and knows whether it is being used at the moment. An
 * observer's role has nothing else; nothing of it is shared.
 *
 * <p>Neither the role's place in the segment nor the segment's memory is given back while the role's user is inside an
 * operation, from {@link #enter} to {@link #exit}. At least one of user and closer sees the other's step [inside]:
 * <pre>
 *   user:   enter;  check that the role is usable;  ...  exit;  check that the role is usable
 *   closer: make it unusable;  BARRIER ON ALL THREADS;  check whether the user is inside
 * </pre>
 * A closer that finds the user outside ends the role. A closer that finds it inside leaves that to the user, who finds
 * the role unusable when it exits. The user needs no fence: the closer's {@link AllThreads#passSafepoint barrier} makes
 * every thread pass a point at which its memory accesses are in program order.
 *
 * <p>A revoker does the same, and if the user is inside, it also ends the role's effect on others: see
 * {@link #withdraw}.
 */
public class UsageGuard {
  private static final VarHandle USABLE;

  static {
    try {
      USABLE = MethodHandles.lookup().findVarHandle(UsageGuard.class, "usable", boolean.class);
    } catch (ReflectiveOperationException impossible) {
      throw new AssertionError(impossible);
    }
  }

  private final Row row;
  /**
   * Plain, like {@link #inside}, since both are used for each message. The fence of {@link #exit} makes the JIT read it
   * again there. {@link #enter} reads it opaquely, or the JIT might take what the exit before has read, however long
   * ago that was.
   */
  private boolean usable = true;
  /** Whether it is unusable because it was revoked; written before {@link #usable}. */
  private boolean revoked;
  /** The id of the thread that is inside an operation; 0 when none is. */
  private long inside;
  /** How many uses that {@link #hold} began are not over. */
  private final AtomicInteger holds = new AtomicInteger();

  protected UsageGuard(Row row) {
    this.row = row;
  }

  /** The guard of an observer's role. */
  public static UsageGuard ofObserver(Row row) {
    return row.core().add(new UsageGuard(row));
  }

  /**
   * Begins an operation. A thread that is already inside may call this: an operation that a {@link StackOverflowError}
   * ended may not have reached its exit.
   *
   * @throws SegmentClosedException when the role can no longer be used
   * @throws IllegalStateException when another thread is inside
   */
  public final void enter() {
    if (inside != 0) {
      checkOneThread();
    }
    inside = Thread.currentThread().threadId(); // [inside]
    if (!(boolean) USABLE.getOpaque(this)) { // [inside]
      exit();
      throw unusable();
    }
  }

  private void checkOneThread() {
    long other = inside;
    long me = Thread.currentThread().threadId();
    if (other != 0 && other != me) {
      throw usedByTwo(other, me);
    }
  }

  /** Ends an operation, and gives the role back if it was closed meanwhile. */
  public final void exit() {
    // Whoever sees the next store also sees what the operation wrote, and comes after what it read.
    VarHandle.releaseFence(); // [inside]
    inside = 0;
    if (!usable) {
      endUnusable();
    }
  }

  /**
   * Begins a use that any thread may end, beside others and beside operations. The role is not given back before
   * {@link #letGo}.
   *
   * @throws SegmentClosedException when the role can no longer be used
   */
  public final void hold() {
    holds.incrementAndGet();
    VarHandle.fullFence(); // [inside] an atomic access alone does not order later plain loads
    if (!usable) { // [inside]
      letGo();
      throw unusable();
    }
  }

  /** Ends what {@link #hold} began, and gives the role back if it was closed meanwhile and nobody uses it any more. */
  public final void letGo() {
    holds.decrementAndGet();
    VarHandle.fullFence(); // [inside] as in hold
    if (!usable) { // [inside]
      endUnusable();
    }
  }

  private void endUnusable() {
    VarHandle.fullFence(); // [inside] of the last two users who leave, at least one sees that the other has left
    if (isInside()) {
      return;
    }
    try {
      end();
    } catch (BusException failure) { // the operation's own outcome must not be lost
      EngineLog.log(System.Logger.Level.WARNING, "A role of entry \"" + row.name() + "\" in segment "
          + row.core().path() + " was closed while it was in use, and was not given back in good order.", failure);
    }
  }

  /** Whether some thread is inside an operation, or a use that {@link #hold} began. */
  public final boolean isInside() {
    boolean isInside = inside != 0 || holds.get() != 0;
    VarHandle.acquireFence(); // [inside]
    return isInside;
  }

  /** Whether the calling thread is inside an operation. */
  public final boolean isCallerInside() {
    return inside == Thread.currentThread().threadId();
  }

  private IllegalStateException usedByTwo(long other, long me) {
    return new IllegalStateException("This role of entry \"" + row.name() + "\" in segment " + row.core().path()
        + " is used by two threads at once: thread " + other + " is in an operation of it, and thread " + me
        + " began another. Take a role for each thread.");
  }

  /** Whether the role may still be used: neither it nor the segment was closed in this process. */
  public final boolean isUsable() {
    return usable;
  }

  /** Throws the exception that says why the role can no longer be used. */
  public final void checkUsable() {
    if (!usable) {
      throw unusable();
    }
  }

  /** The row of the role's entry. */
  final Row row() {
    return row;
  }

  /** Whether others see the role; they do not see an observer's. */
  protected boolean isShared() {
    return false;
  }

  private SegmentClosedException unusable() {
    row.core().checkOpen();
    row.core().checkName();
    row.core().whileMapped(() -> {
      row.checkPresent();
      return null;
    });
    String role = "This role of entry \"" + row.name() + "\" in segment " + row.core().path();
    return new SegmentClosedException(revoked
        ? role + " was revoked: this process took it from its user. Take the role again if it is still wanted."
        : role + " is closed. Open the segment and take the role again.");
  }

  /** Makes all further operations of the role fail. */
  public final void makeUnusable() {
    usable = false;
    VarHandle.fullFence(); // [inside]
    row.core().noteRevocation();
  }

  /** Revokes the role, see {@link io.bywash.engine.Revocable#revoke}. Any thread may call this. */
  public final void revoke() {
    row.core().revoke(this);
  }

  /** Retires the role, see {@link io.bywash.engine.Revocable#retire}. Any thread may call this. */
  public final void retire() {
    row.core().retire(this);
  }

  /** Notes that the role was revoked, so that its user gets an exception that says so. */
  public final void noteRevoked() {
    if (usable) {
      revoked = true;
    }
  }

  /** Ends the effect that an unusable role has on others while its user is inside. An observer's role has none. */
  public void withdraw() {}

  /** Whether others may still see what its user, who is inside, is about to do. An observer does nothing. */
  protected boolean mayStillSend() {
    return false;
  }

  /** Gives the role back, at once or when another thread's operation ends. Calling this again does nothing. */
  public final void close() {
    close(false);
  }

  /**
   * As {@link #close()}.
   *
   * @param goesOn whether the calling thread's operation goes on after this, which is called by code of the user's that
   *     the operation runs; the end of the operation then gives the role back
   */
  public final void close(boolean goesOn) {
    makeUnusable();
    if (holds.get() == 0 && (inside == 0 || isCallerInside() && !goesOn)) {
      end();
    }
  }

  /** Ends an unusable role, unless a thread is inside; that thread then ends it. */
  public final void endIfOutside() {
    if (!isInside()) {
      end();
    }
  }

  /** Gives back what an unusable role has. Nobody uses the role then. Calling this again does nothing. */
  public void end() {
    row.core().release(this);
  }
}
