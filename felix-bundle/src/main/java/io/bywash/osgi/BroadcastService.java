package io.bywash.osgi;

import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A broadcast queue. Its owner is the holder of the publisher role or, if nobody holds that, the creator of the queue.
 * A bundle that only wants to continue with the next owner where it stopped registers a {@link QueueListener} instead.
 */
@ProviderType
public interface BroadcastService extends StructureService {
  @Override
  BroadcastStatus status();

  /**
   * Joins the queue. The caller closes the subscriber.
   *
   * @throws io.bywash.engine.BusException as {@link Subscriber#open}, or when the segment has gone
   */
  Subscriber subscribe(SubscriberOptions options);

  /**
   * Takes the publisher role. The caller closes the publisher.
   *
   * @throws io.bywash.engine.BusException as {@link Publisher#open}, or when the segment has gone
   */
  Publisher publish();
}
