package io.bywash.engine.internal.directory;

import static io.bywash.engine.internal.directory.DirectoryTable.generation;
import static io.bywash.engine.internal.directory.DirectoryTable.state;
import static io.bywash.engine.internal.layout.SegmentLayout.*;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.NoSpaceException;
import io.bywash.engine.Participant;
import io.bywash.engine.Removal;
import io.bywash.engine.Removal.Outcome;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.TableFullException;
import io.bywash.engine.internal.attachment.Attachment;
import io.bywash.engine.internal.files.BusFailures;
import io.bywash.engine.internal.layout.Names;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.internal.segment.Geometry;
import java.io.IOException;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * Adds entries to the directory and removes them. One store makes a row visible, or invisible. Everything else happens
 * under the directory lock and is announced in the intent word, so that whoever comes next finishes or voids what a
 * dead participant left.
 *
 * <p>A row keeps its bytes when it becomes free: the next entry that fits takes them, zeroed. The bytes of a removed
 * entry are free once no living participant holds its row.
 */
public final class DirectoryChanges {
  private static final long LOCK_TIMEOUT_NANOS = 10_000_000_000L;

  private final Attachment core;
  private final DirectoryTable table;
  private final Region region;
  private final Geometry geometry;
  /** Lets one thread of this process change the directory at a time; the file lock belongs to the whole process. */
  private final ReentrantLock changing = new ReentrantLock();

  public DirectoryChanges(Attachment core, DirectoryTable table) {
    this.core = core;
    this.table = table;
    this.region = core.region();
    this.geometry = core.geometry();
  }

  /** Writes the rows of a new segment that nobody else sees yet. */
  public void format(SegmentSpec spec) {
    int row = 0;
    for (EntrySpec entry : spec.entries()) {
      long offset = align(region.getLong(NEXT_FREE_OFFSET), structureAlignment(entry.roleCount()));
      writeRow(row, entry, offset, entry.sizeBytes());
      writeContent(entry, offset);
      region.setLong(NEXT_FREE_OFFSET, offset + entry.sizeBytes());
      setState(row++, entry.kind(), 1, ROW_LIVE);
    }
  }

  private void writeRow(int index, EntrySpec spec, long offset, long sizeBytes) {
    long row = geometry.row(index);
    region.setLongOpaque(row + ROW_OFFSET, offset);
    region.setLongOpaque(row + ROW_SIZE, sizeBytes);
    region.setLongOpaque(row + ROW_CAPACITY, spec.capacity());
    region.setLongOpaque(row + ROW_ELEMENT_SIZE, spec.elementSizeBytes());
    region.setLongOpaque(row + ROW_FINGERPRINT, spec.fingerprint());
    region.setLongOpaque(row + ROW_ROLE_COUNT, spec.roleCount());
    region.setLongOpaque(row + ROW_CREATOR, core.participants().self());
    byte[] name = new byte[NAME_MAX_BYTES];
    byte[] given = spec.name().getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(given, 0, name, 0, given.length);
    region.copyFrom(row + ROW_NAME, name, 0, name.length);
    for (int i = 0; i < PARAMETER_COUNT; i++) {
      long value = i < spec.parameters().size() ? spec.parameters().get(i) : 0;
      region.setLongOpaque(row + ROW_PARAMETERS + i * 8L, value);
    }
    StructureType type = table.type(spec.kind().code());
    region.setLongOpaque(row + ROW_FLAGS, type != null && type.mayRetain() ? RETAINS : 0);
    region.setLongOpaque(row + ROW_TEXT_OFFSET, spec.layout().isEmpty() ? 0
        : textOffset(spec.roleCount(), spec.dataBytes()));
    region.setLongOpaque(row + ROW_TEXT_BYTES, spec.layout().length());
  }

  /** Writes the first content of a new structure; everything else in it is zero. */
  private void writeContent(EntrySpec spec, long offset) {
    StructureType type = table.type(spec.kind().code());
    if (type != null) {
      type.format(region, offset, spec);
    }
    byte[] text = spec.layout().getBytes(StandardCharsets.US_ASCII);
    if (text.length > 0) {
      region.copyFrom(offset + textOffset(spec.roleCount(), spec.dataBytes()), text, 0, text.length);
    }
  }

  private void setState(int index, Kind kind, int generation, int state) {
    // [row-live] makes the row, its text and the structure's first content visible to whoever sees the row live
    region.setLongRelease(geometry.row(index) + ROW_WORD,
        (long) generation << 32 | (long) kind.code() << 16 | (long) kind.version() << 8 | state);
  }

  private void raiseChanges() {
    region.setLongRelease(CHANGES_OFFSET, region.getLongOpaque(CHANGES_OFFSET) + 1);
  }

  // ---- adding

  public Entry findOrAdd(EntrySpec spec) {
    core.checkOpen();
    core.requireParticipant();
    Optional<Entry> found = table.find(spec.name());
    if (found.isEmpty()) {
      found = Optional.of(locked(() -> {
        SegmentEntry other = table.findRow(spec.name()); // may have been added before this took the lock
        return other != null ? other : add(spec);
      }));
    }
    List<String> differences = ((SegmentEntry) found.get()).differences(spec);
    if (!differences.isEmpty()) {
      throw new SpecMismatchException("Segment " + core.path() + " differs from what was asked for. ", differences);
    }
    return found.get();
  }

  /** Makes a change under the directory lock, after recovering what a dead participant left. */
  private <T> T locked(Supplier<T> change) {
    core.beginOperation();
    changing.lock();
    try {
      return core.file().withLock(DIRECTORY_LOCK, LOCK_TIMEOUT_NANOS, () -> {
        recoverIntent();
        return change.get();
      }).orElseThrow(() -> BusFailures.stuck("The directory of segment " + core.path() + " has been locked",
          LOCK_TIMEOUT_NANOS, ""));
    } catch (IOException failure) {
      throw BusFailures.of(core.path(), failure);
    } finally {
      changing.unlock();
      core.endOperation();
    }
  }

  private SegmentEntry add(EntrySpec spec) {
    freeRemoved();
    long nextFree = checkNextFree();
    int index = freeRow(spec);
    long row = geometry.row(index);
    boolean reuses = fits(index, spec);
    long offset = reuses ? region.getLongOpaque(row + ROW_OFFSET)
        : align(nextFree, structureAlignment(spec.roleCount()));
    long sizeBytes = reuses ? region.getLongOpaque(row + ROW_SIZE) : spec.sizeBytes();
    if (sizeBytes > geometry.sizeBytes() - offset) {
      throw new NoSpaceException("Segment " + core.path() + " has " + Math.max(geometry.sizeBytes() - offset, 0)
          + " unused bytes, entry \"" + spec.name() + "\" needs " + spec.sizeBytes()
          + ". Create the segment with a larger sizeBytes.");
    }
    int generation = generation(table.word(index)) + 1;
    region.setLongVolatile(INTENT_OFFSET, Owner.word(core.participants().self(), index, 0, INTENT_ADD));
    setState(index, spec.kind(), generation, ROW_ADDING);
    writeRow(index, spec, offset, sizeBytes);
    if (reuses) {
      zeroBytes(row);
    } else {
      region.setLongOpaque(NEXT_FREE_OFFSET, offset + sizeBytes);
    }
    writeContent(spec, offset);
    setState(index, spec.kind(), generation, ROW_LIVE);
    raiseChanges();
    region.setLongVolatile(INTENT_OFFSET, 0);
    SegmentEntry added = table.entry(index, table.word(index));
    added.requireSound();
    return added;
  }

  private long checkNextFree() {
    long nextFree = region.getLongOpaque(NEXT_FREE_OFFSET);
    if (nextFree < geometry.dataOffset() || nextFree > geometry.sizeBytes() || nextFree % LINE_BYTES != 0) {
      throw Geometry.damaged(core.path(), "its next free byte is " + nextFree + " of " + geometry.sizeBytes());
    }
    for (int index = 0; index < geometry.rowCount(); index++) {
      if (endOf(index) > nextFree) {
        throw Geometry.damaged(core.path(), "its next free byte is " + nextFree + ", but row " + index + " has"
            + " bytes up to " + endOf(index));
      }
    }
    return nextFree;
  }

  /** The first byte after those of a row; 0 when the row has none, or claims impossible ones. */
  private long endOf(int index) {
    long offset = region.getLongOpaque(geometry.row(index) + ROW_OFFSET);
    long sizeBytes = region.getLongOpaque(geometry.row(index) + ROW_SIZE);
    boolean possible = offset >= geometry.dataOffset() && offset <= geometry.sizeBytes() && sizeBytes > 0
        && sizeBytes <= geometry.sizeBytes() - offset;
    return possible ? offset + sizeBytes : 0;
  }

  /** Whether the bytes of a free row are enough, and aligned, for an entry. */
  private boolean fits(int index, EntrySpec spec) {
    long row = geometry.row(index);
    return endOf(index) != 0 && region.getLongOpaque(row + ROW_OFFSET) % structureAlignment(spec.roleCount()) == 0
        && region.getLongOpaque(row + ROW_SIZE) % structureAlignment(spec.roleCount()) == 0
        && region.getLongOpaque(row + ROW_SIZE) >= spec.sizeBytes() && hasItsBytesAlone(index);
  }

  /**
   * The free row for an entry: the row with the fewest bytes that fit, else one without bytes, else the one with the
   * fewest.
   */
  private int freeRow(EntrySpec spec) {
    int best = -1;
    long bestCost = Long.MAX_VALUE;
    for (int index = 0; index < geometry.rowCount(); index++) {
      if (state(table.word(index)) == ROW_FREE) {
        long sizeBytes = endOf(index) == 0 ? 0 : region.getLongOpaque(geometry.row(index) + ROW_SIZE);
        long cost = fits(index, spec) ? sizeBytes - spec.sizeBytes() : Long.MAX_VALUE / 2 + sizeBytes / 2;
        if (best < 0 || cost < bestCost) {
          best = index;
          bestCost = cost;
        }
      }
    }
    if (best < 0) {
      throw new TableFullException("Segment " + core.path() + " has all its " + geometry.rowCount()
          + " directory rows taken, so \"" + spec.name() + "\" cannot be added. Create the segment with a larger"
          + " entryCapacity.");
    }
    return best;
  }

  // ---- removing

  /** Removes an entry, unless another living participant owns it. */
  public Removal remove(String name) {
    core.checkOpen();
    core.requireParticipant();
    Names.check("name", name);
    return locked(() -> {
      SegmentEntry entry = table.findRow(name);
      if (entry == null) {
        return new Removal(name, Outcome.NOT_FOUND, List.of(), "There is no entry of that name.");
      }
      Optional<Participant> owner = entry.owner().filter(Participant::alive)
          .filter(living -> Owner.participant(living.id(), living.epoch()) != core.participants().self());
      if (owner.isPresent()) {
        return new Removal(name, Outcome.IN_USE, List.of(owner.get().pid()), "Process " + owner.get().pid()
            + " owns it and lives. Have that one remove it, or end it.");
      }
      remove(entry);
      return new Removal(name, Outcome.REMOVED, List.of(), "It was removed.");
    });
  }

  private void remove(SegmentEntry entry) {
    int index = entry.row();
    region.setLongVolatile(INTENT_OFFSET, Owner.word(core.participants().self(), index, 0, INTENT_REMOVE));
    region.setLongVolatile(geometry.row(index) + ROW_WORD, entry.word() & ~0xFFL | ROW_TOMBSTONE); // [row-held]
    entry.markRemoved();
    raiseChanges();
    region.setLongVolatile(INTENT_OFFSET, 0);
    freeRemoved();
  }

  /**
   * Frees the rows of removed entries that nobody holds, and gives back the bytes of free rows that are the last ones
   * in use. The caller holds the directory lock.
   */
  private void freeRemoved() {
    // [row-held] a holder that is not seen here will find that the row is not live; and [row-live] so will an observer
    // that reads any of the bytes after they were given up
    VarHandle.fullFence();
    boolean again = true;
    while (again) {
      again = false;
      for (int index = 0; index < geometry.rowCount(); index++) {
        long word = table.word(index);
        if (state(word) == ROW_TOMBSTONE && !core.participants().isHeld(index)
            || state(word) == ROW_FREE && isLast(index)) {
          region.setLongVolatile(INTENT_OFFSET, Owner.word(core.participants().self(), index, 0, INTENT_REMOVE));
          again |= free(index, word);
          region.setLongVolatile(INTENT_OFFSET, 0);
        }
      }
    }
  }

  /** Whether a row has bytes of its own, and no row has bytes after them. */
  private boolean isLast(int index) {
    return endOf(index) != 0 && endOf(index) == region.getLongOpaque(NEXT_FREE_OFFSET) && hasItsBytesAlone(index);
  }

  /** Whether no other row claims any bytes of this one. Bytes that are claimed twice, by damage, are not written to. */
  private boolean hasItsBytesAlone(int index) {
    long offset = region.getLongOpaque(geometry.row(index) + ROW_OFFSET);
    for (int other = 0; other < geometry.rowCount(); other++) {
      long otherOffset = region.getLongOpaque(geometry.row(other) + ROW_OFFSET);
      if (other != index && endOf(other) > offset && otherOffset < endOf(index)) {
        return false;
      }
    }
    return true;
  }

  private void zeroBytes(long row) {
    region.zero(region.getLongOpaque(row + ROW_OFFSET), region.getLongOpaque(row + ROW_SIZE));
  }

  /**
   * Frees a row. It keeps its bytes, unless they are the last ones: then they belong to no row again, and this returns
   * true.
   */
  private boolean free(int index, long word) {
    long row = geometry.row(index);
    long offset = region.getLongOpaque(row + ROW_OFFSET);
    boolean givesBack = isLast(index);
    if (givesBack) {
      zeroBytes(row);
      region.setLongOpaque(NEXT_FREE_OFFSET, offset);
    }
    if (region.getLongOpaque(NEXT_FREE_OFFSET) <= offset) {
      region.setLongOpaque(row + ROW_SIZE, 0);
      region.setLongOpaque(row + ROW_OFFSET, 0);
    }
    setState(index, Kind.UNKNOWN, generation(word), ROW_FREE);
    return givesBack;
  }

  // ---- recovery

  /**
   * Recovers what a dead participant left half-done, if anything. A living one holds the lock, and is not waited for.
   */
  public boolean recover() throws IOException {
    if (region.getLongVolatile(INTENT_OFFSET) == 0 || !changing.tryLock()) {
      return false;
    }
    try {
      return core.file().withLock(DIRECTORY_LOCK, 0, this::recoverIntent).orElse(false);
    } finally {
      changing.unlock();
    }
  }

  /**
   * Voids the entry that a dead adder left half-done, and finishes what a dead remover began. Returns false when there
   * was neither. The caller holds the directory lock, so whoever wrote an intent is dead.
   */
  private boolean recoverIntent() {
    long intent = region.getLongVolatile(INTENT_OFFSET);
    int index = Owner.generation(intent);
    if (intent == 0) {
      return false;
    }
    if (index < geometry.rowCount()) {
      long word = table.word(index);
      if (state(word) == ROW_ADDING || state(word) == ROW_FREE) {
        free(index, word); // the adder may have written to its bytes, but they are zeroed before they are used again
      } else if (state(word) == ROW_TOMBSTONE) {
        boolean hasBytes = endOf(index) != 0 && endOf(index) <= region.getLongOpaque(NEXT_FREE_OFFSET);
        if (hasBytes && hasItsBytesAlone(index)) {
          table.entry(index, word).markRemoved();
        } else if (!hasBytes) { // it was being freed, and nobody held it
          free(index, word);
        }
      }
      raiseChanges(); // raising it once too often does no harm
    }
    region.setLongVolatile(INTENT_OFFSET, 0);
    return true;
  }
}
