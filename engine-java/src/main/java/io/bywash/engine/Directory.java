package io.bywash.engine;

import io.bywash.engine.internal.SegmentCore;
import java.util.List;
import java.util.Optional;

/** The names in a segment. Any thread may use it. */
public final class Directory {
  private final SegmentCore core;

  Directory(SegmentCore core) {
    this.core = core;
  }

  /** The entry of that name, if there is one now. */
  public Optional<Entry> find(String name) {
    return core.whileMapped(() -> core.directory().find(name));
  }

  /**
   * The entry of that name, which must be of that kind.
   *
   * @throws EntryNotFoundException when there is none; the message lists the names that there are
   * @throws SpecMismatchException when it is of another kind
   */
  public Entry find(String name, Kind kind) {
    return core.whileMapped(() -> core.directory().find(name, kind));
  }

  /** All entries, in the order in which they were added. */
  public List<Entry> entries() {
    return core.whileMapped(() -> core.directory().entries());
  }

  /**
   * The entry that {@code spec} describes: added if there was none of that name.
   *
   * @throws SpecMismatchException when there is one of that name which differs; each difference is listed
   * @throws TableFullException when the directory has no free row
   * @throws NoSpaceException when the segment has not enough unused bytes left
   */
  public Entry findOrAdd(EntrySpec spec) {
    return core.whileMapped(() -> core.findOrAdd(spec));
  }

  /**
   * Removes the entry of that name, with what is in it. Its name is free at once, and its bytes are when nobody holds a
   * role in it any more. Roles in it end: they fail with {@link EntryRemovedException} when they next wait or look for
   * room, or after a thousand polls in vain.
   *
   * @return {@link Removal.Outcome#REMOVED}; {@link Removal.Outcome#NOT_FOUND} when there is none of that name; or
   *     {@link Removal.Outcome#IN_USE} while another participant that lives owns it, see {@link Entry#owner}, whose
   *     process is named
   * @throws IllegalStateException when the segment is attached read-only
   * @throws DamagedSegmentException when the entry is damaged
   */
  public Removal remove(String name) {
    return core.whileMapped(() -> core.remove(name));
  }
}
