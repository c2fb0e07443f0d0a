package io.bywash.engine.ring;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.InvalidSpecException;
import io.bywash.engine.Kind;
import io.bywash.engine.internal.layout.Numbers;
import io.bywash.engine.record.Records;

/**
 * Makes the specifications of rings. The roles are {@link RingWriter} and {@link RingPopper}; {@link RingView} reads
 * without a role.
 */
public final class Ring {
  /** The largest capacity of a ring, in elements. */
  public static final int MAX_ELEMENTS = RingLayout.MAX_CAPACITY;

  /** The largest size of an element in bytes. */
  public static final int MAX_ELEMENT_BYTES = RingLayout.MAX_ELEMENT_BYTES;

  /** The most memory that one ring's elements can take, in bytes: 128 GiB. */
  public static final long MAX_BYTES = 1L << 37;

  private Ring() {}

  /**
   * Specifies a ring of plain bytes.
   *
   * <p>Beside its capacity, a ring has room for a 64th of it, at least 8 elements: the writer writes there while all of
   * the capacity can still be read.
   *
   * @param name of the entry
   * @param capacity how many elements the ring holds, 1 to {@link #MAX_ELEMENTS}; any number, not only powers of two
   * @param elementBytes the size of each element in bytes, 1 to {@link #MAX_ELEMENT_BYTES}
   */
  public static EntrySpec spec(String name, int capacity, int elementBytes) {
    Numbers.checkSpec("capacity", capacity, 1, MAX_ELEMENTS);
    Numbers.checkSpec("elementBytes", elementBytes, 1, MAX_ELEMENT_BYTES);
    long dataBytes = RingLayout.dataBytes(capacity, elementBytes);
    if (dataBytes > MAX_BYTES) {
      throw new InvalidSpecException("capacity", capacity, "takes " + dataBytes + " bytes with elements of "
          + elementBytes + "; " + MAX_BYTES + " are possible");
    }
    return new EntrySpec(name, Kind.RING, capacity, elementBytes, RingLayout.ROLE_COUNT, dataBytes);
  }

  /**
   * Specifies a ring whose elements are records, and declares them, see {@link Records#declare}.
   *
   * @param records of one class
   */
  public static EntrySpec spec(String name, int capacity, Records<?> records) {
    if (records.types().size() != 1) {
      throw new InvalidSpecException("records", records, "has several classes; the elements of a ring have one");
    }
    return records.declare(spec(name, capacity, records.types().getFirst().sizeBytes()));
  }
}
