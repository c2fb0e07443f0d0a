package io.bywash.engine.call;

import static io.bywash.engine.call.CallLayout.*;

import io.bywash.engine.internal.memory.Region;

/** The counters in a role's own line, for people. */
final class Counters {
  private final Region region;
  private final long role;
  private final boolean isShared;

  /** Counters that several threads raise if {@code isShared}. */
  Counters(Region region, long role, boolean isShared) {
    this.region = region;
    this.role = role;
    this.isShared = isShared;
  }

  private void raise(int counter) {
    if (isShared) {
      region.getAndAddLong(role + counter, 1);
    } else {
      region.setLongOpaque(role + counter, region.getLongOpaque(role + counter) + 1);
    }
  }

  /** Counts a request that was sent or taken. */
  void requests() {
    raise(ROLE_REQUESTS);
  }

  /** Counts a request that was sent, and its wake. */
  void requests(boolean rung) {
    raise(ROLE_REQUESTS);
    wake(rung);
  }

  /** Counts a wake, or that none was needed. */
  void wake(boolean rung) {
    raise(rung ? ROLE_RUNG : ROLE_ELIDED);
  }

  void answered() {
    raise(ROLE_ANSWERED);
  }

  /** Counts a deadline that passed, or a reply that was too late. */
  void missed() {
    raise(ROLE_MISSED);
  }

  /** Notes a latency: the shown one moves an eighth of the way. */
  void latency(long nanos) {
    long shown = region.getLongOpaque(role + ROLE_LATENCY);
    region.setLongOpaque(role + ROLE_LATENCY, shown == 0 ? nanos : shown + (nanos - shown >> 3));
  }
}
