package io.bywash.osgi.internal.queue;

import static io.bywash.osgi.BywashConstants.*;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.Lifetime;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BiFunction;

/**
 * What a configuration says.
 *
 * @param segment the segment's name
 * @param standard whether it is in the standard bus directory
 * @param path the segment's file
 * @param lifetime when the segment is removed
 * @param spec the queue
 * @param spareBytes for queues that are added later; matters only when the segment is created
 */
record QueueSettings(String segment, boolean standard, Path path, Lifetime lifetime, EntrySpec spec, long spareBytes) {
  private static final long MAX_SPARE_BYTES = 1L << 40;

  /**
   * Reads them.
   *
   * @param specification reads the queue's own part
   * @throws IllegalArgumentException when the configuration is wrong
   */
  static QueueSettings read(ConfigurationReader keys,
      BiFunction<String, ConfigurationReader, EntrySpec> specification) {
    String name = keys.text(SEGMENT);
    String queue = keys.text(QUEUE);
    String directory = keys.text(DIRECTORY, "");
    Lifetime lifetime = keys.oneOf(LIFETIME, LIFETIME_WHILE_USED, LIFETIME_WHILE_USED, LIFETIME_KEPT)
        .equals(LIFETIME_KEPT) ? Lifetime.KEPT : Lifetime.WHILE_USED;
    long spareBytes = keys.number(SPARE_BYTES, DEFAULT_SPARE_BYTES, 0, MAX_SPARE_BYTES);
    EntrySpec spec = null;
    String refused = "";
    try {
      spec = specification.apply(queue.isEmpty() ? "missing" : queue, keys);
    } catch (IllegalArgumentException wrong) {
      refused = wrong.getMessage();
    }
    if (!keys.faults().isEmpty() || spec == null) {
      throw new IllegalArgumentException(keys.faults().isEmpty() ? refused : keys.faults());
    }
    return new QueueSettings(name, directory.isEmpty(), ConfiguredQueue.directory(directory).path(name), lifetime,
        spec, spareBytes);
  }

  /** Whether nothing differs on which the queue depends. */
  boolean isSameQueueAs(QueueSettings other) {
    return other != null && path.equals(other.path) && lifetime == other.lifetime && spec.equals(other.spec);
  }

  /** A segment for all these queues, with the most room that one of them wants to be left. */
  static SegmentSpec segmentSpec(List<QueueSettings> all) {
    SegmentSpec spec = SegmentSpec.of(all.stream().map(QueueSettings::spec).toArray(EntrySpec[]::new))
        .withLifetime(all.getFirst().lifetime);
    long spareBytes = all.stream().mapToLong(QueueSettings::spareBytes).max().orElse(0);
    return spec.withSizeBytes(Math.addExact(spec.sizeBytes(), spareBytes));
  }

  Segment create(SegmentSpec spec) {
    return standard ? Segment.create(segment, spec) : Segment.create(path, spec);
  }
}
