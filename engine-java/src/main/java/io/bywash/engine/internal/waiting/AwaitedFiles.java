package io.bywash.engine.internal.waiting;

import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * The files that somebody waits for, all of which the hub looks for from time to time: nobody tells when one comes. Any
 * thread may add one; all else is for the hub's thread.
 */
final class AwaitedFiles {
  static final long LOOK_NANOS = 4_000_000;

  private final Queue<Arrival> arrivals = new ConcurrentLinkedQueue<>();
  private final List<Arrival> awaited = new ArrayList<>();
  private long lookNanos;

  /** A file, and who waits for it. */
  record Arrival(Path file, Hub.Wait waiting) {}

  Arrival add(Path file, Hub.Wait wait) {
    Arrival arrival = new Arrival(file, wait);
    arrivals.add(arrival);
    return arrival;
  }

  /** Undoes {@link #add}. */
  void remove(Arrival arrival) {
    arrivals.remove(arrival);
  }

  boolean hasArrivals() {
    return !arrivals.isEmpty();
  }

  /** Whether nobody waits, apart from new arrivals. */
  boolean isEmpty() {
    return awaited.isEmpty();
  }

  /** Takes in the arrivals; looks for all files, and ends their waits, if the last look was long enough ago. */
  void look() {
    for (Arrival arrival = arrivals.peek(); arrival != null; arrival = arrivals.peek()) {
      if (awaited.isEmpty()) {
        lookNanos = System.nanoTime();
      }
      awaited.add(arrival); // first, since it may fail
      arrivals.remove();
    }
    if (awaited.isEmpty() || System.nanoTime() - lookNanos < LOOK_NANOS) {
      return;
    }
    lookNanos = System.nanoTime();
    for (int i = awaited.size() - 1; i >= 0; i--) {
      Arrival each = awaited.get(i);
      if (!each.waiting.isOver() && Files.exists(each.file, LinkOption.NOFOLLOW_LINKS)) {
        each.waiting.end(null);
      }
      if (each.waiting.isOver()) {
        awaited.remove(i);
      }
    }
  }
}
