package io.bywash.engine.inspect;

import io.bywash.engine.StructureStatus.Counter;
import io.bywash.engine.StructureStatus.Form;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/** The columns of a table that show counters. A row need not have all of them. */
final class CounterColumns {
  private static final String RATE = "PER SECOND";

  private static final int BAR = 10;

  private final Map<String, Form> forms = new LinkedHashMap<>();
  private final boolean bars;

  /** Columns for all these counters, in the order in which their names first occur; shares may be drawn as bars. */
  CounterColumns(Stream<Counter> counters, boolean bars) {
    this.bars = bars;
    counters.forEach(counter -> forms.putIfAbsent(counter.name(), counter.form()));
  }

  List<String> headers() {
    List<String> headers = new ArrayList<>();
    forms.forEach((name, form) -> {
      if (form != Form.RATE) {
        headers.add(name.toUpperCase(Locale.ROOT));
      }
      if (form == Form.RATE || form == Form.COUNT_AND_RATE) {
        headers.add(RATE);
      }
    });
    return headers;
  }

  /** The cells of one row. A cell is empty where the row has no such counter, or the counter has no rate. */
  List<String> cells(List<Counter> counters, Map<String, Double> perSecond) {
    List<String> cells = new ArrayList<>();
    forms.forEach((name, form) -> {
      if (form != Form.RATE) {
        cells.add(counters.stream().filter(each -> each.name().equals(name)).map(this::value).findFirst()
            .orElse(""));
      }
      if (form == Form.RATE || form == Form.COUNT_AND_RATE) {
        Double rate = perSecond.get(name);
        cells.add(rate == null ? "" : Long.toString(Math.round(rate)));
      }
    });
    return cells;
  }

  private String value(Counter counter) {
    return counter.form() == Form.SHARE ? share((double) counter.value() / counter.whole(), bars)
        : Long.toString(counter.value());
  }

  /** The share in per cent, rounded down, so that only what is full is shown as 100%; behind a bar if wanted. */
  static String share(double share, boolean bar) {
    String percent = (int) (100 * share) + "%";
    int filled = Math.clamp((long) (BAR * share), 0, BAR);
    return bar ? "#".repeat(filled) + ".".repeat(BAR - filled) + String.format(Locale.ROOT, " %4s", percent) : percent;
  }
}
