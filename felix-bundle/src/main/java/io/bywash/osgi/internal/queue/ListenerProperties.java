package io.bywash.osgi.internal.queue;

import io.bywash.osgi.BywashConstants;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.osgi.framework.ServiceReference;

/**
 * The service properties of a listener that concern this bundle.
 *
 * @param segment the segment's name; empty when it is missing
 * @param queue the queue's name; empty when it is missing
 * @param directory the bus directory that it names, absolute and normalized; null when it names none
 * @param odd what is wrong with a value that begins with {@code bywash.}, so that it cannot be read; empty when nothing
 *     is
 * @param choices all others that begin with {@code bywash.}, for the queue's kind to interpret
 */
public record ListenerProperties(String segment, String queue, Path directory, String odd,
    Map<String, String> choices) {
  private static final String PREFIX = "bywash.";

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,64}");

  static ListenerProperties of(ServiceReference<?> reference) {
    Map<String, String> own = new HashMap<>();
    String odd = "";
    for (String key : reference.getPropertyKeys()) {
      Object value = reference.getProperty(key);
      if (!key.startsWith(PREFIX) || value == null) {
        continue;
      }
      Class<?> type = value.getClass();
      if (!type.isArray() && type.getPackageName().equals("java.lang")) {
        own.put(key, value.toString());
      } else { // its code may do anything
        odd = key + " is of type " + type.getTypeName() + ", and should be a text or a number";
      }
    }
    String segment = own.remove(BywashConstants.SEGMENT);
    String queue = own.remove(BywashConstants.QUEUE);
    String named = own.getOrDefault(BywashConstants.DIRECTORY, "").strip();
    Path directory = null;
    try {
      directory = named.isEmpty() ? null : Path.of(named).toAbsolutePath().normalize();
    } catch (InvalidPathException wrong) {
      odd = BywashConstants.DIRECTORY + " is no path: " + wrong.getReason();
    }
    return new ListenerProperties(segment == null ? "" : segment, queue == null ? "" : queue, directory, odd,
        Map.copyOf(own));
  }

  /** What the listener chose, or else {@code otherwise}. */
  public String choice(String key, String otherwise) {
    return choices.getOrDefault(key, otherwise);
  }

  /** What is wrong when one of these is chosen, which mean nothing where this is asked. */
  public Optional<String> without(String... keys) {
    return Stream.of(keys).filter(choices::containsKey).findFirst()
        .map(key -> key + "=" + choices.get(key) + " has no meaning for this kind of queue");
  }

  /** Why no queue can be found with them; empty when that is possible. */
  Optional<String> fault() {
    String subscription = choices.get(BywashConstants.SUBSCRIPTION);
    return !odd.isEmpty() ? Optional.of(odd) : segment.isEmpty() || queue.isEmpty()
        ? Optional.of(BywashConstants.SEGMENT + " or " + BywashConstants.QUEUE + " is missing")
        : subscription != null && !NAME.matcher(subscription).matches()
        ? Optional.of(BywashConstants.SUBSCRIPTION + "=" + subscription + " is not 1 to 64 of A-Z a-z 0-9 . _ -")
        : Optional.empty();
  }
}
