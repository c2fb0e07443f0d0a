package io.bywash.engine;

/** What a directory entry is. */
public enum Kind {
  /** A kind that this version does not know; its entries are listed but cannot be used. */
  UNKNOWN(0, 0),
  /** One publisher, many subscribers, every subscriber sees every message. */
  BROADCAST(1, 1);

  private final int code;
  private final int version;

  Kind(int code, int version) {
    this.code = code;
    this.version = version;
  }

  /** The number that stands for this kind in shared memory. */
  public int code() {
    return code;
  }

  /** The version of its bytes, 0 to 255; entries of another version cannot be used. */
  public int version() {
    return version;
  }

  /** The kind with this number; {@link #UNKNOWN} when there is none in this version. */
  public static Kind ofCode(int code) {
    return code == BROADCAST.code ? BROADCAST : UNKNOWN;
  }
}
