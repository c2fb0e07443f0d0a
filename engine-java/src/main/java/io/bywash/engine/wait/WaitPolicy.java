package io.bywash.engine.wait;

/**
 * How a role spends the time until there is something to do. A policy of the waiting side alone; the other side need
 * not know.
 *
 * <p>On a virtual thread every policy releases the carrier: after some microseconds of spinning, {@link #PARK} parks
 * for 50 microseconds at a time, and all others wait through the {@link WaitHub}. Take a platform thread to spin
 * without end.
 */
public enum WaitPolicy {
  /** Never gives up its core. The lowest latency, if there is a core to spare. */
  SPIN,
  /**
   * The default. A reader looks at once while messages are sparse, and pauses for some microseconds at a time while
   * they stream, if that brings more of them. Who finds nothing spins for some microseconds, lets other threads run for
   * 0.2 ms if that or spinning sufficed the last time and did not take long, then blocks in the kernel like
   * {@link #BLOCK}.
   */
  BACKOFF,
  /** Lets other threads run between two looks. For more threads than cores that all have work. */
  YIELD,
  /** Parks for 50 microseconds at a time. For processes that must not be woken by others. */
  PARK,
  /**
   * Sleeps in the kernel until the other side rings: no CPU time, a wake-up of a few microseconds. Where one of the
   * processes attached to the segment has no native access, it cannot ring, and this parks instead.
   */
  BLOCK
}
