package io.bywash.engine;

/** What a directory entry is. */
public enum Kind {
  /** A kind that this version does not know; its entries are listed but cannot be used. */
  UNKNOWN(0),
  /** One publisher, many subscribers, every subscriber sees every message. */
  BROADCAST(1);

  private final int code;

  Kind(int code) {
    this.code = code;
  }

  /** The number that stands for this kind in shared memory. */
  public int code() {
    return code;
  }

  /** The kind with this number; {@link #UNKNOWN} when there is none in this version. */
  public static Kind ofCode(int code) {
    return code == BROADCAST.code ? BROADCAST : UNKNOWN;
  }
}
