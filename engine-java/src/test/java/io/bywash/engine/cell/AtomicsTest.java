package io.bywash.engine.cell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.EntryRemovedException;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.internal.directory.SegmentEntry;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What named atomics promise. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class AtomicsTest {
  @RegisterExtension final TempBus bus = new TempBus();

  private TestCells cells() {
    return new TestCells(bus.path("seg"),
        Atomics.spec(TestCells.NAME, "long count", "int ready", "boolean over", "double mean"));
  }

  @Test
  void valuesBeginAsZeroAndAreTheSameForAll() {
    try (TestCells both = cells();
        Atomics one = Atomics.open(both.cells); Atomics other = Atomics.open(both.elsewhere)) {
      assertEquals(List.of("count", "ready", "over", "mean"), one.names());
      assertEquals(0, other.longCell("count").get());
      assertEquals(0, other.intCell("ready").get());
      assertFalse(other.booleanCell("over").get());
      assertEquals(0.0, other.doubleCell("mean").get());
      one.longCell("count").set(Long.MIN_VALUE);
      one.intCell("ready").set(-5);
      one.booleanCell("over").set(true);
      one.doubleCell("mean").set(Math.E);
      assertEquals(Long.MIN_VALUE, other.longCell("count").get());
      assertEquals(-5, other.intCell("ready").get());
      assertTrue(other.booleanCell("over").get());
      assertEquals(Math.E, other.doubleCell("mean").get());
      assertEquals(List.of("-9223372036854775808", "-5", "true", Double.toString(Math.E)),
          CellsStatus.of(both.elsewhere).values().stream().map(each -> each.value().toString()).toList());
      both.assertSound();
    }
  }

  @Test
  void eachOperationDoesWhatAModelDoes() {
    Random random = TestCells.random("atomics beside a model");
    long count = 0;
    int ready = 0;
    boolean over = false;
    double mean = 0;
    try (TestCells both = cells();
        Atomics one = Atomics.open(both.cells); Atomics other = Atomics.open(both.elsewhere)) {
      for (int i = 0; i < 20_000; i++) {
        Atomics by = random.nextBoolean() ? one : other;
        long number = random.nextInt(9) - 4;
        switch (random.nextInt(16)) {
          case 0 -> by.longCell("count").set(count = number);
          case 1 -> {
            assertEquals(count, by.longCell("count").getAndAdd(number));
            count += number;
          }
          case 2 -> assertEquals((long) before(count, count = Math.min(count, number)),
              by.longCell("count").getAndMin(number));
          case 3 -> assertEquals((long) before(count, count = Math.max(count, number)),
              by.longCell("count").getAndMax(number));
          case 4 -> {
            assertEquals(count == number, by.longCell("count").compareAndSet(number, number + 7));
            count += count == number ? 7 : 0;
          }
          case 5 -> by.intCell("ready").set(ready = (int) number);
          case 6 -> {
            assertEquals(ready, by.intCell("ready").getAndAdd((int) number));
            ready += (int) number;
          }
          case 7 -> assertEquals((int) before(ready, ready = (int) Math.min(ready, number)),
              by.intCell("ready").getAndMin((int) number));
          case 8 -> assertEquals((int) before(ready, ready = (int) Math.max(ready, number)),
              by.intCell("ready").getAndMax((int) number));
          case 9 -> {
            assertEquals(ready == number, by.intCell("ready").compareAndSet((int) number, 3));
            ready = ready == number ? 3 : ready;
          }
          case 10 -> by.booleanCell("over").set(over = number > 0);
          case 11 -> {
            assertEquals(over == number > 0, by.booleanCell("over").compareAndSet(number > 0, number > 2));
            over = over == number > 0 ? number > 2 : over;
          }
          case 12 -> {
            assertEquals(mean, by.doubleCell("mean").getAndAdd(number / 4.0));
            mean += number / 4.0;
          }
          case 13 -> assertEquals(before(mean, mean = Math.min(mean, number)), by.doubleCell("mean").getAndMin(number));
          case 14 -> assertEquals(before(mean, mean = Math.max(mean, number)), by.doubleCell("mean").getAndMax(number));
          default -> {
            assertEquals(Double.compare(mean, number) == 0, by.doubleCell("mean").compareAndSet(number, 0.5));
            mean = Double.compare(mean, number) == 0 ? 0.5 : mean;
          }
        }
        assertEquals(List.of(count, ready, over, mean), List.of(one.longCell("count").get(),
            other.intCell("ready").get(), one.booleanCell("over").get(), other.doubleCell("mean").get()));
      }
    }
  }

  /** The first of two arguments, of which the second one may change what the first one was read from. */
  private static double before(double old, double changed) {
    return old;
  }

  @Test
  void edgesOfTheRangesAreThoseOfJava() {
    try (TestCells both = cells(); Atomics one = Atomics.open(both.cells)) {
      LongCell count = one.longCell("count");
      count.set(5);
      assertEquals(5, count.getAndAdd(-7));
      assertEquals(-2, count.get());
      assertEquals(-2, count.getAndMax(3));
      assertEquals(3, count.getAndMin(1));
      assertEquals(1, count.getAndMin(2));
      assertTrue(count.compareAndSet(1, 9));
      assertFalse(count.compareAndSet(1, 10));
      assertEquals(9, count.get());
      IntCell ready = one.intCell("ready");
      ready.set(Integer.MAX_VALUE);
      assertEquals(Integer.MAX_VALUE, ready.getAndAdd(1));
      assertEquals(Integer.MIN_VALUE, ready.get());
      assertEquals(Integer.MIN_VALUE, ready.getAndMax(-1));
      assertTrue(ready.compareAndSet(-1, 4));
      assertEquals(4, ready.getAndMin(-4));
      assertEquals(-4, ready.get());
      DoubleCell mean = one.doubleCell("mean");
      assertEquals(0.0, mean.getAndAdd(1.5));
      assertEquals(1.5, mean.getAndMax(2));
      assertEquals(2.0, mean.getAndMin(-0.0));
      assertFalse(mean.compareAndSet(0.0, 1));
      assertTrue(mean.compareAndSet(-0.0, Double.NaN));
      assertTrue(mean.compareAndSet(Double.NaN, 1));
      BooleanCell over = one.booleanCell("over");
      assertFalse(over.compareAndSet(true, false));
      assertTrue(over.compareAndSet(false, true));
      assertTrue(over.get());
    }
  }

  @Test
  void aWordOfWhichAnotherProgramWritesOnlyItsPartIsReadAndChangedAllTheSame() {
    try (TestCells both = cells(); Atomics one = Atomics.open(both.cells)) {
      SegmentEntry entry = (SegmentEntry) both.elsewhere;
      entry.region().setLongVolatile(entry.offset() + 64, 0xABCD_0000_0007L);
      assertEquals(7, one.intCell("ready").get());
      assertTrue(one.intCell("ready").compareAndSet(7, 8));
      entry.region().setLongVolatile(entry.offset() + 128, 0xABCD_0100L);
      assertFalse(one.booleanCell("over").get());
      assertTrue(one.booleanCell("over").compareAndSet(false, true));
      entry.region().setLongVolatile(entry.offset() + 64, -1L << 32 | 3);
      assertEquals(3, one.intCell("ready").getAndMax(9));
      assertEquals(9, one.intCell("ready").get());
    }
  }

  @Test
  void whatManyThreadsAddIsAllThere() throws InterruptedException {
    int threadCount = 4;
    int each = 20_000;
    try (TestCells both = cells(); Threads threads = new Threads(); Atomics seen = Atomics.open(both.cells)) {
      for (int i = 0; i < threadCount; i++) {
        int number = i;
        threads.start("adder " + i, () -> {
          try (Atomics own = Atomics.open(number % 2 == 0 ? both.cells : both.elsewhere)) {
            for (int k = 1; k <= each; k++) {
              own.longCell("count").getAndAdd(1);
              own.intCell("ready").getAndMax(k);
              own.doubleCell("mean").getAndAdd(0.5);
            }
          }
        });
      }
      threads.join();
      assertEquals(threadCount * each, seen.longCell("count").get());
      assertEquals(each, seen.intCell("ready").get());
      assertEquals(threadCount * each / 2.0, seen.doubleCell("mean").get());
    }
  }

  @Test
  void manyCellsInOneEntryTakeAtMost128BytesEach() {
    String longest = "n".repeat(36);
    String[] many = IntStream.range(0, Atomics.MAX_CELLS).mapToObj(i -> "boolean " + longest + i)
        .toArray(String[]::new);
    EntrySpec spec = Atomics.spec("many", many);
    assertTrue(spec.sizeBytes() <= 128L * many.length, spec.sizeBytes() + " bytes");
    try (TestCells both = new TestCells(bus.path("seg"), spec); Atomics cells = Atomics.open(both.elsewhere)) {
      cells.booleanCell(longest + (many.length - 1)).set(true);
      assertFalse(cells.booleanCell(longest + (many.length - 2)).get());
      both.assertSound();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "long", "long ", " long a", "long a b", "Long a", "byte a", "long a/b", "long a-b",
      "long\ta", "long \u00e4", "long 123456789012345678901234567890123456789012345678901"})
  void aCellThatIsNoTypeAndNameIsRefusedByItsNumberAndText(String cell) {
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> Atomics.spec("state", "int fine", cell));
    assertTrue(refused.getMessage().startsWith("cells[1]=\"" + cell + "\""), refused.getMessage());
  }

  @Test
  void oneNameTwiceAndNoneOrTooManyCellsAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> Atomics.spec("state", "int a", "long a"));
    assertThrows(IllegalArgumentException.class, () -> Atomics.spec("state"));
    assertThrows(IllegalArgumentException.class, () -> Atomics.spec("state", IntStream.rangeClosed(0, Atomics.MAX_CELLS)
        .mapToObj(i -> "int a" + i).toArray(String[]::new)));
  }

  @Test
  void aCellOfAnotherTypeAndOneThatIsMissingAreNamed() {
    try (TestCells both = cells(); Atomics one = Atomics.open(both.cells)) {
      SpecMismatchException other = assertThrows(SpecMismatchException.class, () -> one.intCell("count"));
      assertTrue(other.getMessage().contains("cell \"count\" is long, wanted int"), other.getMessage());
      SpecMismatchException none = assertThrows(SpecMismatchException.class, () -> one.intCell("Ready"));
      assertTrue(none.getMessage().contains("\"Ready\" is missing; there are count, ready"), none.getMessage());
      EntrySpec changed =
          Atomics.spec(TestCells.NAME, "long count", "long ready", "boolean over", "double mean");
      SpecMismatchException differs =
          assertThrows(SpecMismatchException.class, () -> both.second.directory().findOrAdd(changed));
      assertTrue(differs.getMessage().contains("field ready of type 0 is \"64 int ready\", wanted \"64 long ready\""),
          differs.getMessage());
      assertThrows(SpecMismatchException.class, () -> NumberArray.open(both.cells, long.class));
      assertThrows(SpecMismatchException.class, () -> LatestReader.open(both.cells));
    }
  }

  @Test
  void anObserverReadsAndDoesNotWrite() {
    try (TestCells both = cells(); Atomics one = Atomics.open(both.cells);
        Segment observed = Segment.observe(bus.path("seg"));
        Atomics seen = Atomics.open(observed.directory().find(TestCells.NAME).orElseThrow())) {
      one.longCell("count").set(3);
      assertEquals(3, seen.longCell("count").get());
      assertThrows(IllegalStateException.class, () -> seen.longCell("count").set(4));
      assertThrows(IllegalStateException.class, () -> seen.longCell("count").getAndAdd(4));
      assertThrows(IllegalStateException.class, () -> seen.longCell("count").compareAndSet(3, 4));
      assertEquals(3, one.longCell("count").get());
      both.first.directory().remove(TestCells.NAME);
      assertThrows(EntryRemovedException.class, () -> seen.longCell("count").get());
    }
  }

  @Test
  void theUserOfARemovedEntryIsToldSoonAndItsBytesStayItsOwnUntilThen() {
    EntrySpec spec = Atomics.spec(TestCells.NAME, "long count");
    try (TestCells both = new TestCells(bus.path("seg"), spec); Atomics user = Atomics.open(both.elsewhere)) {
      LongCell cell = user.longCell("count");
      both.first.directory().remove(TestCells.NAME);
      both.first.directory().findOrAdd(spec);
      EntryRemovedException told = assertThrows(EntryRemovedException.class, () -> {
        for (int i = 0; i < 2_000; i++) {
          cell.set(i);
        }
      });
      assertTrue(told.getMessage().contains("was removed"), told.getMessage());
      try (Atomics newer = Atomics.open(both.first.directory().find(TestCells.NAME).orElseThrow())) {
        assertEquals(0, newer.longCell("count").get(), "the new entry has what was written to the old one");
      }
    }
  }

  @Test
  void afterCloseOfEitherAllThrow() {
    try (TestCells both = cells()) {
      Atomics closed = Atomics.open(both.cells);
      LongCell cell = closed.longCell("count");
      closed.close();
      closed.close();
      assertThrows(SegmentClosedException.class, cell::get);
      assertThrows(SegmentClosedException.class, () -> cell.set(1));
      Atomics left = Atomics.open(both.elsewhere);
      LongCell late = left.longCell("count");
      both.second.close();
      assertThrows(SegmentClosedException.class, late::get);
      assertThrows(SegmentClosedException.class, () -> late.getAndAdd(1));
      left.close();
      try (Atomics one = Atomics.open(both.cells)) {
        assertEquals(0, one.longCell("count").get());
      }
    }
  }

  @Test
  void cellsOfOneUserAreForOneThreadAtATime() throws InterruptedException {
    try (TestCells both = cells(); Threads threads = new Threads(); Atomics one = Atomics.open(both.cells)) {
      one.use().enter(); // as in the middle of an operation
      threads.start("other", () -> assertThrows(IllegalStateException.class, () -> one.longCell("count").get()));
      threads.join();
      one.use().exit();
      assertEquals(0, one.longCell("count").get());
    }
  }
}
