package io.bywash.engine.inspect;

import io.bywash.engine.Participant;
import io.bywash.engine.Removal;
import io.bywash.engine.StructureStatus.Holder;
import io.bywash.engine.StructureStatus.Obstacle;
import io.bywash.engine.inspect.BusStatus.FileStatus;
import io.bywash.engine.inspect.EntryRates.HolderRates;
import io.bywash.engine.inspect.SegmentStatus.EntryStatus;
import io.bywash.engine.internal.layout.LayoutText;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Formats what this package reports as plain text with aligned tables, for commands, shells and samples. Parts are
 * added one by one, with an empty line between them; {@link #toString} has the text. Each method that adds a part
 * returns this object. Used by one thread.
 */
public final class StatusText {
  private static final Map<String, Double> NO_RATES = Map.of();
  private static final String GAP = "  ";

  private static final int UNLIMITED = Integer.MAX_VALUE;

  private final StringBuilder text = new StringBuilder();
  private final int width;

  /** Creates an empty text, whose lines are as long as what they hold. */
  public StatusText() {
    this(UNLIMITED);
  }

  private StatusText(int width) {
    this.width = width;
  }

  /**
   * An empty text for a terminal. Lines that are too long for it go on in further ones, which are indented; columns
   * without content are left out, and shares are drawn as bars.
   *
   * @param widthColumns how many columns the terminal has, at least 20
   */
  public static StatusText ofWidth(int widthColumns) {
    if (widthColumns < 20) {
      throw new IllegalArgumentException("widthColumns=" + widthColumns + " must be at least 20");
    }
    return new StatusText(widthColumns);
  }

  /**
   * Adds a table, if it has any rows. Columns that hold only numbers or percentages are aligned to the right.
   *
   * @param rows each with as many cells as there are headers
   */
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
      boolean empty = width != UNLIMITED && cells.stream().allMatch(String::isEmpty);
      widths[column] = empty ? 0
          : Math.max(headers.get(column).length(), cells.stream().mapToInt(String::length).max().orElse(0));
      numbers[column] = cells.stream().allMatch(cell -> cell.matches("[0-9]*%?"));
    }
    List<List<String>> lines = new ArrayList<>(rows);
    lines.addFirst(headers);
    for (List<String> line : lines) {
      StringBuilder out = new StringBuilder();
      for (int column = 0; column < widths.length; column++) {
        if (widths[column] > 0) {
          String padding = " ".repeat(widths[column] - line.get(column).length());
          String cell = numbers[column] ? padding + line.get(column) : line.get(column) + padding;
          if (!out.isEmpty() && out.length() + cell.length() > width) { // so in all rows
            endLine(out);
            out.append(GAP);
          }
          out.append(cell).append(GAP);
        }
      }
      endLine(out);
    }
    return this;
  }

  /** Adds a line, in pieces if it is too long, unless it is blank because of cells that are empty. */
  private void endLine(StringBuilder line) {
    String rest = line.toString().stripTrailing();
    line.setLength(0);
    while (rest.length() > width) {
      int blank = rest.lastIndexOf(' ', width);
      int end = blank > GAP.length() ? blank : width;
      text.append(rest.substring(0, end).stripTrailing()).append('\n');
      rest = GAP + rest.substring(end).stripLeading();
    }
    if (!rest.isEmpty()) {
      text.append(rest).append('\n');
    }
  }

  private String share(double share) {
    return CounterColumns.share(share, width != UNLIMITED);
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

  /** Adds a line, without an empty one before it. */
  public StatusText line(String line) {
    if (line.length() <= width) {
      text.append(line).append('\n');
    } else {
      endLine(new StringBuilder(line));
    }
    return this;
  }

  /** Adds a table of the files in a bus directory. */
  public StatusText bus(BusStatus bus) {
    if (bus.files().isEmpty()) {
      separate();
      return line("There are no segments in " + bus.directory() + ".");
    }
    return table(List.of("SEGMENT", "STATE", "SIZE", "LIFETIME", "ENTRIES", "PROCESSES", "WHAT IT IS"),
        bus.files().stream().map(StatusText::fileRow).toList());
  }

  private static List<String> fileRow(FileStatus file) {
    String size = file.sizeBytes() < 0 ? "" : HostFiles.size(file.sizeBytes());
    String lifetime = file.segment().map(segment -> words(segment.lifetime())).orElse("");
    String entries = file.segment().map(segment -> Integer.toString(segment.entries().size())).orElse("");
    String processes = file.segment().map(segment -> segment.participants().stream().map(StatusText::process).distinct()
        .collect(Collectors.joining(", "))).orElse("");
    return List.of(file.name(), words(file.state()), size, lifetime, entries, processes, file.explanation());
  }

  private static String words(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  /**
   * Adds a segment: its participants, its entries, and the holders of roles in them.
   *
   * @param earlier an earlier status of the same segment, since which rates are measured; if it is {@code now}, rates
   *     are left empty
   */
  public StatusText segment(SegmentStatus now, SegmentStatus earlier) {
    separate();
    line("segment " + now.name() + ": " + HostFiles.size(now.sizeBytes()) + ", " + HostFiles.size(now.unusedBytes())
        + " unused, " + words(now.lifetime()) + ", since " + now.created() + ", " + now.participants().size() + " of "
        + now.participantCapacity() + " participants, " + now.entries().size() + " of " + now.entryCapacity()
        + " entries");
    table(List.of("PARTICIPANT", "PROCESS", "LABEL", "STATE", "WAKES"), now.participants().stream().map(each -> List.of(
        Integer.toString(each.id()), number(each) + (now.foreignPids().contains(each.pid()) ? " (elsewhere)" : ""),
        Finding.printable(each.label()), state(each), each.canWake() ? "yes" : "no")).toList());
    return entries(now.entries(), now.rates(earlier));
  }

  /** For each kind, one table of the entries and one of the holders of their roles. The kind's counters are columns. */
  StatusText entries(List<EntryStatus> entries, List<EntryRates> rates) {
    byKind(entries, EntryStatus::kind).forEach((kind, same) ->
        entriesOfKind(same, rates.stream().filter(each -> each.kind().equals(kind)).toList()));
    byKind(rates, EntryRates::kind).values().forEach(this::holders);
    return this;
  }

  private static <T> Map<String, List<T>> byKind(List<T> all, Function<T, String> kind) {
    return all.stream().collect(Collectors.groupingBy(kind, LinkedHashMap::new, Collectors.toList()));
  }

  private void entriesOfKind(List<EntryStatus> entries, List<EntryRates> rates) {
    CounterColumns columns = new CounterColumns(rates.stream().flatMap(each -> each.counters().stream()),
        width != UNLIMITED);
    boolean fills = rates.stream().anyMatch(each -> each.fill().isPresent());
    List<String> shares = fills ? List.of("FULL") : List.of();
    table(row(List.of("ENTRY", "KIND", "CAPACITY"), shares, List.of("OWNER"), columns.headers(), List.of("DAMAGE")),
        entries.stream().map(entry -> {
          Optional<EntryRates> found = rates.stream().filter(each -> each.entry().equals(entry.name())
              && entry.status().isPresent()).findFirst();
          List<String> fill = List.of(found.flatMap(EntryRates::fill).map(this::share).orElse(""));
          return row(List.of(entry.name(), entry.kind(), capacity(entry)), fills ? fill : List.of(),
              List.of(entry.owner().map(StatusText::process).orElse("none")),
              columns.cells(found.map(EntryRates::counters).orElse(List.of()),
                  found.map(EntryRates::perSecond).orElse(NO_RATES)),
              List.of(entry.damage()));
        }).toList());
  }

  private static String capacity(EntryStatus entry) {
    return entry.capacityUnit().equals("bytes") ? HostFiles.size(entry.capacity())
        : (entry.capacity() + " " + entry.capacityUnit()).strip();
  }

  private void holders(List<EntryRates> entries) {
    CounterColumns columns = new CounterColumns(entries.stream().flatMap(entry -> entry.holders().stream())
        .flatMap(each -> each.holder().counters().stream()), width != UNLIMITED);
    List<List<String>> rows = new ArrayList<>();
    for (EntryRates entry : entries) {
      for (HolderRates each : entry.holders()) {
        Holder holder = each.holder();
        rows.add(row(
            List.of(entry.entry(), Integer.toString(holder.role()), process(holder.participant()),
                Finding.printable(holder.label()), holder.task()),
            columns.cells(holder.counters(), each.perSecond()), List.of(heldBack(entry, holder.role()))));
      }
    }
    table(row(List.of("ENTRY", "ROLE", "PROCESS", "LABEL", "TASK"), columns.headers(), List.of("HOLDS BACK")), rows);
  }

  private static String heldBack(EntryRates entry, int role) {
    List<Long> pids = entry.obstacles().stream().filter(each -> each.role() == role).map(Obstacle::heldBackPids)
        .findFirst().orElse(List.of());
    return pids.isEmpty() ? "" : (pids.size() == 1 ? "process " : "processes ")
        + pids.stream().map(String::valueOf).collect(Collectors.joining(", "));
  }

  @SafeVarargs
  private static List<String> row(List<String>... parts) {
    List<String> row = new ArrayList<>();
    for (List<String> part : parts) {
      row.addAll(part);
    }
    return row;
  }

  /** Adds a map of a segment: what lies where, how its bytes are used, and what its entries' elements consist of. */
  public StatusText layout(LayoutStatus layout) {
    table(List.of("OFFSET", "SIZE", "KIND", "NAME", "ELEMENT", "CAPACITY", "FULL", "OWNER"),
        layout.places().stream().map(this::placeRow).toList());
    separate();
    line("segment " + layout.name() + ": " + layout.sizeBytes() + " bytes, " + layout.overheadBytes() + " overhead, "
        + layout.freeBytes() + " free");
    for (LayoutStatus.Place place : layout.places()) {
      if (!place.layout().isEmpty()) {
        separate();
        line("elements of " + place.name() + ":");
        place.layout().lines().forEach(each -> line("  " + each));
      }
    }
    return this;
  }

  private List<String> placeRow(LayoutStatus.Place place) {
    boolean entry = !place.name().isEmpty();
    return List.of(Long.toString(place.offsetBytes()), Long.toString(place.sizeBytes()), place.kind(), place.name(),
        entry ? element(place) : "",
        place.capacity() == 0 ? "" : (place.capacity() + " " + place.capacityUnit()).strip(),
        place.fill().map(this::share).orElse(""),
        entry ? place.owner().map(StatusText::process).orElse("none") : "");
  }

  private static String element(LayoutStatus.Place place) {
    String types = place.layout().lines().filter(line -> !line.startsWith(" ") && !line.startsWith(LayoutText.PART))
        .map(line -> line.substring(line.lastIndexOf(' ') + 1)).collect(Collectors.joining(", "));
    return types.isEmpty() ? place.elementSizeBytes() + " bytes" : types;
  }

  /** Adds the layouts of a segment's entries as a C header. */
  public StatusText cHeader(LayoutStatus layout) {
    text.append(CHeader.of(layout));
    return this;
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

  /** Adds a table with the outcome of each removal. */
  public StatusText removals(List<Removal> removals) {
    return table(List.of("FILE", "OUTCOME", "WHY"), removals.stream()
        .map(removal -> List.of(removal.name(), words(removal.outcome()), removal.explanation())).toList());
  }

  /** Adds the facts about a host, one a line, and the findings. */
  public StatusText host(HostStatus host) {
    separate();
    int width = host.facts().keySet().stream().mapToInt(String::length).max().orElse(0);
    host.facts().forEach((name, value) -> line(name + " ".repeat(width - name.length()) + GAP + value));
    return findings(host.findings());
  }

  /** All parts that were added, with an empty line between them. Each line ends with a line feed. */
  @Override
  public String toString() {
    return text.toString();
  }
}
