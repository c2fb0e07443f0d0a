package io.bywash.osgi.internal.queue;

import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.StructureStatus;
import java.util.Optional;

/** What one kind of queue adds to the common part. Any thread may use it. */
public interface QueueKind {
  /** The engine's name for it. */
  Kind kind();

  /** The type under which queues of this kind are services. */
  Class<?> serviceType();

  /** A new service object for one bundle, with {@code roles} to take its roles from. */
  Object service(BundleRoles roles);

  /** What is wrong with a listener's properties; empty when nothing is. */
  Optional<String> fault(ListenerProperties properties);

  /**
   * Takes the role that receives messages for a listener.
   *
   * @throws io.bywash.engine.BusException when that is not possible
   */
  FeedingRole join(Entry entry, ListenerProperties properties);

  /**
   * How many messages a listener here has not received of a queue that gets no more.
   *
   * @param status the queue
   * @param nextSequence of the message that the listener receives next
   */
  long undelivered(StructureStatus status, long nextSequence);
}
