package io.bywash.osgi;

import io.bywash.engine.Message;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Gets the messages of a queue. A bundle registers it as a service; it is fed as soon as both the service and the queue
 * exist, whichever comes first.
 *
 * <p>Service properties:
 * <ul>
 * <li>{@value BywashConstants#SEGMENT} and {@value BywashConstants#QUEUE}, mandatory: which queue; it may be in any
 *     directory that discovery watches, unless {@value BywashConstants#DIRECTORY} names one
 * <li>{@value BywashConstants#FINGERPRINT}: it is fed only if the queue carries records of that fingerprint
 * <li>{@value BywashConstants#POLICY}: {@value BywashConstants#POLICY_BLOCK}, {@value BywashConstants#POLICY_EVICT},
 *     {@value BywashConstants#POLICY_SKIP} or {@value BywashConstants#POLICY_FAIL}
 * <li>{@value BywashConstants#EVICT_AFTER_MILLIS}: how long a publisher waits at a stretch, with
 *     {@value BywashConstants#POLICY_EVICT}; {@value BywashConstants#DEFAULT_EVICT_AFTER_MILLIS} unless given
 * <li>{@value BywashConstants#START}: {@value BywashConstants#START_OLDEST} (default) or
 *     {@value BywashConstants#START_NEWEST}
 * <li>{@value BywashConstants#SUBSCRIPTION}: a name under which it goes on where it was, see below
 * </ul>
 * Without a policy, a listener blocks publishers if the queue's owner is its own process when it joins
 * ({@value BywashConstants#LOCAL}), and else is evicted if it holds them back for 10 seconds. It keeps that until it
 * joins anew, whoever publishes: choose a policy where publishers of several processes take turns.
 *
 * <p>A listener gets its messages in order, each once, and is called by one thread at a time; different listeners are
 * called concurrently. It may take its time, without holding up other listeners. It is not called again before its last
 * call has returned, whatever becomes of the queue. What it throws is logged, and the message counts as received. It
 * joins its queue shortly after it was registered, on another thread; its service is not fetched before that, and never
 * while its properties are wrong.
 *
 * <p>Its place in the queue lasts as long as the segment: when the publisher dies and another one comes, or discovery
 * is configured anew, the listener goes on with the next message, and is told how many it lost meanwhile. It ends when
 * the segment goes, or the listener's service does; a listener that is registered anew, or whose properties above
 * change, begins anew. One with a {@value BywashConstants#SUBSCRIPTION} goes on, even though its bundle or this one was
 * updated, refreshed or restarted; after a crash of the JVM it may get again what it got in the last second. It holds
 * nobody back while it is away: {@link #onLost} tells what was overwritten.
 *
 * <p>No call begins after the service was unregistered. A call that is under way then, or when this bundle stops, has a
 * second to return. Then its thread is interrupted, and after another second the listener's place in the queue is taken
 * from it ({@link io.bywash.engine.Revocable}): a listener that never returns holds no publisher back, but what its
 * message reads from then on may change.
 *
 * <p>A listener is a participant of the segment like any other subscriber. So a segment whose lifetime is "while used"
 * stays as long as it has a listener here, even if that is its last user.
 *
 * <p>A listener that cannot be fed is not told. {@link io.bywash.osgi.runtime.BywashRuntime} and the command
 * {@code bywash:ls} show why: {@code JOINING} (its service is being fetched, or its last call has not returned),
 * {@code NO_QUEUE} (there is no such segment or queue, it cannot be used, or it has no living owner),
 * {@code WRONG_KIND} (the queue is no broadcast), {@code WRONG_RECORDS} (it has another
 * {@value BywashConstants#FINGERPRINT}), {@code TABLE_FULL} (no place left in the segment or the queue),
 * {@code SUBSCRIPTION_TAKEN} (another listener has that name), {@code REFUSED} (for another reason, which is shown),
 * {@code OVERRUN} (it lost messages, with {@value BywashConstants#POLICY_FAIL}), {@code DAMAGED} (what is in shared
 * memory is impossible) or {@code BAD_PROPERTIES}. Joining is tried again by itself; after {@code OVERRUN} and
 * {@code DAMAGED} only when the queue or its segment was created anew, after {@code BAD_PROPERTIES} when the properties
 * were changed. Values are texts or numbers, and nothing else.
 */
@ConsumerType
@FunctionalInterface
public interface QueueListener {
  /**
   * Called with each message.
   *
   * @param message valid only during this call
   */
  void onMessage(Message message);

  /**
   * So many messages were lost, because the publisher overwrote them before this listener took them. Happens with
   * {@value BywashConstants#POLICY_SKIP}, after an eviction, and to a listener that was away and goes on.
   *
   * @param messageCount exactly how many, at least 1
   */
  default void onLost(long messageCount) {}
}
