package io.bywash.engine;

import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import java.nio.file.attribute.PosixFilePermission;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;

/**
 * What a segment shall be: an immutable value, equal in Java, in the Kotlin DSL and in an OSGi configuration. Its size
 * is computed from its entries, unless one is given.
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

  /** A segment with these entries, room for 64 participants and 64 entries, removed when nobody uses it, mode 0600. */
  public static SegmentSpec of(EntrySpec... entries) {
    return of(List.of(entries));
  }

  /** A segment with these entries, room for 64 participants and 64 entries, removed when nobody uses it, mode 0600. */
  public static SegmentSpec of(List<EntrySpec> entries) {
    return sized(entries, DEFAULT_PARTICIPANTS, DEFAULT_ENTRIES);
  }

  /** As {@link #of(List)} with room for 8 participants and 16 entries: tables of 12 KiB with the header. */
  public static SegmentSpec small(List<EntrySpec> entries) {
    return sized(entries, SMALL_PARTICIPANTS, SMALL_ENTRIES);
  }

  /** As {@link #of(List)} with room for 256 participants and 256 entries: tables of 132 KiB with the header. */
  public static SegmentSpec large(List<EntrySpec> entries) {
    return sized(entries, Owner.MAX_SLOTS, LARGE_ENTRIES);
  }

  private static SegmentSpec sized(List<EntrySpec> entries, int participantCapacity, int entryCapacity) {
    return new SegmentSpec(entries, participantCapacity, Math.max(entryCapacity, entries.size()),
        Lifetime.WHILE_USED, 0, OWNER_ONLY, false);
  }

  /** The same with room for so many participants, 1 to 256. */
  public SegmentSpec withParticipantCapacity(int capacity) {
    return new SegmentSpec(entries, capacity, entryCapacity, lifetime, givenSizeBytes, permissions, hugePages);
  }

  /** The same with room for so many entries, 1 to 512. */
  public SegmentSpec withEntryCapacity(int capacity) {
    return new SegmentSpec(entries, participantCapacity, capacity, lifetime, givenSizeBytes, permissions, hugePages);
  }

  /** The same with another lifetime. */
  public SegmentSpec withLifetime(Lifetime newLifetime) {
    return new SegmentSpec(entries, participantCapacity, entryCapacity, newLifetime, givenSizeBytes,
        permissions, hugePages);
  }

  /** The same with a total size, rounded up to a page, to leave room for entries that are added later. */
  public SegmentSpec withSizeBytes(long sizeBytes) {
    if (sizeBytes < 1 || sizeBytes > Long.MAX_VALUE - SegmentLayout.PAGE_BYTES) {
      throw new InvalidSpecException("sizeBytes", sizeBytes, "must be at least 1; leave it out to have it computed");
    }
    return new SegmentSpec(entries, participantCapacity, entryCapacity, lifetime, SegmentLayout.alignToPage(sizeBytes),
        permissions, hugePages);
  }

  /** The same with other permissions of the file: the owner's to read and write, and what is asked for beyond. */
  public SegmentSpec withPermissions(Set<PosixFilePermission> newPermissions) {
    if (!newPermissions.containsAll(OWNER_ONLY)) {
      throw new InvalidSpecException("permissions", newPermissions, "must contain " + OWNER_ONLY
          + ": the owner of a segment reads and writes it");
    }
    return new SegmentSpec(entries, participantCapacity, entryCapacity, lifetime, givenSizeBytes,
        newPermissions, hugePages);
  }

  /**
   * The same with huge pages, where the kernel has them for shared memory: fewer misses of the address cache in large
   * rings. It is the creator's wish and no difference to those who attach; where it cannot be met, a line in the log
   * says so.
   */
  public SegmentSpec withHugePages() {
    return new SegmentSpec(entries, participantCapacity, entryCapacity, lifetime, givenSizeBytes, permissions, true);
  }

  private void check() {
    Objects.requireNonNull(lifetime, "lifetime");
    if (participantCapacity < 1 || participantCapacity > Owner.MAX_SLOTS) {
      throw new InvalidSpecException("participantCapacity", participantCapacity,
          "is not between 1 and " + Owner.MAX_SLOTS);
    }
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

  /** The entries that exist from the start. */
  public List<EntrySpec> entries() {
    return entries;
  }

  /** The most participants at one time. */
  public int participantCapacity() {
    return participantCapacity;
  }

  /** The most entries. */
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

  /** The size, when one was given rather than computed. */
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
