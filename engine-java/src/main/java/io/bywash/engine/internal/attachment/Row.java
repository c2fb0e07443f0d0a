package io.bywash.engine.internal.attachment;

import static io.bywash.engine.internal.layout.SegmentLayout.*;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.EntryRemovedException;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.internal.layout.Names;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.memory.Region;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;

/**
 * One row of the directory, read once and validated. It knows whether its entry is still there, and where the words are
 * that all structures have in common.
 */
public class Row {
  protected final Attachment core;
  protected final Region region;
  private final int index;
  private final long word;
  private final String name;
  private final long offset;
  private final long sizeBytes;
  private final long capacity;
  private final long elementSizeBytes;
  private final long fingerprint;
  private final int roleCount;
  private final long creator;
  private final long[] parameters = new long[PARAMETER_COUNT];
  private final long flags;
  private final long textOffset;
  private final long textBytes;
  private final String damage;

  /** Reads the row at an index; its first word was read before. */
  protected Row(Attachment core, int index, long word) {
    long row = core.geometry().row(index);
    this.core = core;
    this.region = core.region();
    this.index = index;
    this.word = word;
    this.offset = region.getLongOpaque(row + ROW_OFFSET);
    this.sizeBytes = region.getLongOpaque(row + ROW_SIZE);
    this.capacity = region.getLongOpaque(row + ROW_CAPACITY);
    this.elementSizeBytes = region.getLongOpaque(row + ROW_ELEMENT_SIZE);
    this.fingerprint = region.getLongOpaque(row + ROW_FINGERPRINT);
    long roles = region.getLongOpaque(row + ROW_ROLE_COUNT);
    this.roleCount = Math.clamp(roles, 0, EntrySpec.MAX_ROLES);
    this.creator = Owner.participant(region.getLongOpaque(row + ROW_CREATOR));
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
  public final String damage() {
    return damage;
  }

  /** Whether this row and {@code other}, both sound by themselves, claim some of the same bytes. */
  public final boolean overlaps(Row other) {
    return offset < other.offset + other.sizeBytes && other.offset < offset + sizeBytes;
  }

  public final void requireSound() {
    if (damage != null) {
      throw damaged(damage);
    }
  }

  /** The exception to throw when something in this structure is impossible. */
  public final DamagedSegmentException damaged(String how) {
    return new DamagedSegmentException("Entry \"" + name + "\" of segment " + core.path() + " is damaged: " + how
        + ". The other entries are not affected; create the segment again when no process needs it.");
  }

  /** The attachment through which it was read. */
  public final Attachment core() {
    return core;
  }

  public final Region region() {
    return region;
  }

  /** The row's index in the directory. */
  public final int row() {
    return index;
  }

  /** The row's first word, as it was read. */
  public final long word() {
    return word;
  }

  /** Of each use of each row another one. */
  public final long id() {
    return word >>> 32 << 32 | index;
  }

  public final String name() {
    return name;
  }

  /** The code of the entry's kind, known or not. */
  public final int kindCode() {
    return (int) (word >>> 16) & 0xFFFF;
  }

  public final int kindVersion() {
    return (int) (word >>> 8) & 0xFF;
  }

  /** The structure's first byte in the region. */
  public final long offset() {
    return offset;
  }

  public final long sizeBytes() {
    return sizeBytes;
  }

  public final long capacity() {
    return capacity;
  }

  public final long elementSizeBytes() {
    return elementSizeBytes;
  }

  public final long fingerprint() {
    return fingerprint;
  }

  public final String layout() {
    requireSound();
    byte[] text = new byte[(int) textBytes];
    region.copyTo(offset + textOffset, text, 0, text.length);
    return new String(text, StandardCharsets.US_ASCII);
  }

  /** The owner word of the participant that added the entry. */
  public final long creator() {
    return creator;
  }

  /** The numbers that the entry's kind gave it when it was created. */
  public final long[] parameters() {
    return parameters.clone();
  }

  /** Whether programs that do not know the entry's kind have to keep it. */
  public final boolean mayRetain() {
    return (flags & RETAINS) != 0;
  }

  public final int roleCount() {
    return roleCount;
  }

  /** The first byte of a role's line pair. */
  public final long role(int number) {
    return offset + ROLES + (long) number * ROLE_BYTES;
  }

  public final long roleWord(int number) {
    return region.getLongAcquire(role(number) + ROLE_WORD); // [role-active] makes the joiner's position visible
  }

  // ---- whether it is still there

  /** Whether the entry is no longer in its row: it was removed, and its bytes may belong to another one. */
  public final boolean isGone() {
    return region.getLongAcquire(core.geometry().row(index) + ROW_WORD) != word; // [row-live]
  }

  /**
   * Throws the exception for the user of a role that ended because its entry was removed. What an observer has read
   * before was the entry's if this does not throw.
   */
  public final void checkPresent() {
    VarHandle.acquireFence(); // [row-live] the row changed before any of the entry's bytes was another's
    if (isGone()) {
      throw new EntryRemovedException("Entry \"" + name + "\" of segment " + core.path()
          + " was removed while it was in use. Find or add it again.");
    }
  }

  /** Whether both are the same use of the same row. */
  public final boolean isSameAs(Row other) {
    return index == other.index && word == other.word && core == other.core;
  }

  /**
   * Probes whether the entry and the segment's name are still there, and ends the roles of this process if not. Called
   * now and then by roles that are inside an operation.
   */
  public final void probe() {
    core.probeName();
    // who only observes holds no row, so that the mark may have been zeroed with the other bytes
    boolean mayBeGone = roleCount == 0 || core.isReadOnly() || region.getLongOpaque(offset + REMOVED_MARK) != 0;
    if (mayBeGone && isGone()) {
      core.endRoles(this);
    }
  }

  /** As {@link #probe}, for callers outside any operation. Does nothing when the segment is being closed. */
  public final void probeFromOutside() {
    if (core.tryBeginOperation()) {
      try {
        probe();
      } finally {
        core.endOperation();
      }
    }
  }

  /**
   * Begins a wait in which this participant writes its waiting bits. Until {@link #endWait} the bytes stay this
   * entry's, even if the role that waits is given back meanwhile. Returns false when the segment is being closed or the
   * entry was removed; the role's next operation reports that.
   */
  public final boolean tryBeginWait() {
    if (!core.tryHold(index)) {
      return false;
    }
    if (isGone()) { // [row-held] else a remover sees the hold
      core.letGo(index);
      core.endRoles(this);
      return false;
    }
    return true;
  }

  public final void endWait() {
    core.letGo(index);
  }
}
