package io.bywash.osgi.internal.queue;

import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.osgi.runtime.RuntimeDTO;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

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
   * Takes the role that receives messages for a listener. May take its time.
   *
   * @param next the sequence of the message where the listener goes on; empty when it begins
   * @throws io.bywash.engine.BusException when that is not possible
   */
  FeedingRole join(Entry entry, ListenerProperties properties, OptionalLong next);

  /** The last messages of a queue, which is attached read-only; nobody notices. */
  List<RuntimeDTO.MessageDTO> tail(Entry entry, int count);
}
