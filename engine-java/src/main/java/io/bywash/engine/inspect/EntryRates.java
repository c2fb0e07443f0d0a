package io.bywash.engine.inspect;

import io.bywash.engine.StructureStatus;
import io.bywash.engine.StructureStatus.Counter;
import io.bywash.engine.StructureStatus.Effect;
import io.bywash.engine.StructureStatus.Holder;
import io.bywash.engine.StructureStatus.Obstacle;
import io.bywash.engine.inspect.Finding.Severity;
import io.bywash.engine.inspect.SegmentStatus.EntryStatus;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What happened in one entry, of any kind, between two inspections of its segment. A rate is missing when the earlier
 * inspection did not see this entry or holder, or when both inspections were at the same time.
 *
 * @param entry its name
 * @param kind its kind, in lower case
 * @param counters its counters, as the later inspection saw them
 * @param perSecond the growth per second of those counters that have a rate, by name
 * @param fill the share of the capacity that is taken, 0 to 1; empty when that has no meaning for this kind
 * @param holders the holders of its roles, as the later inspection saw them
 * @param obstacles those of the holders that others wait for, the worst first
 */
public record EntryRates(String entry, String kind, List<Counter> counters, Map<String, Double> perSecond,
    Optional<Double> fill, List<HolderRates> holders, List<Obstacle> obstacles) {

  /**
   * What happened in one role.
   *
   * @param holder as the later inspection saw it
   * @param perSecond the growth per second of those counters of the holder that have a rate, by name
   */
  public record HolderRates(Holder holder, Map<String, Double> perSecond) {}

  static EntryRates between(EntryStatus entry, Optional<StructureStatus> earlier, double seconds) {
    StructureStatus now = entry.status().orElseThrow();
    List<HolderRates> holders = now.holders().stream().map(holder -> new HolderRates(holder, perSecond(
        holder.counters(), earlier.flatMap(before -> sameIn(before, holder)).map(Holder::counters), seconds))).toList();
    return new EntryRates(entry.name(), entry.kind(), now.counters(),
        perSecond(now.counters(), earlier.map(StructureStatus::counters), seconds), now.fill(), holders,
        earlier.map(before -> now.obstacles(before, seconds)).orElse(List.of()));
  }

  private static Optional<Holder> sameIn(StructureStatus status, Holder holder) {
    return status.holders().stream().filter(holder::isSameAs).findFirst();
  }

  private static Map<String, Double> perSecond(List<Counter> now, Optional<List<Counter>> earlier, double seconds) {
    Map<String, Double> rates = new LinkedHashMap<>();
    if (seconds > 0 && earlier.isPresent()) {
      for (Counter counter : now) {
        earlier.get().stream().filter(before -> counter.isRated() && before.name().equals(counter.name()))
            .forEach(before -> rates.put(counter.name(), Math.max(counter.value() - before.value(), 0) / seconds));
      }
    }
    return Collections.unmodifiableMap(rates);
  }

  Stream<Finding> findings(String segment, Effect effect) {
    return obstacles.stream().filter(each -> each.effect() == effect)
        .map(each -> new Finding(Severity.WARNING, segment + "/" + entry, each.problem(), each.advice()));
  }
}
