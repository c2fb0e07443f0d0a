package io.bywash.engine.queue;

import static io.bywash.engine.queue.QueueLayout.*;

import io.bywash.engine.internal.layout.Names;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * What becomes of a message whose consumer died, or gave it back. A part of a queue's specification: the same for all
 * who use it. Immutable.
 */
public final class DeliveryPolicy {
  private static final DeliveryPolicy REDELIVERING = new DeliveryPolicy(REDELIVER, 0, "");
  private static final DeliveryPolicy DROPPING = new DeliveryPolicy(DROP, 0, "");

  private final int policy;
  private final int limit;
  private final String deadLetters;

  private DeliveryPolicy(int policy, int limit, String deadLetters) {
    this.policy = policy;
    this.limit = limit;
    this.deadLetters = deadLetters;
  }

  /** At least once, the default: another consumer gets it, as often as that takes. */
  public static DeliveryPolicy redeliver() {
    return REDELIVERING;
  }

  /** At most once: it is dropped, and counted. That may count one that its consumer had just finished. */
  public static DeliveryPolicy drop() {
    return DROPPING;
  }

  /**
   * At least once, but a message that was delivered {@code deliveries} times in vain is dropped, and counted.
   *
   * @param deliveries 1 or more. A consumer that is killed as it takes a message may not be counted
   * @throws IllegalStateException for {@link #drop}
   */
  public DeliveryPolicy atMost(int deliveries) {
    if (deliveries < 1) {
      throw new IllegalArgumentException("deliveries=" + deliveries + " must be at least 1");
    }
    if (policy == DROP) {
      throw new IllegalStateException("a policy that drops messages delivers them once");
    }
    return new DeliveryPolicy(policy, deliveries, deadLetters);
  }

  /**
   * What was delivered too often goes to another queue of the segment. It may come there twice if somebody dies in
   * bringing it. While that queue is full it is kept where it is, and whoever gave it back gets nothing else.
   *
   * @param queue its name, up to {@value QueueLayout#DEAD_LETTERS_MAX_BYTES} characters. It has to be there when the
   *     first consumer is opened, to take messages as long as those of this queue, and not to send its own dead letters
   *     here
   * @throws IllegalStateException without a limit
   */
  public DeliveryPolicy deadLetters(String queue) {
    return withDeadLetters(queue, REDELIVER);
  }

  /** As {@link #deadLetters}, but what it has no room for is dropped, and counted. */
  public DeliveryPolicy deadLettersOrDrop(String queue) {
    return withDeadLetters(queue, REDELIVER_OR_DROP);
  }

  private DeliveryPolicy withDeadLetters(String queue, int newPolicy) {
    Names.check("queue", queue);
    if (queue.length() > DEAD_LETTERS_MAX_BYTES) {
      throw new IllegalArgumentException("queue=" + queue + " has " + queue.length() + " characters; a queue of dead"
          + " letters has up to " + DEAD_LETTERS_MAX_BYTES);
    }
    if (limit == 0) {
      throw new IllegalStateException("nothing becomes a dead letter without a limit: use atMost first");
    }
    return new DeliveryPolicy(newPolicy, limit, queue);
  }

  /** Whether a message whose consumer died is delivered to another one. */
  public boolean redelivers() {
    return policy != DROP;
  }

  /** How often a message is delivered at the most; 0 without a limit, and 1 for {@link #drop}. */
  public int limit() {
    return policy == DROP ? 1 : limit;
  }

  /** The queue of the dead letters; empty when there is none. */
  public String deadLetters() {
    return deadLetters;
  }

  /** Whether dead letters are kept while their queue has no room. */
  boolean keepsDeadLetters() {
    return policy == REDELIVER && !deadLetters.isEmpty();
  }

  /** Whether a message that was delivered so often in vain is not delivered again. */
  boolean isOver(int deliveries) {
    return limit() != 0 && deliveries >= limit();
  }

  List<Long> parameters() {
    List<Long> parameters = new ArrayList<>(List.of((long) policy, (long) limit));
    byte[] name = deadLetters.getBytes(StandardCharsets.US_ASCII);
    for (int from = 0; from < name.length; from += Long.BYTES) {
      long word = 0;
      for (int i = Math.min(from + Long.BYTES, name.length) - 1; i >= from; i--) {
        word = word << 8 | name[i];
      }
      parameters.add(word);
    }
    return parameters;
  }

  /** What a row's parameters say; null when no policy has such. */
  static DeliveryPolicy of(long[] parameters) {
    StringBuilder name = new StringBuilder();
    for (int i = 0; i < DEAD_LETTERS_MAX_BYTES; i++) {
      int each = (int) (parameters[PARAMETER_DEAD_LETTERS + i / Long.BYTES] >>> i % Long.BYTES * 8) & 0xFF;
      if (each != 0) {
        name.append((char) each);
      }
    }
    long limit = parameters[PARAMETER_LIMIT];
    long policy = parameters[PARAMETER_POLICY];
    boolean known = policy == REDELIVER || policy == DROP || policy == REDELIVER_OR_DROP;
    boolean fits = name.isEmpty() ? policy != REDELIVER_OR_DROP : limit > 0 && Names.isName(name.toString());
    if (!known || !fits || limit < 0 || limit > Integer.MAX_VALUE
        || policy == DROP && (limit != 0 || !name.isEmpty())) {
      return null;
    }
    return new DeliveryPolicy((int) policy, (int) limit, name.toString());
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof DeliveryPolicy same && policy == same.policy && limit == same.limit
        && deadLetters.equals(same.deadLetters);
  }

  @Override
  public int hashCode() {
    return Objects.hash(policy, limit, deadLetters);
  }

  /** For people. */
  @Override
  public String toString() {
    String most = limit == 0 ? "" : " up to " + limit + " times";
    String then = deadLetters.isEmpty() ? "" : ", then to " + deadLetters + (keepsDeadLetters() ? "" : " or drop");
    return policy == DROP ? "drop" : "redeliver" + most + then;
  }
}
