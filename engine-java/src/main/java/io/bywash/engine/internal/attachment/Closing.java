package io.bywash.engine.internal.attachment;

import io.bywash.engine.BusException;
import io.bywash.engine.internal.files.BusFailures;
import io.bywash.engine.internal.linux.EngineLog;
import java.io.IOException;
import java.util.List;

/** Ends roles, and gives up slot, lock, descriptor and memory when a closed segment needs them no more. */
final class Closing {
  private final Attachment core;
  private final OpenRoles open;

  Closing(Attachment core, OpenRoles open) {
    this.core = core;
    this.open = open;
  }

  // ---- roles

  /** Ends the roles in a row, or in all rows if it is null; a role in use ends when its operation does. */
  void endRoles(Row row) {
    Failures failures = new Failures();
    end(open.in(row), failures);
    failures.rethrow();
  }

  /**
   * Takes all steps that can be taken. It allocates only what the barrier does: if there is no heap for that, it
   * throws, and the roles are unusable but not given back.
   */
  private void end(List<UsageGuard> all, Failures failures) {
    for (int i = 0; i < all.size(); i++) {
      all.get(i).makeUnusable();
    }
    try {
      core.participants().wakeSelf();
      Thread.holdsLock(this); // throws an error that was held back, as in Attachment.whileMapped
    } catch (InternalError | RuntimeException failure) {
      failures.add(typed(failure));
    }
    if (!all.isEmpty()) {
      AllThreads.passSafepoint(); // [inside] a user who is outside finds the role unusable when it enters
    }
    for (int i = 0; i < all.size(); i++) {
      try {
        all.get(i).endIfOutside();
        Thread.holdsLock(this);
      } catch (RuntimeException | Error failure) {
        failures.add(typed(failure));
      }
    }
  }

  /** A failure, with a typed exception instead of the error that a step meets when the file was truncated. */
  private Throwable typed(Throwable failure) {
    try {
      return failure instanceof InternalError fault ? core.truncated(fault) : failure;
    } catch (Error other) {
      return other;
    }
  }

  /** As {@link UsageGuard#retire}. */
  void retire(UsageGuard role) {
    if (!open.tryBegin()) {
      return; // the segment is being closed, which ends it too
    }
    try {
      role.makeUnusable();
      AllThreads.passSafepoint(); // [inside] a user who is outside finds the role unusable when it enters
      role.endIfOutside();
    } catch (InternalError fault) {
      throw core.truncated(fault);
    } finally {
      endOperation();
    }
  }

  /** As {@link UsageGuard#revoke}. Memory and slot stay until this is done, whoever else closes role or segment. */
  void revoke(UsageGuard role) {
    if (!open.tryBegin(role)) {
      return; // it was given back
    }
    try {
      try {
        role.noteRevoked();
        role.makeUnusable();
        Failures failures = new Failures();
        end(List.of(role), failures);
        failures.rethrow();
      } finally { // even when there is no heap for the rest
        role.withdraw();
      }
      settle();
    } catch (InternalError fault) {
      throw core.truncated(fault);
    } finally {
      endOperation();
    }
  }

  /** Removes a role that was given back. Its user's own outcome must not be lost. */
  void release(UsageGuard role) {
    if (open.remove(role)) {
      try {
        settle();
      } catch (BusException failure) {
        logBadEnd(failure);
      } catch (OutOfMemoryError | StackOverflowError shortage) {
        open.setNameLeft(true); // nobody comes back to try again: slot and memory go, though the segment may stay
        throw shortage;
      } finally {
        endOperation();
      }
    }
  }

  // ---- the segment

  /** As {@link Attachment#close}. */
  void close() {
    Failures failures = new Failures();
    List<UsageGuard> all = open.beginClosing();
    if (all == null) {
      return;
    }
    boolean passed = false;
    try {
      end(all, failures);
      passed = true;
    } finally {
      open.noteEnded(passed);
      endClosing(failures);
    }
    failures.rethrow();
  }

  private void endClosing(Failures failures) {
    try {
      settle();
      Thread.holdsLock(this);
    } catch (RuntimeException | Error failure) {
      failures.add(typed(failure));
    }
    if (open.end()) {
      try {
        detach();
        Thread.holdsLock(this);
      } catch (RuntimeException | Error failure) {
        failures.add(typed(failure));
      }
    }
  }

  /**
   * If the segment was closed, and nothing can be sent in it any more: says so, and removes it if nobody else stays.
   * Called whenever that may have become so, by somebody who is inside an operation, of a role or any other. Whoever
   * was refused the heap for it may call this again.
   */
  void settle() {
    try {
      if (open.tryBeginLeaving() && !core.isReadOnly() && core.participants().hasSlot()) {
        core.leaveName();
      }
    } catch (InternalError fault) { // there is no segment that could stay
      throw core.truncated(fault);
    } catch (OutOfMemoryError | StackOverflowError shortage) {
      open.setNameLeft(false);
      throw shortage;
    }
  }

  /** As {@link Attachment#endOperation}. The operation's own outcome must not be lost. */
  void endOperation() {
    if (open.end()) {
      try {
        detach();
      } catch (BusException failure) {
        logBadEnd(failure);
      }
    }
  }

  private void detach() {
    try {
      if (!core.isReadOnly()) {
        core.leave();
      }
      Thread.holdsLock(this); // as above
    } catch (IOException failure) {
      throw BusFailures.of(core.path(), failure);
    } catch (InternalError fault) {
      throw core.truncated(fault);
    } finally {
      core.file().close();
    }
  }

  private void logBadEnd(BusException failure) {
    EngineLog.log(System.Logger.Level.WARNING, "Segment " + core.path() + " was closed while it was in use, and was"
        + " not left in good order.", failure);
  }
}
