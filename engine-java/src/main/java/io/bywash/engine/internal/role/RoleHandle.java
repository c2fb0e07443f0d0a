package io.bywash.engine.internal.role;

import static io.bywash.engine.internal.layout.SegmentLayout.*;

import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.TableFullException;
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
import java.util.function.Function;

/**
 * A role that this participant holds: the part that outlives the role object, so a role that became unreachable without
 * being closed can still be given back. It is created inside an operation, that of taking the role.
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
   * Takes role {@code index} if it is free or its holder is dead. The role is then in state JOINING, and only this
   * participant writes its position line. Returns null when a living participant holds the role.
   */
  public static RoleHandle tryTake(SegmentEntry entry, int index, int mode) {
    entry.core().requireParticipant();
    entry.core().checkName();
    entry.core().hold(entry.row());
    try {
      entry.checkPresent(); // [row-held] either a remover sees the hold, or this sees that the row is no longer live
      return take(entry, index, mode);
    } finally {
      entry.core().letGo(entry.row()); // the role has a hold of its own
    }
  }

  /** Takes role {@code index} as {@link #tryTake} does, makes its user, and activates it. */
  public static <R> R tryOpen(SegmentEntry entry, int index, int mode, Function<RoleHandle, R> user) {
    RoleHandle handle = tryTake(entry, index, mode);
    return handle == null ? null : handle.opened(handle, user);
  }

  /**
   * As {@link #tryOpen}, for the first role from {@code first} on, before {@code end}, that can be taken.
   *
   * @param plural what those who hold such roles are called
   * @throws TableFullException when living participants hold all of them
   */
  public static <R> R openFirst(SegmentEntry entry, int first, int end, int mode, String plural,
      Function<RoleHandle, R> user) {
    for (int index = first; index < end; index++) {
      R opened = tryOpen(entry, index, mode, user);
      if (opened != null) {
        return opened;
      }
    }
    throw allTaken(entry, end - first, plural);
  }

  /** The exception to throw when living participants hold all roles of a sort. */
  public static TableFullException allTaken(SegmentEntry entry, int count, String plural) {
    return new TableFullException("Entry \"" + entry.name() + "\" of segment " + entry.core().path() + " has all its "
        + count + " " + plural + ", and they live. Close one, or create it with more.");
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
      RoleHandle handle = new RoleHandle(entry, index, mine); // first, since there may be no heap for it
      if (entry.region().compareAndSetLong(entry.role(index) + ROLE_WORD, word, mine)) { // [role-free]
        return handle.added();
      }
    }
    throw entry.damaged("the word of role " + index + " does not stand still: it changed " + Owner.MAX_TRIES
        + " times while it was taken");
  }

  /** Has the attachment know the role that was taken, or frees it again. */
  private RoleHandle added() {
    boolean added = false;
    try {
      Label.clear(region, offset + ROLE_LABEL);
      entry.waitingForData().withdraw(index); // a dead holder's
      entry.waitingForSpace().withdraw(index);
      entry.core().add(this);
      added = true;
      return this;
    } finally {
      if (!added) {
        close(); // does nothing if the attachment, which is being closed, has done that
      }
    }
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
    if (!ended) { // else its bytes may belong to another role
      Label.write(region, offset + ROLE_LABEL, label);
    }
  }

  /**
   * Makes the role's user, activates the role, and ends the operation of taking it; closes the role if that fails.
   *
   * @param taken this handle, or what has it
   */
  public <T, R> R opened(T taken, Function<T, R> user) {
    try {
      R opened = user.apply(taken);
      activate();
      return opened;
    } catch (RuntimeException | Error failure) {
      close();
      throw failure;
    } finally {
      exit();
    }
  }

  /** Activates the role, with a full fence, since the joiner reads the other side's words next. */
  public void activate() {
    long active = Owner.withState(word, ROLE_ACTIVE);
    if (!region.compareAndSetLong(offset + ROLE_WORD, word, active)) { // [role-active]
      throw takenAway();
    }
    word = active;
    VarHandle.fullFence(); // [join] the compare-and-set alone does not order later acquire loads
  }

  /**
   * The exception to throw when the role is no longer {@linkplain #isStillOurs ours}, and was not cut off by another
   * process.
   */
  public SegmentClosedException takenAway() {
    checkUsable();
    return new SegmentClosedException("This role of entry \"" + entry.name() + "\" in segment " + entry.core().path()
        + " was taken away, because its process was taken for dead. Close the segment, and attach it again.");
  }

  /** Whether the role word is unchanged: false after the role was revoked, or its holder was taken for dead. */
  public boolean isStillOurs() {
    return region.getLongOpaque(offset + ROLE_WORD) == word;
  }

  /** Throws the exception that says why the role is no longer {@linkplain #isStillOurs ours}, if it is not. */
  public void checkOurs() {
    try {
      if (!isStillOurs()) {
        throw takenAway();
      }
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    }
  }

  /** Whether the role was revoked, so it is no longer active but still belongs to this participant. */
  public boolean isRevoked() {
    return region.getLongAcquire(offset + ROLE_WORD) == Owner.withState(word, ROLE_REVOKED);
  }

  /** Whether this participant still has the role, active or revoked. */
  public boolean isHeld() {
    return isStillOurs() || isRevoked();
  }

  /** Ends the role's effect on others. It still belongs to this participant, since its user may still write. */
  @Override
  public void withdraw() {
    synchronized (this) { // so that it is not given back meanwhile
      if (!ended && entry.revokeRole(index, word)) {
        Role user = role.get();
        if (user != null) {
          user.revoked();
        }
        entry.wakeAll(); // nobody has to wait for this role now
      }
    }
  }

  @Override
  protected boolean mayStillSend() {
    if (!isRevoked()) {
      return true;
    }
    Role user = role.get();
    return user != null && user.isSending();
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
      finishAndFree();
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally { // even if the memory is gone
      super.end();
      if (cleanable != null) {
        cleanable.clean(); // only unregisters, since the role was ended above
      }
    }
  }

  /** Frees the role, even when there is no heap or stack for what comes before it. */
  private void finishAndFree() {
    try {
      finishAndLeave();
    } finally {
      if (entry.freeRole(index, word) || entry.freeRole(index, Owner.withState(word, ROLE_REVOKED))) {
        entry.wakeAll(); // nobody has to wait for this role now
      }
      entry.core().participants().wakeSelfIn(index); // a thread of this process may wait in this role
    }
  }

  private void finishAndLeave() {
    try {
      Role user = role.get();
      if (user != null) {
        user.finish();
      }
    } finally {
      if (Owner.state(word) != ROLE_JOINING) { // else it has nothing there, and there may be no heap to look
        entry.leave(index, word);
      }
    }
  }

  /** Called by the cleaner: the role object was collected, so nobody is inside. */
  @Override
  public void run() {
    synchronized (this) {
      if (ended) {
        return;
      }
    }
    try {
      EngineLog.log(System.Logger.Level.WARNING, "A role of entry \"" + entry.name() + "\" in segment "
          + entry.core().path() + " became unreachable without being closed; it was given back now. Close roles, for"
          + " example in a try block.", null);
    } finally { // even if there is no heap for that
      makeUnusable();
      end();
    }
  }
}
