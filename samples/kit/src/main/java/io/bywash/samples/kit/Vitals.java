package io.bywash.samples.kit;

import io.bywash.engine.*;
import io.bywash.engine.cell.RecordArray;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Tells a monitor every 0.5 s how this process fares, in its own element of an array that all processes share. The
 * counters may be used by any thread.
 */
public final class Vitals implements AutoCloseable {
  /** The name of the array. */
  public static final String ENTRY = "vitals";

  private static final long PERIOD_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  private final AtomicLong processed = new AtomicLong();
  private final AtomicLong errors = new AtomicLong();
  private final AtomicLong full = new AtomicLong();
  private final AtomicLong latencyNanos = new AtomicLong();
  private final RecordArray<Stats> array;
  private final int index;
  private final String name;
  private final Thread teller;
  private volatile boolean over;

  private Vitals(Segment segment, int index, String name) {
    this.array = RecordArray.open(segment.directory().find(ENTRY, Kind.CELLS), Stats.STATS);
    this.index = index;
    this.name = name;
    this.teller = Thread.ofPlatform().name("vitals").daemon().unstarted(this::tellOn);
  }

  /** The array, for so many processes. */
  public static EntrySpec spec(int processes) {
    return RecordArray.spec(ENTRY, processes, Stats.STATS);
  }

  /** Begins to tell, in the element at that index. */
  public static Vitals begin(Segment segment, int index, String name) {
    Vitals vitals = new Vitals(segment, index, name);
    vitals.teller.start();
    return vitals;
  }

  /** A message was processed, and took so long. */
  public void processed(long nanos) {
    latencyNanos.addAndGet(nanos);
    processed.incrementAndGet();
  }

  /** A message could not be processed. */
  public void error() {
    errors.incrementAndGet();
  }

  /** A queue was full. */
  public void full() {
    full.incrementAndGet();
  }

  private void tellOn() {
    try (array) {
      boolean last;
      do {
        last = over; // what was counted before the end is told once more
        long count = processed.get();
        Stats stats = new Stats(ProcessHandle.current().pid(), name, count, errors.get(), full.get(),
            latencyNanos.get() / Math.max(count, 1), System.nanoTime());
        if (!array.set(index, stats, PERIOD_NANOS)) {
          System.err.println(name + ": another process sets the same element");
        }
        if (!last) {
          LockSupport.parkNanos(PERIOD_NANOS);
        }
      } while (!last);
    } catch (SegmentClosedException | EntryRemovedException gone) {
      // nobody is told any more
    }
  }

  /** Tells a last time; what was told stays. */
  @Override
  public void close() {
    over = true;
    LockSupport.unpark(teller);
    try {
      teller.join();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
