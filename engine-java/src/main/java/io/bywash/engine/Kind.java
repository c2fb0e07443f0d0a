package io.bywash.engine;

/** The kind of structure that an entry names. Kinds differ in what their roles do and in what their data look like. */
public enum Kind {
  /** A kind, or a version of one, that this engine does not know. Its entries are listed but cannot be used. */
  UNKNOWN(0, 0, "unknown", ""),
  /** One publisher, many subscribers; every subscriber sees every message. */
  BROADCAST(1, 1, "broadcast", "bytes"),
  /** Many producers, many competing consumers; each message goes to one of them. */
  WORK_QUEUE(2, 1, "work queue", "messages"),
  /** Values that each are read and written as a whole: atomics, or the elements of an array. */
  CELLS(3, 1, "cells", "cells"),
  /** One value of any length, which writers replace and readers see whole. */
  LATEST(4, 1, "latest value", "values"),
  /** One writer, one popper; elements of one size, the oldest of which may be overwritten. */
  RING(5, 1, "ring", "elements"),
  /** Objects of one size, each of which belongs to one user at a time. */
  POOL(6, 1, "pool", "objects"),
  /** Many callers, several responders that share the work; each request is answered to its caller. */
  ENDPOINT(7, 1, "endpoint", "requests");

  private final int code;
  private final int version;
  private final String displayName;
  private final String capacityUnit;

  Kind(int code, int version, String displayName, String capacityUnit) {
    this.code = code;
    this.version = version;
    this.displayName = displayName;
    this.capacityUnit = capacityUnit;
  }

  /** The number that stands for this kind in shared memory. */
  public int code() {
    return code;
  }

  /** The version of this kind's layout in shared memory, 0 to 255. Entries of another version cannot be used. */
  public int version() {
    return version;
  }

  /** The name of this kind for display, in lower case. */
  public String displayName() {
    return displayName;
  }

  /** What {@link Entry#capacity} counts, in the plural; empty for {@link #UNKNOWN}. */
  public String capacityUnit() {
    return capacityUnit;
  }

  /** The kind with this code; {@link #UNKNOWN} when this version has none. */
  public static Kind ofCode(int code) {
    for (Kind kind : values()) {
      if (kind.code == code) {
        return kind;
      }
    }
    return UNKNOWN;
  }
}
