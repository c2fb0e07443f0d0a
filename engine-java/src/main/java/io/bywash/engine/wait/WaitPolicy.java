package io.bywash.engine.wait;

/**
 * How a role waits until there is something to do. The other side need not know which policy it is.
 *
 * <p>On a virtual thread every policy releases the carrier. After spinning for some microseconds, {@link #PARK} parks
 * for 50 microseconds at a time, and all others wait through the {@link WaitHub}, or park like that where
 * {@link #BLOCK} cannot sleep. To spin without end, use a platform thread.
 */
public enum WaitPolicy {
  /** Spins and never gives up its core. The lowest latency, if there is a core to spare. */
  SPIN,
  /**
   * The default. While messages are sparse, a subscriber reads each one at once. While they stream, it pauses for some
   * microseconds at a time if that lets it read more of them. A role that finds nothing first spins for some
   * microseconds. If spinning or yielding was enough the last time, and was quick, it then yields to other threads for
   * 0.2 ms. After that it sleeps in the kernel like {@link #BLOCK}.
   */
  BACKOFF,
  /** Yields to other threads between two checks. For when more threads have work than there are cores. */
  YIELD,
  /** Parks for 50 microseconds at a time. For processes that others must not have to wake. */
  PARK,
  /**
   * Sleeps in the kernel until the other side wakes it, which takes some microseconds. It takes hardly any CPU time: it
   * looks up every 50 ms. If a process attached to the segment has no native access, it cannot wake others, and this
   * policy parks instead; so it does in a segment that is attached read-only.
   */
  BLOCK
}
