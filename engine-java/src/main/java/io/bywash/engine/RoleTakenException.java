package io.bywash.engine;

/** A living participant holds a role that only one may hold. */
public final class RoleTakenException extends BusException {
  private static final long serialVersionUID = 1L;

  private final long holderPid;

  /** With the holder's process id. */
  public RoleTakenException(String message, long holderPid) {
    super(message);
    this.holderPid = holderPid;
  }

  /** The process that holds the role, as a pid in that process's own pid namespace. */
  public long holderPid() {
    return holderPid;
  }
}
