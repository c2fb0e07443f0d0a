package io.bywash.engine;

/** A living participant holds a role that only one can hold at a time. */
public final class RoleTakenException extends BusException {
  private static final long serialVersionUID = 1L;

  private final long holderPid;

  /** Creates an exception with the holder's process id. */
  public RoleTakenException(String message, long holderPid) {
    super(message);
    this.holderPid = holderPid;
  }

  /** The id of the process that holds the role, in that process's own pid namespace. */
  public long holderPid() {
    return holderPid;
  }
}
