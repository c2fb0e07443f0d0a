package io.bywash.engine.record;

import static java.lang.invoke.MethodHandles.lookup;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.cell.Latest;
import io.bywash.engine.cell.LatestReader;
import io.bywash.engine.cell.LatestWriter;
import io.bywash.engine.cell.RecordArray;
import io.bywash.engine.pool.Pool;
import io.bywash.engine.pool.PoolUser;
import io.bywash.engine.pool.PoolView;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a record's own code sees while the record is read, and another one is set meanwhile. */
class WholeRecordTest {
  private static final Records<Pair> PAIRS = Records.of(lookup(), Pair.class);

  /** What the constructor of the next {@link Inner} does. */
  private static final AtomicReference<Runnable> MEANWHILE = new AtomicReference<>(() -> {});

  record Inner(long value) {
    Inner {
      MEANWHILE.getAndSet(() -> {}).run();
    }
  }

  /** Both numbers are always the same. */
  record Pair(Inner first, long second) {
    Pair {
      if (first.value != second) {
        throw new AssertionError("a part of one record with a part of another: " + first + ", " + second);
      }
    }
  }

  @RegisterExtension final TempBus bus = new TempBus();

  private static void assertWhole(LongConsumer set, Supplier<Pair> get) {
    set.accept(1);
    MEANWHILE.set(() -> {
      for (long number = 2; number < 6; number++) {
        set.accept(number);
      }
    });
    Pair read = get.get();
    assertEquals(read.second, read.first.value);
    MEANWHILE.set(() -> assertThrows(IllegalStateException.class, get::get));
    assertEquals(5, get.get().second, "the call of the record's own code has no effect on the one that reads it");
  }

  private static Pair pair(long number) {
    return new Pair(new Inner(number), number);
  }

  private Segment segment(EntrySpec spec) {
    return Segment.create(bus.path("seg"), SegmentSpec.of(spec));
  }

  private static Entry entry(Segment segment) {
    return segment.directory().find("pairs").orElseThrow();
  }

  @Test
  void anElementOfAnArrayIsWhole() {
    try (Segment segment = segment(RecordArray.spec("pairs", 1, PAIRS));
        RecordArray<Pair> setting = RecordArray.open(entry(segment), PAIRS);
        RecordArray<Pair> reading = RecordArray.open(entry(segment), PAIRS)) {
      assertWhole(number -> setting.set(0, pair(number)), () -> reading.get(0));
    }
  }

  @Test
  void aLatestValueIsWhole() {
    try (Segment segment = segment(PAIRS.declare(Latest.spec("pairs", 16)));
        LatestWriter writer = LatestWriter.open(entry(segment));
        LatestReader reader = LatestReader.open(entry(segment))) {
      assertWhole(number -> writer.set(PAIRS, pair(number)), () -> reader.get(PAIRS));
    }
  }

  @Test
  void anObjectOfAPoolIsWhole() {
    try (Segment segment = segment(Pool.spec("pairs", 1, PAIRS)); PoolUser user = PoolUser.open(entry(segment));
        PoolView view = PoolView.open(entry(segment))) {
      long handle = user.acquire();
      assertWhole(number -> user.set(handle, PAIRS, pair(number)), () -> view.get(handle, PAIRS));
    }
  }
}
