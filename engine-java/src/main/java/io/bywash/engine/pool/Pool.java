package io.bywash.engine.pool;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.InvalidSpecException;
import io.bywash.engine.Kind;
import io.bywash.engine.internal.layout.Numbers;
import io.bywash.engine.record.Records;

/** Makes the specifications of pools. {@link PoolUser} is the role; {@link PoolView} looks without a role. */
public final class Pool {
  /** The largest capacity of a pool, in objects. */
  public static final int MAX_OBJECTS = PoolLayout.MAX_CAPACITY;

  /** The largest size of an object in bytes. */
  public static final int MAX_OBJECT_BYTES = PoolLayout.MAX_OBJECT_BYTES;

  /** How many users can be open at one time by default. */
  public static final int DEFAULT_USERS = 64;

  /** The most memory that one pool's objects can take, in bytes: 128 GiB. */
  public static final long MAX_BYTES = 1L << 37;

  private Pool() {}

  /** Specifies a pool of plain bytes with {@value #DEFAULT_USERS} users. */
  public static EntrySpec spec(String name, int capacity, int objectBytes) {
    return spec(name, capacity, objectBytes, DEFAULT_USERS);
  }

  /**
   * Specifies a pool of plain bytes. An object takes its size and 16 bytes, rounded up to a multiple of 128, so that
   * those who write to different objects do not slow each other down.
   *
   * @param name of the entry
   * @param capacity how many objects there are, 1 to {@link #MAX_OBJECTS}
   * @param objectBytes the size of each object in bytes, 1 to {@link #MAX_OBJECT_BYTES}
   * @param users how many users can be open at one time, in all processes, 1 to {@link EntrySpec#MAX_ROLES}
   */
  public static EntrySpec spec(String name, int capacity, int objectBytes, int users) {
    Numbers.checkSpec("capacity", capacity, 1, MAX_OBJECTS);
    Numbers.checkSpec("objectBytes", objectBytes, 1, MAX_OBJECT_BYTES);
    Numbers.checkSpec("users", users, 1, EntrySpec.MAX_ROLES);
    long dataBytes = PoolLayout.dataBytes(capacity, objectBytes);
    if (dataBytes > MAX_BYTES) {
      throw new InvalidSpecException("capacity", capacity, "takes " + dataBytes + " bytes with objects of "
          + objectBytes + "; " + MAX_BYTES + " are possible");
    }
    return new EntrySpec(name, Kind.POOL, capacity, objectBytes, users, dataBytes);
  }

  /** Specifies a pool of records with {@value #DEFAULT_USERS} users, and declares them, see {@link Records#declare}. */
  public static EntrySpec spec(String name, int capacity, Records<?> records) {
    return spec(name, capacity, records, DEFAULT_USERS);
  }

  /**
   * Specifies a pool whose objects are records, and declares them, see {@link Records#declare}.
   *
   * @param records of one class
   * @param users how many users can be open at one time, in all processes, 1 to {@link EntrySpec#MAX_ROLES}
   */
  public static EntrySpec spec(String name, int capacity, Records<?> records, int users) {
    if (records.types().size() != 1) {
      throw new InvalidSpecException("records", records, "has several classes; the objects of a pool have one");
    }
    return records.declare(spec(name, capacity, records.types().getFirst().sizeBytes(), users));
  }
}
