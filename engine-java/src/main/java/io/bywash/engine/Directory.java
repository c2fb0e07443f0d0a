package io.bywash.engine;

import io.bywash.engine.internal.SegmentCore;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The directory of a segment: the table that names its structures. Any thread may use it. Every method throws
 * {@link SegmentClosedException} after the segment was closed in this process.
 */
public final class Directory {
  private final SegmentCore core;

  Directory(SegmentCore core) {
    this.core = core;
  }

  /** The entry of that name, if it exists now. */
  public Optional<Entry> find(String name) {
    return core.directory().find(name);
  }

  /**
   * The entry of that name and kind.
   *
   * @throws EntryNotFoundException when there is no entry of that name; the message lists the names that exist
   * @throws SpecMismatchException when the entry is of another kind
   */
  public Entry find(String name, Kind kind) {
    return core.directory().find(name, kind);
  }

  /** All entries, in the order in which they were added. */
  public List<Entry> entries() {
    return core.directory().entries();
  }

  /**
   * All entries, in the order in which they were added, each with its owner as {@link Entry#owner} gives it. For those
   * who look again and again: each participant is probed once for all entries, and an entry is the same object each
   * time as long as none was added or removed. The map is a look; it does not change.
   */
  public Map<Entry, Optional<Participant>> owners() {
    return core.directory().owners();
  }

  /**
   * The entry that {@code spec} describes. It is added if no entry of that name exists; then its contents are empty. If
   * several processes call this at once, one of them adds it, and the others find it.
   *
   * @throws SpecMismatchException when an entry of that name exists and differs; the message lists each difference
   * @throws TableFullException when the directory has no free row
   * @throws NoSpaceException when the segment does not have enough unused bytes left
   * @throws IllegalStateException when the segment is attached read-only
   * @throws SegmentAccessException when another process has held the directory's lock for too long
   */
  public Entry findOrAdd(EntrySpec spec) {
    return core.whileMapped(() -> core.findOrAdd(spec));
  }

  /**
   * Removes the entry of that name and its contents. The name can be used again at once, the bytes as soon as nobody
   * holds a role in the entry any more. Roles that are still held end: they throw {@link EntryRemovedException} when
   * they next wait or look for room, or after about a thousand messages or polls that found nothing. Those of
   * observers, for whom the bytes do not wait, throw it at their next use.
   *
   * @return {@link Removal.Outcome#REMOVED}; {@link Removal.Outcome#NOT_FOUND} when there is no entry of that name; or
   *     {@link Removal.Outcome#IN_USE} when another, living participant owns the entry (see {@link Entry#owner}), whose
   *     process the result names
   * @throws IllegalStateException when the segment is attached read-only
   * @throws DamagedSegmentException when the entry is damaged
   */
  public Removal remove(String name) {
    return core.whileMapped(() -> core.remove(name));
  }
}
