package io.bywash.engine.pool;

import static io.bywash.engine.pool.Leases.GENERATION_MASK;

import io.bywash.engine.Entry;
import io.bywash.engine.Revocable;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.internal.role.Role;
import io.bywash.engine.internal.role.RoleHandle;
import io.bywash.engine.internal.waiting.WaitRoom;
import io.bywash.engine.pool.InvalidHandleException.Reason;
import io.bywash.engine.record.RecordType;
import io.bywash.engine.record.Records;
import io.bywash.engine.wait.WaitPolicy;
import io.bywash.engine.wait.Waitable;
import java.lang.ref.Reference;
import java.util.Objects;
import java.util.function.Supplier;

/**
 * A user of a pool: acquires objects, writes and reads its own, and releases them or hands them to other users.
 *
 * {@snippet :
 * try (PoolUser user = PoolUser.open(segment.directory().find("players", Kind.POOL))) {
 *   long handle = user.acquire(PLAYERS, new Player(1, 100)); // 0 when all objects are in use
 *   user.set(handle, PLAYERS, new Player(1, 90)); // others see the old player or the new one, and nothing between
 *   Player player = user.get(handle, PLAYERS);
 *   user.release(handle); // from now on, the handle is refused
 * }
 * }
 *
 * <p>An object belongs to the user that acquired it, until it is released, or handed over by {@link #transfer}. When a
 * user is closed or revoked, or its process dies, its objects are released: those of the dead as soon as somebody
 * notices the death. That takes time in proportion to the capacity. A user that finds the pool exhausted looks for the
 * dead, but at most once in 50 ms.
 *
 * <p>A handle names one use of one object. When it is used after that, the method throws an
 * {@link InvalidHandleException} whose reason is {@code STALE}; {@code FOREIGN} means that the object is another
 * user's, and {@code FORGED} that the pool never gave that handle out. 0 is never a handle. An object can be acquired
 * 2^36 times before one of its handles comes again.
 *
 * <p>A user is used by one thread at a time; take one for each thread. Where a second thread is noticed, it gets an
 * {@link IllegalStateException}. After {@link #close} or {@link #revoke}, or after the segment was closed in this
 * process, every method throws {@link io.bywash.engine.SegmentClosedException}. Any method may throw {@link
 * io.bywash.engine.DamagedSegmentException} when shared memory holds something impossible. A user {@linkplain #isReady
 * is ready} at any time, since it never waits.
 */
@SuppressWarnings("exports") // Role has no public member but those of its interfaces
public final class PoolUser extends Role implements Waitable, Revocable {
  private static final int USES_A_PROBE = 1024; // a power of two
  private static final int ROLE_BITS = 10;

  private final Leases leases;
  private final RoleHandle handle;
  /** What the leases of this user have in common. */
  private final long holder;
  private final int id;
  private final Region scratch;
  /** The word of the hints where the next search begins. */
  private int cursor;
  /** Whether a record's code runs that might use this user. */
  private boolean calling;
  private int uses;
  private long buriedNanos = System.nanoTime() - WaitRoom.PROBE_NANOS;
  private Records<?> checked;
  private RecordType<?> type;

  private PoolUser(Leases leases, RoleHandle handle) {
    super(handle, WaitPolicy.BACKOFF, leases.entry.waitingForSpace());
    this.leases = leases;
    this.handle = handle;
    long word = entry.roleWord(handle.index());
    this.holder = Leases.holder(handle.index(), word);
    this.id = id(handle.index(), Owner.generation(word));
    this.scratch = Region.allocate(SegmentLayout.align(leases.objectBytes, Long.BYTES));
    this.cursor = leases.hints.start(handle.index(), entry.roleCount());
  }

  /**
   * Takes a role in a pool.
   *
   * @throws io.bywash.engine.TableFullException when living users have all places
   * @throws io.bywash.engine.SpecMismatchException when the entry is no pool
   * @throws IllegalStateException when the segment is attached read-only
   */
  public static PoolUser open(Entry entry) {
    Leases leases = Leases.of(entry);
    SegmentEntry pool = leases.entry;
    return pool.core().whileMapped(() -> RoleHandle.openFirst(pool, 0, pool.roleCount(), 0, "users", handle -> {
      pool.core().touchPages(leases.dataOffset, leases.dataBytes, true);
      return new PoolUser(leases, handle);
    }));
  }

  /**
   * Labels this user for people who inspect the segment. The label may be changed at any time.
   *
   * @param label up to 32 bytes in UTF-8, without control characters; empty for none
   */
  public void label(String label) {
    setLabel(label);
  }

  /**
   * A number that names this user among all that the pool has, for {@link #transfer}. It may be sent to others. After
   * this user, it names nobody; it comes again after 65,536 users of one role.
   */
  public int id() {
    return id;
  }

  static int id(int role, int generation) {
    return generation << ROLE_BITS | role;
  }

  /** How many objects the pool has. */
  public int capacity() {
    return leases.capacity;
  }

  /** The size of each object in bytes. */
  public int objectBytes() {
    return leases.objectBytes;
  }

  // ---- acquiring and releasing

  /**
   * Acquires an object, in a time that does not depend on how many are free, unless none is. Nobody can read it before
   * it was written.
   *
   * @return its handle; 0 when the pool is exhausted: there was a moment at which all objects were in use, or objects
   *     were released and acquired by others so fast that a long search found none
   */
  public long acquire() {
    return acquireWritten(null, null);
  }

  /**
   * Acquires an object as {@link #acquire()} does, and writes a record into it. If it throws, nothing was acquired.
   *
   * @throws io.bywash.engine.SpecMismatchException when the pool is declared to hold other records
   * @throws IllegalArgumentException when {@code records} are not of one class of {@link #objectBytes}, when the record
   *     is none of them, when one of its components is null, or when a string or array in it is longer than its
   *     {@link io.bywash.engine.record.Length}
   * @throws IllegalStateException when the record's own code uses this user
   */
  public <T> long acquire(Records<T> records, T record) {
    return acquireWritten(Objects.requireNonNull(records, "records"), record);
  }

  private <T> long acquireWritten(Records<T> records, T record) {
    begin();
    try {
      if (records != null) {
        encode(records, record);
      }
      long taken = take();
      if (taken != Leases.NO_HANDLE && records != null) {
        leases.write(leases.index(taken), taken, scratch);
      }
      return taken;
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      end();
    }
  }

  private long take() {
    if (!handle.isStillOurs()) {
      throw handle.takenAway();
    }
    long taken = leases.acquire(holder, cursor);
    if (taken == Leases.NO_HANDLE && buryDead()) {
      taken = leases.acquire(holder, cursor);
    }
    if (taken != Leases.NO_HANDLE) {
      cursor = leases.index(taken) >>> 6;
    }
    return taken;
  }

  /** Frees what dead users hold, at most once in 50 ms; whether there were any. */
  private boolean buryDead() {
    long now = System.nanoTime();
    if (now - buriedNanos < WaitRoom.PROBE_NANOS) {
      return false;
    }
    buriedNanos = now;
    boolean buried = false;
    for (int role = 0; role < entry.rolesUsed(); role++) {
      long word = entry.roleWord(role);
      if (Owner.state(word) != SegmentLayout.ROLE_FREE && !entry.core().participants().isAlive(word)) {
        buried |= entry.freeDeadRole(role, word);
      }
    }
    return buried;
  }

  /**
   * Releases an object. Its data and all its handles mean nothing any more.
   *
   * @throws InvalidHandleException when the object is not this user's; a second release is {@code STALE}
   */
  public void release(long handle) {
    begin();
    try {
      int index = leases.index(handle);
      if (!leases.free(index, lease(index, handle))) {
        throw this.handle.takenAway();
      }
      cursor = index >>> 6;
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      end();
    }
  }

  /**
   * Hands an object to another user of this pool, of this process or another one. The handle stays the same, and what
   * was written stays readable. It is up to the caller to send the handle to that user.
   *
   * @param user that user's {@link #id}
   * @return whether the object is that user's now; false when that user is gone, or dead
   * @throws InvalidHandleException when the object is not this user's
   */
  public boolean transfer(long handle, int user) {
    int role = user & (1 << ROLE_BITS) - 1;
    if (user >>> ROLE_BITS > 0xFFFF || role >= entry.roleCount()) {
      throw new IllegalArgumentException("user=" + user + " is no user's id in entry \"" + entry.name() + "\"");
    }
    return inside(() -> {
      int index = leases.index(handle);
      return leases.transfer(index, lease(index, handle), role, user >>> ROLE_BITS);
    });
  }

  /** Whether an object is this user's. */
  public boolean holds(long handle) {
    return inside(() -> {
      long index = handle & ~GENERATION_MASK;
      return index < leases.capacity && leases.word((int) index) == (handle & GENERATION_MASK | holder);
    });
  }

  /** The lease of an object, which must be this user's. */
  private long lease(int index, long handle) {
    long lease = leases.word(index);
    if (lease != (handle & GENERATION_MASK | holder)) {
      throw refusal(handle, leases.lease(index));
    }
    return lease;
  }

  private RuntimeException refusal(long handle, long lease) {
    if (!this.handle.isStillOurs()) {
      return this.handle.takenAway();
    }
    long given = Leases.generation(lease);
    String object = "object " + (handle & ~GENERATION_MASK) + " of entry \"" + entry.name() + "\" ";
    if (Leases.generation(handle) > given) {
      return new InvalidHandleException(handle, Reason.FORGED, object + "was acquired " + given + " times, and not "
          + Leases.generation(handle));
    }
    if (Leases.generation(handle) < given || Leases.isFree(lease)) {
      return new InvalidHandleException(handle, Reason.STALE, object + "was released"
          + (Leases.isFree(lease) ? "" : ", and acquired again"));
    }
    long pid = entry.core().participants().pid(entry.roleWord(leases.role(lease)));
    return new InvalidHandleException(handle, Reason.FOREIGN, object + "belongs to another user, of process " + pid);
  }

  // ---- data

  /**
   * Writes a record into an object of this user. If it throws, nothing was written.
   *
   * @throws InvalidHandleException when the object is not this user's
   * @throws IllegalArgumentException and others: as {@link #acquire(Records, Object)}
   */
  public <T> void set(long handle, Records<T> records, T record) {
    inside(() -> {
      encode(records, record);
      return write(handle);
    });
  }

  /**
   * Writes all bytes of an object of this user.
   *
   * @param bytes exactly {@link #objectBytes}
   * @throws InvalidHandleException when the object is not this user's
   */
  public void set(long handle, byte[] bytes) {
    if (bytes.length != leases.objectBytes) {
      throw new IllegalArgumentException("bytes has " + bytes.length + " bytes, and objects of entry \"" + entry.name()
          + "\" have " + leases.objectBytes);
    }
    inside(() -> {
      scratch.copyFrom(0, bytes, 0, bytes.length);
      return write(handle);
    });
  }

  private Void write(long handle) {
    int index = leases.index(handle);
    lease(index, handle);
    leases.write(index, handle, scratch);
    return null;
  }

  private <T> void encode(Records<T> records, T record) {
    check(records);
    RecordType<T> recordType = records.typeOf(record);
    calling = true;
    recordType.write(scratch, 0, record); // before anything is changed, since this may run the user's code
    calling = false;
    handle.checkUsable(); // that code may have closed this user
  }

  private <T> void check(Records<T> records) {
    if (records != checked) {
      type = leases.type(records);
      checked = records;
    }
  }

  /**
   * The record in an object of this user. Null when nothing was written since the object was acquired.
   *
   * @throws InvalidHandleException when the object is not this user's
   * @throws io.bywash.engine.SpecMismatchException when the pool is declared to hold other records
   * @throws IllegalArgumentException when {@code records} are not of one class of {@link #objectBytes}
   * @throws io.bywash.engine.record.RecordFormatException when the object does not hold such a record
   * @throws IllegalStateException when the record's own code uses this user
   */
  @SuppressWarnings("unchecked") // it is the type of these records
  public <T> T get(long handle, Records<T> records) {
    return inside(() -> {
      check(records);
      int index = leases.index(handle);
      lease(index, handle);
      if (!isWritten(index, handle)) {
        return null;
      }
      calling = true;
      T record = (T) type.read(leases.region, leases.data(index), handle);
      calling = false;
      this.handle.checkUsable();
      return record;
    });
  }

  /**
   * A copy of the bytes of an object of this user. Null when nothing was written since the object was acquired.
   *
   * @throws InvalidHandleException when the object is not this user's
   */
  public byte[] get(long handle) {
    return inside(() -> {
      int index = leases.index(handle);
      lease(index, handle);
      return isWritten(index, handle) ? leases.bytes(leases.data(index)) : null;
    });
  }

  private boolean isWritten(int index, long handle) {
    return Leases.generation(leases.version(index)) == Leases.generation(handle);
  }

  // ---- the role

  private void begin() {
    if (calling && handle.isCallerInside()) {
      handle.checkUsable();
      throw new IllegalStateException("the record uses the user of the pool that is about to write or read it");
    }
    handle.enter();
    if ((++uses & USES_A_PROBE - 1) == 0) {
      probe();
    }
  }

  /** One that never waits must also learn of what others did. It does so before its operation changes anything. */
  private void probe() {
    boolean probed = false;
    try {
      entry.probe(); // the entry may have been removed
      entry.core().probePeers(); // and a peer may have died
      handle.checkUsable();
      probed = true;
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      if (!probed) {
        end();
      }
    }
  }

  private <T> T inside(Supplier<T> operation) {
    begin();
    try {
      return operation.get();
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      end();
    }
  }

  private void end() {
    calling = false;
    handle.exit();
    Reference.reachabilityFence(this); // or the cleaner could give the role back before the last store
  }
}
