package io.bywash.engine.cell;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.EntryRemovedException;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.TempBus;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What arrays of numbers promise. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class NumberArrayTest {
  private static final int LENGTH = 100;

  @RegisterExtension final TempBus bus = new TempBus();

  private TestCells cells(Class<?> type) {
    return new TestCells(bus.path("seg"), NumberArray.spec(TestCells.NAME, LENGTH, type));
  }

  @Test
  void elementsOfEachTypeAreTheSameForAll() {
    try (TestCells both = cells(long.class); NumberArray one = NumberArray.open(both.cells, long.class);
        NumberArray other = NumberArray.open(both.elsewhere, long.class)) {
      one.setLong(LENGTH - 1, Long.MIN_VALUE);
      assertEquals(Long.MIN_VALUE, other.getLong(LENGTH - 1));
      assertEquals(0, other.getLong(0));
      both.assertSound();
    }
    try (TestCells both = cells(double.class); NumberArray one = NumberArray.open(both.cells, double.class)) {
      one.setDouble(1, -0.25);
      assertEquals(-0.25, one.getDouble(1));
    }
    try (TestCells both = cells(int.class); NumberArray one = NumberArray.open(both.cells, int.class)) {
      one.setInt(7, -7);
      assertEquals(0, one.getInt(6));
      assertEquals(-7, one.getInt(7));
      assertEquals(0, one.getInt(8));
    }
    try (TestCells both = cells(float.class); NumberArray one = NumberArray.open(both.cells, float.class)) {
      one.setFloat(3, 1.5f);
      assertEquals(1.5f, one.getFloat(3));
    }
  }

  @Test
  void singleAndBulkOperationsDoWhatAModelDoes() {
    Random random = TestCells.random("an array of numbers beside a model");
    int[] model = new int[LENGTH];
    try (TestCells both = cells(int.class); NumberArray one = NumberArray.open(both.cells, int.class);
        NumberArray other = NumberArray.open(both.elsewhere, int.class)) {
      for (int i = 0; i < 3_000; i++) {
        NumberArray by = random.nextBoolean() ? one : other;
        int index = random.nextInt(LENGTH);
        int[] some = new int[random.nextInt(LENGTH - index + 1)];
        if (random.nextBoolean()) {
          Arrays.setAll(some, k -> random.nextInt());
          by.write(index, MemorySegment.ofArray(some));
          System.arraycopy(some, 0, model, index, some.length);
        } else {
          model[index] = random.nextInt();
          by.setInt(index, model[index]);
        }
        by = random.nextBoolean() ? one : other;
        assertEquals(model[index], by.getInt(index));
        int from = random.nextInt(LENGTH);
        int[] found = new int[random.nextInt(LENGTH - from + 1)];
        by.read(from, MemorySegment.ofArray(found));
        assertArrayEquals(Arrays.copyOfRange(model, from, from + found.length), found);
        assertArrayEquals(found, by.asSegment(from, found.length).toArray(ValueLayout.JAVA_INT));
      }
    }
  }

  @Test
  void whatIsOutOfRangeIsRefusedAndChangesNothing() {
    try (TestCells both = cells(long.class); NumberArray one = NumberArray.open(both.cells, long.class)) {
      for (int index : new int[] {-1, LENGTH, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
        assertThrows(IndexOutOfBoundsException.class, () -> one.getLong(index));
        assertThrows(IndexOutOfBoundsException.class, () -> one.setLong(index, 1));
        assertThrows(IndexOutOfBoundsException.class, () -> one.read(index, MemorySegment.ofArray(new long[1])));
        assertThrows(IndexOutOfBoundsException.class, () -> one.write(index, MemorySegment.ofArray(new long[1])));
        assertThrows(IndexOutOfBoundsException.class, () -> one.asSegment(index, 1));
      }
      long[] tooMany = new long[LENGTH];
      Arrays.fill(tooMany, -1);
      assertThrows(IndexOutOfBoundsException.class, () -> one.write(1, MemorySegment.ofArray(tooMany)));
      assertThrows(IllegalArgumentException.class, () -> one.write(0, MemorySegment.ofArray(new byte[7])));
      MemorySegment view = one.asSegment(2, 3);
      assertThrows(IndexOutOfBoundsException.class, () -> view.get(ValueLayout.JAVA_LONG, 24));
      assertThrows(IllegalArgumentException.class, () -> view.set(ValueLayout.JAVA_LONG, 0, 1));
      long[] all = new long[LENGTH];
      one.read(0, MemorySegment.ofArray(all));
      assertArrayEquals(new long[LENGTH], all);
    }
  }

  @Test
  void elementsOfAnotherTypeAreRefusedByName() {
    assertThrows(IllegalArgumentException.class, () -> NumberArray.spec("a", 1, byte.class));
    assertThrows(IllegalArgumentException.class, () -> NumberArray.spec("a", 1, String.class));
    assertThrows(IllegalArgumentException.class, () -> NumberArray.spec("a", 0, int.class));
    try (TestCells both = cells(int.class); NumberArray one = NumberArray.open(both.cells, int.class)) {
      assertThrows(IllegalStateException.class, () -> one.getFloat(0));
      assertThrows(IllegalStateException.class, () -> one.setLong(0, 0));
      SpecMismatchException differs =
          assertThrows(SpecMismatchException.class, () -> NumberArray.open(both.elsewhere, float.class));
      assertTrue(differs.getMessage().contains("field value of type 0 is \"0 int value\", wanted \"0 float value\""),
          differs.getMessage());
      SpecMismatchException form = assertThrows(SpecMismatchException.class, () -> Atomics.open(both.cells));
      assertTrue(form.getMessage().contains("form is array of numbers, wanted atomics"), form.getMessage());
      SpecMismatchException spec = assertThrows(SpecMismatchException.class, () ->
          both.first.directory().findOrAdd(NumberArray.spec(TestCells.NAME, LENGTH + 1, int.class)));
      assertTrue(spec.getMessage().contains("capacity is 100, wanted 101"), spec.getMessage());
    }
  }

  @Test
  void anObserverReadsAndAUserOfARemovedOrClosedOneIsTold() {
    try (TestCells both = cells(long.class); NumberArray one = NumberArray.open(both.cells, long.class);
        Segment observed = Segment.observe(bus.path("seg"));
        NumberArray seen =
            NumberArray.open(observed.directory().find(TestCells.NAME).orElseThrow(), long.class)) {
      one.setLong(0, 5);
      assertEquals(5, seen.getLong(0));
      assertThrows(IllegalStateException.class, () -> seen.setLong(0, 1));
      assertThrows(IllegalStateException.class, () -> seen.write(0, MemorySegment.ofArray(new long[1])));
      both.first.directory().remove(TestCells.NAME);
      assertThrows(EntryRemovedException.class, () -> seen.getLong(0));
      assertThrows(EntryRemovedException.class, () -> seen.read(0, MemorySegment.ofArray(new long[1])));
      assertThrows(EntryRemovedException.class, () -> {
        for (int i = 0; i < 2_000; i++) {
          one.setLong(0, i);
        }
      });
      both.first.close();
      assertThrows(SegmentClosedException.class, () -> one.getLong(0));
    }
  }
}
