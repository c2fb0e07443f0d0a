package io.bywash.engine.internal.role;

import io.bywash.engine.internal.attachment.Attachment;
import io.bywash.engine.internal.attachment.UsageGuard;
import io.bywash.engine.internal.directory.SegmentEntry;

/**
 * The use of an entry without a role in it. Nobody else sees it, but this participant holds the row, so the entry's
 * bytes belong to it for as long as they are used. An observer holds nothing: it asks after each read whether the bytes
 * were still the entry's.
 */
public final class EntryUse extends UsageGuard {
  private static final int USES_A_PROBE = 1024; // a power of two

  private final SegmentEntry entry;
  private final Attachment core;
  private final boolean isObserver;
  private final Runnable last;
  private int uses;
  private boolean ended;

  private EntryUse(SegmentEntry entry, Runnable last) {
    super(entry);
    this.entry = entry;
    this.core = entry.core();
    this.isObserver = core.isReadOnly();
    this.last = last;
  }

  /**
   * Begins to use an entry.
   *
   * @param last what is done before the bytes are given up; nobody uses them then
   */
  public static EntryUse of(SegmentEntry entry, Runnable last) {
    Attachment core = entry.core();
    if (core.isReadOnly()) {
      return core.add(new EntryUse(entry, last));
    }
    core.requireParticipant();
    core.checkName();
    core.hold(entry.row());
    try {
      entry.checkPresent(); // [row-held] either a remover sees the hold, or this sees that the row is no longer live
      return core.add(new EntryUse(entry, last));
    } finally {
      core.letGo(entry.row()); // the use has a hold of its own
    }
  }

  @Override
  protected boolean isShared() {
    return !isObserver;
  }

  /** Ends an operation that has read or written; looks now and then whether the entry is still there. */
  public void done() {
    if (isObserver) {
      try {
        entry.checkPresent();
      } catch (InternalError fault) {
        throw core.truncated(fault);
      } finally {
        exit();
      }
    } else {
      wrote();
    }
  }

  /** As {@link #done}, of who is no observer. */
  public void wrote() {
    if ((++uses & USES_A_PROBE - 1) == 0) {
      probe();
    }
    exit();
  }

  private void probe() {
    boolean found = false;
    try {
      entry.probe();
      found = true;
    } catch (InternalError fault) {
      throw core.truncated(fault);
    } finally {
      if (!found) {
        exit();
      }
    }
  }

  @Override
  public void end() {
    synchronized (this) {
      if (ended) {
        return;
      }
      ended = true;
    }
    try {
      last.run();
    } catch (InternalError fault) {
      throw core.truncated(fault);
    } finally {
      super.end();
    }
  }
}
