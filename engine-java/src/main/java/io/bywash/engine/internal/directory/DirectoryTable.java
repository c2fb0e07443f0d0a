package io.bywash.engine.internal.directory;

import static io.bywash.engine.internal.layout.SegmentLayout.*;

import io.bywash.engine.Entry;
import io.bywash.engine.EntryNotFoundException;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.Participant;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.internal.attachment.Attachment;
import io.bywash.engine.internal.layout.Names;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.internal.segment.Census;
import io.bywash.engine.internal.segment.Geometry;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** The directory, as its readers see it. {@link DirectoryChanges} writes it. */
public final class DirectoryTable {
  private final Attachment core;
  private final List<StructureType> types;
  private final Region region;
  private final Geometry geometry;
  /** What {@link #owners} last read. */
  private volatile Listing listing;

  /** The live entries, and the words of all rows from before they were read. */
  private record Listing(long[] words, List<SegmentEntry> entries) {}

  public DirectoryTable(Attachment core, List<StructureType> types) {
    this.core = core;
    this.types = types;
    this.region = core.region();
    this.geometry = core.geometry();
  }

  /** The type for a kind's code; null when this version does not know it. */
  StructureType type(int kindCode) {
    for (StructureType type : types) {
      if (type.kind().code() == kindCode) {
        return type;
      }
    }
    return null;
  }

  SegmentEntry entry(int index, long word) {
    return new SegmentEntry(this, core, index, word);
  }

  long word(int index) {
    return region.getLongAcquire(geometry.row(index) + ROW_WORD); // [row-live]
  }

  static int state(long word) {
    return (int) word & 0xFF;
  }

  static int generation(long word) {
    return (int) (word >>> 32);
  }

  /** All live entries that are sound. A damaged row does not affect others; {@link #find} reports it. */
  public List<SegmentEntry> live() {
    List<SegmentEntry> rows = rows();
    return rows.stream().filter(entry -> entry.damage() == null && rival(entry, rows) == null).toList();
  }

  private List<SegmentEntry> rows() {
    List<SegmentEntry> entries = new ArrayList<>();
    for (int index = 0; index < geometry.rowCount(); index++) {
      SegmentEntry entry = read(index);
      if (entry != null) {
        entries.add(entry);
      }
    }
    return entries;
  }

  /** The entry in a row, damaged or not; null when the row is not live. */
  public SegmentEntry read(int index) {
    long word = word(index);
    while (state(word) == ROW_LIVE) {
      SegmentEntry entry = entry(index, word);
      VarHandle.acquireFence(); // [row-live] the row is read before its word is read again
      long now = word(index);
      if (now == word) {
        return entry;
      }
      word = now; // the entry was removed meanwhile, and the row perhaps used again
    }
    return null;
  }

  /** Another entry that claims some of the same bytes. Nobody knows whose they are, so neither entry can be used. */
  private static SegmentEntry rival(SegmentEntry entry, List<SegmentEntry> rows) {
    for (SegmentEntry other : rows) {
      if (other != entry && other.damage() == null && other.overlaps(entry)) {
        return other;
      }
    }
    return null;
  }

  public List<Entry> entries() {
    return core.whileMapped(() -> List.copyOf(live()));
  }

  /**
   * The sound live entries with their owners. Rows are read anew only when the first word of one of them has changed,
   * since nothing else of a row changes while it is live; and each participant is probed once.
   */
  public Map<Entry, Optional<Participant>> owners() {
    return core.whileMapped(() -> {
      Listing current = listing;
      long[] words = words();
      if (current == null || !Arrays.equals(words, current.words())) {
        current = new Listing(words, live());
        listing = current;
      }
      Census census = new Census(core.participants());
      Map<Entry, Optional<Participant>> owners = LinkedHashMap.newLinkedHashMap(current.entries().size());
      current.entries().forEach(entry -> owners.put(entry, entry.owner(census)));
      return Collections.unmodifiableMap(owners);
    });
  }

  /** The first words of all rows. What is read after them is not older. */
  private long[] words() {
    long[] words = new long[geometry.rowCount()];
    Arrays.setAll(words, this::word);
    return words;
  }

  public Optional<Entry> find(String name) {
    return core.whileMapped(() -> Optional.ofNullable(findRow(Names.check("name", name))));
  }

  SegmentEntry findRow(String name) {
    List<SegmentEntry> rows = rows();
    for (SegmentEntry entry : rows) {
      if (entry.name().equals(name)) {
        entry.requireSound();
        SegmentEntry rival = rival(entry, rows);
        if (rival != null) {
          throw entry.damaged("it claims bytes that entry \"" + rival.name() + "\" claims too");
        }
        return entry;
      }
    }
    return null;
  }

  public Entry find(String name, Kind kind) {
    Entry entry = core.whileMapped(() -> find(name).orElseThrow(() -> new EntryNotFoundException("Segment "
        + core.path() + " has no entry \"" + name + "\"; it has "
        + live().stream().map(SegmentEntry::name).collect(Collectors.joining(", ", "[", "]"))
        + ". Check the name, or add the entry with findOrAdd.")));
    if (entry.kind() != kind) {
      throw new SpecMismatchException("Entry \"" + name + "\" of segment " + core.path() + " has another kind: ",
          List.of("kind is " + entry.kind() + ", wanted " + kind));
    }
    return entry;
  }

  /** Why the segment has to stay although nobody uses it: a sentence on the first entry that still holds something. */
  public Optional<String> retained() {
    return live().stream().filter(entry -> entry.retained() != null)
        .map(entry -> "entry \"" + entry.name() + "\" " + entry.retained()).findFirst();
  }

  /** Frees all roles that the dead holder of a slot left. The caller holds the slot's lock. Returns how many. */
  public int sweep(int slotId) {
    int rolesFreed = 0;
    for (SegmentEntry entry : live()) {
      rolesFreed += sweep(entry, slotId);
    }
    return rolesFreed;
  }

  /** Sweeps one structure. The slot holds the row, or its bytes could become another entry's before this ends. */
  int sweep(SegmentEntry entry, int slotId) {
    core.participants().holdFor(slotId, entry.row());
    return entry.isGone() ? 0 : entry.sweep(slotId);
  }

  /** What differs between the rows that exist and the wanted ones, one sentence each. */
  public List<String> differences(List<EntrySpec> wanted) {
    List<String> differences = new ArrayList<>();
    for (EntrySpec spec : wanted) {
      SegmentEntry entry = findRow(spec.name());
      if (entry == null) {
        differences.add("entry \"" + spec.name() + "\" does not exist, wanted " + spec.kind());
      } else {
        differences.addAll(entry.differences(spec));
      }
    }
    return differences;
  }
}
