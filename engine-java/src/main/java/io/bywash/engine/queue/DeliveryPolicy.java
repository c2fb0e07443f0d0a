package io.bywash.engine.queue;

import static io.bywash.engine.queue.QueueLayout.*;

import io.bywash.engine.InvalidSpecException;
import io.bywash.engine.internal.layout.Names;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * What happens to a message whose consumer died or gave it back. The policy is part of a queue's specification, so it
 * is the same for all processes. Immutable.
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

  /** At least once, the default: another consumer gets the message, until one acknowledges it. */
  public static DeliveryPolicy redeliver() {
    return REDELIVERING;
  }

  /**
   * At most once: the message is dropped and counted. The count may include messages that their consumers had just
   * finished.
   */
  public static DeliveryPolicy drop() {
    return DROPPING;
  }

  /**
   * At least once, but a message that was delivered {@code deliveries} times without success is dropped and counted.
   *
   * @param deliveries 1 or more. A delivery to a consumer that is killed while it takes the message may go uncounted
   * @throws IllegalArgumentException when {@code deliveries} is less than 1
   * @throws IllegalStateException for {@link #drop}
   */
  public DeliveryPolicy atMost(int deliveries) {
    if (deliveries < 1) {
      throw new InvalidSpecException("deliveries", deliveries, "must be at least 1");
    }
    if (policy == DROP) {
      throw new IllegalStateException("a policy that drops messages delivers them once");
    }
    return new DeliveryPolicy(policy, deliveries, deadLetters);
  }

  /**
   * A message that was delivered too often goes to another queue of the segment, as a dead letter. It may arrive there
   * twice if a process dies while it moves the message. While that queue is full, the message stays where it is, and
   * the consumer that gave it back gets no other message.
   *
   * @param queue the name of that queue, up to {@value QueueLayout#DEAD_LETTERS_MAX_BYTES} characters. It must exist
   *     when the first consumer is opened, must take messages as long as those of this queue, and must not send its own
   *     dead letters here
   * @throws IllegalArgumentException when {@code queue} is not a valid name, or too long
   * @throws IllegalStateException when this policy has no limit
   */
  public DeliveryPolicy deadLetters(String queue) {
    return withDeadLetters(queue, REDELIVER);
  }

  /** As {@link #deadLetters(String)}, but a message for which that queue has no room is dropped and counted. */
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

  /** Whether another consumer gets a message whose consumer died. */
  public boolean redelivers() {
    return policy != DROP;
  }

  /** How often a message is delivered at most; 0 when there is no limit, and 1 for {@link #drop}. */
  public int limit() {
    return policy == DROP ? 1 : limit;
  }

  /** The name of the queue for dead letters; empty when there is none. */
  public String deadLetters() {
    return deadLetters;
  }

  /** Whether a message stays where it is while the queue for dead letters has no room. */
  boolean keepsDeadLetters() {
    return policy == REDELIVER && !deadLetters.isEmpty();
  }

  /** Whether a message that was delivered this often without success is not delivered again. */
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

  /** The policy in a row's parameters; null when they are not those of a policy. */
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

  /** A description for people. */
  @Override
  public String toString() {
    String most = limit == 0 ? "" : " up to " + limit + " times";
    String then = deadLetters.isEmpty() ? "" : ", then to " + deadLetters + (keepsDeadLetters() ? "" : " or drop");
    return policy == DROP ? "drop" : "redeliver" + most + then;
  }
}
