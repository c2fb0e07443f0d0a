package io.bywash.osgi.internal.queue;

import io.bywash.osgi.BywashConstants;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The service properties of a listener that concern this bundle.
 *
 * @param segment the segment's name; empty when it is missing
 * @param queue the queue's name; empty when it is missing
 * @param choices all others that begin with {@code bywash.}, for the queue's kind to interpret
 */
public record ListenerProperties(String segment, String queue, Map<String, String> choices) {
  private static final String PREFIX = "bywash.";

  static ListenerProperties of(Map<String, Object> properties) {
    Map<String, String> own = properties.entrySet().stream()
        .filter(each -> each.getKey().startsWith(PREFIX) && each.getValue() != null)
        .collect(Collectors.toMap(Map.Entry::getKey, each -> each.getValue().toString()));
    String segment = own.remove(BywashConstants.SEGMENT);
    String queue = own.remove(BywashConstants.QUEUE);
    return new ListenerProperties(segment == null ? "" : segment, queue == null ? "" : queue, Map.copyOf(own));
  }

  /** What the listener chose, or else {@code otherwise}. */
  public String choice(String key, String otherwise) {
    return choices.getOrDefault(key, otherwise);
  }

  /** Why no queue can be found with them; empty when that is possible. */
  Optional<String> fault() {
    return segment.isEmpty() || queue.isEmpty()
        ? Optional.of(BywashConstants.SEGMENT + " or " + BywashConstants.QUEUE + " is missing")
        : Optional.empty();
  }
}
