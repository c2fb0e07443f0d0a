package io.bywash.engine.inspect;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Kind;
import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.engine.broadcast.BroadcastStatus.SubscriberStatus;
import io.bywash.engine.inspect.Finding.Severity;
import io.bywash.engine.internal.SegmentEntry;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/**
 * The part of {@link SegmentCheck} about subscribers that hold a publisher back at what was overwritten. One that was overtaken
 * while it joined, before it counted, and has stopped since looks so: that is no damage, and nothing in shared memory tells it
 * from a damaged position. Whoever runs has moved on after a moment.
 */
final class OvertakenCheck {
  private OvertakenCheck() {}

  /** Looks at all entries, and once more after {@code settleNanos} if somebody is found. */
  static List<Finding> findings(List<SegmentEntry> entries, String segment, long settleNanos) {
    Map<SegmentEntry, List<SubscriberStatus>> first = new LinkedHashMap<>();
    entries.forEach(entry -> first.put(entry, overtaken(entry)));
    first.values().removeIf(List::isEmpty);
    if (!first.isEmpty()) {
      LockSupport.parkNanos(settleNanos);
    }
    List<Finding> findings = new ArrayList<>();
    first.forEach((entry, earlier) -> overtaken(entry).stream()
        .filter(now -> earlier.stream().anyMatch(before -> hasNotMoved(before, now)))
        .forEach(now -> findings.add(new Finding(Severity.WARNING, segment + "/" + entry.name() + ", role "
            + now.role(), "subscriber process " + now.participant().pid() + " holds the publisher back at position " + now.positionBytes() + ", which was overwritten"
            + " before it counted: it stopped while it joined, or its position is damaged", "Resume or end that process."))));
    return findings;
  }

  private static boolean hasNotMoved(SubscriberStatus before, SubscriberStatus now) {
    return before.isSameAs(now) && before.positionBytes() == now.positionBytes();
  }

  private static List<SubscriberStatus> overtaken(SegmentEntry entry) {
    if (entry.kind() != Kind.BROADCAST) {
      return List.of();
    }
    try {
      BroadcastStatus now = BroadcastStatus.of(entry);
      long firstByte = now.publishedBytes() - entry.capacity();
      return now.subscribers().stream().filter(each -> each.gating() && each.participant().alive()
          && each.positionBytes() >= 0 && each.positionBytes() < firstByte).toList();
    } catch (DamagedSegmentException toldAlready) {
      return List.of();
    }
  }
}
