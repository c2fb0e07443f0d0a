package io.bywash.engine.internal.directory;

import static io.bywash.engine.internal.layout.SegmentLayout.*;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Entry;
import io.bywash.engine.EntryRemovedException;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.Participant;
import io.bywash.engine.StructureStatus;
import io.bywash.engine.internal.attachment.Attachment;
import io.bywash.engine.internal.attachment.Row;
import io.bywash.engine.internal.events.EngineEvents;
import io.bywash.engine.internal.layout.Label;
import io.bywash.engine.internal.layout.LayoutText;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.segment.Census;
import io.bywash.engine.internal.waiting.WaitRoom;
import io.bywash.engine.internal.waiting.Waiters;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** A live row and the structure that it names: what its kind knows, its roles, and the bits of roles that wait. */
public final class SegmentEntry extends Row implements Entry {
  private final DirectoryTable directory;
  private final Waiters waitingForData;
  private final Waiters waitingForSpace;

  /** Reads the entry in the row at an index; its first word was read before. */
  SegmentEntry(DirectoryTable directory, Attachment core, int index, long word) {
    super(core, index, word);
    this.directory = directory;
    WaitRoom room = new WaitRoom(core);
    this.waitingForData = new Waiters(this, room, WAITING_FOR_DATA, SUMMARY_FOR_DATA);
    this.waitingForSpace = new Waiters(this, room, WAITING_FOR_SPACE, SUMMARY_FOR_SPACE);
  }

  /** Says how this entry differs from {@code spec}, which has the same name, in one sentence each. */
  List<String> differences(EntrySpec spec) {
    List<String> found = new ArrayList<>();
    String entry = "entry \"" + name() + "\": ";
    if (kind() != spec.kind()) {
      found.add(entry + "kind is " + kind() + ", wanted " + spec.kind());
    }
    compare(found, entry + "capacity", capacity(), spec.capacity());
    compare(found, entry + "elementSizeBytes", elementSizeBytes(), spec.elementSizeBytes());
    if (fingerprint() != spec.fingerprint()) {
      found.addAll(LayoutText.differences(entry, layout(), spec.layout()));
    }
    compare(found, entry + "roleCount", roleCount(), spec.roleCount());
    long[] wanted = new long[PARAMETER_COUNT];
    Arrays.setAll(wanted, i -> i < spec.parameters().size() ? spec.parameters().get(i) : 0);
    if (kind() == spec.kind() && !Arrays.equals(parameters(), wanted)) {
      found.add(entry + type().parameterDifference(parameters(), wanted));
    }
    return found;
  }

  public static void compare(List<String> differences, String what, long found, long wanted) {
    if (found != wanted) {
      differences.add(what + " is " + found + ", wanted " + wanted);
    }
  }

  /** The directory that lists this entry. */
  public DirectoryTable directory() {
    return directory;
  }

  @Override
  public Kind kind() {
    Kind kind = Kind.ofCode(kindCode());
    return kind.version() == kindVersion() ? kind : Kind.UNKNOWN;
  }

  @Override
  public Optional<Participant> owner() {
    return core.whileMapped(() -> owner(new Census(core.participants())));
  }

  Optional<Participant> owner(Census census) {
    StructureType type = type();
    long owner = type == null ? 0 : type.owner(this, census);
    return census.describe(owner != 0 ? owner : creator());
  }

  // ---- what its kind knows

  /** The type of this entry's kind; null when this engine does not know the kind, or not in that version. */
  private StructureType type() {
    StructureType type = directory.type(kindCode());
    return type != null && type.kind().version() == kindVersion() ? type : null;
  }

  /** The name of the entry's kind; for example {@code kind 7} when this engine does not know it. */
  public String kindName() {
    return kind() == Kind.UNKNOWN ? "kind " + kindCode() : kind().displayName();
  }

  /** The status of the structure; empty when this engine does not know its kind. */
  public Optional<StructureStatus> status() {
    core.checkOpen();
    StructureType type = type();
    if (type == null) {
      return Optional.empty();
    }
    String impossible = damage(type);
    if (impossible != null) {
      throw damaged(impossible);
    }
    return look(() -> Optional.of(type.status(this)));
  }

  /**
   * Reads what belongs to nobody here, so that the entry may be removed meanwhile. What is found, damage included,
   * counts only if the bytes were this entry's to the end.
   *
   * @throws EntryRemovedException when they were not
   */
  public <T> T look(Supplier<T> reading) {
    return core.whileMapped(() -> {
      T found;
      try {
        found = reading.get();
      } catch (DamagedSegmentException damage) {
        checkPresent();
        throw damage;
      }
      checkPresent();
      return found;
    });
  }

  /**
   * A sentence on each thing that is impossible in the structure, or only in its row if this engine does not know the
   * kind.
   */
  public List<String> problems() {
    core.checkOpen();
    StructureType type = type();
    String impossible = type == null ? damage() : damage(type);
    if (impossible != null) {
      return List.of(impossible);
    }
    return type == null ? List.of() : core.whileMapped(() -> type.problems(this));
  }

  /**
   * Roles that do not seem to go on; none when the entry was removed, or something is impossible, which
   * {@link #problems} reports.
   */
  public List<StructureType.Suspect> suspects() {
    StructureType type = type();
    try {
      return type == null || damage(type) != null ? List.of() : type.suspects(this);
    } catch (DamagedSegmentException | EntryRemovedException toldAlready) {
      return List.of();
    }
  }

  private String damage(StructureType type) {
    return damage() != null ? damage() : type.damage(this);
  }

  /** Why the segment has to stay even when nobody uses it; null when it need not. */
  public String retained() {
    StructureType type = type();
    if (type == null) {
      return !mayRetain() ? null : "is of a kind that this version does not know, and may hold something";
    }
    return damage(type) == null ? type.retained(this) : null;
  }

  /** Recovers what the dead holder of a role left in the structure; called before {@code word} is replaced. */
  public void recover(int index, long word) {
    StructureType type = type();
    if (type != null && damage(type) == null) {
      type.recover(this, index, word);
      EngineEvents.recovery(core.path(), name(), index);
    }
  }

  /** Gives up what a role of this participant has in the structure; called before {@code word} is replaced. */
  public void leave(int index, long word) {
    StructureType type = type();
    if (type != null && damage(type) == null) {
      type.leave(this, index, word);
    }
  }

  /** Tells all holders of roles that the entry was removed. The caller holds the directory lock. */
  void markRemoved() {
    if (roleCount() > 0 && damage() == null) {
      region.setLongRelease(offset() + REMOVED_MARK, 1);
      wakeAll();
    }
  }

  // ---- roles

  /** How many roles were ever taken: roles from this index on never were. */
  public int rolesUsed() {
    return Math.clamp(region.getLongAcquire(offset() + ROLES_USED), 0, roleCount());
  }

  /** Raises {@link #rolesUsed} to at least {@code count}; false when another participant changed it meanwhile. */
  public boolean raiseRolesUsed(int count) {
    long used = region.getLongAcquire(offset() + ROLES_USED);
    return used >= count || region.compareAndSetLong(offset() + ROLES_USED, used, count);
  }

  /** What is to be known of a role that is held. */
  public interface HeldRole<S> {
    S of(int role, long word, Participant holder);
  }

  /** What is to be known of each role that is held, by the living and the dead, in the order of their numbers. */
  public <S> List<S> heldRoles(HeldRole<S> status) {
    List<S> found = new ArrayList<>();
    for (int index = 0; index < rolesUsed(); index++) {
      int role = index;
      long word = roleWord(index);
      if (Owner.state(word) != ROLE_FREE) {
        core.participants().describe(word).ifPresent(holder -> found.add(status.of(role, word, holder)));
      }
    }
    return List.copyOf(found);
  }

  /** The label that the holder of a role gave it. */
  public String roleLabel(int index) {
    return Label.read(region, role(index) + ROLE_LABEL);
  }

  /**
   * Recovers what the dead holder of a role left, and frees the role if its word is still {@code word}, or was only
   * revoked meanwhile, as the recovery of some kinds does.
   */
  public boolean freeDeadRole(int index, long word) {
    recover(index, word);
    return freeRole(index, word) || freeRole(index, Owner.withState(word, ROLE_REVOKED));
  }

  /**
   * Frees the role, and clears its waiting bits, if its word is still {@code word}. Its owner has left, or left nothing
   * when it died.
   */
  public boolean freeRole(int index, long word) {
    if (roleWord(index) != word) {
      return false;
    }
    boolean waited = waitingForData.withdraw(index) | waitingForSpace.withdraw(index);
    boolean leaves = leavesSomething(index);
    if (leaves) {
      raiseLeft(); // others learn of it even if this process dies after the next step
    }
    // [role-free] the owner's last position is visible to the next taker
    boolean freed = region.compareAndSetLong(role(index) + ROLE_WORD, word,
        Owner.word(0, Owner.generation(word), 0, ROLE_FREE));
    if (!freed && waited) {
      waitingForData.ring(index); // another participant was faster: that may have been the next holder's bit
    }
    if (freed && leaves) {
      raiseLeft(); // whoever searched after the first raise may have found the role still taken
      waitingForData.signalOne();
    }
    return freed;
  }

  private boolean leavesSomething(int index) {
    try {
      StructureType type = type();
      return type != null && damage(type) == null && type.leavesSomething(this, index);
    } catch (OutOfMemoryError | StackOverflowError shortage) {
      return true; // others search, perhaps in vain
    }
  }

  /** Raises {@link #leftCount}. */
  public void raiseLeft() {
    long left;
    int tries = 0;
    do {
      left = leftCount();
    } while (!region.compareAndSetLong(offset() + LEFT, left, left + 1) && ++tries < Owner.MAX_TRIES); // [left]
  }

  /**
   * A count that changes when a role that leaves something becomes free, both before and after its word changes. So who
   * finds such a role still taken, by a living holder, searches again when that has gone on. That may die in between:
   * who waits also searches from time to time.
   */
  public long leftCount() {
    return region.getLongAcquire(offset() + LEFT); // [left]
  }

  /**
   * Ends a role's effect on others, if its word is still {@code word}. The role stays its holder's, but is not active.
   * A holder that reads anything written because of that also finds its word changed.
   */
  public boolean revokeRole(int index, long word) {
    boolean revoked = region.compareAndSetLong(role(index) + ROLE_WORD, word, Owner.withState(word, ROLE_REVOKED));
    VarHandle.fullFence(); // [revoked]
    return revoked;
  }

  /**
   * Frees every role of slot {@code id}, whose holder is dead and whose lock the caller holds. If a role became free,
   * all that wait are woken: the dead holder may have held them back, or changed something without waking them. Returns
   * how many roles became free.
   */
  public int sweep(int id) {
    if (roleCount() == 0) {
      return 0;
    }
    int freed = 0;
    for (int index = 0; index < roleCount(); index++) {
      long word = roleWord(index);
      if (Owner.state(word) != ROLE_FREE && Owner.slotId(word) == id && freeDeadRole(index, word)) {
        freed++;
      }
    }
    if (freed > 0) {
      wakeAll();
    }
    return freed;
  }

  // ---- waiting

  /** The roles that wait until there is something to take. */
  public Waiters waitingForData() {
    return waitingForData;
  }

  /** The roles that wait until there is room. */
  public Waiters waitingForSpace() {
    return waitingForSpace;
  }

  /** Wakes all that wait here: a role was given back, so what they wait for may have changed. */
  public void wakeAll() {
    waitingForData.signal();
    waitingForSpace.signal();
  }
}
