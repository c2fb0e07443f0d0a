package io.bywash.engine.ring;

import static io.bywash.engine.ring.Samples.Typed.SAMPLES;
import static io.bywash.engine.ring.Samples.sample;
import static io.bywash.engine.ring.Samples.samples;
import static java.lang.invoke.MethodHandles.lookup;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.record.Length;
import io.bywash.engine.record.RecordFormatException;
import io.bywash.engine.record.Records;
import io.bywash.engine.ring.Samples.Sample;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Records as the elements of a ring. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RingRecordsTest {
  record Flag(boolean on, @Length(7) String name) {}

  record Renamed(long number, long mixed, double inverse) {}

  private static final Records<Flag> FLAGS = Records.of(lookup(), Flag.class);
  private static final Records<Renamed> RENAMED = Records.of(lookup(), Renamed.class);

  @RegisterExtension final TempBus bus = new TempBus();

  private TestRing typed(int capacity) {
    return TestRing.of(bus.path("seg"), Ring.spec(TestRing.NAME, capacity, SAMPLES));
  }

  @Test
  void recordsComeOnceInOrderAndAsTheyWere() {
    try (TestRing ring = typed(11); RingWriter writer = ring.writer(); RingPopper popper = ring.popper()) {
      RingView view = RingView.of(ring.elsewhere);
      for (int i = 0; i < 100; i += 10) {
        assertEquals(9, writer.pushBulk(SAMPLES, samples(i, 9), 0));
        assertTrue(writer.push(SAMPLES, sample(i + 9)));
        assertEquals(samples(i + 3, 7), view.lastN(SAMPLES, 7));
        assertEquals(sample(i), popper.pop(SAMPLES));
        assertEquals(samples(i + 1, 3), popper.popBulk(SAMPLES, 3, 0));
        assertEquals(samples(i + 4, 6), popper.popBulk(SAMPLES, 1_000, 0));
        assertNull(popper.pop(SAMPLES));
        assertEquals(List.of(), popper.popBulk(SAMPLES, 2, 1_000_000));
      }
      ring.assertDrained(100, 0);
    }
  }

  @Test
  void theOldestRecordsAreDroppedAndCounted() {
    try (TestRing ring = typed(4); RingWriter writer = ring.writer(); RingPopper popper = ring.popper()) {
      writer.pushBulkOverwrite(SAMPLES, samples(0, 30));
      writer.pushOverwrite(SAMPLES, sample(30));
      assertFalse(writer.push(SAMPLES, sample(31)));
      assertEquals(0, writer.pushBulk(SAMPLES, samples(31, 2), 1_000_000));
      assertEquals(samples(27, 4), popper.popBulk(SAMPLES, 10, 0));
      ring.assertDrained(4, 27);
    }
  }

  @Test
  void whoWaitsGetsTheRecord() throws Exception {
    try (TestRing ring = typed(1); RingWriter writer = ring.writer(); RingPopper popper = ring.popper();
        Threads threads = new Threads()) {
      threads.start("writer", () -> {
        assertEquals(50, writer.pushBulk(SAMPLES, samples(0, 50), TestRing.PATIENCE_NANOS));
        assertTrue(writer.push(SAMPLES, sample(50), TestRing.PATIENCE_NANOS));
      });
      List<Sample> popped = new ArrayList<>();
      while (popped.size() < 50) {
        popped.addAll(popper.popBulk(SAMPLES, 3, TestRing.PATIENCE_NANOS));
      }
      assertEquals(samples(0, 50), popped);
      assertEquals(sample(50), popper.pop(SAMPLES, TestRing.PATIENCE_NANOS));
      threads.join();
    }
  }

  @Test
  void otherRecordsAreRefusedFieldByField() {
    try (TestRing ring = typed(4); RingWriter writer = ring.writer(); RingPopper popper = ring.popper()) {
      for (var use : List.<Runnable>of(() -> writer.push(RENAMED, new Renamed(1, 2, 3)), () -> popper.pop(RENAMED),
          () -> RingView.of(ring.ring).lastN(RENAMED, 1),
          () -> ring.first.directory().findOrAdd(Ring.spec(TestRing.NAME, 4, RENAMED)))) {
        String told = assertThrows(SpecMismatchException.class, use::run).getMessage();
        assertTrue(told.contains("field inverse of type 0 is \"16 long inverse\", wanted \"16 double inverse\""), told);
      }
      assertEquals(0, ring.status().pushedCount());
    }
  }

  @Test
  void recordsOfAnotherSizeOrOfSeveralClassesAreRefused() {
    Records<Record> several = Records.of(lookup(), Record.class, Sample.class, Renamed.class);
    assertThrows(IllegalArgumentException.class, () -> Ring.spec("r", 4, several));
    try (TestRing ring = TestRing.of(bus.path("seg"), 4); RingWriter writer = ring.writer();
        RingPopper popper = ring.popper()) {
      String told = assertThrows(IllegalArgumentException.class, () -> writer.push(FLAGS, new Flag(true, "")))
          .getMessage();
      assertTrue(told.contains("of one class of 24 bytes"), told);
      assertThrows(IllegalArgumentException.class, () -> writer.push(several, sample(1)));
      assertThrows(IllegalArgumentException.class, () -> popper.pop(several));
      assertTrue(writer.push(SAMPLES, sample(0)), "nothing is declared, so these will do");
      assertEquals(sample(0), popper.pop(SAMPLES));
    }
  }

  @Test
  void whatIsNoSuchRecordIsToldAndPassedOver() {
    try (TestRing ring = TestRing.of(bus.path("seg"), Ring.spec(TestRing.NAME, 9, FLAGS));
        RingWriter writer = ring.writer(); RingPopper popper = ring.popper()) {
      Flag flag = new Flag(true, "up");
      assertTrue(writer.push(FLAGS, flag));
      assertTrue(writer.push(new byte[] {7, 0, 0, 0, 0, 0, 0, 0}));
      assertTrue(writer.push(FLAGS, flag));
      assertThrows(RecordFormatException.class, () -> RingView.of(ring.ring).lastN(FLAGS, 3));
      assertEquals(List.of(flag), popper.popBulk(FLAGS, 9, 0), "those before it");
      String told = assertThrows(RecordFormatException.class, () -> popper.popBulk(FLAGS, 9, 0)).getMessage();
      assertTrue(told.contains("message 1: ") && told.contains("on"), told);
      assertEquals(List.of(flag), popper.popBulk(FLAGS, 9, 0), "those behind it");
      ring.assertDrained(3, 0);
    }
  }

  @Test
  void aRecordThatCannotBeWrittenPushesNothingAndLeavesTheWriterUsable() {
    try (TestRing ring = TestRing.of(bus.path("seg"), Ring.spec(TestRing.NAME, 20, FLAGS));
        RingWriter writer = ring.writer(); RingPopper popper = ring.popper()) {
      Flag flag = new Flag(true, "up");
      assertThrows(IllegalArgumentException.class, () -> writer.push(FLAGS, new Flag(true, null)));
      assertThrows(IllegalArgumentException.class, () -> writer.pushOverwrite(FLAGS, new Flag(true, "much too long")));
      List<Flag> flags = new ArrayList<>(Collections.nCopies(12, flag));
      flags.add(new Flag(true, null));
      assertThrows(IllegalArgumentException.class, () -> writer.pushBulk(FLAGS, flags, 0));
      assertEquals(8, writer.pushedCount(), "the piece before that with the fault");
      assertTrue(writer.push(FLAGS, flag));
      assertEquals(9, popper.popBulk(FLAGS, 20, 0).size());
      ring.assertDrained(9, 0);
    }
  }

  /** Runs something while it is asked for its component. */
  private record Meddler(long number, long mixed, long inverse) {
    private static Runnable done = () -> {};

    @Override
    public long number() {
      done.run();
      return number;
    }

    Meddler {
      made.run();
    }

    private static Runnable made = () -> {};
  }

  @Test
  void aRecordThatUsesOrClosesItsOwnRoleIsRefused() {
    Records<Meddler> meddlers = Records.of(lookup(), Meddler.class);
    try (TestRing ring = TestRing.of(bus.path("seg"), 4)) {
      RingWriter writer = ring.writer();
      RingPopper popper = ring.popper();
      Meddler meddler = new Meddler(1, 2, 3);
      Meddler.done = () -> writer.pushOverwrite(new byte[Samples.BYTES]);
      assertThrows(IllegalStateException.class, () -> writer.push(meddlers, meddler));
      assertEquals(0, ring.status().pushedCount());
      Meddler.done = writer::close;
      assertThrows(SegmentClosedException.class, () -> writer.push(meddlers, meddler));
      assertEquals(0, ring.status().pushedCount());
      Meddler.done = () -> {};
      try (RingWriter next = ring.writer()) {
        assertTrue(next.push(meddlers, meddler));
      }
      Meddler.made = () -> popper.pop(new byte[Samples.BYTES]);
      assertThrows(RecordFormatException.class, () -> popper.pop(meddlers), "its constructor failed");
      try (RingWriter next = ring.writer()) {
        Meddler.made = () -> {};
        assertTrue(next.push(meddlers, meddler));
      }
      Meddler.made = popper::close;
      assertThrows(SegmentClosedException.class, () -> popper.pop(meddlers));
      Meddler.made = () -> {};
      try (RingPopper next = ring.popper()) {
        assertEquals(meddler, next.pop(meddlers), "it was not popped");
      }
    }
  }
}
