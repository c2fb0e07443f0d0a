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
   * @param next the sequence of the message where the consumer goes on; empty when it begins
   * @param consumer an object of one of the consumers' types
   * @throws io.bywash.engine.BusException when that is not possible
   */
  FeedingRole join(Entry entry, ListenerProperties properties, OptionalLong next, Object consumer);
}
