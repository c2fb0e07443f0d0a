package io.bywash.osgi;

import io.bywash.engine.queue.Consumer;
import io.bywash.engine.queue.Producer;
import io.bywash.engine.queue.QueueStatus;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A work queue. Its owner is a living process that holds a role in it or, if there is none, its creator; so whoever
 * uses it keeps it. A bundle that only wants to work registers a {@link WorkQueueConsumer} instead.
 *
 * <p>Further properties: {@value BywashConstants#DELIVERY}, {@value BywashConstants#DELIVERIES} and
 * {@value BywashConstants#DEAD_LETTERS} where there are some.
 */
@ProviderType
public interface WorkQueueService extends StructureService {
  @Override
  QueueStatus status();

  /**
   * Takes a producer's role. The caller closes it.
   *
   * @throws io.bywash.engine.BusException as {@link Producer#open}, or when the segment has gone
   */
  Producer producer();

  /**
   * Takes a consumer's role. The caller closes it.
   *
   * @throws io.bywash.engine.BusException as {@link Consumer#open}, or when the segment has gone
   */
  Consumer consumer();
}
