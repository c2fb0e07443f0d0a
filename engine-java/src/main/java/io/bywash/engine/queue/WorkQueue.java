package io.bywash.engine.queue;

import static io.bywash.engine.queue.QueueLayout.MAX_CAPACITY;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.InvalidSpecException;
import io.bywash.engine.Kind;
import io.bywash.engine.internal.layout.Numbers;
import java.util.Objects;

/**
 * Makes the specifications of work queues. The roles are {@link Producer} and {@link Consumer}.
 *
 * {@snippet :
 * DeliveryPolicy policy = DeliveryPolicy.redeliver().atMost(5).deadLetters("failed");
 * SegmentSpec spec = SegmentSpec.of(
 *     WorkQueue.spec("jobs", 1024, 512, policy), // up to 1024 messages of up to 512 bytes
 *     WorkQueue.spec("failed", 64, 512));
 * }
 */
public final class WorkQueue {
  /** The largest capacity of a queue, in messages. */
  public static final int MAX_MESSAGES = MAX_CAPACITY;

  /** How many producers and consumers together a queue has room for by default. */
  public static final int DEFAULT_ROLES = 64;

  /** The most memory that one queue's messages can take, in bytes: 128 GiB. */
  public static final long MAX_BYTES = 1L << 37;

  private WorkQueue() {}

  /**
   * Specifies a work queue that redelivers, with room for {@value #DEFAULT_ROLES} roles. The parameters are those of
   * {@link #spec(String, int, int, DeliveryPolicy, int)}.
   */
  public static EntrySpec spec(String name, int capacity, int maxMessageBytes) {
    return spec(name, capacity, maxMessageBytes, DeliveryPolicy.redeliver(), DEFAULT_ROLES);
  }

  /** As {@link #spec(String, int, int)}, with another delivery policy. */
  public static EntrySpec spec(String name, int capacity, int maxMessageBytes, DeliveryPolicy policy) {
    return spec(name, capacity, maxMessageBytes, policy, DEFAULT_ROLES);
  }

  /**
   * Specifies a work queue.
   *
   * <p>The queue takes memory for its capacity and for its roles. Each role owns room for one message, so a message
   * that a consumer holds takes no capacity. The room for a message is the size of the largest message and 48 bytes,
   * rounded up to a multiple of 128.
   *
   * @param name of the entry
   * @param capacity how many messages the queue holds, a power of two up to {@link #MAX_MESSAGES}
   * @param maxMessageBytes the size of the largest message in bytes, 1 to 2^30
   * @param policy what happens to the messages of consumers that died
   * @param roles how many producers and consumers together can be open at one time, in all processes, 2 to 1024
   * @throws IllegalArgumentException when an argument is out of range, when {@code name} is not a valid name or is that
   *     of the policy's queue for dead letters, or when the queue would take more than {@link #MAX_BYTES}
   */
  public static EntrySpec spec(String name, int capacity, int maxMessageBytes, DeliveryPolicy policy, int roles) {
    Objects.requireNonNull(policy, "policy");
    if (capacity < 1 || capacity > MAX_CAPACITY || Integer.bitCount(capacity) != 1) {
      throw new InvalidSpecException("capacity", capacity, "is not a power of two from 1 to " + MAX_CAPACITY);
    }
    Numbers.checkSpec("maxMessageBytes", maxMessageBytes, 1, 1 << 30);
    Numbers.checkSpec("roles", roles, 2, EntrySpec.MAX_ROLES);
    if (policy.deadLetters().equals(name)) {
      throw new IllegalArgumentException("policy=" + policy + " sends the dead letters of queue " + name
          + " to itself");
    }
    long dataBytes = QueueLayout.dataBytes(capacity, roles, maxMessageBytes);
    if (dataBytes > MAX_BYTES) {
      throw new IllegalArgumentException("capacity=" + capacity + ", roles=" + roles + " and maxMessageBytes="
          + maxMessageBytes + " take " + dataBytes + " bytes; " + MAX_BYTES + " are possible");
    }
    return new EntrySpec(name, Kind.WORK_QUEUE, capacity, maxMessageBytes, "", roles, dataBytes, policy.parameters());
  }
}
