package io.bywash.osgi.internal.queue;

import io.bywash.engine.Entry;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** How one kind of queue feeds consumers, which are services of other bundles. Any thread may use it. */
public interface Feeder {
  /** The types under which its consumers are registered; the others extend the first. */
  List<Class<?>> consumerTypes();

  /** What is wrong with a consumer's properties; empty when nothing is. */
  Optional<String> fault(ListenerProperties properties);

  /**
   * Takes the role that receives messages for a consumer. May take its time.
   *
   * @param local whether the queue's owner is this process
   * @param next the sequence of the message where the consumer goes on; empty when it begins
   * @param consumer an object of one of the consumers' types
   * @throws io.bywash.engine.BusException when that is not possible
   */
  FeedingRole join(Entry entry, ListenerProperties properties, boolean local, OptionalLong next, Object consumer);

  /** Whether consumers join only while somebody owns the queue, since nothing is theirs in one that was left. */
  default boolean needsOwner() {
    return true;
  }
}
