package io.bywash.engine.pool;

import io.bywash.engine.Entry;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.internal.role.EntryUse;
import io.bywash.engine.record.RecordType;
import io.bywash.engine.record.Records;
import java.util.function.Supplier;

/**
 * A look at all objects of a pool, whosever they are. It takes no role, and users do not notice it. So there may be any
 * number of views, also in segments that are attached read-only.
 *
 * {@snippet :
 * try (PoolView view = PoolView.open(segment.directory().find("players", Kind.POOL))) {
 *   for (long handle = view.next(0); handle != 0; handle = view.next(handle)) {
 *     Player player = view.get(handle, PLAYERS); // a copy; null when it was released meanwhile
 *   }
 *   System.out.println(view.allocated() + " of " + view.capacity());
 * }
 * }
 *
 * <p>A copy is whole: it is what the object's holder wrote at one time. Each method that reads returns null when it has
 * none: the object was released, nothing was written into it yet, or its holder was writing during each of sixteen
 * tries; {@link #wasBusy} is true in the last case only.
 *
 * <p>A view is used by one thread at a time. After {@link #close}, or after the segment was closed in this process, all
 * methods throw {@link io.bywash.engine.SegmentClosedException}. When the entry is removed, methods throw
 * {@link io.bywash.engine.EntryRemovedException} after about a thousand uses at the latest.
 */
public final class PoolView implements AutoCloseable {
  /** How often a read begins anew before it gives up. */
  private static final int MAX_READS = 16;

  private final Leases leases;
  private final EntryUse use;
  /** The object that was read last. */
  private final Region copied;
  private boolean busy;
  /** Whether the code of a record runs, which must not use this view. */
  private boolean calling;
  private Records<?> checked;
  private RecordType<?> type;

  private PoolView(Leases leases) {
    this.leases = leases;
    this.copied = Region.allocate(leases.objectBytes + Long.BYTES);
    this.use = EntryUse.of(leases.entry, () -> {});
  }

  /**
   * Begins to look at a pool.
   *
   * @throws io.bywash.engine.SpecMismatchException when the entry is no pool
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds something impossible
   */
  public static PoolView open(Entry entry) {
    Leases leases = Leases.of(entry);
    return leases.entry.core().whileMapped(() -> new PoolView(leases));
  }

  /** How many objects the pool has. */
  public int capacity() {
    return leases.capacity;
  }

  /** The size of each object in bytes. */
  public int objectBytes() {
    return leases.objectBytes;
  }

  /**
   * How many objects are in use. Those of dead users count until somebody notices the death. It takes time in
   * proportion to the capacity, and is exact when nobody acquires or releases meanwhile.
   */
  public int allocated() {
    return inside(() -> {
      int allocated = 0;
      for (int index = 0; index < leases.capacity; index++) {
        allocated += Leases.isFree(leases.lease(index)) ? 0 : 1;
      }
      return allocated;
    });
  }

  /**
   * The handle of the next object in use, in the order of the objects' indices; 0 when there is none. An object that is
   * in use during the whole of an iteration is found exactly once.
   *
   * @param handle the one before; 0 for the first
   * @throws InvalidHandleException when the pool cannot have given that handle out
   */
  public long next(long handle) {
    int from = handle == Leases.NO_HANDLE ? 0 : leases.index(handle) + 1;
    begin();
    try {
      for (int index = from; index < leases.capacity; index++) {
        long lease = leases.lease(index);
        if (!Leases.isFree(lease)) {
          return Leases.handle(index, lease);
        }
      }
      return Leases.NO_HANDLE;
    } catch (InternalError fault) {
      throw leases.entry.core().truncated(fault);
    } finally {
      use.done();
    }
  }

  /**
   * Whether the object is still in the use that the handle names.
   *
   * @throws InvalidHandleException when the pool cannot have given that handle out
   */
  public boolean isLive(long handle) {
    int index = leases.index(handle);
    return inside(() -> isLive(index, handle));
  }

  private boolean isLive(int index, long handle) {
    long lease = leases.lease(index);
    return !Leases.isFree(lease) && Leases.generation(lease) == Leases.generation(handle);
  }

  /**
   * The record in an object; null when there is none, or when {@link #wasBusy}.
   *
   * @throws InvalidHandleException when the pool cannot have given that handle out
   * @throws io.bywash.engine.SpecMismatchException when the pool is declared to hold other records
   * @throws IllegalArgumentException when {@code records} are not of one class of {@link #objectBytes}
   * @throws io.bywash.engine.record.RecordFormatException when the object does not hold such a record
   * @throws IllegalStateException when the record's own code uses this view
   */
  @SuppressWarnings("unchecked") // it is the type of these records
  public <T> T get(long handle, Records<T> records) {
    if (records != checked) {
      type = leases.type(records);
      checked = records;
    }
    int index = leases.index(handle);
    return inside(() -> {
      if (!copy(index, handle)) {
        return null;
      }
      calling = true; // only now: a record's own code must not see parts of two records
      return (T) type.read(copied, 0, handle);
    });
  }

  /**
   * A copy of the bytes of an object; null when there is none, or when {@link #wasBusy}.
   *
   * @throws InvalidHandleException when the pool cannot have given that handle out
   */
  public byte[] get(long handle) {
    int index = leases.index(handle);
    return inside(() -> {
      if (!copy(index, handle)) {
        return null;
      }
      byte[] bytes = new byte[leases.objectBytes];
      copied.copyTo(0, bytes, 0, bytes.length);
      return bytes;
    });
  }

  /** Copies an object; false when there is none, or when its holder was writing each time. */
  private boolean copy(int index, long handle) {
    busy = false;
    for (int tries = 0; tries < MAX_READS; tries++) {
      long version = isLive(index, handle) ? leases.version(index) : 0;
      if (Leases.generation(version) != Leases.generation(handle)) {
        return false;
      }
      if (!Leases.isBeingWritten(version)) {
        leases.region.copyTo(leases.data(index), copied, 0, leases.objectBytes);
        if (leases.isStill(index, version)) {
          return true;
        }
      }
      Thread.onSpinWait();
    }
    busy = true;
    return false;
  }

  private <T> T inside(Supplier<T> operation) {
    begin();
    try {
      return operation.get();
    } catch (InternalError fault) {
      throw leases.entry.core().truncated(fault);
    } finally {
      calling = false;
      use.done();
    }
  }

  private void begin() {
    if (calling) {
      throw new IllegalStateException("the record uses the view of the pool that is about to read it");
    }
    use.enter();
  }

  /** Whether the last {@code get} gave up, because the object's holder was writing each time. */
  public boolean wasBusy() {
    return busy;
  }

  /** Stops looking. Calling this again does nothing. */
  @Override
  public void close() {
    use.close();
  }
}
