package io.bywash.engine.broadcast;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.internal.layout.Numbers;

/** Makes the specifications of broadcast queues. The roles are {@link Publisher} and {@link Subscriber}. */
public final class Broadcast {
  /** The smallest ring in bytes. */
  public static final long MIN_RING_BYTES = 4096;

  /** The largest ring in bytes, 128 GiB. */
  public static final long MAX_RING_BYTES = 1L << 37;

  /** How many subscribers a queue has room for by default. */
  public static final int DEFAULT_SUBSCRIBERS = 64;

  private Broadcast() {}

  /**
   * Specifies a broadcast queue with room for {@value #DEFAULT_SUBSCRIBERS} subscribers.
   *
   * @param name of the entry
   * @param ringBytes the size of the ring, {@link #MIN_RING_BYTES} to {@link #MAX_RING_BYTES}, rounded up to a power of
   *     two. A record takes its message and 16 bytes, rounded up to a multiple of 16. For high throughput the ring
   *     should be larger than the processor's second-level cache; 4 MiB is a good size
   * @throws IllegalArgumentException when {@code name} is not a valid name, or {@code ringBytes} is out of range
   */
  public static EntrySpec spec(String name, long ringBytes) {
    return spec(name, ringBytes, DEFAULT_SUBSCRIBERS);
  }

  /**
   * As {@link #spec(String, long)}, with another number of subscribers.
   *
   * @param subscribers how many subscribers there is room for at one time, 1 to 1023; those of read-only attachments do
   *     not count
   * @throws IllegalArgumentException when an argument is out of range
   */
  public static EntrySpec spec(String name, long ringBytes, int subscribers) {
    Numbers.checkSpec("ringBytes", ringBytes, MIN_RING_BYTES, MAX_RING_BYTES);
    Numbers.checkSpec("subscribers", subscribers, 1, EntrySpec.MAX_ROLES - 1);
    long capacity = Long.highestOneBit(ringBytes - 1) << 1;
    return new EntrySpec(name, Kind.BROADCAST, capacity, maxMessageBytes(capacity), 1 + subscribers, capacity);
  }

  /** The largest message in a ring of that size, in bytes: an eighth of the ring, at most 2^30. */
  public static long maxMessageBytes(long ringBytes) {
    return Math.min(ringBytes / 8, 1L << 30);
  }
}
