package io.bywash.osgi;

import io.bywash.engine.queue.Delivery;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Does the work of a work queue. A bundle registers it as a service; it gets messages as soon as both the service and
 * the queue exist, whichever comes first, even if nobody else uses the queue any more. Each consumer is one of those
 * that compete for the queue's messages, over all processes; it has one message at a time. For several workers,
 * register several.
 *
 * <p>Service properties: {@value BywashConstants#SEGMENT} and {@value BywashConstants#QUEUE}, mandatory;
 * {@value BywashConstants#DIRECTORY} and {@value BywashConstants#FINGERPRINT} as for a {@link QueueListener}, which
 * also tells by which threads it is called, how its calls end, and how those that cannot be fed are listed.
 *
 * <p>A message is acknowledged when the call returns. It is given back when the call throws, which is logged: another
 * consumer gets it, or this one again, which is called more slowly while it keeps throwing. Let the queue have a limit
 * of deliveries and a queue for dead letters, or a message that always fails comes again for ever. A call that is still
 * under way two seconds after its bundle stopped or its service was unregistered loses its message, which is given
 * back; what the call reads from it then throws an exception.
 */
@ConsumerType
@FunctionalInterface
public interface WorkQueueConsumer {
  /**
   * Called with each message. It may acknowledge the message or give it back itself, before it returns.
   *
   * @param message valid only during this call
   * @throws Exception gives the message back
   */
  void onMessage(Delivery message) throws Exception;
}
