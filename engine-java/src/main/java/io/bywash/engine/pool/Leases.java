package io.bywash.engine.pool;

import static io.bywash.engine.pool.PoolLayout.*;

import io.bywash.engine.Entry;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.pool.InvalidHandleException.Reason;
import io.bywash.engine.record.RecordType;
import io.bywash.engine.record.Records;
import java.lang.invoke.VarHandle;

/**
 * The objects of one pool: where they are, whose they are, and how their data are written and read. Geometry is
 * validated once, here. Any thread may use it.
 *
 * <p>One word says everything about an object's lease: how often the object was acquired, and which use of which role
 * has it. It changes by compare-and-set only, and no value of it comes again. So whoever is late with a step, by
 * whatever time, changes nothing.
 *
 * <p>A lease whose role has been taken again, or is free, is nobody's. Roles are given up in an order that leaves none:
 * the role ends first, and then its leases are freed (see {@link #freeAll}), while whoever hands a lease to another
 * user looks afterwards whether that user is still there. A participant that was taken for dead and lives may leave
 * one all the same; a search frees it.
 */
final class Leases {
  static final long NO_HANDLE = 0;
  static final long GENERATION_MASK = -1L << GENERATION_SHIFT;
  /** The bits of a role's number plus 1, after the shift. */
  private static final int ROLE_MASK = (1 << ROLE_GENERATION_SHIFT - ROLE_SHIFT) - 1;
  /** So many objects a search looks at, but all of them so often at least. */
  private static final int MAX_LOOKS = 1 << 20;
  private static final int MIN_SEARCHES = 4;

  final SegmentEntry entry;
  final Region region;
  final int capacity;
  final int objectBytes;
  final Hints hints;
  final long dataOffset;
  final long dataBytes;
  private final long objectsOffset;
  private final long strideBytes;

  /** Those of an entry that is a sound pool; its segment may be closing. */
  Leases(SegmentEntry entry) {
    this.entry = entry;
    this.region = entry.region();
    this.capacity = (int) entry.capacity();
    this.objectBytes = (int) entry.elementSizeBytes();
    this.dataOffset = entry.offset() + SegmentLayout.structureDataOffset(entry.roleCount());
    this.dataBytes = dataBytes(capacity, objectBytes);
    this.objectsOffset = dataOffset + objectsOffset(capacity);
    this.strideBytes = strideBytes(objectBytes);
    this.hints = new Hints(region, dataOffset, capacity);
  }

  /** Those of an entry, which must be a sound pool in a segment that is open. */
  static Leases of(Entry entry) {
    return new Leases(PoolType.INSTANCE.requireSound(entry, "is no pool"));
  }

  /** The type of the objects, which must be these records. */
  @SuppressWarnings("unchecked") // a record of a subtype is one
  <T> RecordType<T> type(Records<T> records) {
    records.check(entry);
    if (records.types().size() != 1 || records.types().getFirst().sizeBytes() != objectBytes) {
      throw new IllegalArgumentException("records=" + records + " are not of one class of " + objectBytes + " bytes,"
          + " the objects of entry \"" + entry.name() + "\"");
    }
    return (RecordType<T>) records.types().getFirst();
  }

  // ---- words

  private long at(int index) {
    return objectsOffset + index * strideBytes;
  }

  /** An object's data. */
  long data(int index) {
    return at(index) + OBJECT_DATA;
  }

  /** Whose an object is; may say what no user writes. */
  long word(int index) {
    return region.getLongAcquire(at(index) + OBJECT_LEASE); // [lease] makes visible what its last holder wrote
  }

  /** Whose an object is. */
  long lease(int index) {
    long lease = word(index);
    if (isImpossible(lease)) {
      throw entry.damaged("object " + index + " has a lease that no user has, " + Long.toHexString(lease));
    }
    return lease;
  }

  boolean isImpossible(long lease) {
    return !isFree(lease) && ((lease & 1) != 0 || role(lease) < 0 || generation(lease) == 0);
  }

  private boolean change(int index, long from, long to) {
    return region.compareAndSetLong(at(index) + OBJECT_LEASE, from, to); // [lease]
  }

  static long generation(long word) {
    return word >>> GENERATION_SHIFT;
  }

  static boolean isFree(long lease) {
    return (lease & ~GENERATION_MASK) == 0;
  }

  /** The part of all leases of one use of a role; the role's word names that use. */
  static long holder(int role, long roleWord) {
    return (long) Owner.generation(roleWord) << ROLE_GENERATION_SHIFT | role + 1L << ROLE_SHIFT;
  }

  static long holder(long lease) {
    return lease & ~GENERATION_MASK;
  }

  /** The role of a lease that is held; negative when there is no such role. */
  int role(long lease) {
    int role = (int) (lease >>> ROLE_SHIFT & ROLE_MASK) - 1;
    return role < entry.roleCount() ? role : -1;
  }

  static long handle(int index, long lease) {
    return lease & GENERATION_MASK | index;
  }

  /** The index in a handle that may have been given out. */
  int index(long handle) {
    long index = handle & ~GENERATION_MASK;
    if (index >= capacity || generation(handle) == 0) {
      throw new InvalidHandleException(handle, Reason.FORGED, "entry \"" + entry.name() + "\" has objects 0 to "
          + (capacity - 1) + ", and generations from 1 on");
    }
    return (int) index;
  }

  // ---- acquiring

  /** Acquires an object, beginning at a word of the hints; its handle, or none when all are in use. */
  long acquire(long holder, int from) {
    for (int tries = 0; tries < Owner.MAX_TRIES; tries++) {
      int index = hints.take(from);
      if (index == Hints.NONE) {
        break;
      }
      long handle = tryAcquire(index, lease(index), holder);
      if (handle != NO_HANDLE) {
        return handle;
      }
    }
    return search(holder);
  }

  private long tryAcquire(int index, long lease, long holder) {
    if (!isFree(lease)) {
      return NO_HANDLE;
    }
    long next = lease + (1L << GENERATION_SHIFT);
    long mine = (generation(next) == 0 ? 1L << GENERATION_SHIFT : next) | holder;
    return change(index, lease, mine) ? handle(index, mine) : NO_HANDLE; // [lease]
  }

  /**
   * Looks at all objects. None is free if two looks found each of them in the same lease, which the sum of the
   * generations shows, as these only rise: between the two, all were in use at the same time.
   */
  private long search(long holder) {
    long before = -1;
    for (int tries = Math.max(MAX_LOOKS / capacity, MIN_SEARCHES); tries > 0; tries--) {
      long generations = 0;
      boolean steady = true;
      for (int index = 0; index < capacity; index++) {
        long lease = lease(index);
        if (isNobodys(lease) && change(index, lease, lease & GENERATION_MASK)) {
          lease &= GENERATION_MASK;
        }
        long handle = tryAcquire(index, lease, holder);
        if (handle != NO_HANDLE) {
          hints.mark(index);
          return handle;
        }
        steady &= !isFree(lease);
        generations += generation(lease);
      }
      if (steady && generations == before) {
        break;
      }
      before = steady ? generations : -1;
    }
    return NO_HANDLE;
  }

  /** Whether the use of a role that has a lease is over. */
  boolean isNobodys(long lease) {
    if (isFree(lease)) {
      return false;
    }
    int role = role(lease);
    long word = entry.roleWord(role); // after the lease: a use that is over does not begin again
    return Owner.state(word) == SegmentLayout.ROLE_FREE || holder(role, word) != holder(lease);
  }

  // ---- releasing

  /** Frees an object whose lease is so; false when it no longer is. */
  boolean free(int index, long lease) {
    boolean freed = change(index, lease, lease & GENERATION_MASK); // [lease]
    if (freed) {
      hints.give(index);
    }
    return freed;
  }

  /**
   * Frees all objects of one use of a role, which is not active any more, and repairs the hints on the free ones. May
   * be repeated, and done by several at once. How many objects were freed.
   */
  int freeAll(int role, long roleWord) {
    VarHandle.fullFence(); // [transfer] either this sees a lease handed over, or who hands it over sees the role end
    long holder = holder(role, roleWord);
    int freed = 0;
    for (int index = 0; index < capacity; index++) {
      long lease = word(index); // one that is damaged is nobody's
      if (isFree(lease)) {
        hints.give(index); // a dead one may have taken the hint
      } else if (holder(lease) == holder && free(index, lease)) {
        freed++;
      }
    }
    return freed;
  }

  /** Hands an object to the user of a role; false, and it stays where it is, when that user is gone. */
  boolean transfer(int index, long lease, int role, int roleGeneration) {
    long word = entry.roleWord(role);
    if (!isActive(word, roleGeneration) || !entry.core().participants().isAlive(word)) {
      return false;
    }
    long theirs = lease & GENERATION_MASK | holder(role, word);
    if (!change(index, lease, theirs)) { // [lease]
      return false;
    }
    VarHandle.fullFence(); // [transfer]
    // If that fails, the other one was there, and has released the object with all others.
    return isActive(entry.roleWord(role), roleGeneration) || !change(index, theirs, lease);
  }

  private static boolean isActive(long roleWord, int roleGeneration) {
    return Owner.state(roleWord) == SegmentLayout.ROLE_ACTIVE && Owner.generation(roleWord) == roleGeneration;
  }

  // ---- data

  /** How often an object was written, and for which lease. */
  long version(int index) {
    return region.getLongAcquire(at(index) + OBJECT_VERSION); // [object] makes the data visible
  }

  /** Whether the version is still so, after the data were read. */
  boolean isStill(int index, long version) {
    VarHandle.acquireFence(); // [object] if any of the data were written since, the version is seen to have changed
    return region.getLongOpaque(at(index) + OBJECT_VERSION) == version;
  }

  /** Whether the data are written at the moment. */
  static boolean isBeingWritten(long version) {
    return (version & 1) != 0;
  }

  /** A copy of the data at a place. */
  byte[] bytes(long at) {
    byte[] bytes = new byte[objectBytes];
    region.copyTo(at, bytes, 0, bytes.length);
    return bytes;
  }

  /** Writes the data of an object that the caller holds. */
  void write(int index, long handle, Region source) {
    long version = region.getLongOpaque(at(index) + OBJECT_VERSION);
    long generation = handle & GENERATION_MASK;
    long writes = generation(version) == generation(handle) ? version & ~GENERATION_MASK & -2 : 0;
    region.setLongOpaque(at(index) + OBJECT_VERSION, generation | writes | 1);
    VarHandle.storeStoreFence(); // [object] who sees any of the new data sees that the version before is over
    source.copyTo(0, region, data(index), objectBytes);
    region.setLongRelease(at(index) + OBJECT_VERSION, generation | writes + 2 & ~GENERATION_MASK); // [object]
  }
}
