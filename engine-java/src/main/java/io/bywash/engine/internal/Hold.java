package io.bywash.engine.internal;

import io.bywash.engine.BusException;
import io.bywash.engine.SegmentClosedException;
import java.lang.invoke.VarHandle;

/**
 * What lets a role be used until it, or its segment, is closed; and tells whether it is being used just now. Of an observer's
 * role this is all; nothing is shared.
 *
 * <p>Neither the role's place in the segment nor the segment's memory is given back while the role's user is inside, from
 * {@link #enter} to {@link #exit}. The two sides' steps cannot both come first [inside]:
 * <pre>
 *   user:   enter;  look whether the role is usable;  ...  exit;  look whether the role is usable
 *   closer: make it unusable;  BARRIER ON ALL THREADS;  look whether the user is inside
 * </pre>
 * A closer that finds the user outside ends the role. One that finds it inside leaves that to the user, who finds the role
 * unusable when it exits. The user pays for no fence: the closer's {@link AllThreads#passSafepoint barrier} has every thread
 * pass a point at which its memory is in the order of its program.
 */
public class Hold {
  protected final SegmentEntry entry;
  /** Plain, as the next one, since both are used for each message: the fence of {@link #exit} makes the JIT read it anew. */
  private boolean usable = true;
  /** The id of the thread that is in an operation; 0 when none is. */
  private long inside;

  Hold(SegmentEntry entry) {
    this.entry = entry;
  }

  /** An observer's. */
  public static Hold ofObserver(SegmentEntry entry) {
    Hold hold = new Hold(entry);
    entry.core().adopt(hold);
    return hold;
  }

  /**
   * Begins an operation. A thread that is inside already stays there: an operation that a {@link StackOverflowError} ended may
   * not have come to its exit.
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
    VarHandle.releaseFence(); // [inside] whoever sees the next store sees what the operation wrote, and is behind what it read
    inside = 0;
    if (!usable) {
      endRevoked();
    }
  }

  private void endRevoked() {
    try {
      end();
    } catch (BusException failure) { // the operation's own outcome must not be lost
      EngineLog.log(System.Logger.Level.WARNING, "A role of entry \"" + entry.name() + "\" in segment " + entry.core().path()
          + " was closed while it was in use, and was not given back in good order.", failure);
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
    return new IllegalStateException("This role of entry \"" + entry.name() + "\" in segment " + entry.core().path()
        + " is used by two threads at once: thread " + other + " is in an operation of it, and thread " + me
        + " began another. Take a role for each thread.");
  }

  /** Whether the role may still be used: neither it nor the segment was closed in this process. */
  public final boolean isUsable() {
    return usable;
  }

  /** Throws what the user has to know when the role may not be used any more. */
  public final void checkUsable() {
    if (!usable) {
      throw unusable();
    }
  }

  private SegmentClosedException unusable() {
    entry.core().checkOpen();
    entry.core().checkName();
    return new SegmentClosedException("This role of entry \"" + entry.name() + "\" in segment " + entry.core().path()
        + " is closed. Open the segment and take the role again.");
  }

  /** From now on the role's operations fail. */
  final void revoke() {
    usable = false;
    VarHandle.fullFence(); // [inside]
    entry.core().waitRoom().noteRevocation();
  }

  /** Gives the role back; if another thread is inside, its operation does, at its end. Once is enough. */
  public final void close() {
    revoke();
    if (!isInside() || isCallerInside()) {
      end();
    }
  }

  /** Ends a revoked role unless a thread is inside, which then ends it. */
  final void endIfOutside() {
    if (!isInside()) {
      end();
    }
  }

  /** Gives back what a revoked role has; nobody uses it. Once is enough. */
  void end() {
    entry.core().release(this);
  }
}
