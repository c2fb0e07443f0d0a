package io.bywash.engine.inspect;

import io.bywash.engine.BusException;
import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Participant;
import io.bywash.engine.Removal;
import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.engine.broadcast.BroadcastStatus.SubscriberStatus;
import io.bywash.engine.inspect.BusStatus.FileStatus;
import io.bywash.engine.inspect.QueueRates.Effect;
import io.bywash.engine.inspect.QueueRates.SubscriberRates;
import io.bywash.engine.inspect.SegmentStatus.EntryStatus;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What this package sees, as plain text with aligned tables: the one way in which commands, shells and samples show it.
 * Parts are added one by one, with an empty line between two of them. Used by one thread.
 */
public final class StatusText {
  /** What {@link #queueRow} fills in. */
  public static final List<String> QUEUE_HEADERS =
      List.of("SEGMENT", "QUEUE", "KIND", "OWNER", "PUBLISHED", "STATE", "SUBSCRIBERS (PID POLICY LAG LOST)");

  private static final String GAP = "  ";

  private final StringBuilder text = new StringBuilder();

  /** Nothing yet. */
  public StatusText() {}

  /** Adds a table, if it has any rows. Columns that hold only numbers or shares are aligned to the right. */
  public StatusText table(List<String> headers, List<List<String>> rows) {
    if (rows.isEmpty()) {
      return this;
    }
    separate();
    int[] widths = new int[headers.size()];
    boolean[] numbers = new boolean[headers.size()];
    for (int column = 0; column < widths.length; column++) {
      int index = column;
      List<String> cells = rows.stream().map(row -> row.get(index)).toList();
      widths[column] = Math.max(headers.get(column).length(), cells.stream().mapToInt(String::length).max().orElse(0));
      numbers[column] = cells.stream().allMatch(cell -> cell.matches("[0-9]*%?"));
    }
    List<List<String>> lines = new ArrayList<>(rows);
    lines.addFirst(headers);
    for (List<String> line : lines) {
      StringBuilder out = new StringBuilder();
      for (int column = 0; column < widths.length; column++) {
        String padding = " ".repeat(widths[column] - line.get(column).length());
        out.append(numbers[column] ? padding + line.get(column) : line.get(column) + padding).append(GAP);
      }
      text.append(out.toString().stripTrailing()).append('\n');
    }
    return this;
  }

  /** The row of one queue, of whatever kind. */
  public static List<String> queueRow(String segment, Entry entry, String state) {
    String kind = entry.kind().name().toLowerCase(Locale.ROOT);
    if (entry.kind() != Kind.BROADCAST) {
      return List.of(segment, entry.name(), kind, "", "", state, "");
    }
    try {
      BroadcastStatus status = BroadcastStatus.of(entry);
      String owner = owner(entry.owner(), Optional.of(status));
      return List.of(segment, entry.name(), kind, owner, Long.toString(status.messageCount()), state,
          status.subscribers().stream().map(StatusText::subscriber).collect(Collectors.joining(", ")));
    } catch (BusException | InternalError damaged) { // an InternalError: the file was truncated
      return List.of(segment, entry.name(), kind, "", "", String.valueOf(damaged.getMessage()), "");
    }
  }

  /** Whose publisher was revoked comes first: until it is out, nobody can publish. */
  private static String owner(Optional<Participant> owner, Optional<BroadcastStatus> status) {
    return status.flatMap(BroadcastStatus::revokedPublisher).map(holder -> process(holder) + " (revoked)")
        .orElseGet(() -> owner.map(StatusText::process).orElse("none"));
  }

  private static String subscriber(SubscriberStatus subscriber) {
    return process(subscriber.participant()) + " " + policy(subscriber) + " " + subscriber.lagMessages() + " "
        + subscriber.lostMessages();
  }

  private static String policy(SubscriberStatus subscriber) {
    return !subscriber.evicted() ? subscriber.policy() : subscriber.policy().equals("evict") ? "evicted" : "revoked";
  }

  private static String process(Participant participant) {
    return number(participant) + (participant.alive() ? "" : participant.leaving() ? " (left)" : " (gone)");
  }

  private static String state(Participant participant) {
    return participant.alive() ? participant.leaving() ? "leaving" : "alive" : participant.leaving() ? "left" : "dead";
  }

  private static String number(Participant participant) {
    return participant.pid() == 0 ? "unknown" : Long.toString(participant.pid());
  }

  private void separate() {
    if (!text.isEmpty()) {
      text.append('\n');
    }
  }

  /** Adds a line. */
  public StatusText line(String line) {
    text.append(line).append('\n');
    return this;
  }

  /** Adds the files of a bus directory, one a row. */
  public StatusText bus(BusStatus bus) {
    if (bus.files().isEmpty()) {
      separate();
      return line("There are no segments in " + bus.directory() + ".");
    }
    return table(List.of("SEGMENT", "STATE", "SIZE", "LIFETIME", "QUEUES", "PROCESSES", "WHAT IT IS"),
        bus.files().stream().map(StatusText::fileRow).toList());
  }

  private static List<String> fileRow(FileStatus file) {
    String size = file.sizeBytes() < 0 ? "" : HostFiles.size(file.sizeBytes());
    String lifetime = file.segment().map(segment -> words(segment.lifetime())).orElse("");
    String queues = file.segment().map(segment -> Integer.toString(segment.entries().size())).orElse("");
    String processes = file.segment().map(segment -> segment.participants().stream().map(StatusText::process).distinct()
        .collect(Collectors.joining(", "))).orElse("");
    return List.of(file.name(), words(file.state()), size, lifetime, queues, processes, file.explanation());
  }

  private static String words(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  /** Adds a segment: who is attached, its queues, their subscribers. Rates are those since an earlier look at it. */
  public StatusText segment(SegmentStatus now, SegmentStatus earlier) {
    separate();
    line("segment " + now.name() + ": " + HostFiles.size(now.sizeBytes()) + ", " + HostFiles.size(now.unusedBytes())
        + " unused, " + words(now.lifetime()) + ", since " + now.created() + ", " + now.participants().size() + " of "
        + now.participantCapacity() + " participants, " + now.entries().size() + " of " + now.entryCapacity() + " entries");
    table(List.of("PARTICIPANT", "PROCESS", "STATE", "WAKES"), now.participants().stream().map(each -> List.of(
        Integer.toString(each.id()), number(each) + (now.foreignPids().contains(each.pid()) ? " (elsewhere)" : ""),
        state(each), each.canWake() ? "yes" : "no")).toList());
    List<QueueRates> rates = now.rates(earlier);
    table(List.of("QUEUE", "KIND", "CAPACITY", "FULL", "OWNER", "PUBLISHED", "PER SECOND", "BLOCKED", "PER SECOND",
        "EVICTED", "DAMAGE"), now.entries().stream().map(entry -> queueRow(entry, rates)).toList());
    return table(
        List.of("QUEUE", "ROLE", "SUBSCRIBER", "POLICY", "PER SECOND", "LAG", "OF THE RING", "LOST", "HOLDS BACK"),
        rates.stream().flatMap(queue -> queue.subscribers().stream().map(each -> subscriberRow(queue, each))).toList());
  }

  private static List<String> queueRow(EntryStatus entry, List<QueueRates> all) {
    Optional<BroadcastStatus> now = entry.broadcast();
    Optional<QueueRates> rates = now.flatMap(
        status -> all.stream().filter(queue -> queue.queue().equals(entry.name())).findFirst());
    return List.of(entry.name(), entry.kind(), HostFiles.size(entry.capacity()),
        rates.map(queue -> QueueRates.percent(queue.fullShare())).orElse(""),
        owner(entry.owner(), now), number(now.map(BroadcastStatus::messageCount)),
        rate(rates.flatMap(QueueRates::publishedPerSecond)), number(now.map(BroadcastStatus::blockedCount)),
        rate(rates.flatMap(QueueRates::blockedPerSecond)), number(now.map(BroadcastStatus::evictedCount)),
        entry.damage());
  }

  private static List<String> subscriberRow(QueueRates queue, SubscriberRates rates) {
    SubscriberStatus subscriber = rates.subscriber();
    return List.of(queue.queue(), Integer.toString(subscriber.role()), process(subscriber.participant()),
        policy(subscriber), rate(rates.readPerSecond()), Long.toString(subscriber.lagMessages()),
        QueueRates.percent(rates.ringShare()), Long.toString(subscriber.lostMessages()),
        rates.effect() == Effect.NONE ? "" : "process " + queue.publisher().orElseThrow());
  }

  private static String number(Optional<Long> value) {
    return value.map(String::valueOf).orElse("");
  }

  private static String rate(Optional<Double> perSecond) {
    return perSecond.map(rate -> Long.toString(Math.round(rate))).orElse("");
  }

  /** Adds findings, the worst first, each with its advice. */
  public StatusText findings(List<Finding> findings) {
    if (!findings.isEmpty()) {
      separate();
    }
    findings.stream().sorted(Comparator.comparing(Finding::severity).reversed()).forEach(finding -> {
      String end = finding.problem().endsWith(".") ? "" : ".";
      line(words(finding.severity()) + ": " + finding.where() + ": " + finding.problem() + end);
      if (!finding.advice().isEmpty()) {
        line("  " + finding.advice());
      }
    });
    return this;
  }

  /** Adds what became of files that were to be removed. */
  public StatusText removals(List<Removal> removals) {
    return table(List.of("FILE", "OUTCOME", "WHY"), removals.stream()
        .map(removal -> List.of(removal.name(), words(removal.outcome()), removal.explanation())).toList());
  }

  /** Adds what there is about a host. */
  public StatusText host(HostStatus host) {
    separate();
    int width = host.facts().keySet().stream().mapToInt(String::length).max().orElse(0);
    host.facts().forEach((name, value) -> line(name + " ".repeat(width - name.length()) + GAP + value));
    return findings(host.findings());
  }

  /** All tables, each line ended, an empty line between two of them. */
  @Override
  public String toString() {
    return text.toString();
  }
}
