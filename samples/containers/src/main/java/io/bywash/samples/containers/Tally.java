package io.bywash.samples.containers;

import java.util.Map;
import java.util.TreeMap;

/** Counts, and says on the standard output ten times a second what was counted. Any thread may use it. */
final class Tally {
  private static final long REPORT_MILLIS = 100;

  private final Map<String, Long> counts = new TreeMap<>();
  private final Thread reporter = Thread.ofPlatform().name("tally").daemon().unstarted(this::report);

  static Tally start() {
    Tally tally = new Tally();
    tally.reporter.start();
    return tally;
  }

  void add(String name) {
    add(name, 1);
  }

  synchronized void add(String name, long count) {
    counts.merge(name, count, Long::sum);
  }

  private synchronized void say() {
    StringBuilder line = new StringBuilder("counts");
    counts.forEach((name, count) -> line.append(' ').append(name).append('=').append(count));
    System.out.println(line);
  }

  private void report() {
    try {
      while (!System.out.checkError()) { // an error: whoever started this container has gone
        say();
        Thread.sleep(REPORT_MILLIS);
      }
      System.exit(1);
    } catch (InterruptedException over) {
      // stop has the last word
    }
  }

  void stop() {
    reporter.interrupt();
    say();
  }
}
