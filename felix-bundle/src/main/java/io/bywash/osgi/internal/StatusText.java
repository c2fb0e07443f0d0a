package io.bywash.osgi.internal;

import io.bywash.engine.BusException;
import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.engine.broadcast.BroadcastStatus.SubscriberStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Renders the state of queues as plain aligned tables. Knows the engine only, and nothing of a container, so that any
 * program can show the same.
 */
public final class StatusText {
  /** What {@link #queueRow} fills in. */
  public static final List<String> QUEUE_HEADERS =
      List.of("SEGMENT", "QUEUE", "KIND", "OWNER", "PUBLISHED", "STATE", "SUBSCRIBERS (PID POLICY LAG LOST)");

  private static final String GAP = "  ";

  private final StringBuilder text = new StringBuilder();

  /** Nothing yet. */
  public StatusText() {}

  /** Adds a table, if it has any rows. Columns that hold numbers only are aligned to the right. */
  public StatusText table(List<String> headers, List<List<String>> rows) {
    if (rows.isEmpty()) {
      return this;
    }
    if (!text.isEmpty()) {
      text.append('\n');
    }
    int[] widths = new int[headers.size()];
    boolean[] numbers = new boolean[headers.size()];
    for (int column = 0; column < widths.length; column++) {
      int index = column;
      List<String> cells = rows.stream().map(row -> row.get(index)).toList();
      widths[column] = Math.max(headers.get(column).length(), cells.stream().mapToInt(String::length).max().orElse(0));
      numbers[column] = cells.stream().allMatch(cell -> cell.chars().allMatch(Character::isDigit));
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
      String owner = entry.owner().map(found -> found.pid() + (found.alive() ? "" : " (gone)")).orElse("none");
      BroadcastStatus status = BroadcastStatus.of(entry);
      return List.of(segment, entry.name(), kind, owner, Long.toString(status.messageCount()), state,
          status.subscribers().stream().map(StatusText::subscriber).collect(Collectors.joining(", ")));
    } catch (BusException | InternalError damaged) { // an InternalError: the file was truncated
      return List.of(segment, entry.name(), kind, "", "", String.valueOf(damaged.getMessage()), "");
    }
  }

  private static String subscriber(SubscriberStatus subscriber) {
    return subscriber.participant().pid() + (subscriber.participant().alive() ? "" : " (gone)")
        + (subscriber.evicted() ? " evicted " : subscriber.gating() ? " block " : " skip ") + subscriber.lagMessages() + " " + subscriber.lostMessages();
  }

  /** All tables, each line ended, an empty line between two of them. */
  @Override
  public String toString() {
    return text.toString();
  }
}
