package io.bywash.engine.inspect;

import io.bywash.engine.inspect.Finding.Severity;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.directory.StructureType.Suspect;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/**
 * The part of {@link SegmentCheck} about participants that may have stopped in the middle of a step and hold others up.
 * One that runs has moved on a moment later, so each suspect is checked twice.
 */
final class SuspectCheck {
  private SuspectCheck() {}

  /** Checks all entries and, if there are suspects, again after {@code settleNanos}. Reports who is a suspect twice. */
  static List<Finding> findings(List<SegmentEntry> entries, String segment, long settleNanos) {
    Map<SegmentEntry, List<Suspect>> first = new LinkedHashMap<>();
    entries.forEach(entry -> first.put(entry, entry.suspects()));
    first.values().removeIf(List::isEmpty);
    if (!first.isEmpty()) {
      LockSupport.parkNanos(settleNanos);
    }
    List<Finding> findings = new ArrayList<>();
    first.forEach((entry, earlier) -> entry.suspects().stream().filter(earlier::contains)
        .filter(suspect -> !entry.isGone()).forEach(suspect ->
        findings.add(new Finding(Severity.WARNING, segment + "/" + entry.name() + ", role " + suspect.role(),
            suspect.problem(), suspect.advice()))));
    return findings;
  }
}
