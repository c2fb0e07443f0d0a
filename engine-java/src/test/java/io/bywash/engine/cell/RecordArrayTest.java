package io.bywash.engine.cell;

import static io.bywash.engine.cell.Stats.STATS;
import static java.lang.invoke.MethodHandles.lookup;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.EntryRemovedException;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.InterruptedWaitException;
import io.bywash.engine.NoSpaceException;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.TableFullException;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.record.Length;
import io.bywash.engine.record.RecordFormatException;
import io.bywash.engine.record.Records;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What arrays of records promise. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RecordArrayTest {
  private static final int LENGTH = 5;
  private static final long PATIENCE_NANOS = 60_000_000_000L;

  /** As {@link Stats}, with another type of one field, and one more. */
  record Changed(long number, float half, @Length(12) String name, @Length(6) long[] words, int more) {}

  record Picky(int number) {
    Picky {
      if (number == 13) {
        throw new IllegalArgumentException("number=13");
      }
    }
  }

  /** Uses the array in which it is about to be set. */
  record Nosy(int number) {
    static final AtomicReference<RecordArray<Nosy>> ARRAY = new AtomicReference<>();

    @Override
    public int number() {
      if (ARRAY.get() != null) {
        ARRAY.get().set(0, new Nosy(1));
      }
      return number;
    }
  }

  @RegisterExtension final TempBus bus = new TempBus();

  private TestCells cells() {
    return new TestCells(bus.path("seg"), RecordArray.spec(TestCells.NAME, LENGTH, STATS));
  }

  private static void assertElement(long number, RecordArray<Stats> array, int index) {
    Stats found = array.get(index);
    if (number == 0) {
      assertNull(found);
      assertFalse(array.wasBusy());
    } else {
      assertTrue(found.isWhole(), found.toString());
      assertEquals(number, found.number());
    }
  }

  @Test
  void elementsAreSetAndReadAsAModelSays() {
    Random random = TestCells.random("an array of records beside a model");
    long[] model = new long[LENGTH];
    long[] versions = new long[LENGTH];
    try (TestCells both = cells(); RecordArray<Stats> one = RecordArray.open(both.cells, STATS);
        RecordArray<Stats> other = RecordArray.open(both.elsewhere, STATS)) {
      assertEquals(LENGTH, one.length());
      for (int i = 0; i < 5_000; i++) {
        int index = random.nextInt(LENGTH);
        if (random.nextBoolean()) {
          model[index] = 1 + random.nextInt(1_000_000);
          assertTrue((random.nextBoolean() ? one : other).set(index, Stats.of(model[index])));
          versions[index]++;
        }
        int read = random.nextInt(LENGTH);
        RecordArray<Stats> by = random.nextBoolean() ? one : other;
        assertElement(model[read], by, read);
        assertEquals(versions[read], by.version(read));
      }
      assertEquals(LongStream.of(versions).sum(), CellsStatus.of(both.cells).setCount());
      both.assertSound();
    }
  }

  @Test
  void noReaderEverSeesATornElementOrAnOlderOneBesideManyWriters() throws InterruptedException {
    AtomicBoolean over = new AtomicBoolean();
    try (TestCells both = cells(); Threads threads = new Threads();
        RecordArray<Stats> reader = RecordArray.open(both.cells, STATS)) {
      for (int i = 0; i < 2; i++) {
        long first = i;
        threads.start("writer " + i, () -> {
          try (RecordArray<Stats> own = RecordArray.open(both.elsewhere, STATS)) {
            for (long number = 2 + first; !over.get(); number += 2) {
              assertTrue(own.set(0, Stats.of(number), PATIENCE_NANOS));
            }
          }
        });
      }
      long version = 0;
      int found = 0;
      while (found < 20_000 && !threads.hasFailed()) {
        Stats stats = reader.get(0);
        if (stats != null) {
          found++;
          assertTrue(stats.isWhole(), stats.toString());
        }
        long next = reader.version(0);
        assertTrue(next >= version);
        version = next;
      }
      over.set(true);
      threads.join();
      both.assertSound();
    }
  }

  /** Where the lock of an element is. */
  private static long lock(Entry entry, int index) {
    return ((SegmentEntry) entry).offset() + index * CellsLayout.elementBytes(STATS.types().getFirst().sizeBytes());
  }

  private static void setLock(Entry entry, int index, long word) {
    ((SegmentEntry) entry).region().setLongVolatile(lock(entry, index), word);
  }

  @Test
  void whileALivingOneSetsAnElementOthersReadItAndASetEndsAtItsTimeout() {
    try (TestCells both = cells(); RecordArray<Stats> one = RecordArray.open(both.cells, STATS)) {
      one.set(1, Stats.of(4));
      long other = ((SegmentEntry) both.elsewhere).core().participants().self();
      setLock(both.cells, 1, Owner.word(other, 9, 0, CellsLayout.LOCKED));
      assertFalse(one.set(1, Stats.of(5)));
      long start = System.nanoTime();
      assertFalse(one.set(1, Stats.of(5), 20_000_000));
      assertTrue(System.nanoTime() - start >= 20_000_000, "it gave up before its timeout");
      assertElement(4, one, 1);
      assertTrue(one.set(0, Stats.of(6)), "the lock of one element is no lock of another");
      assertEquals(1, CellsStatus.of(both.cells).lockedCount());
      setLock(both.cells, 1, Owner.word(0, 9, 0, CellsLayout.UNLOCKED));
      assertTrue(one.set(1, Stats.of(7)));
      assertElement(7, one, 1);
    }
  }

  @Test
  void aSetThatWaitsGoesOnAsSoonAsTheOtherIsDone() throws InterruptedException {
    try (TestCells both = cells(); Threads threads = new Threads();
        RecordArray<Stats> one = RecordArray.open(both.cells, STATS)) {
      long other = ((SegmentEntry) both.elsewhere).core().participants().self();
      setLock(both.cells, 1, Owner.word(other, 9, 0, CellsLayout.LOCKED));
      AtomicBoolean set = new AtomicBoolean();
      threads.start("setter", () -> set.set(one.set(1, Stats.of(7), PATIENCE_NANOS)));
      Threads.await(() -> one.use().isInside(), "the other to wait");
      setLock(both.cells, 1, Owner.word(0, 9, 0, CellsLayout.UNLOCKED));
      threads.join();
      assertTrue(set.get());
    }
  }

  @Test
  void theLockOfADeadOneIsTakenWithoutWaiting() {
    try (TestCells both = cells(); RecordArray<Stats> one = RecordArray.open(both.cells, STATS)) {
      one.set(1, Stats.of(4));
      setLock(both.cells, 1, Owner.word(Owner.participant(50, 7), 3, 0, CellsLayout.LOCKED));
      assertElement(4, one, 1);
      assertTrue(one.set(1, Stats.of(5)));
      assertElement(5, one, 1);
      both.assertSound();
    }
  }

  @Test
  void aSetThatMayWaitEndsWithAnInterruptAndOneThatIsClosedMeanwhileWithThat() throws InterruptedException {
    try (TestCells both = cells(); Threads threads = new Threads()) {
      RecordArray<Stats> one = RecordArray.open(both.cells, STATS);
      long other = ((SegmentEntry) both.elsewhere).core().participants().self();
      setLock(both.cells, 1, Owner.word(other, 9, 0, CellsLayout.LOCKED));
      Thread setter = threads.start("interrupted", () ->
          assertThrows(InterruptedWaitException.class, () -> one.set(1, Stats.of(7), PATIENCE_NANOS)));
      Threads.await(() -> one.use().isInside(), "the other to wait");
      setter.interrupt();
      threads.join();
      threads.start("closed", () ->
          assertThrows(SegmentClosedException.class, () -> one.set(1, Stats.of(7), PATIENCE_NANOS)));
      Threads.await(() -> one.use().isInside(), "the other to wait");
      both.first.close();
      threads.join();
    }
  }

  @Test
  void otherRecordsAreRefusedFieldByField() {
    Records<Changed> changed = Records.of(lookup(), Changed.class);
    try (TestCells both = cells()) {
      SpecMismatchException refused =
          assertThrows(SpecMismatchException.class, () -> RecordArray.open(both.elsewhere, changed));
      for (String part : List.of("field half of type 0 is \"8 double half\", wanted \"8 float half\"",
          "field more of type 0 is missing, wanted")) {
        assertTrue(refused.getMessage().contains(part), refused.getMessage());
      }
      assertThrows(SpecMismatchException.class, () ->
          both.second.directory().findOrAdd(RecordArray.spec(TestCells.NAME, LENGTH, changed)));
      assertThrows(IllegalArgumentException.class, () -> RecordArray.spec("a", 1,
          Records.of(lookup(), Record.class, Stats.class, Changed.class)));
      assertThrows(IllegalArgumentException.class, () -> RecordArray.spec("a", 0, STATS));
      assertThrows(IllegalArgumentException.class, () -> RecordArray.spec("a", Integer.MAX_VALUE, STATS));
    }
  }

  @Test
  void anIndexOutOfRangeIsRefusedByNumber() {
    try (TestCells both = cells(); RecordArray<Stats> one = RecordArray.open(both.cells, STATS)) {
      for (int index : new int[] {-1, LENGTH, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
        assertThrows(IndexOutOfBoundsException.class, () -> one.get(index));
        assertThrows(IndexOutOfBoundsException.class, () -> one.version(index));
        assertThrows(IndexOutOfBoundsException.class, () -> one.set(index, Stats.of(1)));
      }
      both.assertSound();
    }
  }

  @Test
  void whatARecordRefusesIsNotSetAndLeavesNothingLocked() {
    try (TestCells both = cells(); RecordArray<Stats> one = RecordArray.open(both.cells, STATS)) {
      one.set(0, Stats.of(3));
      assertThrows(IllegalArgumentException.class, () -> one.set(0, new Stats(1, 2, null, new long[6])));
      assertThrows(IllegalArgumentException.class, () -> one.set(0, new Stats(1, 2, "thirteen char", new long[6])));
      assertThrows(NullPointerException.class, () -> one.set(0, null));
      assertElement(3, one, 0);
      assertEquals(0, CellsStatus.of(both.cells).lockedCount());
    }
  }

  @Test
  void aRecordThatUsesItsArrayIsRefused() {
    Records<Nosy> records = Records.of(lookup(), Nosy.class);
    try (TestCells both = new TestCells(bus.path("seg"), RecordArray.spec(TestCells.NAME, 2, records));
        RecordArray<Nosy> one = RecordArray.open(both.cells, records)) {
      Nosy.ARRAY.set(one);
      try {
        assertThrows(IllegalStateException.class, () -> one.set(1, new Nosy(2)));
      } finally {
        Nosy.ARRAY.set(null);
      }
      assertTrue(one.set(1, new Nosy(3)));
      assertEquals(3, one.get(1).number());
    }
  }

  @Test
  void anElementThatItsRecordRefusesIsAnExceptionOfTheReader() {
    Records<Picky> records = Records.of(lookup(), Picky.class);
    try (TestCells both = new TestCells(bus.path("seg"), RecordArray.spec(TestCells.NAME, 1, records));
        RecordArray<Picky> one = RecordArray.open(both.cells, records)) {
      one.set(0, new Picky(12));
      SegmentEntry entry = (SegmentEntry) both.elsewhere;
      entry.region().setInt(entry.offset() + CellsLayout.ELEMENT_COPIES + CellsLayout.COPY_ALIGNMENT, 13);
      assertThrows(RecordFormatException.class, () -> one.get(0));
      one.set(0, new Picky(14));
      assertEquals(14, one.get(0).number());
    }
  }

  @Test
  void anObserverReadsAndUsersOfARemovedOneAreTold() {
    try (TestCells both = cells(); RecordArray<Stats> one = RecordArray.open(both.cells, STATS);
        Segment observed = Segment.observe(bus.path("seg"));
        RecordArray<Stats> seen =
            RecordArray.open(observed.directory().find(TestCells.NAME).orElseThrow(), STATS)) {
      one.set(0, Stats.of(3));
      assertElement(3, seen, 0);
      assertThrows(IllegalStateException.class, () -> seen.set(0, Stats.of(4)));
      both.first.directory().remove(TestCells.NAME);
      assertThrows(EntryRemovedException.class, () -> seen.get(0));
      assertThrows(EntryRemovedException.class, () -> {
        for (int i = 0; i < 2_000; i++) {
          one.get(0);
        }
      });
    }
  }

  @Test
  void whatDoesNotFitIsRefusedWithNumbersAndNothingIsHalfCreated() {
    EntrySpec small = Atomics.spec("small", "long count");
    SegmentSpec spec = SegmentSpec.of(small).withEntryCapacity(2);
    try (Segment segment = Segment.create(bus.path("seg"), spec.withSizeBytes(spec.sizeBytes() + 8192))) {
      EntrySpec large = RecordArray.spec("large", 1_000, STATS);
      NoSpaceException full = assertThrows(NoSpaceException.class, () -> segment.directory().findOrAdd(large));
      assertTrue(full.getMessage().contains(Long.toString(large.sizeBytes())), full.getMessage());
      assertEquals(1, segment.directory().entries().size());
      segment.directory().findOrAdd(RecordArray.spec("fits", 10, STATS));
      assertThrows(TableFullException.class, () -> segment.directory().findOrAdd(Atomics.spec("third", "int a")));
      assertEquals(2, segment.directory().entries().size());
      for (String name : List.of("", "a/b", "n".repeat(65), "-a")) {
        IllegalArgumentException refused =
            assertThrows(IllegalArgumentException.class, () -> RecordArray.spec(name, 1, STATS));
        assertTrue(refused.getMessage().startsWith("name="), refused.getMessage());
      }
    }
  }
}
