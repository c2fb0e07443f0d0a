package io.bywash.samples.metrics;

import io.bywash.engine.BusException;
import io.bywash.engine.Participant;
import io.bywash.engine.Segment;
import io.bywash.engine.StructureStatus.Counter;
import io.bywash.engine.StructureStatus.Form;
import io.bywash.engine.StructureStatus.Holder;
import io.bywash.engine.StructureStatus.Obstacle;
import io.bywash.engine.inspect.EntryRates;
import io.bywash.engine.inspect.SegmentStatus;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * The status of a segment as meters, looked at again and again. Structures and holders of roles that come get meters,
 * those that go lose them. Looking only reads, and slows nobody down.
 *
 * <pre>{@code
 * try (SegmentMetrics metrics = new SegmentMetrics(Segment.observe("market"), Duration.ofSeconds(5))) {
 *   metrics.bindTo(registry); // for example one for Prometheus
 *   ...
 * }
 * }</pre>
 *
 * <p>All have the tag {@code segment}: {@code bywash.participants}, those that live; {@code bywash.deaths}, the dead
 * that were found. With {@code entry} and {@code kind}: {@code bywash.fill}, 0 to 1, and what the structure counts,
 * such as {@code bywash.published} or {@code bywash.blocked}. With {@code role}, {@code pid}, {@code label} and
 * {@code task}, too: what the holder of a role counts, such as {@code bywash.role.lag}, and {@code
 * bywash.role.holds.back}, how many processes wait for it.
 */
public final class SegmentMetrics implements MeterBinder, AutoCloseable {
  private final Segment segment;
  private final Thread looking;
  private final Map<Key, Value> values = new HashMap<>();
  private final Set<Long> dead = new HashSet<>();
  private MeterRegistry registry;
  private SegmentStatus earlier;
  private volatile boolean closed;

  private record Key(String name, Tags tags) {}

  /** What a meter shows; the registry refers to it weakly. */
  private static final class Value {
    private volatile double now;
    private Meter meter;
  }

  /**
   * @param segment any attachment, best one that only observes; closed with this
   * @param period the time between two looks
   */
  public SegmentMetrics(Segment segment, Duration period) {
    this.segment = Objects.requireNonNull(segment, "segment");
    this.looking = Thread.ofVirtual().unstarted(() -> {
      while (!closed) {
        LockSupport.parkNanos(period.toNanos());
        look();
      }
    });
  }

  /** Adds the meters to a registry; called once. */
  @Override
  public void bindTo(MeterRegistry newRegistry) {
    registry = newRegistry;
    look();
    looking.start();
  }

  private synchronized void look() {
    if (closed) {
      return;
    }
    try {
      SegmentStatus now = SegmentStatus.of(segment);
      Set<Key> seen = new HashSet<>();
      Tags tags = Tags.of("segment", now.name());
      now.participants().stream().filter(each -> !each.alive())
          .forEach(each -> dead.add((long) each.id() << Integer.SIZE | each.epoch()));
      set(seen, "participants", tags, now.participants().stream().filter(Participant::alive).count(), false);
      set(seen, "deaths", tags, dead.size(), true);
      now.rates(earlier == null ? now : earlier).forEach(entry -> set(seen, entry, tags));
      earlier = now;
      values.keySet().removeIf(key -> !seen.contains(key) && forget(values.get(key)));
    } catch (BusException damaged) { // the meters stay as they are
      System.getLogger(getClass().getName()).log(System.Logger.Level.WARNING, "No meters of " + segment, damaged);
    }
  }

  private void set(Set<Key> seen, EntryRates entry, Tags segmentTags) {
    Tags tags = segmentTags.and("entry", entry.entry(), "kind", entry.kind());
    entry.fill().ifPresent(fill -> set(seen, "fill", tags, fill, false));
    entry.counters().forEach(counter -> set(seen, "", counter, tags));
    for (EntryRates.HolderRates rates : entry.holders()) {
      Holder holder = rates.holder();
      Tags own = tags.and("role", Integer.toString(holder.role()), "pid", Long.toString(holder.participant().pid()),
          "label", holder.label(), "task", holder.task());
      holder.counters().forEach(counter -> set(seen, "role.", counter, own));
      set(seen, "role.holds.back", own, entry.obstacles().stream().filter(each -> each.role() == holder.role())
          .map(Obstacle::heldBackPids).mapToInt(pids -> pids.size()).sum(), false);
    }
  }

  private void set(Set<Key> seen, String prefix, Counter counter, Tags tags) {
    double value = counter.form() == Form.SHARE ? (double) counter.value() / counter.whole() : counter.value();
    set(seen, prefix + counter.name().replace(' ', '.'), tags, value, counter.isRated());
  }

  private void set(Set<Key> seen, String shortName, Tags tags, double now, boolean grows) {
    String name = "bywash." + shortName;
    Key key = new Key(name, tags);
    Value value = values.computeIfAbsent(key, missing -> new Value());
    value.now = now;
    if (value.meter == null) {
      value.meter = grows ? FunctionCounter.builder(name, value, each -> each.now).tags(tags).register(registry)
          : Gauge.builder(name, value, each -> each.now).tags(tags).register(registry);
    }
    seen.add(key);
  }

  private boolean forget(Value value) {
    registry.remove(value.meter);
    return true;
  }

  /** Takes the meters out of the registry, and closes the segment. */
  @Override
  public synchronized void close() {
    closed = true;
    LockSupport.unpark(looking);
    values.values().forEach(this::forget);
    values.clear();
    segment.close();
  }
}
