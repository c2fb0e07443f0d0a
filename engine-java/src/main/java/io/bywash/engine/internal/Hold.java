package io.bywash.engine.internal;

import io.bywash.engine.SegmentClosedException;
import java.lang.invoke.VarHandle;

/** What lets a role be used until it, or its segment, is closed. Of an observer's role this is all; nothing is shared. */
public class Hold {
  protected final SegmentEntry entry;
  /**
   * Plain, since it is read for each message: every operation of a role looks at shared memory with an ordering mode, which
   * makes the JIT read this anew.
   */
  private boolean usable = true;

  Hold(SegmentEntry entry) {
    this.entry = entry;
  }

  /** An observer's. */
  public static Hold ofObserver(SegmentEntry entry) {
    Hold hold = new Hold(entry);
    entry.core().adopt(hold);
    return hold;
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
    return new SegmentClosedException("This role of entry \"" + entry.name() + "\" in segment " + entry.core().path()
        + " is closed. Open the segment and take the role again.");
  }

  /** From now on the role's operations fail. */
  final void revoke() {
    usable = false;
    VarHandle.fullFence();
  }

  /** Gives the role back; once is enough. */
  public void close() {
    revoke();
  }
}
