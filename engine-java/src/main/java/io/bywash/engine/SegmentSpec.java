package io.bywash.engine;

import io.bywash.engine.internal.layout.Numbers;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import java.nio.file.attribute.PosixFilePermission;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Describes a segment. An immutable value, which Java code, the Kotlin DSL and an OSGi configuration can express alike.
 * The size is computed from the entries unless one is given.
 */
public final class SegmentSpec {
  private static final int DEFAULT_PARTICIPANTS = 64;
  private static final int DEFAULT_ENTRIES = 64;
  private static final int SMALL_PARTICIPANTS = 8;
  private static final int SMALL_ENTRIES = 16;
  private static final int LARGE_ENTRIES = 256;

  private static final Set<PosixFilePermission> OWNER_ONLY =
      Set.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);

  private final List<EntrySpec> entries;
  private final int participantCapacity;
  private final int entryCapacity;
  private final Lifetime lifetime;
  private final long givenSizeBytes;
  private final Set<PosixFilePermission> permissions;
  private final boolean hugePages;

  private SegmentSpec(List<EntrySpec> entries, int participantCapacity, int entryCapacity, Lifetime lifetime,
      long givenSizeBytes, Set<PosixFilePermission> permissions, boolean hugePages) {
    this.entries = List.copyOf(entries);
    this.participantCapacity = participantCapacity;
    this.entryCapacity = entryCapacity;
    this.lifetime = lifetime;
    this.givenSizeBytes = givenSizeBytes;
    this.permissions = Set.copyOf(permissions);
    this.hugePages = hugePages;
    check();
  }

  /**
   * A segment with these entries and room for 64 participants and 64 entries, or more if more are given. Its lifetime
   * is {@link Lifetime#WHILE_USED}, its file has mode 0600, and its size is just what the entries need.
   *
   * @throws IllegalArgumentException when two entries have the same name, or there are more than 512
   */
  public static SegmentSpec of(EntrySpec... entries) {
    return of(List.of(entries));
  }

  /** As {@link #of(EntrySpec...)}. */
  public static SegmentSpec of(List<EntrySpec> entries) {
    return sized(entries, DEFAULT_PARTICIPANTS, DEFAULT_ENTRIES);
  }

  /** As {@link #of(List)}, with room for 8 participants and 16 entries: header and tables take 12 KiB. */
  public static SegmentSpec small(List<EntrySpec> entries) {
    return sized(entries, SMALL_PARTICIPANTS, SMALL_ENTRIES);
  }

  /** As {@link #of(List)}, with room for 256 participants and 256 entries: header and tables take 132 KiB. */
  public static SegmentSpec large(List<EntrySpec> entries) {
    return sized(entries, Owner.MAX_SLOTS, LARGE_ENTRIES);
  }

  private static SegmentSpec sized(List<EntrySpec> entries, int participantCapacity, int entryCapacity) {
    return new SegmentSpec(entries, participantCapacity, Math.max(entryCapacity, entries.size()),
        Lifetime.WHILE_USED, 0, OWNER_ONLY, false);
  }

  /**
   * A copy with room for this many participants.
   *
   * @throws IllegalArgumentException when {@code capacity} is not between 1 and 256
   */
  public SegmentSpec withParticipantCapacity(int capacity) {
    return new SegmentSpec(entries, capacity, entryCapacity, lifetime, givenSizeBytes, permissions, hugePages);
  }

  /**
   * A copy with room for this many entries.
   *
   * @throws IllegalArgumentException when {@code capacity} is greater than 512, or less than 1 or than the number of
   *     entries given
   */
  public SegmentSpec withEntryCapacity(int capacity) {
    return new SegmentSpec(entries, participantCapacity, capacity, lifetime, givenSizeBytes, permissions, hugePages);
  }

  /** A copy with another lifetime. */
  public SegmentSpec withLifetime(Lifetime newLifetime) {
    return new SegmentSpec(entries, participantCapacity, entryCapacity, newLifetime, givenSizeBytes,
        permissions, hugePages);
  }

  /**
   * A copy with this total size, rounded up to a page. Use it to leave space for entries that are added later.
   *
   * @throws IllegalArgumentException when the size is less than what the entries and tables need
   */
  public SegmentSpec withSizeBytes(long sizeBytes) {
    if (sizeBytes < 1 || sizeBytes > Long.MAX_VALUE - SegmentLayout.PAGE_BYTES) {
      throw new InvalidSpecException("sizeBytes", sizeBytes, "must be at least 1; leave it out to have it computed");
    }
    return new SegmentSpec(entries, participantCapacity, entryCapacity, lifetime, SegmentLayout.alignToPage(sizeBytes),
        permissions, hugePages);
  }

  /**
   * A copy with these permissions of the file, whatever the process's umask. Whoever may write the file may join;
   * whoever may only read it may observe.
   *
   * @throws IllegalArgumentException when the owner may not read and write
   */
  public SegmentSpec withPermissions(Set<PosixFilePermission> newPermissions) {
    if (!newPermissions.containsAll(OWNER_ONLY)) {
      throw new InvalidSpecException("permissions", newPermissions, "must contain " + OWNER_ONLY
          + ": the owner of a segment reads and writes it");
    }
    return new SegmentSpec(entries, participantCapacity, entryCapacity, lifetime, givenSizeBytes,
        newPermissions, hugePages);
  }

  /**
   * A copy that asks for huge pages, which cause fewer misses of the address cache (TLB) in large rings. Only the
   * creator's wish counts; those who attach see no difference. If the kernel has no huge pages for shared memory, the
   * segment is created without them, and a line in the log says so.
   */
  public SegmentSpec withHugePages() {
    return new SegmentSpec(entries, participantCapacity, entryCapacity, lifetime, givenSizeBytes, permissions, true);
  }

  private void check() {
    Objects.requireNonNull(lifetime, "lifetime");
    Numbers.checkSpec("participantCapacity", participantCapacity, 1, Owner.MAX_SLOTS);
    if (entryCapacity < Math.max(1, entries.size()) || entryCapacity > SegmentLayout.MAX_ROWS) {
      throw new InvalidSpecException("entryCapacity", entryCapacity, "is not between " + Math.max(1, entries.size())
          + " (the entries given) and " + SegmentLayout.MAX_ROWS);
    }
    Set<String> names = new HashSet<>();
    for (EntrySpec entry : entries) {
      if (!names.add(entry.name())) {
        throw new IllegalArgumentException("entries name \"" + entry.name() + "\" twice; names are unique in a"
            + " segment");
      }
    }
    long needed = computedSizeBytes();
    if (givenSizeBytes != 0 && givenSizeBytes < needed) {
      throw new InvalidSpecException("sizeBytes", givenSizeBytes,
          "is less than the " + needed + " that the entries and tables need");
    }
  }

  private long computedSizeBytes() {
    long bytes = SegmentLayout.dataOffset(participantCapacity, entryCapacity);
    for (EntrySpec entry : entries) {
      try {
        bytes = SegmentLayout.align(bytes, SegmentLayout.structureAlignment(entry.roleCount()));
        bytes = Math.addExact(bytes, entry.sizeBytes());
      } catch (ArithmeticException tooLarge) {
        throw new IllegalArgumentException("entry \"" + entry.name() + "\" of " + entry.sizeBytes()
            + " bytes makes the segment larger than 2^63 - 1 bytes", tooLarge);
      }
    }
    return SegmentLayout.alignToPage(bytes);
  }

  /** The entries that the segment has from the start. */
  public List<EntrySpec> entries() {
    return entries;
  }

  /** The largest number of participants at one time. */
  public int participantCapacity() {
    return participantCapacity;
  }

  /** The largest number of entries. */
  public int entryCapacity() {
    return entryCapacity;
  }

  /** When the segment is removed. */
  public Lifetime lifetime() {
    return lifetime;
  }

  /** The size of the file in bytes. */
  public long sizeBytes() {
    return givenSizeBytes != 0 ? givenSizeBytes : computedSizeBytes();
  }

  /** How many bytes header and tables take, whatever the entries are. */
  public long overheadBytes() {
    return SegmentLayout.dataOffset(participantCapacity, entryCapacity);
  }

  /** The size that was given, empty when it is computed. */
  public OptionalLong givenSizeBytes() {
    return givenSizeBytes != 0 ? OptionalLong.of(givenSizeBytes) : OptionalLong.empty();
  }

  /** Whether huge pages are asked for. */
  public boolean hugePages() {
    return hugePages;
  }

  /** The permissions of the file. */
  public Set<PosixFilePermission> permissions() {
    return permissions;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof SegmentSpec that && entries.equals(that.entries)
        && participantCapacity == that.participantCapacity && entryCapacity == that.entryCapacity
        && lifetime == that.lifetime && givenSizeBytes == that.givenSizeBytes && permissions.equals(that.permissions)
        && hugePages == that.hugePages;
  }

  @Override
  public int hashCode() {
    return Objects.hash(entries, participantCapacity, entryCapacity, lifetime, givenSizeBytes, permissions, hugePages);
  }

  @Override
  public String toString() {
    return "SegmentSpec[" + sizeBytes() + " bytes, " + participantCapacity + " participants, " + lifetime
        + ", " + entries + "]";
  }
}
