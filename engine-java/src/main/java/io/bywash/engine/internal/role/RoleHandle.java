package io.bywash.engine.internal.role;

import static io.bywash.engine.internal.layout.SegmentLayout.*;

import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.Label;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.linux.EngineLog;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.internal.segment.Participants;
import io.bywash.engine.internal.attachment.UsageGuard;
import java.lang.invoke.VarHandle;
import java.lang.ref.Cleaner;
import java.lang.ref.WeakReference;

/**
 * A role that this participant holds: the part that outlives the role object, so that a role which became unreachable
 * without being closed can still be given back. It is made inside an operation, that of taking the role.
 */
public final class RoleHandle extends UsageGuard implements Runnable {
  private static final Cleaner CLEANER = Cleaner.create();

  private final SegmentEntry entry;
  private final int index;
  private final Region region;
  private final long offset;
  private long word;
  private boolean ended;
  private WeakReference<Role> role = new WeakReference<>(null);
  private Cleaner.Cleanable cleanable;

  private RoleHandle(SegmentEntry entry, int index, long word) {
    super(entry);
    this.entry = entry;
    this.index = index;
    this.region = entry.region();
    this.offset = entry.role(index);
    this.word = word;
    enter();
  }

  /**
   * Takes role {@code index} if it is free or its holder is dead: it is then in state JOINING, and its position line is
   * this participant's to write. Returns null when a living participant holds it.
   */
  public static RoleHandle tryTake(SegmentEntry entry, int index, int mode) {
    entry.core().requireParticipant();
    entry.core().checkName();
    entry.core().hold(entry.row());
    try {
      entry.checkPresent(); // [row-held] a remover sees the hold, or this sees that the row is not live any more
      return take(entry, index, mode);
    } finally {
      entry.core().letGo(entry.row()); // the role has a hold of its own
    }
  }

  private static RoleHandle take(SegmentEntry entry, int index, int mode) {
    Participants participants = entry.core().participants();
    for (int tries = 0; tries < Owner.MAX_TRIES; tries++) {
      if (!entry.raiseRolesUsed(index + 1)) {
        continue;
      }
      long word = entry.roleWord(index);
      if (Owner.state(word) != ROLE_FREE && participants.isAlive(word)) {
        return null;
      }
      if (Owner.state(word) != ROLE_FREE) {
        entry.recover(index, word);
      }
      long mine = Owner.word(participants.self(), Owner.generation(word) + 1, mode, ROLE_JOINING);
      if (entry.region().compareAndSetLong(entry.role(index) + ROLE_WORD, word, mine)) { // [role-free]
        Label.write(entry.region(), entry.role(index) + ROLE_LABEL, "");
        entry.waitingForData().withdraw(index); // a dead one's
        entry.waitingForSpace().withdraw(index);
        return entry.core().add(new RoleHandle(entry, index, mine));
      }
    }
    throw entry.damaged("the word of role " + index + " does not stand still: it changed " + Owner.MAX_TRIES
        + " times while it was taken");
  }

  @Override
  protected boolean isShared() {
    return true;
  }

  /** Ties this handle to the role object that its user holds, which must not be reachable from here. */
  void guard(Role user) {
    role = new WeakReference<>(user);
    cleanable = CLEANER.register(user, this);
  }

  public int index() {
    return index;
  }

  /** The role's line pair. */
  public long offset() {
    return offset;
  }

  /** Labels the role for people who inspect the segment. */
  public synchronized void label(String label) {
    if (!ended) { // else its bytes may be another one's
      Label.write(region, offset + ROLE_LABEL, label);
    }
  }

  /** Makes the role count: with a full fence, since the joiner reads the other side's words next. */
  public void activate() {
    long active = Owner.withState(word, ROLE_ACTIVE);
    if (!region.compareAndSetLong(offset + ROLE_WORD, word, active)) { // [role-active]
      throw takenAway();
    }
    word = active;
    VarHandle.fullFence(); // [join] the compare-and-set alone does not order later acquire loads
  }

  /**
   * The failure to throw when the role is not {@linkplain #isStillOurs ours} any more, and was not cut off by another
   * process.
   */
  public SegmentClosedException takenAway() {
    checkUsable();
    return new SegmentClosedException("This role of entry \"" + entry.name() + "\" in segment " + entry.core().path()
        + " was taken away, because its process was taken for dead. Close the segment, and attach it again.");
  }

  /** Whether the role word still stands as it was set: false after this role was revoked, or taken for a dead one's. */
  public boolean isStillOurs() {
    return region.getLongOpaque(offset + ROLE_WORD) == word;
  }

  /** Whether the role no longer counts, although it still belongs to this participant. */
  public boolean isRevoked() {
    return region.getLongAcquire(offset + ROLE_WORD) == Owner.withState(word, ROLE_REVOKED);
  }

  /** Whether nobody else can have the role: it counts, or was revoked. */
  public boolean isHeld() {
    return isStillOurs() || isRevoked();
  }

  /** The role does not count from now on; it stays this participant's, since its user may still write. */
  @Override
  public void withdraw() {
    synchronized (this) { // not given back meanwhile
      if (!ended && entry.revokeRole(index, word)) {
        entry.wakeAll(); // whoever waits for this role need not any more
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
      Role user = role.get();
      if (user != null) {
        user.finish();
      }
      if (entry.freeRole(index, word) || entry.freeRole(index, Owner.withState(word, ROLE_REVOKED))) {
        entry.wakeAll(); // whoever waits for this role need not any more
      }
      entry.core().participants().wakeSelfIn(index); // it may wait in this role itself
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally { // also if the memory is gone
      super.end();
      if (cleanable != null) {
        cleanable.clean(); // does nothing more than unregister, since the role was ended above
      }
    }
  }

  /** The cleaner's call: the role object was collected, so that nobody is inside. */
  @Override
  public void run() {
    synchronized (this) {
      if (ended) {
        return;
      }
    }
    EngineLog.log(System.Logger.Level.WARNING, "A role of entry \"" + entry.name() + "\" in segment "
        + entry.core().path() + " became unreachable without being closed; it was given back now. Close roles, for"
        + " example in a try block.", null);
    makeUnusable();
    end();
  }
}
