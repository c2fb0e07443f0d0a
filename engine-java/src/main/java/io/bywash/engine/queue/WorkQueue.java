package io.bywash.engine.queue;

import static io.bywash.engine.queue.QueueLayout.MAX_CAPACITY;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import java.util.Objects;

/** Describes work queues; the roles are {@link Producer} and {@link Consumer}. */
public final class WorkQueue {
  /** The most messages that a queue has room for. */
  public static final int MAX_MESSAGES = MAX_CAPACITY;

  /** How many producers and consumers together a queue has room for unless told otherwise. */
  public static final int DEFAULT_ROLES = 64;

  /** The most bytes of one queue's messages, 128 GiB. */
  public static final long MAX_BYTES = 1L << 37;

  private WorkQueue() {}

  /** A queue that redelivers, with room for {@value #DEFAULT_ROLES} roles. */
  public static EntrySpec spec(String name, int capacity, int maxMessageBytes) {
    return spec(name, capacity, maxMessageBytes, DeliveryPolicy.redeliver(), DEFAULT_ROLES);
  }

  /** The same with a policy. */
  public static EntrySpec spec(String name, int capacity, int maxMessageBytes, DeliveryPolicy policy) {
    return spec(name, capacity, maxMessageBytes, policy, DEFAULT_ROLES);
  }

  /**
   * A work queue.
   *
   * <p>It takes memory for capacity and roles: each role owns a place for a message, so that a message which a consumer
   * holds takes no capacity. A place has the longest message and 48 bytes, rounded up to a multiple of 128.
   *
   * @param name of the entry
   * @param capacity how many messages it holds, a power of two up to {@link #MAX_MESSAGES}
   * @param maxMessageBytes the longest message, 1 to 2^30
   * @param policy what becomes of the messages of consumers that died
   * @param roles how many producers and consumers together can be open at one time, in all processes, 2 to 1024
   */
  public static EntrySpec spec(String name, int capacity, int maxMessageBytes, DeliveryPolicy policy, int roles) {
    Objects.requireNonNull(policy, "policy");
    if (capacity < 1 || capacity > MAX_CAPACITY || Integer.bitCount(capacity) != 1) {
      throw new IllegalArgumentException("capacity=" + capacity + " is not a power of two from 1 to " + MAX_CAPACITY);
    }
    if (maxMessageBytes < 1 || maxMessageBytes > 1 << 30) {
      throw new IllegalArgumentException("maxMessageBytes=" + maxMessageBytes + " is not between 1 and " + (1 << 30));
    }
    if (roles < 2 || roles > EntrySpec.MAX_ROLES) {
      throw new IllegalArgumentException("roles=" + roles + " is not between 2 and " + EntrySpec.MAX_ROLES);
    }
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
