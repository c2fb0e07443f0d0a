package io.bywash.engine.internal.directory;

import static io.bywash.engine.internal.layout.SegmentLayout.*;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Entry;
import io.bywash.engine.EntryRemovedException;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.Participant;
import io.bywash.engine.StructureStatus;
import io.bywash.engine.internal.SegmentCore;
import io.bywash.engine.internal.layout.Label;
import io.bywash.engine.internal.layout.LayoutText;
import io.bywash.engine.internal.layout.Names;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.internal.role.RoleHandle;
import io.bywash.engine.internal.waiting.Waiters;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One structure as this process sees it: its row, read once and validated, and the words that all structures have:
 * roles
 * and the bits of those that wait.
 */
public final class SegmentEntry implements Entry {
  /** Far more than there can be others that want the same word; a hostile one gets no more. */
  public static final int MAX_TRIES = 10_000;

  private final SegmentCore core;
  private final int row;
  private final long word;
  private final String name;
  private final int kindCode;
  private final long offset;
  private final long sizeBytes;
  private final long capacity;
  private final long elementSizeBytes;
  private final long fingerprint;
  private final int roleCount;
  private final long creator;
  private final long[] parameters;
  private final long flags;
  private final long textOffset;
  private final long textBytes;
  private final String damage;
  private final Waiters waitingForData;
  private final Waiters waitingForSpace;

  private SegmentEntry(SegmentCore core, int index, long word) {
    Region region = core.region();
    long row = core.geometry().row(index);
    this.core = core;
    this.row = index;
    this.word = word;
    this.kindCode = (int) (word >>> 16) & 0xFFFF;
    this.offset = region.getLongOpaque(row + ROW_OFFSET);
    this.sizeBytes = region.getLongOpaque(row + ROW_SIZE);
    this.capacity = region.getLongOpaque(row + ROW_CAPACITY);
    this.elementSizeBytes = region.getLongOpaque(row + ROW_ELEMENT_SIZE);
    this.fingerprint = region.getLongOpaque(row + ROW_FINGERPRINT);
    long roles = region.getLongOpaque(row + ROW_ROLE_COUNT);
    this.roleCount = Math.clamp(roles, 0, EntrySpec.MAX_ROLES);
    this.creator = Owner.participant(region.getLongOpaque(row + ROW_CREATOR));
    this.parameters = new long[PARAMETER_COUNT];
    for (int i = 0; i < PARAMETER_COUNT; i++) {
      parameters[i] = region.getLongOpaque(row + ROW_PARAMETERS + i * 8L);
    }
    this.flags = region.getLongOpaque(row + ROW_FLAGS);
    this.textOffset = region.getLongOpaque(row + ROW_TEXT_OFFSET);
    this.textBytes = region.getLongOpaque(row + ROW_TEXT_BYTES);
    byte[] bytes = new byte[NAME_MAX_BYTES];
    region.copyTo(row + ROW_NAME, bytes, 0, bytes.length);
    int length = 0;
    while (length < bytes.length && bytes[length] != 0) {
      length++;
    }
    this.name = new String(bytes, 0, length, StandardCharsets.US_ASCII);
    this.damage = findDamage(roles);
    this.waitingForData = new Waiters(this, WAITING_FOR_DATA, SUMMARY_FOR_DATA);
    this.waitingForSpace = new Waiters(this, WAITING_FOR_SPACE, SUMMARY_FOR_SPACE);
  }

  /** The row of that index, whose first word was read before. */
  public static SegmentEntry read(SegmentCore core, int index, long word) {
    return new SegmentEntry(core, index, word);
  }

  private String findDamage(long roles) {
    long limit = core.geometry().sizeBytes();
    if (!Names.isName(name)) {
      return "its name is no name";
    }
    int alignment = structureAlignment(roleCount);
    if (offset < core.geometry().dataOffset() || offset % alignment != 0 || offset > limit
        || sizeBytes < alignment || sizeBytes > limit - offset) {
      return "it claims " + sizeBytes + " bytes at " + offset + " of a segment of " + limit;
    }
    if (roles != roleCount || structureDataOffset(roleCount) > sizeBytes) {
      return "it claims " + roles + " roles in " + sizeBytes + " bytes";
    }
    if (textBytes < 0 || textBytes > EntrySpec.MAX_LAYOUT_BYTES || textOffset < 0
        || textOffset > sizeBytes - textBytes) {
      return "it claims a layout of " + textBytes + " bytes at " + textOffset + " of " + sizeBytes;
    }
    return null;
  }

  /** What is impossible about this row; null when it is sound. */
  public String damage() {
    return damage;
  }

  /** Whether this and {@code other}, both sound by themselves, claim some of the same bytes. */
  public boolean overlaps(SegmentEntry other) {
    return offset < other.offset + other.sizeBytes && other.offset < offset + sizeBytes;
  }

  public void requireSound() {
    if (damage != null) {
      throw damaged(damage);
    }
  }

  /** The failure to throw when something in this structure is impossible. */
  public DamagedSegmentException damaged(String how) {
    return new DamagedSegmentException("Entry \"" + name + "\" of segment " + core.path() + " is damaged: " + how
        + ". The other entries are not affected; create the segment again when no process needs it.");
  }

  /** Sentences on what differs from {@code spec}, which has the same name. */
  List<String> differences(EntrySpec spec) {
    List<String> found = new ArrayList<>();
    String entry = "entry \"" + name + "\": ";
    if (kind() != spec.kind()) {
      found.add(entry + "kind is " + kind() + ", wanted " + spec.kind());
    }
    compare(found, entry + "capacity", capacity, spec.capacity());
    compare(found, entry + "elementSizeBytes", elementSizeBytes, spec.elementSizeBytes());
    if (fingerprint != spec.fingerprint()) {
      found.addAll(LayoutText.differences(entry, layout(), spec.layout()));
    }
    compare(found, entry + "roleCount", roleCount, spec.roleCount());
    for (int i = 0; i < PARAMETER_COUNT; i++) {
      compare(found, entry + "parameter " + i, parameters[i],
          i < spec.parameters().size() ? spec.parameters().get(i) : 0);
    }
    return found;
  }

  public static void compare(List<String> differences, String what, long found, long wanted) {
    if (found != wanted) {
      differences.add(what + " is " + found + ", wanted " + wanted);
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Kind kind() {
    Kind kind = Kind.ofCode(kindCode);
    return kind.version() == (int) (word >>> 8 & 0xFF) ? kind : Kind.UNKNOWN;
  }

  /** The number of its kind, known or not. */
  public int kindCode() {
    return kindCode;
  }

  /** Its number in the directory. */
  public int row() {
    return row;
  }

  /** The first word of its row, as it was read. */
  public long word() {
    return word;
  }

  /** One of the numbers that its kind gave it when it was made, 0 to 7. */
  public long parameter(int index) {
    return parameters[index];
  }

  @Override
  public long capacity() {
    return capacity;
  }

  @Override
  public long elementSizeBytes() {
    return elementSizeBytes;
  }

  @Override
  public long fingerprint() {
    return fingerprint;
  }

  @Override
  public String layout() {
    requireSound();
    byte[] text = new byte[(int) textBytes];
    region().copyTo(offset + textOffset, text, 0, text.length);
    return new String(text, StandardCharsets.US_ASCII);
  }

  @Override
  public long sizeBytes() {
    return sizeBytes;
  }

  @Override
  public Optional<Participant> owner() {
    core.checkOpen();
    return core.whileMapped(() -> {
      StructureType type = type();
      long owner = type == null ? 0 : type.owner(this);
      return core.participants().describe(owner != 0 ? owner : creator);
    });
  }

  // ---- what its kind knows

  /** Null when this version of the engine does not know its kind, or not in that version. */
  private StructureType type() {
    StructureType type = core.type(kindCode);
    return type != null && type.kind().version() == (int) (word >>> 8 & 0xFF) ? type : null;
  }

  /** What its kind is called; {@code kind 7} when this version does not know. */
  public String kindName() {
    return kind() == Kind.UNKNOWN ? "kind " + kindCode : kind().displayName();
  }

  /** The status of the structure; empty when this version does not know its kind. */
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
    try {
      return core.whileMapped(() -> Optional.of(type.status(this)));
    } catch (DamagedSegmentException damage) {
      core.whileMapped(() -> {
        checkPresent(); // or what was looked at is not this entry's any more
        return null;
      });
      throw damage;
    }
  }

  /**
   * A sentence on each thing that is impossible in the structure; of a kind that this version does not know, in its
   * row.
   */
  public List<String> problems() {
    core.checkOpen();
    StructureType type = type();
    String impossible = type == null ? damage : damage(type);
    if (impossible != null) {
      return List.of(impossible);
    }
    return type == null ? List.of() : core.whileMapped(() -> type.problems(this));
  }

  /** Who does not seem to go on; nobody where something is impossible, which {@link #problems} tells. */
  public List<StructureType.Suspect> suspects() {
    StructureType type = type();
    try {
      return type == null || damage(type) != null ? List.of() : type.suspects(this);
    } catch (DamagedSegmentException toldAlready) {
      return List.of();
    }
  }

  private String damage(StructureType type) {
    return damage != null ? damage : type.damage(this);
  }

  /** What the segment has to stay for even when nobody uses it; null when it need not. */
  public String retained() {
    StructureType type = type();
    if (type == null) {
      return (flags & RETAINS) == 0 ? null : "is of a kind that this version does not know, and may hold something";
    }
    return damage(type) == null ? type.retained(this) : null;
  }

  /** Puts in order what the dead holder of a role left in the structure. */
  private void recover(int index, long word) {
    StructureType type = type();
    if (type != null && damage(type) == null) {
      type.recover(this, index, word);
    }
  }

  public SegmentCore core() {
    return core;
  }

  public Region region() {
    return core.region();
  }

  /** The structure's first byte in the region. */
  public long offset() {
    return offset;
  }

  public int roleCount() {
    return roleCount;
  }

  // ---- removal

  /** Says to all who hold roles that the entry was removed. The caller has the directory's lock. */
  void markRemoved() {
    if (roleCount > 0 && damage == null) {
      region().setLongRelease(offset + REMOVED_MARK, 1);
      wakeAll();
    }
  }

  /** Whether the entry stands in its row no longer: it was removed, and its bytes may be another one's. */
  public boolean isGone() {
    return region().getLongAcquire(core.geometry().row(row) + ROW_WORD) != word; // [row-live]
  }

  /**
   * Looks whether the entry, and the segment's name, are still there; ends the roles that are held here if not. Called
   * by roles that are in an operation, now and then.
   */
  public void probe() {
    core.probeName();
    if (roleCount > 0 && region().getLongOpaque(offset + REMOVED_MARK) != 0 && isGone()) {
      core.endRoles(this);
    }
  }

  /** As {@link #probe}, by who is in no operation: the segment may be closed meanwhile, and then nothing is done. */
  public void probeFromOutside() {
    if (core.tryBeginOperation()) {
      try {
        probe();
      } finally {
        core.endOperation();
      }
    }
  }

  /**
   * Begins a wait in which this participant writes its waiting bits: until {@link #endWait} the bytes stay this
   * entry's, though the role that waits is given back meanwhile. False when the segment is being closed, or the entry
   * was removed; the role's next operation says so.
   */
  public boolean tryBeginWait() {
    if (!core.tryHold(row)) {
      return false;
    }
    if (isGone()) { // [row-held] or a remover sees the hold
      core.letGo(row);
      core.endRoles(this);
      return false;
    }
    return true;
  }

  public void endWait() {
    core.letGo(row);
  }

  /** Throws what the user of a role has to know when that ended since its entry was removed. */
  public void checkPresent() {
    if (isGone()) {
      throw new EntryRemovedException("Entry \"" + name + "\" of segment " + core.path()
          + " was removed while it was in use. Find or add it again.");
    }
  }

  /** Whether both are the same use of the same row. */
  public boolean isSameAs(SegmentEntry other) {
    return row == other.row && word == other.word && core == other.core;
  }

  // ---- roles

  /** The first byte of a role's line pair. */
  public long role(int index) {
    return offset + ROLES + (long) index * ROLE_BYTES;
  }

  /** The roles from this index on were never taken. */
  public int rolesUsed() {
    return Math.clamp(region().getLongAcquire(offset + ROLES_USED), 0, roleCount);
  }

  /** What the holder of a role calls it. */
  public String roleLabel(int index) {
    return Label.read(region(), role(index) + ROLE_LABEL);
  }

  public long roleWord(int index) {
    return region().getLongAcquire(role(index) + ROLE_WORD); // [role-active] makes the joiner's position visible
  }

  /**
   * Takes role {@code index} if it is free or its holder is dead: it is then in state JOINING, and its position line is
   * this participant's to write. Returns null when a living participant holds it.
   */
  public RoleHandle tryTake(int index, int mode) {
    core.requireParticipant();
    core.checkName();
    core.hold(row);
    try {
      checkPresent(); // [row-held] a remover sees the hold, or this sees that the row is not live any more
      return take(index, mode);
    } finally {
      core.letGo(row); // the role has a hold of its own
    }
  }

  private RoleHandle take(int index, int mode) {
    for (int tries = 0; tries < MAX_TRIES; tries++) {
      long used = region().getLongAcquire(offset + ROLES_USED);
      if (used <= index && !region().compareAndSetLong(offset + ROLES_USED, used, index + 1)) {
        continue;
      }
      long word = roleWord(index);
      if (Owner.state(word) != ROLE_FREE && core.participants().isAlive(word)) {
        return null;
      }
      if (Owner.state(word) != ROLE_FREE) {
        recover(index, word);
      }
      long mine = Owner.word(core.participants().self(), Owner.generation(word) + 1, mode, ROLE_JOINING);
      if (region().compareAndSetLong(role(index) + ROLE_WORD, word, mine)) { // [role-free]
        Label.write(region(), role(index) + ROLE_LABEL, "");
        waitingForData.withdraw(index); // a dead one's
        waitingForSpace.withdraw(index);
        return core.adopt(new RoleHandle(this, index, mine));
      }
    }
    throw damaged("the word of role " + index + " does not stand still: it changed " + MAX_TRIES + " times while it was"
        + " taken");
  }

  /** Puts in order what the dead holder of a role left, and frees it if {@code word} still stands there. */
  public boolean freeDeadRole(int index, long word) {
    recover(index, word);
    return freeRole(index, word);
  }

  /**
   * Frees the role, and clears its waiting bits, if {@code word} still stands there; its owner has left, or left
   * nothing when it died.
   */
  public boolean freeRole(int index, long word) {
    if (roleWord(index) != word) {
      return false;
    }
    boolean waited = waitingForData.withdraw(index) | waitingForSpace.withdraw(index);
    boolean leaves = leavesSomething(index);
    if (leaves) {
      raiseLeft(); // if this process dies behind the next step, somebody has been told
    }
    // [role-free] the owner's last position is visible to the next taker
    boolean freed = region().compareAndSetLong(role(index) + ROLE_WORD, word,
        Owner.word(0, Owner.generation(word), 0, ROLE_FREE));
    if (!freed && waited) {
      waitingForData.ring(index); // somebody was faster: that may have been the next holder's bit
    }
    if (freed && leaves) {
      raiseLeft(); // who looked after the first time may have found the role taken
      waitingForData.signalOne();
    }
    return freed;
  }

  private boolean leavesSomething(int index) {
    StructureType type = type();
    return type != null && damage(type) == null && type.leavesSomething(this, index);
  }

  private void raiseLeft() {
    long left;
    int tries = 0;
    do {
      left = leftCount();
    } while (!region().compareAndSetLong(offset + LEFT, left, left + 1) && ++tries < MAX_TRIES); // [left]
  }

  /**
   * Changes when a role becomes free that leaves something, before and after its word does. Who finds such a role still
   * taken by a living holder does not remember the number, and looks again.
   */
  public long leftCount() {
    return region().getLongAcquire(offset + LEFT); // [left]
  }

  /**
   * Takes a role's effect on others, if {@code word} still stands there: the role stays its holder's, but does not
   * count. Its holder finds its word changed if it reads anything that is written because of that.
   */
  public boolean revokeRole(int index, long word) {
    boolean revoked = region().compareAndSetLong(role(index) + ROLE_WORD, word, Owner.withState(word, ROLE_REVOKED));
    VarHandle.fullFence(); // [revoked]
    return revoked;
  }

  /**
   * Frees every role of slot {@code id}, whose holder is dead and whose lock the caller has. Whoever waits is woken if
   * a role became free: the dead may have held it back, or have changed something without waking it. Returns how many
   * roles that were.
   */
  public int sweep(int id) {
    if (roleCount == 0) {
      return 0;
    }
    int freed = 0;
    for (int index = 0; index < roleCount; index++) {
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

  /** Wakes everybody who waits here: a role was given back, and what they wait for may have changed. */
  public void wakeAll() {
    waitingForData.signal();
    waitingForSpace.signal();
  }
}
