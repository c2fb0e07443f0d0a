package io.bywash.engine;

import io.bywash.engine.internal.Names;
import io.bywash.engine.internal.SegmentLayout;
import java.util.Objects;

/**
 * What one entry of a segment shall be. Made by the structures, for example {@code Broadcast.spec(name, ringBytes)}.
 *
 * @param name 1 to 64 characters of {@code A-Z a-z 0-9 . _ -}, the first a letter or a digit
 * @param kind which structure; not {@link Kind#UNKNOWN}
 * @param capacity how much it holds, in the structure's unit (broadcast: bytes of the ring)
 * @param elementSizeBytes size of one element, or the largest size of a message
 * @param fingerprint of the element's layout; 0 for plain bytes
 * @param roleCount how many roles can be held at once
 * @param dataBytes bytes that the structure needs behind its roles
 */
public record EntrySpec(String name, Kind kind, long capacity, long elementSizeBytes, long fingerprint, int roleCount,
    long dataBytes) {

  /** The most roles of one structure. */
  public static final int MAX_ROLES = 1024;

  /** The most bytes of one structure's data. */
  public static final long MAX_DATA_BYTES = 1L << 60;

  /** Checks every component. */
  public EntrySpec {
    Names.check("name", name);
    Objects.requireNonNull(kind, "kind");
    if (kind == Kind.UNKNOWN) {
      throw new IllegalArgumentException("kind=UNKNOWN cannot be created");
    }
    if (capacity < 1 || elementSizeBytes < 1 || dataBytes < 0 || dataBytes > MAX_DATA_BYTES) {
      throw new IllegalArgumentException("capacity=" + capacity + ", elementSizeBytes=" + elementSizeBytes + ", dataBytes="
          + dataBytes + ": the first two must be at least 1, the last between 0 and " + MAX_DATA_BYTES);
    }
    if (roleCount < 0 || roleCount > MAX_ROLES) {
      throw new IllegalArgumentException("roleCount=" + roleCount + " is not between 0 and " + MAX_ROLES);
    }
  }

  /** The bytes that this entry takes in a segment, a multiple of the page size. */
  public long sizeBytes() {
    return SegmentLayout.structureDataOffset(roleCount) + SegmentLayout.alignToPage(dataBytes);
  }
}
