package io.bywash.engine.inspect;

import io.bywash.engine.StructureStatus.Counter;
import io.bywash.engine.StructureStatus.Form;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/** The columns of a table for counters that some or all of its rows have. */
final class CounterColumns {
  private static final String RATE = "PER SECOND";

  private final Map<String, Form> forms = new LinkedHashMap<>();

  /** Columns for all of these, in this order. */
  CounterColumns(Stream<Counter> counters) {
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

  /** The cells of one row; empty where it has no such counter, or no rate. */
  List<String> cells(List<Counter> counters, Map<String, Double> perSecond) {
    List<String> cells = new ArrayList<>();
    forms.forEach((name, form) -> {
      if (form != Form.RATE) {
        cells.add(counters.stream().filter(each -> each.name().equals(name)).map(CounterColumns::value).findFirst()
            .orElse(""));
      }
      if (form == Form.RATE || form == Form.COUNT_AND_RATE) {
        Double rate = perSecond.get(name);
        cells.add(rate == null ? "" : Long.toString(Math.round(rate)));
      }
    });
    return cells;
  }

  private static String value(Counter counter) {
    return counter.form() == Form.SHARE ? percent((double) counter.value() / counter.whole())
        : Long.toString(counter.value());
  }

  /** Full is only what is full. */
  static String percent(double share) {
    return (int) (100 * share) + "%";
  }
}
