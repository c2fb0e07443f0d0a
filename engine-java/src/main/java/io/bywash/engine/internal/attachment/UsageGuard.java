package io.bywash.engine.internal.attachment;

import io.bywash.engine.BusException;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.internal.linux.EngineLog;
import java.lang.invoke.VarHandle;

/**
 * What lets a role be used until it, or its segment, is closed; and tells whether it is being used just now. Of an
 * observer's role this is all; nothing is shared.
 *
 * <p>Neither the role's place in the segment nor the segment's memory is given back while the role's user is inside,
 * from {@link #enter} to {@link #exit}. The two sides' steps cannot both come first [inside]:
 * <pre>
 *   user:   enter;  check that the role is usable;  ...  exit;  check that the role is usable
 *   closer: make it unusable;  BARRIER ON ALL THREADS;  check whether the user is inside
 * </pre>
 * A closer that finds the user outside ends the role. One that finds it inside leaves that to the user, who finds the
 * role unusable when it exits. The user pays for no fence: the closer's {@link AllThreads#passSafepoint barrier} has
 * every thread pass a point at which its memory is in the order of its program.
 *
 * <p>A revoker does as a closer does, and if the user is inside it also takes the role's effect on others: see
 * {@link #withdraw}.
 */
public class UsageGuard {
  private final Row row;
  /**
   * Plain, as the next one, since both are used for each message: the fence of {@link #exit} makes the JIT read it
   * anew.
   */
  private boolean usable = true;
  /** Why it is not usable; written before that is. */
  private boolean revoked;
  /** The id of the thread that is in an operation; 0 when none is. */
  private long inside;

  protected UsageGuard(Row row) {
    this.row = row;
  }

  /** An observer's. */
  public static UsageGuard ofObserver(Row row) {
    return row.core().add(new UsageGuard(row));
  }

  /**
   * Begins an operation. A thread that is inside already stays there: an operation that a {@link StackOverflowError}
   * ended may not have come to its exit.
   *
   * @throws SegmentClosedException when the role may not be used any more
   * @throws IllegalStateException when another thread is inside
   */
  public final void enter() {
    if (inside != 0) {
      checkOneThread();
    }
    inside = Thread.currentThread().threadId(); // [inside]
    if (!usable) { // [inside]
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

  /** Ends an operation; gives the role back if it was closed meanwhile. */
  public final void exit() {
    // Whoever sees the next store sees what the operation wrote, and is behind what it read.
    VarHandle.releaseFence(); // [inside]
    inside = 0;
    if (!usable) {
      endUnusable();
    }
  }

  private void endUnusable() {
    try {
      end();
    } catch (BusException failure) { // the operation's own outcome must not be lost
      EngineLog.log(System.Logger.Level.WARNING, "A role of entry \"" + row.name() + "\" in segment "
          + row.core().path() + " was closed while it was in use, and was not given back in good order.", failure);
    }
  }

  /** Whether some thread is in an operation. */
  public final boolean isInside() {
    boolean isInside = inside != 0;
    VarHandle.acquireFence(); // [inside]
    return isInside;
  }

  /** Whether the calling thread is in an operation. */
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

  /** The row of the entry whose role this is about. */
  final Row row() {
    return row;
  }

  /** Whether others see the role, unlike an observer's. */
  protected boolean isShared() {
    return false;
  }

  private SegmentClosedException unusable() {
    row.core().checkOpen();
    row.core().checkName();
    row.checkPresent();
    String role = "This role of entry \"" + row.name() + "\" in segment " + row.core().path();
    return new SegmentClosedException(revoked
        ? role + " was revoked: this process took it from its user. Take the role again if it is still wanted."
        : role + " is closed. Open the segment and take the role again.");
  }

  /** From now on the role's operations fail. */
  public final void makeUnusable() {
    usable = false;
    VarHandle.fullFence(); // [inside]
    row.core().noteRevocation();
  }

  /** Takes the role from its user, see {@link io.bywash.engine.Revocable#revoke}. Any thread may call it. */
  public final void revoke() {
    row.core().revoke(this);
  }

  /** Ends the role on behalf of its user, see {@link io.bywash.engine.Revocable#retire}. Any thread may call it. */
  public final void retire() {
    row.core().retire(this);
  }

  /** The user is to be told that it was that. */
  public final void noteRevoked() {
    if (usable) {
      revoked = true;
    }
  }

  /** Takes what an unusable role still means to others while its user is inside. An observer means nothing. */
  public void withdraw() {}

  /** Gives the role back; if another thread is inside, its operation does, at its end. Once is enough. */
  public final void close() {
    makeUnusable();
    if (!isInside() || isCallerInside()) {
      end();
    }
  }

  /** Ends an unusable role unless a thread is inside, which then ends it. */
  public final void endIfOutside() {
    if (!isInside()) {
      end();
    }
  }

  /** Gives back what an unusable role has; nobody uses it. Once is enough. */
  public void end() {
    row.core().release(this);
  }
}
