package io.bywash.osgi.internal;

import io.bywash.engine.inspect.StatusText;
import io.bywash.osgi.runtime.RuntimeDTO;
import io.bywash.osgi.runtime.RuntimeDTO.QueueDTO;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What {@link RuntimeDTO} says, as plain text with aligned tables. */
final class RuntimeText {
  private RuntimeText() {}

  static String of(RuntimeDTO dto) {
    StatusText text = new StatusText();
    dto.queues.stream().collect(Collectors.groupingBy(queue -> queue.kind, LinkedHashMap::new, Collectors.toList()))
        .values().forEach(same -> queues(text, same));
    table(text, dto.listeners, List.of("LISTENER", "BUNDLE", "SEGMENT", "QUEUE", "POLICY", "RECEIVED", "LOST", "THROWN",
        "STATE", "REASON"), each -> List.of("" + each.serviceId, each.bundle, each.segment, each.queue, each.policy,
        "" + each.receivedCount, "" + each.lostCount, "" + each.thrownCount, each.state, each.reason));
    table(text, dto.files, List.of("FILE", "NOT USABLE BECAUSE"), each -> List.of(each.path, each.reason));
    table(text, dto.calls, List.of("WAITING", "SECONDS", "FOR"),
        each -> List.of(each.call, "" + each.seconds, each.keeper));
    table(text, dto.configurations, List.of("CONFIGURATION", "SEGMENT", "QUEUE", "STATE", "REASON", "UNKNOWN KEYS"),
        each -> List.of(each.pid, each.segment, each.queue, each.state, each.reason,
            String.join(", ", each.unknownKeys)));
    if (text.toString().isEmpty()) {
      text.line("There are no queues, listeners and configurations.");
    }
    table(text, dto.directories, List.of("DIRECTORY", "CONFIGURATION", "FAILURE"),
        each -> List.of(each.path, each.pid, each.failure));
    dto.missing.forEach(text::line);
    return text.toString();
  }

  private static <T> void table(StatusText text, List<T> all, List<String> headers, Function<T, List<String>> row) {
    text.table(headers, all.stream().map(row).toList());
  }

  private static void queues(StatusText text, List<QueueDTO> same) {
    List<String> counters = same.stream().flatMap(queue -> queue.counters.keySet().stream()).distinct().toList();
    String own = Stream.concat(Stream.of("PID TASK"), same.stream().flatMap(queue -> queue.holders.stream())
        .flatMap(holder -> holder.counters.keySet().stream()).distinct()).collect(Collectors.joining(" "));
    List<String> headers = new ArrayList<>(List.of("SEGMENT", "QUEUE", "KIND", "OWNER"));
    counters.forEach(name -> headers.add(name.toUpperCase(Locale.ROOT)));
    headers.addAll(List.of("STATE", "ROLES (" + own + ")"));
    text.table(headers, same.stream().map(queue -> {
      List<String> row = new ArrayList<>(List.of(queue.segment, queue.queue, queue.kind,
          queue.ownerPid == 0 ? "none" : "" + queue.ownerPid));
      counters.forEach(name -> row.add(number(queue.counters, name)));
      row.add(queue.damage.isEmpty() ? queue.state : queue.damage);
      row.add(queue.holders.stream().map(RuntimeText::holder).collect(Collectors.joining(", ")));
      return row;
    }).toList());
  }

  private static String number(Map<String, Long> counters, String name) {
    Long value = counters.get(name);
    return value == null ? "" : value.toString();
  }

  private static String holder(RuntimeDTO.HolderDTO holder) {
    return Stream.concat(Stream.of(holder.pid + (holder.alive ? "" : " (gone)"), holder.task),
        holder.counters.values().stream().map(String::valueOf)).collect(Collectors.joining(" "));
  }

  /** One queue with those who hold its roles, one a line. */
  static String of(QueueDTO queue) {
    StatusText text = new StatusText();
    queues(text, List.of(queue));
    queue.obstacles.forEach(text::line);
    return text.toString();
  }
}
