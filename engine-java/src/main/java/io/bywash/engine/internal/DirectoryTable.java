package io.bywash.engine.internal;

import static io.bywash.engine.internal.SegmentLayout.*;

import io.bywash.engine.Entry;
import io.bywash.engine.EntryNotFoundException;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.NoSpaceException;
import io.bywash.engine.SegmentAccessException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.TableFullException;
import io.bywash.engine.internal.memory.Region;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;

/**
 * The name directory. A row becomes visible by one store, which comes last; everything before it happens under the
 * directory lock and is announced in the intent word, so that the next adder finishes or voids what a dead one left.
 *
 * <p>A structure begins as zeros, so adding one needs no knowledge of its kind.
 */
public final class DirectoryTable {
  private static final long LOCK_TIMEOUT_NANOS = 10_000_000_000L;

  private final SegmentCore core;
  /** Of this process's threads one at a time adds, or voids; the lock of the file is the whole process's. */
  private final ReentrantLock adding = new ReentrantLock();
  private final Region region;
  private final Geometry geometry;

  DirectoryTable(SegmentCore core) {
    this.core = core;
    this.region = core.region();
    this.geometry = core.geometry();
  }

  /** Writes the rows of a new segment, which nobody else sees yet. */
  void format(SegmentSpec spec) {
    int row = 0;
    for (EntrySpec entry : spec.entries()) {
      long offset = region.getLong(NEXT_FREE_OFFSET);
      writeRow(row, entry, offset);
      formatData(entry, offset);
      region.setLong(NEXT_FREE_OFFSET, offset + entry.sizeBytes());
      setState(row++, entry.kind(), 1, ROW_LIVE);
    }
  }

  private void writeRow(int index, EntrySpec spec, long offset) {
    long row = geometry.row(index);
    region.setLongOpaque(row + ROW_OFFSET, offset);
    region.setLongOpaque(row + ROW_SIZE, spec.sizeBytes());
    region.setLongOpaque(row + ROW_CAPACITY, spec.capacity());
    region.setLongOpaque(row + ROW_ELEMENT_SIZE, spec.elementSizeBytes());
    region.setLongOpaque(row + ROW_FINGERPRINT, spec.fingerprint());
    region.setLongOpaque(row + ROW_ROLE_COUNT, spec.roleCount());
    region.setLongOpaque(row + ROW_CREATOR, core.participants().self());
    byte[] name = new byte[NAME_MAX_BYTES];
    byte[] given = spec.name().getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(given, 0, name, 0, given.length);
    region.copyFrom(row + ROW_NAME, name, 0, name.length);
  }

  private void formatData(EntrySpec spec, long offset) {
    StructureType type = core.type(spec.kind().code());
    if (type != null) {
      type.format(region, offset, spec);
    }
  }

  private void setState(int index, Kind kind, int generation, int state) {
    // [row-live] makes the row and the zeroed structure visible to whoever sees the row live
    region.setLongRelease(geometry.row(index) + ROW_WORD, (long) generation << 32 | (long) kind.code() << 16 | state);
  }

  private long word(int index) {
    return region.getLongAcquire(geometry.row(index) + ROW_WORD); // [row-live]
  }

  private static int state(long word) {
    return (int) word & 0xFF;
  }

  private static int generation(long word) {
    return (int) (word >>> 32);
  }

  /** All live entries that are sound. A damaged row does not take its neighbours with it: see {@link #find}. */
  List<SegmentEntry> live() {
    List<SegmentEntry> rows = rows();
    return rows.stream().filter(entry -> entry.damage() == null && rival(entry, rows) == null).toList();
  }

  private List<SegmentEntry> rows() {
    List<SegmentEntry> entries = new ArrayList<>();
    for (int index = 0; index < geometry.rowCount(); index++) {
      long word = word(index);
      if (state(word) == ROW_LIVE) {
        entries.add(SegmentEntry.read(core, index, word));
      }
    }
    return entries;
  }

  /** Another entry that claims some of the same bytes: nobody knows whose they are, so that neither can be used. */
  private static SegmentEntry rival(SegmentEntry entry, List<SegmentEntry> rows) {
    for (SegmentEntry other : rows) {
      if (other != entry && other.damage() == null && other.overlaps(entry)) {
        return other;
      }
    }
    return null;
  }

  public List<Entry> entries() {
    core.checkOpen();
    return CutFile.looking(core, () -> List.copyOf(live()));
  }

  public Optional<Entry> find(String name) {
    core.checkOpen();
    Names.check("name", name);
    return CutFile.looking(core, () -> Optional.ofNullable(findRow(name)));
  }

  private SegmentEntry findRow(String name) {
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
    Entry entry = find(name).orElseThrow(() -> new EntryNotFoundException("Segment " + core.path() + " has no entry \""
        + name + "\"; it has " + live().stream().map(SegmentEntry::name).collect(Collectors.joining(", ", "[", "]"))
        + ". Check the name, or add the entry with findOrAdd."));
    if (entry.kind() != kind) {
      throw new SpecMismatchException("Entry \"" + name + "\" of segment " + core.path() + " has another kind: ",
          List.of("kind is " + entry.kind() + ", wanted " + kind));
    }
    return entry;
  }

  /** What differs between the rows that exist and the wanted ones, one sentence each. */
  List<String> differences(List<EntrySpec> wanted) {
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

  public Entry findOrAdd(EntrySpec spec) {
    core.checkOpen();
    core.requireParticipant();
    Optional<Entry> found = find(spec.name());
    if (found.isEmpty()) {
      core.beginOperation();
      try {
        found = Optional.ofNullable(addLocked(spec));
      } finally {
        core.endOperation();
      }
    }
    List<String> differences = ((SegmentEntry) found.orElseThrow()).differences(spec);
    if (!differences.isEmpty()) {
      throw new SpecMismatchException("Segment " + core.path() + " differs from what was asked for. ", differences);
    }
    return found.get();
  }

  private Entry addLocked(EntrySpec spec) {
    Entry[] result = new Entry[1];
    boolean locked;
    adding.lock();
    try {
      locked = core.file().withLock(DIRECTORY_LOCK, LOCK_TIMEOUT_NANOS, () -> {
        recoverIntent();
        SegmentEntry other = findRow(spec.name()); // somebody may have added it before we had the lock
        result[0] = other != null ? other : add(spec);
      });
    } catch (IOException failure) {
      throw BusFailures.of(core.path(), failure);
    } finally {
      adding.unlock();
    }
    if (!locked) {
      throw new SegmentAccessException("The directory of segment " + core.path() + " has been locked for "
          + LOCK_TIMEOUT_NANOS / 1_000_000_000L + " s by a living process that does not go on. Resume or end that process.");
    }
    return result[0];
  }

  private SegmentEntry add(EntrySpec spec) {
    int index = 0;
    while (index < geometry.rowCount() && state(word(index)) != ROW_FREE) {
      index++;
    }
    if (index == geometry.rowCount()) {
      throw new TableFullException("Segment " + core.path() + " has all its " + geometry.rowCount()
          + " directory rows taken, so \"" + spec.name() + "\" cannot be added. Create the segment with a larger entryCapacity.");
    }
    long offset = region.getLongOpaque(NEXT_FREE_OFFSET);
    if (offset < geometry.dataOffset() || offset > geometry.sizeBytes() || offset % PAGE_BYTES != 0) {
      throw Geometry.damaged(core.path(), "its next free byte is " + offset + " of " + geometry.sizeBytes());
    }
    for (SegmentEntry entry : live()) {
      if (entry.offset() + entry.sizeBytes() > offset) {
        throw Geometry.damaged(core.path(), "its next free byte is " + offset + ", within entry \"" + entry.name() + "\"");
      }
    }
    long free = geometry.sizeBytes() - offset;
    if (spec.sizeBytes() > free) {
      throw new NoSpaceException("Segment " + core.path() + " has " + free + " unused bytes, entry \"" + spec.name()
          + "\" needs " + spec.sizeBytes() + ". Create the segment with a larger sizeBytes.");
    }
    int generation = generation(word(index)) + 1;
    region.setLongVolatile(INTENT_OFFSET, Owner.word(core.participants().self(), index, 0, 1));
    setState(index, spec.kind(), generation, ROW_ADDING);
    writeRow(index, spec, offset);
    region.setLongOpaque(NEXT_FREE_OFFSET, offset + spec.sizeBytes());
    formatData(spec, offset);
    setState(index, spec.kind(), generation, ROW_LIVE);
    region.setLongVolatile(INTENT_OFFSET, 0);
    SegmentEntry added = SegmentEntry.read(core, index, word(index));
    added.requireSound();
    return added;
  }

  /** Voids what a dead adder left half-done, if there is something; a living adder has the lock, and is not waited for. */
  boolean recover() throws IOException {
    boolean[] voided = new boolean[1];
    if (region.getLongVolatile(INTENT_OFFSET) != 0 && adding.tryLock()) {
      try {
        core.file().withLock(DIRECTORY_LOCK, 0, () -> voided[0] = recoverIntent());
      } finally {
        adding.unlock();
      }
    }
    return voided[0];
  }

  /**
   * Voids the row that a dead adder left half-done; false when there was none. Its space is handed out by the next add,
   * since nobody wrote to it. The caller has the directory's lock, so that whoever wrote an intent is dead.
   */
  private boolean recoverIntent() {
    long intent = region.getLongVolatile(INTENT_OFFSET);
    int index = Owner.generation(intent);
    if (intent == 0) {
      return false;
    }
    if (index < geometry.rowCount()) {
      long word = word(index);
      long offset = region.getLongOpaque(geometry.row(index) + ROW_OFFSET);
      long size = region.getLongOpaque(geometry.row(index) + ROW_SIZE);
      if (state(word) == ROW_ADDING) {
        if (region.getLongOpaque(NEXT_FREE_OFFSET) == offset + size) { // moved on already: take it back
          region.setLongOpaque(NEXT_FREE_OFFSET, offset);
        }
        setState(index, Kind.UNKNOWN, generation(word), ROW_FREE);
      }
    }
    region.setLongVolatile(INTENT_OFFSET, 0);
    return true;
  }
}
