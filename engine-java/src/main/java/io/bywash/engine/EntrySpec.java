package io.bywash.engine;

import io.bywash.engine.internal.layout.LayoutText;
import io.bywash.engine.internal.layout.Names;
import io.bywash.engine.internal.layout.SegmentLayout;
import java.util.List;
import java.util.Objects;

/**
 * What one entry of a segment shall be. Made by the structures, for example {@code Broadcast.spec(name, ringBytes)}.
 *
 * @param name 1 to 64 characters of {@code A-Z a-z 0-9 . _ -}, the first a letter or a digit
 * @param kind which structure; not {@link Kind#UNKNOWN}
 * @param capacity how much it holds, in the structure's unit (broadcast: bytes of the ring)
 * @param elementSizeBytes size of one element, or the largest size of a message
 * @param layout what the elements consist of, in the text form of docs/SPEC.md; empty for plain bytes
 * @param roleCount how many roles can be held at once
 * @param dataBytes bytes that the structure needs behind its roles
 * @param parameters up to 8 numbers that mean something to the structure
 */
public record EntrySpec(String name, Kind kind, long capacity, long elementSizeBytes, String layout, int roleCount,
    long dataBytes, List<Long> parameters) {

  /** The most roles of one structure. */
  public static final int MAX_ROLES = 1024;

  /** The most bytes of one structure's data. */
  public static final long MAX_DATA_BYTES = 1L << 60;

  /** The most bytes of a layout's text. */
  public static final int MAX_LAYOUT_BYTES = 1 << 16;

  /** An entry for plain bytes, without parameters. */
  public EntrySpec(String name, Kind kind, long capacity, long elementSizeBytes, int roleCount, long dataBytes) {
    this(name, kind, capacity, elementSizeBytes, "", roleCount, dataBytes, List.of());
  }

  /** Checks every component. */
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
   * The same with elements that consist of what {@code newLayout} says, see {@link #layout}. Records make it:
   * {@link io.bywash.engine.record.Records#declare}.
   */
  public EntrySpec withLayout(String newLayout) {
    return new EntrySpec(name, kind, capacity, elementSizeBytes, newLayout, roleCount, dataBytes, parameters);
  }

  /** The fingerprint of the layout: the first 8 bytes of its SHA-256; 0 for plain bytes. */
  public long fingerprint() {
    return LayoutText.fingerprint(layout);
  }

  /** The bytes that this entry takes in a segment: a multiple of the page size, or of 128 if it has no roles. */
  public long sizeBytes() {
    return SegmentLayout.structureBytes(roleCount, dataBytes, layout.length());
  }
}
