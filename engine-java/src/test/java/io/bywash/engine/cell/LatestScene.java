package io.bywash.engine.cell;

import io.bywash.engine.Entry;
import io.bywash.engine.death.Probe;
import io.bywash.engine.death.Scene;
import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.subject.DeathSubject;
import io.bywash.engine.wait.WaitHub;
import io.bywash.engine.wait.WaitPolicy;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;

/** A segment with a latest value, and what was promised about it; and with an array of numbers, if that is added. */
final class LatestScene extends Scene {
  static final int WRITERS = 2;
  static final int READERS = 3;
  static final int MAX_BYTES = 150;
  static final int NUMBERS = 4;
  private static final long WAIT_NANOS = 40_000_000;
  private static final int HUB_STEPS = 20;

  LatestWriter writer;
  LatestReader reader;
  NumberArray numbers;
  private long set;
  private long begun;
  private long counted;
  private long counting;
  private long next = 1;

  LatestScene(Path bus, DeathSubject<?> subject) {
    super(bus, subject);
  }

  /**
   * What the marks say.
   *
   * @param set the number that the value was certainly set to last
   * @param begun the one that it may have been set to since
   * @param counted the number that each element of the array certainly has
   * @param counting the one that it may have been set to since
   */
  record Marks(long set, long begun, long counted, long counting) {
    static Marks of(List<Long> marks) {
      return new Marks(marks.get(0), marks.get(1), marks.get(2), marks.get(3));
    }
  }

  @Override
  protected List<Long> marks() {
    return List.of(set, begun, counted, counting);
  }

  @Override
  protected void use() {
    opened(6);
  }

  @Override
  protected void leave() {
    reader.close();
    writer.close();
  }

  /** Two writers, and readers, one of which waits. */
  @Override
  protected void holdEverything() {
    opened(3);
    open();
    writer();
    set();
    reader(WaitPolicy.BLOCK);
    waitForNewer(); // its bit stays
    open();
    reader(WaitPolicy.BACKOFF);
  }

  @Override
  protected void observe(Entry entry) {
    try (LatestReader observed = LatestReader.open(entry)) {
      observed.get();
      observed.awaitNewer(0);
    }
  }

  @Override
  protected void forget() {
    writer = null;
    reader = null;
    numbers = null;
  }

  LatestWriter writer() {
    return writer = keep(LatestWriter.open(entry()));
  }

  LatestReader reader(WaitPolicy policy) {
    return reader = keep(LatestReader.open(entry(), policy));
  }

  /** Opens the segment, a writer and a reader, and sets the value so often. */
  LatestScene opened(int count) {
    open();
    writer();
    reader(WaitPolicy.BACKOFF);
    for (int i = 0; i < count; i++) {
      set();
    }
    return this;
  }

  static byte[] content(long number) {
    byte[] bytes = new byte[1 + (int) (number * 7 % MAX_BYTES)];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (number * 31 + i);
    }
    return bytes;
  }

  LatestScene set() {
    begun = next;
    byte[] bytes = content(next);
    writer.set(bytes, 0, bytes.length, (int) next);
    set = next++;
    return this;
  }

  LatestScene setRecord() {
    begun = next;
    writer.set(Stats.STATS, Stats.of(next));
    set = next++;
    return this;
  }

  /** What the value was certainly set to last. */
  long last() {
    return set;
  }

  /** One died before it set the value, which is what it was. */
  void expectAsBefore(long number) {
    set = number;
  }

  /** Waits in vain until the reader has announced itself, which then stays. */
  void waitForNewer() {
    reader.get();
    waitUntilAnnounced(reader, () -> reader.awaitNewer(WAIT_NANOS));
  }

  /** Waits in the hub's thread for a value that does not come. */
  void waitByTheHub() {
    reader.get();
    CompletableFuture<Void> ready = WaitHub.shared().whenReady(reader);
    long start = System.nanoTime();
    while (NativeAccess.ENABLED && (Probe.hubSteps() < HUB_STEPS || !isAnnounced(reader))) {
      if (System.nanoTime() - start > PATIENCE_NANOS) {
        throw new AssertionError("the hub does not announce the reader, and sleep");
      }
      LockSupport.parkNanos(100_000);
    }
    ready.cancel(false);
  }

  /** The array of numbers is added, and opened. */
  LatestScene withNumbers() {
    open();
    numbers = keep(NumberArray.open(segment.directory().findOrAdd(LatestSubject.numbers("added")), long.class));
    return this;
  }

  void count() {
    counting = counted + 1;
    for (int i = 0; i < NUMBERS; i++) {
      numbers.setLong(i, counting);
    }
    counted = counting;
  }

  void countInBulk() {
    counting = counted + 1;
    numbers.write(0, MemorySegment.ofArray(new long[] {counting, counting, counting, counting}));
    counted = counting;
    numbers.read(0, MemorySegment.ofArray(new long[NUMBERS]));
  }
}
