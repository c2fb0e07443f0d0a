package io.bywash.engine.internal;

import io.bywash.engine.SegmentClosedException;
import java.lang.invoke.VarHandle;

/** What lets a role be used until it, or its segment, is closed. Of an observer's role this is all; nothing is shared. */
public class Hold {
  protected final SegmentEntry entry;
  private final SegmentCore observed;
  /**
   * Plain, since it is read for each message: every operation of a role looks at shared memory with an ordering mode, which
   * makes the JIT read this anew.
   */
  private boolean usable = true;

  /** A participant's: its segment revokes it. */
  Hold(SegmentEntry entry) {
    this.entry = entry;
    this.observed = null;
  }

  private Hold(SegmentEntry entry, SegmentCore observed) {
    this.entry = entry;
    this.observed = observed;
  }

  /** An observer's: its segment does not know it, so it asks. */
  public static Hold ofObserver(SegmentEntry entry) {
    return new Hold(entry, entry.core());
  }

  /** Whether the role may still be used: neither it nor the segment was closed in this process. */
  public final boolean isUsable() {
    return usable && (observed == null || observed.isOpen());
  }

  /** Throws what the user has to know when the role may not be used any more. */
  public final void checkUsable() {
    if (!isUsable()) {
      entry.core().checkOpen();
      throw new SegmentClosedException("This role of entry \"" + entry.name() + "\" in segment " + entry.core().path()
          + " is closed. Open the segment and take the role again.");
    }
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
