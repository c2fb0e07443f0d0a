package io.bywash.engine.cell;

import static io.bywash.engine.cell.CellsLayout.*;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.InterruptedWaitException;
import io.bywash.engine.Kind;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.internal.role.EntryUse;
import io.bywash.engine.record.RecordType;
import io.bywash.engine.record.Records;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;

/**
 * An array of records that all processes share, for example one with the statistics of each process. An element is
 * read and set as a whole: nobody ever sees a part of one record with a part of another, whoever dies where.
 *
 * {@snippet :
 * EntrySpec spec = RecordArray.spec("stats", 16, STATS);
 * try (RecordArray<Stats> array = RecordArray.open(segment.directory().find("stats", Kind.CELLS), STATS)) {
 *   boolean set = array.set(3, new Stats(messages, errors), 1_000_000); // waits for another writer for up to 1 ms
 *   Stats other = array.get(4); // null when it was never set
 * }
 * }
 *
 * <p>Each element has two copies. A writer locks the element, writes the copy that is not valid, and makes it the valid
 * one. So a writer that dies leaves the last value as it was, and the next writer takes its lock. A writer that is
 * stopped keeps other writers of that element waiting, for as long as they want, and readers not at all.
 *
 * <p>No role is taken, and so any number of processes may use the array. An object of this class is used by one thread
 * at a time. The exceptions of all methods are those of {@link Atomics}; an index that is out of range is an
 * {@link IndexOutOfBoundsException}.
 *
 * <p>Two copies and a version are those of Lampson and Sturgis' stable storage, and of Lamport's "Concurrent Reading
 * and Writing" (CACM 1977); what a reader has to validate is in Boehm, "Can Seqlocks Get Along with Programming
 * Language Memory Models?" (MSPC 2012).
 *
 * @param <T> the record class
 */
public final class RecordArray<T> implements AutoCloseable {
  /** The most memory that one array can take, in bytes: 128 GiB. */
  public static final long MAX_BYTES = 1L << 37;

  /** How often a reader begins anew before it gives up. */
  private static final int MAX_READS = 16;
  private static final int SPINS = 1_000;
  private static final long PARK_NANOS = 50_000;

  private final SegmentEntry entry;
  private final Region region;
  private final int length;
  private final long elementBytes;
  private final long copyBytes;
  private final Records<T> records;
  private final RecordType<? extends T> type;
  /** An element that was read, and one that is about to be set. */
  private final Region copied;
  private final Region scratch;
  private final EntryUse use;
  /** Whether the code of a record runs, which must not use this array. */
  private boolean calling;
  private boolean busy;
  /** The element that is locked, and by which word; no element when the word is 0. */
  private long lockedElement;
  private long lockedBy;

  private RecordArray(SegmentEntry entry, Records<T> records) {
    this.entry = entry;
    this.region = entry.region();
    this.length = (int) entry.capacity();
    this.elementBytes = elementBytes(entry.elementSizeBytes());
    this.copyBytes = copyBytes(entry.elementSizeBytes());
    this.records = records;
    this.type = records.types().getFirst();
    this.copied = Region.allocate(copyBytes);
    this.scratch = Region.allocate(copyBytes);
    this.use = EntryUse.of(entry, this::unlock);
  }

  /**
   * Specifies an array. An element takes twice the size of a record and 16 bytes, rounded up to a multiple of 128.
   *
   * @param name of the entry
   * @param length how many elements it has, at least 1
   * @param records the record class of the elements, exactly one
   */
  public static EntrySpec spec(String name, int length, Records<?> records) {
    long size = only(records).sizeBytes();
    if (length < 1 || length > MAX_BYTES / elementBytes(size)) {
      throw new IllegalArgumentException("length=" + length + " is not between 1 and " + Math.min(Integer.MAX_VALUE,
          MAX_BYTES / elementBytes(size)));
    }
    return records.declare(new EntrySpec(name, Kind.CELLS, length, size, "", 0, length * elementBytes(size),
        List.of((long) RECORDS)));
  }

  private static RecordType<?> only(Records<?> records) {
    RecordType<?> first = records.types().getFirst();
    if (records.types().size() != 1 || first.number() != 0) {
      throw new IllegalArgumentException("records=" + records + ": an array has elements of one class; use"
          + " Records.of(lookup(), type)");
    }
    return first;
  }

  /**
   * Begins to use an array.
   *
   * @throws io.bywash.engine.SpecMismatchException when the entry is something else, or has other records; the message
   *     lists each field that differs
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds something impossible
   */
  public static <T> RecordArray<T> open(Entry entry, Records<T> records) {
    long size = only(records).sizeBytes();
    SegmentEntry segmentEntry = CellsEntry.of(entry, RECORDS);
    return segmentEntry.core().whileMapped(() -> {
      CellsEntry.types(segmentEntry); // else it is damaged, and what is compared next says nothing
      records.check(segmentEntry);
      if (segmentEntry.elementSizeBytes() != size) {
        throw segmentEntry.damaged("its elements have " + segmentEntry.elementSizeBytes()
            + " bytes, and its layout says " + size);
      }
      return new RecordArray<>(segmentEntry, records);
    });
  }

  EntryUse use() {
    return use;
  }

  /** How many elements there are. */
  public int length() {
    return length;
  }

  private long element(int index) {
    return entry.offset() + Objects.checkIndex(index, length) * elementBytes;
  }

  private long copy(long element, long version) {
    return element + ELEMENT_COPIES + (version & 1) * copyBytes;
  }

  /** How often the element was set. It never decreases. */
  public long version(int index) {
    long element = element(index);
    begin();
    try {
      return region.getLongAcquire(element + ELEMENT_VERSION);
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      use.done();
    }
  }

  /**
   * The element at an index. Returns null when it was never set, or when others set it so often meanwhile that sixteen
   * tries found no moment at which it stood still; {@link #wasBusy} tells which.
   *
   * @param index 0 to {@link #length} - 1
   * @throws io.bywash.engine.record.RecordFormatException when the element holds no such record, because of damage, or
   *     because the record's constructor refuses it
   */
  public T get(int index) {
    long element = element(index);
    begin();
    try {
      busy = false;
      for (int tries = 0; tries < MAX_READS; tries++) {
        long version = region.getLongAcquire(element + ELEMENT_VERSION); // [element] makes that version's copy visible
        if (version == 0) {
          return null;
        }
        region.copyTo(copy(element, version), copied, 0, type.sizeBytes());
        VarHandle.acquireFence(); // [element] if any of that was written by the writer after next, its version is seen
        if (region.getLongOpaque(element + ELEMENT_VERSION) == version) {
          calling = true; // only now: a record's own code must not see parts of two records
          return type.read(copied, 0, version);
        }
      }
      busy = true;
      return null;
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      calling = false;
      use.done();
    }
  }

  private void begin() {
    if (calling && use.isCallerInside()) {
      use.checkUsable();
      throw new IllegalStateException("the record uses the array in which it is about to be set, or from which it is"
          + " read");
    }
    use.enter();
  }

  /** Whether the last {@link #get} gave up, because the element was set again and again while it was read. */
  public boolean wasBusy() {
    return busy;
  }

  /** As {@link #set(int, Object, long)}, but without waiting. */
  public boolean set(int index, T value) {
    return set(index, value, 0);
  }

  /**
   * Sets the element at an index. While another living participant is setting it, this waits for up to
   * {@code timeoutNanos}, and returns false, without setting it, when that did not end in time. This is what happens
   * when the other process was stopped in the middle. If this throws, nothing was set.
   *
   * @param index 0 to {@link #length} - 1
   * @param timeoutNanos 0 or less waits for some microseconds only
   * @throws IllegalArgumentException when a component is null, or a string or array in it is longer than its
   *     {@link io.bywash.engine.record.Length}
   * @throws IllegalStateException when the record's own code uses this array, or when the segment is attached read-only
   * @throws InterruptedWaitException when {@code timeoutNanos} is greater than 0 and this thread is interrupted, before
   *     the call or while it waits
   */
  @SuppressWarnings("unchecked") // the type of all of these records
  public boolean set(int index, T value, long timeoutNanos) {
    long element = element(index);
    entry.core().requireParticipant();
    checkInterrupt(timeoutNanos);
    RecordType<T> recordType = (RecordType<T>) type;
    records.typeOf(value);
    begin();
    try {
      unlock(); // what an error may have left
      calling = true;
      recordType.write(scratch, 0, value); // before anything is locked, since this is the user's code
      calling = false;
      use.checkUsable(); // that code may have closed this array
      if (!lock(element, timeoutNanos)) {
        return false;
      }
      long version = region.getLongOpaque(element + ELEMENT_VERSION);
      scratch.copyTo(0, region, copy(element, version + 1), type.sizeBytes());
      // [element] makes the copy visible; it fails only if this participant was taken for dead
      if (!isLocked() || !region.compareAndSetLong(element + ELEMENT_VERSION, version, version + 1)) {
        throw takenForDead();
      }
      return true;
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      calling = false;
      unlock();
      use.done();
    }
  }

  private void checkInterrupt(long timeoutNanos) {
    if (timeoutNanos > 0 && Thread.currentThread().isInterrupted()) {
      throw new InterruptedWaitException("Thread \"" + Thread.currentThread().getName() + "\" was interrupted while it"
          + " used entry \"" + entry.name() + "\" in segment " + entry.core().path() + " with a timeout. Nothing was"
          + " set.");
    }
  }

  private SegmentClosedException takenForDead() {
    return new SegmentClosedException("An element of entry \"" + entry.name() + "\" in segment " + entry.core().path()
        + " was taken away while it was set, because this process was taken for dead. Close the segment, and attach it"
        + " again.");
  }

  // ---- the element's lock

  private boolean lock(long element, long timeoutNanos) {
    long start = 0;
    for (int tries = 0; ; tries++) {
      long word = region.getLongOpaque(element + ELEMENT_LOCK);
      boolean patient = tries < SPINS;
      if (Owner.state(word) == UNLOCKED || !patient && !entry.core().participants().isAlive(word)) {
        if (tryLock(element, word)) {
          return true;
        }
      } else if (patient) {
        Thread.onSpinWait();
        continue;
      }
      long now = System.nanoTime();
      start = start == 0 ? now : start;
      if (!patient && now - start >= timeoutNanos) {
        return false;
      }
      if (!patient) {
        use.checkUsable();
        checkInterrupt(timeoutNanos);
        LockSupport.parkNanos(Math.min(PARK_NANOS, timeoutNanos - (now - start)));
      }
    }
  }

  private boolean tryLock(long element, long word) {
    lockedElement = element;
    lockedBy = Owner.word(entry.core().participants().self(), Owner.generation(word) + 1, 0, LOCKED);
    boolean locked = region.compareAndSetLong(element + ELEMENT_LOCK, word, lockedBy); // [element]
    if (locked) {
      VarHandle.releaseFence(); // [element] who sees what is written now sees that the version before is over
    } else {
      lockedBy = 0;
    }
    return locked;
  }

  private boolean isLocked() {
    return region.getLongOpaque(lockedElement + ELEMENT_LOCK) == lockedBy;
  }

  private void unlock() {
    if (lockedBy != 0) {
      region.compareAndSetLong(lockedElement + ELEMENT_LOCK, lockedBy,
          Owner.word(0, Owner.generation(lockedBy), 0, UNLOCKED)); // [element]
      lockedBy = 0;
    }
  }

  /** Stops using the array, which keeps its elements. Calling this again does nothing. */
  @Override
  public void close() {
    use.close(calling);
  }
}
