package io.bywash.engine.process;

import static io.bywash.engine.process.ChildProgram.PATIENCE_NANOS;
import static java.lang.invoke.MethodHandles.lookup;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Kind;
import io.bywash.engine.Message;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.cell.Atomics;
import io.bywash.engine.cell.CellsStatus;
import io.bywash.engine.cell.Latest;
import io.bywash.engine.cell.LatestReader;
import io.bywash.engine.cell.LatestWriter;
import io.bywash.engine.cell.RecordArray;
import io.bywash.engine.inspect.Finding;
import io.bywash.engine.inspect.Verification;
import io.bywash.engine.record.Length;
import io.bywash.engine.record.Records;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Cells that several processes share, some of which are killed or stopped in the middle of writing. */
@Tag("once")
@Timeout(180)
class CellProcessTest {
  private static final int WORDS = 4_000;
  private static final int KILLS = 6;
  private static final int ADDS = 50_000;

  /** So wide that most of a set is writing it. */
  record Wide(@Length(WORDS) long[] words) {
    static Wide of(long number) {
      long[] words = new long[WORDS];
      Arrays.fill(words, number);
      return new Wide(words);
    }

    boolean isWhole() {
      return Arrays.stream(words).allMatch(word -> word == words[0]);
    }
  }

  static final Records<Wide> WIDE = Records.of(lookup(), Wide.class);

  @RegisterExtension final TempBus bus = new TempBus();

  private Segment create() {
    return Segment.create(bus.path("cells"), SegmentSpec.of(RecordArray.spec("array", 2, WIDE),
        Latest.spec("latest", WORDS * Long.BYTES, 2, 4), Atomics.spec("state", "long count", "long most")));
  }

  private static RecordArray<Wide> array(Segment segment) {
    return RecordArray.open(segment.directory().find("array", Kind.CELLS), WIDE);
  }

  private static void assertWhole(RecordArray<Wide> array) {
    Wide wide = array.get(0);
    assertTrue(wide == null ? array.wasBusy() : wide.isWhole(), "the element is torn");
  }

  @Test
  void aWriterThatIsKilledInTheMiddleOfAnElementOrValueLeavesTheOneBeforeAndHoldsNobodyUp() {
    Random random = new Random(Long.getLong("bywash.cells.seed", 1));
    try (Segment segment = create(); RecordArray<Wide> array = array(segment);
        LatestReader reader = LatestReader.open(segment.directory().find("latest", Kind.LATEST));
        LatestWriter writer = LatestWriter.open(segment.directory().find("latest", Kind.LATEST))) {
      int locked = 0;
      for (int kill = 0; kill < KILLS; kill++) {
        try (ChildProcess child = ChildProcess.start(SetForEver.class, segment.path())) {
          child.await("began");
          long end = System.nanoTime() + 20_000_000 + random.nextInt(20_000_000);
          while (System.nanoTime() < end) {
            assertWhole(array);
            readWhole(reader);
          }
          child.kill();
        }
        Wide left = array.get(0);
        assertFalse(array.wasBusy(), "nobody writes");
        assertTrue(left.isWhole());
        assertTrue(readWhole(reader) > 0, "the value is lost");
        locked += CellsStatus.of(segment.directory().find("array").orElseThrow()).lockedCount();
        assertEquals(List.of(), Verification.of(segment).stream()
            .filter(each -> each.severity() == Finding.Severity.ERROR).toList());
        assertTrue(array.set(0, Wide.of(-kill)), "the lock of a dead one is in the way");
        assertEquals(-kill, array.get(0).words()[0]);
        writer.set(new byte[] {1});
        assertEquals(1, readWhole(reader));
      }
      System.out.println("of " + KILLS + " that were killed, " + locked + " held the element's lock");
    }
  }

  /** Reads the latest value, which is whole; its length, 0 when it was replaced too often. */
  private static int readWhole(LatestReader reader) {
    Message value = reader.get();
    if (value == null) {
      assertTrue(reader.wasBusy());
      return 0;
    }
    for (int i = 0; i + Long.BYTES <= value.length(); i += Long.BYTES) {
      assertEquals(value.getLong(0), value.getLong(i), "the value is torn");
    }
    return value.length();
  }

  /** Argument: file. Sets element 0 and the latest value to wide values of one number, until it is killed. */
  static final class SetForEver implements ChildProgram.Optimised {
    @Override
    public void run(String... arguments) {
      Segment segment = Segment.attach(Path.of(arguments[0]), PATIENCE_NANOS);
      RecordArray<Wide> array = array(segment);
      LatestWriter writer = LatestWriter.open(segment.directory().find("latest", Kind.LATEST));
      for (long number = 1; ; number++) {
        Wide wide = Wide.of(number);
        if (!array.set(0, wide, PATIENCE_NANOS)) {
          throw new AssertionError("the lock is held");
        }
        writer.set(WIDE, wide);
        if (number == 10) {
          ChildProgram.say("began");
        }
      }
    }
  }

  @Test
  void aWriterThatIsStoppedHoldsUpOnlyThoseWhoSetItsElementAndOnlyUntilTheirTimeout() {
    try (Segment segment = create(); RecordArray<Wide> array = array(segment);
        ChildProcess child = ChildProcess.start(SetForEver.class, segment.path())) {
      child.await("began");
      int held = 0;
      for (int i = 0; i < 30 && held < 2; i++) {
        ChildProcess.pause(List.of(child));
        long start = System.nanoTime();
        boolean set = array.set(0, Wide.of(-1), 10_000_000);
        assertTrue(set || System.nanoTime() - start >= 10_000_000, "it gave up before its timeout");
        held += set ? 0 : 1;
        assertTrue(array.get(0).isWhole());
        assertFalse(array.wasBusy(), "a stopped writer disturbs a reader");
        assertTrue(array.set(1, Wide.of(i)), "another element is held up");
        ChildProcess.resume(List.of(child));
        LockSupport.parkNanos(1_000_000 + i * 100_000L);
      }
      long version = array.version(0);
      ChildProcess.eventually("the other one goes on", () -> array.version(0) > version + 5);
      child.kill();
    }
  }

  @Test
  void whatSeveralProcessesAddIsAllThere() {
    try (Segment segment = create()) {
      List<ChildProcess> children = new ArrayList<>();
      try {
        for (int i = 0; i < 3; i++) {
          children.add(ChildProcess.start(Add.class, segment.path(), i));
        }
        children.forEach(child -> child.await("ready"));
        children.forEach(child -> child.tell("go"));
        children.forEach(child -> child.await("added"));
        children.forEach(ChildProcess::finish);
      } finally {
        children.forEach(ChildProcess::close);
      }
      try (Atomics atomics = Atomics.open(segment.directory().find("state", Kind.CELLS))) {
        assertEquals(3 * ADDS, atomics.longCell("count").get());
        assertEquals(3 * ADDS - 1, atomics.longCell("most").get());
      }
    }
  }

  /** Arguments: file, number. Adds when told to. */
  static final class Add implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      try (Segment segment = Segment.attach(Path.of(arguments[0]), PATIENCE_NANOS);
          Atomics atomics = Atomics.open(segment.directory().find("state", Kind.CELLS))) {
        ChildProgram.say("ready");
        ChildProgram.hear();
        for (int i = 0; i < ADDS; i++) {
          atomics.longCell("count").getAndAdd(1);
          atomics.longCell("most").getAndMax(3L * i + Integer.parseInt(arguments[1]));
        }
      }
      ChildProgram.say("added");
    }
  }
}
