package io.bywash.samples.nativepeer;

import static java.lang.invoke.MethodHandles.lookup;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Kind;
import io.bywash.engine.Message;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.cell.Atomics;
import io.bywash.engine.cell.Latest;
import io.bywash.engine.cell.LatestReader;
import io.bywash.engine.cell.LatestWriter;
import io.bywash.engine.cell.NumberArray;
import io.bywash.engine.cell.RecordArray;
import io.bywash.engine.pool.Pool;
import io.bywash.engine.pool.PoolUser;
import io.bywash.engine.pool.PoolView;
import io.bywash.engine.record.Records;
import io.bywash.engine.ring.Ring;
import io.bywash.engine.ring.RingWriter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Atomics, latest values, rings and arrays of Java, used and looked at by C. */
@Timeout(300)
final class ValuesPeersTest {
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);

  record Place(long a, int b, int c) {
    static final Records<Place> PLACES = Records.of(lookup(), Place.class);
  }

  @Test
  void atomicsAreSharedAndLatestValuesAreAnsweredWhileBothSidesSleep() throws Exception {
    int count = 200;
    SegmentSpec spec = SegmentSpec.of(Atomics.spec("state", "long total", "int small", "boolean flag", "double ratio"),
        Latest.spec("asked", Numbered.MAX_LENGTH), Latest.spec("answered", Numbered.MAX_LENGTH));
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), spec);
        Atomics state = Atomics.open(segment.directory().find("state", Kind.CELLS));
        LatestWriter asks = LatestWriter.open(segment.directory().find("asked", Kind.LATEST));
        LatestReader answers = LatestReader.open(segment.directory().find("answered", Kind.LATEST))) {
      state.booleanCell("flag").set(true);
      state.doubleCell("ratio").set(0.5);
      state.intCell("small").set(-100);
      Peer peer = bus.peer("values", count).awaits("ready");
      for (int i = 0; i < count; i++) {
        state.longCell("total").getAndAdd(1_000);
        asks.set(Numbered.message(10L * i), 0, Numbered.lengthOf(10L * i), i);
        assertTrue(answers.awaitNewer(PATIENCE_NANOS), "no answer came");
        Message answer = answers.get();
        assertNotNull(answer);
        assertEquals(10L * i + 1, Numbered.check(answer.toBytes()));
        assertEquals(i, answer.type());
      }
      peer.awaits("flag 1 changed 1 ratio 0.5 wrong -7").ends();
      assertEquals(1_001L * count, state.longCell("total").get());
      assertEquals(-100 - count, state.intCell("small").get());
      assertFalse(state.booleanCell("flag").get());
      assertEquals(1, state.doubleCell("ratio").get());
      Bus.verify(segment);
    }
  }

  @Test
  void aReadOnlyLookSeesTheObjectsOfAPoolAndWhatADeadUserHadIsFreeOnceCHasRecovered() throws Exception {
    try (Bus bus = new Bus();
        Segment segment = Segment.create(bus.path("s"), SegmentSpec.of(Pool.spec("pool", 1_000, Place.PLACES)));
        PoolUser user = PoolUser.open(segment.directory().find("pool", Kind.POOL));
        PoolView view = PoolView.open(segment.directory().find("pool", Kind.POOL))) {
      long given = 0;
      for (int i = 1; i <= 300; i++) {
        given = user.acquire(Place.PLACES, new Place(i, 2, 0));
      }
      user.release(given);
      user.acquire(); // which has no data yet
      bus.peer("pool").awaits("pool of 1000: 300 used, 299 written, sum " + 299 * 300 + ", stale 0, forged -1").ends();
      Peer dies = bus.javaPeer("lease", "pool", 700).awaits("700 objects");
      assertEquals(1_000, view.allocated());
      dies.kill();
      bus.peer("recover").awaits("buried 0, 0 roles").ends(); // it has buried the dead when it joined
      assertEquals(300, view.allocated());
      for (int i = 0; i < 700; i++) {
        assertTrue(user.acquire() != 0, "an object is lost");
      }
      assertEquals(0, user.acquire());
      Bus.verify(segment);
    }
  }

  @Test
  void aReadOnlyLookSeesTheNewestElementsOfARingAndWhatIsInArrays() throws Exception {
    SegmentSpec spec = SegmentSpec.of(Ring.spec("ring", 100, Long.BYTES), NumberArray.spec("numbers", 3, double.class),
        RecordArray.spec("records", 3, Place.PLACES));
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), spec); Arena arena = Arena.ofConfined();
        RingWriter ring = RingWriter.open(segment.directory().find("ring", Kind.RING));
        NumberArray numbers = NumberArray.open(segment.directory().find("numbers", Kind.CELLS), double.class);
        RecordArray<Place> records = RecordArray.open(segment.directory().find("records", Kind.CELLS), Place.PLACES)) {
      MemorySegment element = arena.allocate(ValueLayout.JAVA_LONG);
      for (long i = 0; i < 1_000; i++) {
        element.set(ValueLayout.JAVA_LONG, 0, i * i);
        ring.pushBulkOverwrite(element, 0, 1);
      }
      numbers.setDouble(1, 2.5);
      for (int i = 1; i <= 3; i++) {
        records.set(2, new Place(i, 10 * i, 0));
      }
      bus.peer("look").awaits("ring 4 at 996 from " + 996 * 996 + " to " + 999 * 999
          + " number 2.5 record 1 3 30 version 3 unset 0").ends();
    }
  }
}
