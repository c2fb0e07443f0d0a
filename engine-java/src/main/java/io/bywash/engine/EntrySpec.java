package io.bywash.engine;

import io.bywash.engine.internal.layout.LayoutText;
import io.bywash.engine.internal.layout.Names;
import io.bywash.engine.internal.layout.SegmentLayout;
import java.util.List;
import java.util.Objects;

/**
 * Describes one entry of a segment. Each kind of structure makes its own, for example {@code Broadcast.spec(name,
 * ringBytes)}.
 *
 * @param name 1 to 64 characters of {@code A-Z a-z 0-9 . _ -}, starting with a letter or a digit
 * @param kind the kind of structure; not {@link Kind#UNKNOWN}
 * @param capacity how much it holds, in the unit of its kind (broadcast: bytes of the ring); at least 1
 * @param elementSizeBytes the size of one element, or the largest size of a message; at least 1
 * @param layout what an element consists of, in the text form of docs/SPEC.md; empty for plain bytes
 * @param roleCount how many roles can be held at once, 0 to {@link #MAX_ROLES}
 * @param dataBytes how many bytes the structure needs after its roles, 0 to {@link #MAX_DATA_BYTES}
 * @param parameters up to 8 numbers whose meaning the kind defines
 */
public record EntrySpec(String name, Kind kind, long capacity, long elementSizeBytes, String layout, int roleCount,
    long dataBytes, List<Long> parameters) {

  /** The largest number of roles in one structure. */
  public static final int MAX_ROLES = 1024;

  /** The largest size of one structure's data in bytes. */
  public static final long MAX_DATA_BYTES = 1L << 60;

  /** The largest length of a layout's text in bytes. */
  public static final int MAX_LAYOUT_BYTES = 1 << 16;

  /** Describes an entry for plain bytes, without parameters. */
  public EntrySpec(String name, Kind kind, long capacity, long elementSizeBytes, int roleCount, long dataBytes) {
    this(name, kind, capacity, elementSizeBytes, "", roleCount, dataBytes, List.of());
  }

  /**
   * Checks every component.
   *
   * @throws IllegalArgumentException when a component is out of its range
   */
  public EntrySpec {
    Names.check("name", name);
    Objects.requireNonNull(kind, "kind");
    if (kind == Kind.UNKNOWN) {
      throw new IllegalArgumentException("kind=UNKNOWN cannot be created");
    }
    if (capacity < 1 || elementSizeBytes < 1 || dataBytes < 0 || dataBytes > MAX_DATA_BYTES) {
      throw new IllegalArgumentException("capacity=" + capacity + ", elementSizeBytes=" + elementSizeBytes
          + ", dataBytes=" + dataBytes + ": the first two must be at least 1, the last between 0 and "
          + MAX_DATA_BYTES);
    }
    if (roleCount < 0 || roleCount > MAX_ROLES) {
      throw new IllegalArgumentException("roleCount=" + roleCount + " is not between 0 and " + MAX_ROLES);
    }
    if (layout.length() > MAX_LAYOUT_BYTES || !layout.chars().allMatch(c -> c >= ' ' && c <= '~' || c == '\n')) {
      throw new IllegalArgumentException("layout has " + layout.length() + " characters; up to " + MAX_LAYOUT_BYTES
          + " are possible, all of them printable ASCII or line feeds");
    }
    parameters = List.copyOf(parameters);
    if (parameters.size() > SegmentLayout.PARAMETER_COUNT) {
      throw new IllegalArgumentException("parameters=" + parameters + " are more than "
          + SegmentLayout.PARAMETER_COUNT);
    }
  }

  /**
   * A copy with this layout of its elements, see {@link #layout}. {@link io.bywash.engine.record.Records#declare} calls
   * it for records.
   */
  public EntrySpec withLayout(String newLayout) {
    return new EntrySpec(name, kind, capacity, elementSizeBytes, newLayout, roleCount, dataBytes, parameters);
  }

  /** The fingerprint of the layout: the first 8 bytes of its SHA-256; 0 for plain bytes. */
  public long fingerprint() {
    return LayoutText.fingerprint(layout);
  }

  /** How many bytes of a segment this entry takes: a multiple of the page size, or of 128 if it has no roles. */
  public long sizeBytes() {
    return SegmentLayout.structureBytes(roleCount, dataBytes, layout.length());
  }
}
