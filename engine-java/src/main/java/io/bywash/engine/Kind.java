package io.bywash.engine;

/** What a directory entry is. */
public enum Kind {
  /** A kind that this version does not know; its entries are listed but cannot be used. */
  UNKNOWN(0, 0, "unknown", ""),
  /** One publisher, many subscribers, every subscriber sees every message. */
  BROADCAST(1, 1, "broadcast", "bytes");

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

  /** The version of its bytes, 0 to 255; entries of another version cannot be used. */
  public int version() {
    return version;
  }

  /** What it is called where it is shown, in lower case. */
  public String displayName() {
    return displayName;
  }

  /** What {@link Entry#capacity} counts, in the plural; empty when that is not known. */
  public String capacityUnit() {
    return capacityUnit;
  }

  /** The kind with this number; {@link #UNKNOWN} when there is none in this version. */
  public static Kind ofCode(int code) {
    for (Kind kind : values()) {
      if (kind.code == code) {
        return kind;
      }
    }
    return UNKNOWN;
  }
}
