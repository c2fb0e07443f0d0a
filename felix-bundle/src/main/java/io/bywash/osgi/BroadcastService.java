package io.bywash.osgi;

import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import java.nio.file.Path;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A broadcast queue somewhere on this host, of whatever process. It is a service while its segment exists and its owner
 * lives: the holder of the writer role, else the creator. When the owner dies or leaves, the {@linkplain QueueListener
 * listeners} of this container first get all that was committed; then the service is withdrawn. It comes back with the
 * next owner, with the same properties but for the owner's.
 *
 * <p>The service itself only looks, and keeps no segment alive. With the first {@link #subscribe} or {@link #publish}
 * the using bundle joins the segment. When it releases the service, or the service is withdrawn, the roles that it
 * still has fail with {@link io.bywash.engine.SegmentClosedException}, also those that wait; with the last one it
 * leaves. A bundle need not close them for that. A role that is in use at that moment, since a handler does not
 * return or a claim is open, is {@linkplain io.bywash.engine.Revocable#revoke revoked} after a second: then it holds
 * nobody back. To go on at the same place with the next owner without more ado, be a {@link QueueListener}.
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

  /** The segment's file. */
  Path path();

  /**
   * A look at the queue, its publisher and its subscribers.
   *
   * @throws io.bywash.engine.SegmentClosedException when the segment has gone
   */
  BroadcastStatus status();

  /**
   * Joins the queue. The subscriber is the caller's to close.
   *
   * @throws io.bywash.engine.BusException as {@link Subscriber#open}, or when the segment has gone
   */
  Subscriber subscribe(SubscriberOptions options);

  /**
   * Takes the writer role. The publisher is the caller's to close.
   *
   * @throws io.bywash.engine.BusException as {@link Publisher#open}, or when the segment has gone
   */
  Publisher publish();
}
