package io.bywash.osgi.internal.queue;

import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The segments that this container holds on behalf of configurations and specifications. What has no other owner is
 * owned by whoever holds it so, as it would be by its creator; however its path is spelled. Any thread may use it.
 */
final class HeldSegments {
  private static final Map<Path, Integer> COUNTS = new ConcurrentHashMap<>();

  private HeldSegments() {}

  static void add(Path path) {
    COUNTS.merge(path.normalize(), 1, Integer::sum);
  }

  static void remove(Path path) {
    COUNTS.computeIfPresent(path.normalize(), (same, count) -> count == 1 ? null : count - 1);
  }

  static boolean contains(Path path) {
    return COUNTS.containsKey(path.normalize());
  }
}
