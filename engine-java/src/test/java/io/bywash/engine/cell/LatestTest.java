package io.bywash.engine.cell;

import static io.bywash.engine.cell.Stats.STATS;
import static java.lang.invoke.MethodHandles.lookup;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.EntryRemovedException;
import io.bywash.engine.InterruptedWaitException;
import io.bywash.engine.Message;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.TableFullException;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.record.Records;
import io.bywash.engine.wait.WaitHub;
import io.bywash.engine.wait.WaitPolicy;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What writers and readers of a latest value promise. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LatestTest {
  private static final int MAX_BYTES = 200;
  private static final long PATIENCE_NANOS = 60_000_000_000L;

  record Other(int number) {}

  @RegisterExtension final TempBus bus = new TempBus();

  private TestCells cells(int writers, int readers) {
    return new TestCells(bus.path("seg"), Latest.spec(TestCells.NAME, MAX_BYTES, writers, readers));
  }

  private static byte[] content(int number) {
    byte[] bytes = new byte[1 + Math.floorMod(number * 7, MAX_BYTES)];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (number * 31 + i);
    }
    return bytes;
  }

  private static void set(LatestWriter writer, int number) {
    byte[] bytes = content(number);
    writer.set(bytes, 0, bytes.length, number);
  }

  private static int number(Message value) {
    assertArrayEquals(content(value.type()), value.toBytes(), "value " + value.type());
    return value.type();
  }

  @Test
  void readersSeeTheLatestValueByEachWayToReadAsAModelSays() {
    Random random = TestCells.random("a latest value beside a model");
    try (TestCells both = cells(2, 4); LatestWriter one = LatestWriter.open(both.cells);
        LatestWriter other = LatestWriter.open(both.elsewhere); LatestReader reader = LatestReader.open(both.cells);
        LatestReader second = LatestReader.open(both.elsewhere)) {
      assertNull(reader.get());
      assertNull(second.get(STATS));
      assertFalse(reader.read(value -> {
        throw new AssertionError("there is no value");
      }));
      assertFalse(reader.wasBusy());
      int version = 0;
      int latest = -1;
      for (int i = 0; i < 5_000; i++) {
        if (random.nextBoolean()) {
          latest = random.nextInt(100_000);
          set(random.nextBoolean() ? one : other, latest);
          version++;
        }
        LatestReader by = random.nextBoolean() ? reader : second;
        if (version > 0) {
          assertEquals(by.version() != version, by.isReady());
          if (random.nextBoolean()) {
            Message found = by.get();
            assertEquals(latest, number(found));
            assertEquals(version, found.sequence());
          } else {
            int[] seen = new int[1];
            assertTrue(by.read(value -> seen[0] = number(value)));
            assertEquals(latest, seen[0]);
          }
          assertEquals(version, by.version());
          assertFalse(by.isReady());
        }
      }
      assertEquals(version, LatestStatus.of(both.cells).version());
      both.assertSound();
    }
  }

  @Test
  void recordsAreSetAndReadAndOthersAreRefusedFieldByField() {
    Records<Other> others = Records.of(lookup(), Other.class);
    try (TestCells both = new TestCells(bus.path("seg"), STATS.declare(Latest.spec(TestCells.NAME, MAX_BYTES)));
        LatestWriter writer = LatestWriter.open(both.cells); LatestReader reader = LatestReader.open(both.elsewhere)) {
      writer.set(STATS, Stats.of(5));
      assertTrue(reader.get(STATS).isWhole());
      assertEquals(5, reader.get(STATS).number());
      SpecMismatchException refused = assertThrows(SpecMismatchException.class, () -> reader.get(others));
      assertTrue(refused.getMessage().contains("field number of type 0 is \"0 long number\", wanted \"0 int number\""),
          refused.getMessage());
      assertThrows(SpecMismatchException.class, () -> writer.set(others, new Other(1)));
      assertThrows(IllegalArgumentException.class, () -> writer.set(STATS, new Stats(1, 2, null, new long[1])));
      assertEquals(5, reader.get(STATS).number());
      writer.set(STATS, Stats.of(6));
      assertEquals(6, reader.get(STATS).number());
      assertThrows(SpecMismatchException.class, () ->
          both.second.directory().findOrAdd(others.declare(Latest.spec(TestCells.NAME, MAX_BYTES))));
    }
  }

  @Test
  void noReaderEverSeesATornValueOrAnOlderOneBesideManyWriters() throws InterruptedException {
    AtomicBoolean over = new AtomicBoolean();
    try (TestCells both = cells(2, 2); Threads threads = new Threads();
        LatestReader reader = LatestReader.open(both.cells)) {
      for (int i = 0; i < 2; i++) {
        int first = i;
        threads.start("writer " + i, () -> {
          try (LatestWriter own = LatestWriter.open(both.elsewhere)) {
            for (int number = first; !over.get(); number += 2) {
              set(own, number);
            }
          }
        });
      }
      int found = 0;
      long version = 0;
      while (found < 20_000 && !threads.hasFailed()) {
        Message value = reader.get();
        if (value != null) {
          number(value);
          assertTrue(value.sequence() >= version);
          version = value.sequence();
          found++;
        }
        byte[][] bytes = new byte[1][];
        int[] type = new int[1];
        if (reader.read(each -> {
          bytes[0] = each.toBytes();
          type[0] = each.type();
        })) {
          assertArrayEquals(content(type[0]), bytes[0]);
        }
      }
      over.set(true);
      threads.join();
      both.assertSound();
    }
  }

  @Test
  void aCopyStaysAsItIsWhileTheValueIsReplacedAndAReaderInPlaceIsTold() {
    try (TestCells both = cells(1, 1); LatestWriter writer = LatestWriter.open(both.cells);
        LatestReader reader = LatestReader.open(both.elsewhere)) {
      set(writer, 3);
      Message copy = reader.get();
      for (int i = 0; i < 10; i++) {
        set(writer, 10 + i);
      }
      assertEquals(3, number(copy));
      assertTrue(reader.read(value -> {
        for (int i = 0; i < 3; i++) {
          set(writer, 30 + i); // as many as the other buffers
        }
        assertEquals(19, number(value));
      }));
      assertFalse(reader.read(value -> {
        for (int i = 0; i < 4; i++) {
          set(writer, 40 + i);
        }
      }));
      assertTrue(reader.wasBusy());
      assertEquals(43, number(reader.get()));
      assertFalse(reader.wasBusy());
    }
  }

  @ParameterizedTest
  @EnumSource(WaitPolicy.class)
  void whoWaitsForANewerValueIsWokenByIt(WaitPolicy policy) throws InterruptedException {
    int values = 200;
    try (TestCells both = cells(1, 2); Threads threads = new Threads();
        LatestWriter writer = LatestWriter.open(both.cells);
        LatestReader reader = LatestReader.open(both.elsewhere, policy);
        LatestReader acknowledging = LatestReader.open(both.cells)) {
      assertFalse(reader.awaitNewer(0));
      assertFalse(reader.awaitNewer(1_000_000));
      try (TestCells.Back back = new TestCells.Back(bus.path("back"))) {
        threads.start("reader", () -> {
          for (int i = 1; i <= values; i++) {
            assertTrue(reader.awaitNewer(PATIENCE_NANOS));
            assertEquals(i, number(reader.get()));
            assertFalse(reader.awaitNewer(0));
            back.cell().set(i);
          }
        });
        for (int i = 1; i <= values; i++) {
          set(writer, i);
          int number = i;
          Threads.await(() -> back.seen().get() == number || threads.hasFailed(), "value " + i + " to be seen");
        }
        threads.join();
      }
      assertEquals(values, number(acknowledging.get()));
    }
  }

  @Test
  void theHubTellsOfANewerValue() throws Exception {
    try (TestCells both = cells(1, 1); LatestWriter writer = LatestWriter.open(both.cells);
        LatestReader reader = LatestReader.open(both.elsewhere)) {
      for (int i = 0; i < 20; i++) {
        CompletableFuture<Void> ready = WaitHub.shared().whenReady(reader);
        assertFalse(ready.isDone());
        set(writer, i);
        ready.get(60, TimeUnit.SECONDS);
        assertEquals(i, number(reader.get()));
      }
      CompletableFuture<Void> ended = WaitHub.shared().whenReady(reader);
      reader.revoke();
      ended.get(60, TimeUnit.SECONDS);
    }
  }

  @Test
  void aWaitEndsWithAnInterruptWithRevocationAndWithTheEntry() throws InterruptedException {
    try (TestCells both = cells(1, 2); Threads threads = new Threads();
        LatestReader reader = LatestReader.open(both.elsewhere, WaitPolicy.BLOCK);
        LatestReader other = LatestReader.open(both.elsewhere)) {
      Thread interrupted = threads.start("interrupted", () ->
          assertThrows(InterruptedWaitException.class, () -> reader.awaitNewer(PATIENCE_NANOS)));
      interrupted.interrupt();
      threads.join();
      threads.start("revoked", () ->
          assertThrows(SegmentClosedException.class, () -> reader.awaitNewer(PATIENCE_NANOS)));
      reader.revoke();
      threads.join();
      threads.start("removed", () ->
          assertThrows(EntryRemovedException.class, () -> other.awaitNewer(PATIENCE_NANOS)));
      other.label("waits");
      assertNotNull(LatestStatus.of(both.cells).holders());
      both.second.directory().remove(TestCells.NAME);
      threads.join();
    }
  }

  @Test
  void rolesAreLimitedAndListedAndComeBack() {
    try (TestCells both = cells(1, 1)) {
      LatestWriter writer = LatestWriter.open(both.cells);
      writer.label("sensor");
      LatestReader reader = LatestReader.open(both.elsewhere);
      assertTrue(assertThrows(TableFullException.class, () -> LatestWriter.open(both.elsewhere)).getMessage()
          .contains("all its 1 writers"));
      assertThrows(TableFullException.class, () -> LatestReader.open(both.cells));
      assertEquals("writer sensor, reader ", String.join(", ", LatestStatus.of(both.cells).holders().stream()
          .map(each -> each.task() + " " + each.label()).toList()));
      set(writer, 1);
      writer.close();
      try (LatestWriter successor = LatestWriter.open(both.elsewhere)) {
        assertEquals(1, number(reader.get()));
        Message copy = reader.get();
        set(successor, 2);
        assertEquals(1, number(copy));
        assertEquals(2, number(reader.get()));
      }
      assertThrows(SegmentClosedException.class, () -> set(writer, 3));
      reader.close();
      assertThrows(SegmentClosedException.class, reader::get);
      assertThrows(SegmentClosedException.class, () -> reader.awaitNewer(0));
    }
  }

  @Test
  void valuesThatAreTooLongOrEmptyAndBadSpecificationsAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> Latest.spec("a", 0));
    assertThrows(IllegalArgumentException.class, () -> Latest.spec("a", 8, 0, 1));
    assertThrows(IllegalArgumentException.class, () -> Latest.spec("a", 8, 1, 0));
    assertThrows(IllegalArgumentException.class, () -> Latest.spec("a", 8, 1000, 25));
    assertThrows(IllegalArgumentException.class, () -> Latest.spec("a", 1 << 30, 100, 25));
    try (TestCells both = cells(1, 1); LatestWriter writer = LatestWriter.open(both.cells);
        LatestReader reader = LatestReader.open(both.elsewhere)) {
      assertThrows(IllegalArgumentException.class, () -> writer.set(new byte[0]));
      assertThrows(IllegalArgumentException.class, () -> writer.set(new byte[MAX_BYTES + 1]));
      assertThrows(IndexOutOfBoundsException.class, () -> writer.set(new byte[5], 3, 3, 0));
      assertNull(reader.get());
      writer.set(new byte[MAX_BYTES]);
      assertEquals(MAX_BYTES, reader.get().length());
      assertThrows(IllegalStateException.class, () -> reader.read(value -> reader.get()));
      SpecMismatchException kind = assertThrows(SpecMismatchException.class, () -> Atomics.open(both.cells));
      assertTrue(kind.getMessage().contains("kind is LATEST, wanted CELLS"), kind.getMessage());
      SpecMismatchException spec = assertThrows(SpecMismatchException.class, () ->
          both.first.directory().findOrAdd(Latest.spec(TestCells.NAME, MAX_BYTES, 2, 1)));
      assertTrue(spec.getMessage().contains("writers is 1, wanted 2"), spec.getMessage());
    }
  }

  @Test
  void anObserverReadsAndWaitsWithoutARole() {
    try (TestCells both = cells(1, 1); LatestWriter writer = LatestWriter.open(both.cells);
        Segment observed = Segment.observe(bus.path("seg"));
        LatestReader seen = LatestReader.open(observed.directory().find(TestCells.NAME).orElseThrow())) {
      assertFalse(seen.awaitNewer(1_000_000));
      set(writer, 5);
      assertTrue(seen.awaitNewer(PATIENCE_NANOS));
      assertEquals(5, number(seen.get()));
      assertThrows(IllegalStateException.class, () -> seen.label("seen"));
      assertThrows(IllegalStateException.class,
          () -> LatestWriter.open(observed.directory().find(TestCells.NAME).orElseThrow()));
      assertEquals(1, LatestStatus.of(both.cells).holders().size());
      both.first.directory().remove(TestCells.NAME);
      assertThrows(EntryRemovedException.class, seen::get);
    }
  }

  @Test
  void anObserverThatWaitsByTheHubLearnsOfTheRemoval() throws Exception {
    for (int value : new int[] {0, 5}) {
      try (TestCells both = cells(1, 1); Segment observed = Segment.observe(bus.path("seg"));
          LatestReader seen = LatestReader.open(observed.directory().find(TestCells.NAME).orElseThrow())) {
        try (LatestWriter writer = LatestWriter.open(both.cells)) {
          if (value != 0) {
            set(writer, value);
            assertEquals(value, number(seen.get()));
          }
        }
        CompletableFuture<Void> ready = WaitHub.shared().whenReady(seen);
        assertFalse(ready.isDone());
        both.first.directory().remove(TestCells.NAME);
        ready.get(60, TimeUnit.SECONDS);
        assertThrows(EntryRemovedException.class, seen::get);
        assertThrows(EntryRemovedException.class, () -> seen.awaitNewer(PATIENCE_NANOS));
      }
    }
  }

  @Test
  void aWordOrLengthThatNoWriterWritesIsDamage() {
    try (TestCells both = cells(1, 1); LatestWriter writer = LatestWriter.open(both.cells);
        LatestReader reader = LatestReader.open(both.elsewhere)) {
      SegmentEntry entry = (SegmentEntry) both.cells;
      set(writer, 5);
      LatestBuffers buffers = new LatestBuffers(entry);
      entry.region().setInt(buffers.bufferOf(buffers.latest()) + LatestLayout.BUFFER_LENGTH, MAX_BYTES + 1);
      assertThrows(DamagedSegmentException.class, reader::get);
      set(writer, 6);
      assertEquals(6, number(reader.get()));
      entry.region().setLongVolatile(entry.offset() + LatestLayout.LATEST, 9L << LatestLayout.VERSION_SHIFT | 9 << 2);
      assertThrows(DamagedSegmentException.class, reader::get);
      assertThrows(DamagedSegmentException.class, () -> reader.read(value -> {}));
    }
  }
}
