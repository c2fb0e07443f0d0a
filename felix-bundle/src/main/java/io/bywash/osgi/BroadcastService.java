package io.bywash.osgi;

import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import java.nio.file.Path;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A broadcast queue on this host, whichever process created it. It is a service while its segment exists and its owner
 * is alive. The owner is the holder of the publisher role or, if nobody holds that, the creator of the queue. When the
 * owner dies or leaves, the {@linkplain QueueListener listeners} of this container first get all messages that were
 * committed; then the service is withdrawn. Those that hang in a call for 5 seconds are not waited for; they get theirs
 * when they return. It comes back when there is an owner again, with the same properties except for those of the owner.
 * Any thread may use it.
 *
 * <p>The service itself only observes the segment, and does not keep it in use. The bundle that uses the service joins
 * the segment with its first {@link #subscribe} or {@link #publish}. When the bundle releases the service, or the
 * service is withdrawn, the bundle's roles end: each operation throws {@link io.bywash.engine.SegmentClosedException},
 * and those that wait end with that exception. The bundle leaves the segment with its last role. It need not close the
 * roles for that. A role that is in use at that moment, because a handler does not return or a claim is open, is
 * {@linkplain io.bywash.engine.Revocable#revoke revoked} after a second, and then holds nobody back. A bundle that only
 * wants to continue with the next owner where it stopped registers a {@link QueueListener} instead.
 *
 * <p>Service properties: {@value BywashConstants#SEGMENT}, {@value BywashConstants#QUEUE},
 * {@value BywashConstants#KIND}, {@value BywashConstants#CAPACITY}, {@value BywashConstants#ELEMENT_SIZE},
 * {@value BywashConstants#OWNER_PID}, {@value BywashConstants#LOCAL}, {@value BywashConstants#PATH}.
 */
@ProviderType
public interface BroadcastService {
  /** The segment's name. */
  String segment();

  /** The queue's name. */
  String queue();

  /** The path of the segment's file. */
  Path path();

  /**
   * Inspects the queue, its publisher and its subscribers.
   *
   * @throws io.bywash.engine.SegmentClosedException when the segment has gone
   */
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
