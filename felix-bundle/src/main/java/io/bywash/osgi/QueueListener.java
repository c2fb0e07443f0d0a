package io.bywash.osgi;

import io.bywash.engine.Message;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Registered as a service, it is fed with the messages of a queue: as soon as both are there, in whichever order they
 * come.
 *
 * <p>Service properties:
 * <ul>
 * <li>{@value BywashConstants#SEGMENT} and {@value BywashConstants#QUEUE}, mandatory: which queue
 * <li>{@value BywashConstants#POLICY}: {@value BywashConstants#POLICY_BLOCK} (default) or
 *     {@value BywashConstants#POLICY_SKIP}
 * <li>{@value BywashConstants#START}: {@value BywashConstants#START_OLDEST} (default) or
 *     {@value BywashConstants#START_NEWEST}
 * </ul>
 *
 * <p>A listener gets its messages in order, each once, and is called by one thread at a time; different listeners are
 * called concurrently. It may take its time, without holding up other listeners. What it throws is logged, and the
 * message counts as received.
 *
 * <p>Its place in the queue lasts as long as the segment: when the publisher dies and another one comes, the listener
 * goes on with the next message. It ends when the segment goes, or the listener's service does; a listener that is
 * registered anew, or whose properties above change, begins anew. No call begins after the service was unregistered.
 * A call that is under way then, or when this bundle stops, has a second to return. Then its thread is interrupted,
 * and after another second the listener's place in the queue is taken from it ({@link io.bywash.engine.Revocable}): a
 * listener that never returns holds no publisher back, but what its message reads from then on may change.
 *
 * <p>A listener is a participant of the segment like any other consumer. So a segment that is removed when nobody uses
 * it stays as long as it has a listener here, even when it is the last one.
 *
 * <p>A listener that cannot be fed is not told. The command {@code bywash:queues} shows why: {@code NO_QUEUE} (there is
 * no such segment or queue, or it has no living owner), {@code WRONG_KIND} (the queue is no broadcast),
 * {@code TABLE_FULL} (no place left in the segment or the queue), {@code REFUSED} (for another reason, which is shown),
 * {@code DAMAGED} (what is in shared memory is impossible) or {@code BAD_PROPERTIES}. Joining is tried again by itself;
 * after {@code DAMAGED} only when the segment was created anew, after {@code BAD_PROPERTIES} when the properties were
 * changed.
 */
@ConsumerType
@FunctionalInterface
public interface QueueListener {
  /**
   * One message.
   *
   * @param message valid during this call only
   */
  void onMessage(Message message);

  /**
   * So many messages were lost, because the publisher overwrote them before this listener took them. Happens with
   * {@value BywashConstants#POLICY_SKIP} only.
   *
   * @param messageCount exactly how many, at least 1
   */
  default void onLost(long messageCount) {}
}
