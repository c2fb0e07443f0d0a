package io.bywash.engine.internal;

import static io.bywash.engine.internal.SegmentLayout.*;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.Participant;
import io.bywash.engine.internal.memory.Region;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One structure as this process sees it: its row, read once and validated, and the words that all structures have: roles
 * and the bits of those that wait.
 */
public final class SegmentEntry implements Entry {
  /** Far more than there can be others that want the same word; a hostile one gets no more. */
  static final int MAX_TRIES = 10_000;

  private final SegmentCore core;
  private final String name;
  private final int kindCode;
  private final long offset;
  private final long sizeBytes;
  private final long capacity;
  private final long elementSizeBytes;
  private final long fingerprint;
  private final int roleCount;
  private final long creator;
  private final String damage;
  private final Waiters waitingForData;
  private final Waiters waitingForSpace;

  private SegmentEntry(SegmentCore core, int index, long word) {
    Region region = core.region();
    long row = core.geometry().row(index);
    this.core = core;
    this.kindCode = (int) (word >>> 16) & 0xFFFF;
    this.offset = region.getLongOpaque(row + ROW_OFFSET);
    this.sizeBytes = region.getLongOpaque(row + ROW_SIZE);
    this.capacity = region.getLongOpaque(row + ROW_CAPACITY);
    this.elementSizeBytes = region.getLongOpaque(row + ROW_ELEMENT_SIZE);
    this.fingerprint = region.getLongOpaque(row + ROW_FINGERPRINT);
    long roles = region.getLongOpaque(row + ROW_ROLE_COUNT);
    this.roleCount = Math.clamp(roles, 0, EntrySpec.MAX_ROLES);
    this.creator = Owner.participant(region.getLongOpaque(row + ROW_CREATOR));
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
    if (offset < core.geometry().dataOffset() || offset % PAGE_BYTES != 0 || offset > limit
        || sizeBytes < PAGE_BYTES || sizeBytes > limit - offset) {
      return "it claims " + sizeBytes + " bytes at " + offset + " of a segment of " + limit;
    }
    if (roles != roleCount || structureDataOffset(roleCount) > sizeBytes) {
      return "it claims " + roles + " roles in " + sizeBytes + " bytes";
    }
    return null;
  }

  /** What is impossible about this row; null when it is sound. */
  public String damage() {
    return damage;
  }

  /** Whether this and {@code other}, both sound by themselves, claim some of the same bytes. */
  boolean overlaps(SegmentEntry other) {
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
        + ". The other entries are not affected; create the segment anew when no process needs it.");
  }

  /** Sentences on what differs from {@code spec}, which has the same name. */
  List<String> differences(EntrySpec spec) {
    List<String> found = new ArrayList<>();
    String entry = "entry \"" + name + "\": ";
    if (kindCode != spec.kind().code()) {
      found.add(entry + "kind is " + kind() + ", wanted " + spec.kind());
    }
    compare(found, entry + "capacity", capacity, spec.capacity());
    compare(found, entry + "elementSizeBytes", elementSizeBytes, spec.elementSizeBytes());
    compare(found, entry + "fingerprint", fingerprint, spec.fingerprint());
    compare(found, entry + "roleCount", roleCount, spec.roleCount());
    return found;
  }

  static void compare(List<String> differences, String what, long found, long wanted) {
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
    return Kind.ofCode(kindCode);
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
  public long sizeBytes() {
    return sizeBytes;
  }

  @Override
  public Optional<Participant> owner() {
    core.checkOpen();
    return CutFile.looking(core, () -> {
      long writer = kind() == Kind.BROADCAST && roleCount > 0 ? roleWord(0) : 0;
      return core.participants().describe(Owner.state(writer) == ROLE_ACTIVE ? writer : creator);
    });
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

  // ---- roles

  /** The first byte of a role's line pair. */
  public long role(int index) {
    return offset + ROLES + (long) index * ROLE_BYTES;
  }

  /** The roles from this index on were never taken. */
  public int rolesUsed() {
    return Math.clamp(region().getLongAcquire(offset + ROLES_USED), 0, roleCount);
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
    for (int tries = 0; tries < MAX_TRIES; tries++) {
      long used = region().getLongAcquire(offset + ROLES_USED);
      if (used <= index && !region().compareAndSetLong(offset + ROLES_USED, used, index + 1)) {
        continue;
      }
      long word = roleWord(index);
      if (Owner.state(word) != ROLE_FREE && core.participants().isAlive(word)) {
        return null;
      }
      long mine = Owner.word(core.participants().self(), Owner.generation(word) + 1, mode, ROLE_JOINING);
      if (region().compareAndSetLong(role(index) + ROLE_WORD, word, mine)) { // [role-free]
        waitingForData.withdraw(index); // a dead one's
        waitingForSpace.withdraw(index);
        return core.adopt(new RoleHandle(this, index, mine));
      }
    }
    throw damaged("the word of role " + index + " does not stand still: it changed " + MAX_TRIES + " times while it was taken");
  }

  /** Frees the role, and clears its waiting bits, if {@code word} still stands there; its owner has left or is dead. */
  public boolean freeRole(int index, long word) {
    if (roleWord(index) != word) {
      return false;
    }
    boolean waited = waitingForData.withdraw(index) | waitingForSpace.withdraw(index);
    // [role-free] the owner's last position is visible to the next taker
    boolean freed = region().compareAndSetLong(role(index) + ROLE_WORD, word,
        Owner.word(0, Owner.generation(word), 0, ROLE_FREE));
    if (!freed && waited) {
      waitingForData.ring(index); // somebody was faster: that may have been the next holder's bit
    }
    return freed;
  }

  /** Cuts the holder of a role off, if {@code word} still stands there: the role stays its holder's, but does not count. */
  public boolean evictRole(int index, long word) {
    return region().compareAndSetLong(role(index) + ROLE_WORD, word, Owner.withState(word, ROLE_EVICTED));
  }

  /**
   * Frees every role of slot {@code id}, whose holder is dead and whose lock the caller has. Whoever waits is woken if
   * a role became free: the dead may have held it back, or have changed something without waking it. Returns how many
   * roles that were.
   */
  int sweep(int id) {
    int freed = 0;
    for (int index = 0; index < roleCount; index++) {
      long word = roleWord(index);
      if (Owner.state(word) != ROLE_FREE && Owner.slotId(word) == id && freeRole(index, word)) {
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

  /** Wakes whoever waits here: a role was given back, and what they wait for may have changed. */
  void wakeAll() {
    waitingForData.signal();
    waitingForSpace.signal();
  }
}
