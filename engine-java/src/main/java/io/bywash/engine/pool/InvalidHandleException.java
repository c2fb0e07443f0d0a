package io.bywash.engine.pool;

/** A handle names no object that the caller may use so. Nothing was changed. */
public final class InvalidHandleException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  /** What is wrong with a handle. */
  public enum Reason {
    /** The object was released after the handle was given out; perhaps it is in use again, under another handle. */
    STALE,
    /** The object is another user's. */
    FOREIGN,
    /** The pool never gave this handle out. */
    FORGED
  }

  private final long handle;
  private final Reason reason;

  InvalidHandleException(long handle, Reason reason, String explanation) {
    super("handle=" + handle + " is " + reason.name().toLowerCase(java.util.Locale.ROOT) + ": " + explanation);
    this.handle = handle;
    this.reason = reason;
  }

  /** The handle. */
  public long handle() {
    return handle;
  }

  /** What is wrong with it. */
  public Reason reason() {
    return reason;
  }
}
