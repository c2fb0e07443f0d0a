package io.bywash.engine.pool;

import static io.bywash.engine.pool.Things.Typed.THINGS;
import static java.lang.invoke.MethodHandles.lookup;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Entry;
import io.bywash.engine.EntryRemovedException;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.StructureStatus;
import io.bywash.engine.TableFullException;
import io.bywash.engine.TempBus;
import io.bywash.engine.inspect.Verification;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.pool.Things.Thing;
import io.bywash.engine.queue.Producer;
import io.bywash.engine.queue.WorkQueue;
import io.bywash.engine.record.Records;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whoever uses a pool wrongly, or meets its end, is told how, and the pool works on; and what is told about it. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PoolMisuseTest {
  @RegisterExtension final TempBus bus = new TempBus();

  /** Of the size of a thing. */
  record Changed(long number, long mixed, double inverse) {}

  record Small(int number) {}

  /** May use the pool's user when it is written or made. */
  record Nosy(long a, long b, long c) {
    static final AtomicReference<Runnable> DEED = new AtomicReference<>(() -> {});

    Nosy {
      DEED.get().run();
    }

    @Override
    public long c() {
      DEED.get().run();
      return c;
    }
  }

  static Stream<Arguments> wrongSpecs() {
    return Stream.of(
        wrong("capacity=0 ", () -> Pool.spec("p", 0, 8)),
        wrong("capacity=268435457 ", () -> Pool.spec("p", (1 << 28) + 1, 8)),
        wrong("objectBytes=0 ", () -> Pool.spec("p", 4, 0)),
        wrong("objectBytes=1048577 ", () -> Pool.spec("p", 4, (1 << 20) + 1)),
        wrong("users=0 ", () -> Pool.spec("p", 4, 8, 0)),
        wrong("users=1025 ", () -> Pool.spec("p", 4, 8, 1_025)),
        wrong("137438953472 are possible", () -> Pool.spec("p", 1 << 28, 1 << 10)),
        wrong("name=", () -> Pool.spec("a/b", 4, 8)));
  }

  private static Arguments wrong(String told, Supplier<?> specification) {
    return argumentSet(told, told, specification);
  }

  @ParameterizedTest
  @MethodSource("wrongSpecs")
  void aWrongSpecificationIsRefusedByNameAndValue(String told, Supplier<?> specification) {
    String message = assertThrows(IllegalArgumentException.class, specification::get).getMessage();
    assertTrue(message.contains(told), message);
  }

  @Test
  void whoAsksForAnotherPoolOrAnotherKindGetsEachDifference() {
    try (TestPool pool = TestPool.of(bus.path("seg"), 4)) {
      String told = assertThrows(SpecMismatchException.class,
          () -> pool.first.directory().findOrAdd(Pool.spec(TestPool.NAME, 5, 32, 6))).getMessage();
      for (String difference : List.of("capacity is 4, wanted 5", "elementSizeBytes is 24, wanted 32",
          "roleCount is 4, wanted 6")) {
        assertTrue(told.contains(difference), told);
      }
      told = assertThrows(SpecMismatchException.class, () -> Producer.open(pool.pool)).getMessage();
      assertTrue(told.contains("kind is POOL, wanted WORK_QUEUE"), told);
    }
    try (Segment segment = Segment.create(bus.path("seg"), SegmentSpec.of(WorkQueue.spec("q", 4, 8)))) {
      Entry queue = segment.directory().find("q").orElseThrow();
      assertThrows(SpecMismatchException.class, () -> PoolUser.open(queue));
      assertThrows(SpecMismatchException.class, () -> PoolView.open(queue));
      assertThrows(SpecMismatchException.class, () -> PoolStatus.of(queue));
    }
  }

  @Test
  void recordsOfAnotherTypeAreRefusedAndNothingIsAcquired() {
    Records<Changed> changed = Records.of(lookup(), Changed.class);
    Records<Small> small = Records.of(lookup(), Small.class);
    try (TestPool pool = TestPool.of(bus.path("seg"), Pool.spec(TestPool.NAME, 3, THINGS, 4));
        PoolUser user = pool.user(); PoolView view = pool.view()) {
      long handle = user.acquire(THINGS, Thing.of(1));
      String told = assertThrows(SpecMismatchException.class,
          () -> user.acquire(changed, new Changed(1, 2, 3))).getMessage();
      assertTrue(told.contains("inverse"), told);
      assertThrows(SpecMismatchException.class, () -> user.get(handle, changed));
      assertThrows(SpecMismatchException.class, () -> view.get(handle, changed));
      assertThrows(NullPointerException.class, () -> user.acquire(null, Thing.of(1)));
      assertEquals(Thing.of(1), view.get(handle, THINGS));
      pool.assertAllocated(1);
    }
    try (TestPool pool = TestPool.of(bus.path("seg"), 3); PoolUser user = pool.user()) {
      assertThrows(IllegalArgumentException.class, () -> user.acquire(small, new Small(1)), "not of 24 bytes");
      long handle = user.acquire(THINGS, Thing.of(1));
      assertEquals(1, Things.number(user.get(handle)), "nothing is declared");
      String told = assertThrows(IllegalArgumentException.class, () -> user.set(handle, new byte[23])).getMessage();
      assertTrue(told.contains("bytes has 23 bytes, and objects of entry \"pool\" have 24"), told);
      pool.assertAllocated(1);
    }
  }

  @Test
  void aRecordThatUsesTheUserIsRefusedAndNothingIsWritten() {
    Records<Nosy> nosy = Records.of(lookup(), Nosy.class);
    try (TestPool pool = TestPool.of(bus.path("seg"), Pool.spec(TestPool.NAME, 3, nosy, 4))) {
      PoolUser user = pool.user();
      Nosy written = new Nosy(1, 2, 3);
      long handle = user.acquire(nosy, written);
      Nosy other = new Nosy(4, 5, 6);
      Nosy.DEED.set(user::acquire);
      assertThrows(IllegalStateException.class, () -> user.set(handle, nosy, other));
      assertThrows(IllegalStateException.class, () -> user.acquire(nosy, other));
      assertThrows(RuntimeException.class, () -> user.get(handle, nosy));
      Nosy.DEED.set(() -> {
        throw new IllegalArgumentException("picky");
      });
      assertThrows(IllegalArgumentException.class, () -> user.set(handle, nosy, other));
      Nosy.DEED.set(() -> {});
      assertEquals(written, user.get(handle, nosy));
      pool.assertAllocated(1);
      Nosy.DEED.set(user::close);
      assertThrows(SegmentClosedException.class, () -> user.acquire(nosy, other));
      Nosy.DEED.set(() -> {});
      pool.assertAllocated(0);
    }
  }

  @Test
  void usersAreAsManyAsDeclared() {
    try (TestPool pool = TestPool.of(bus.path("seg"), Pool.spec(TestPool.NAME, 3, 8, 2)); PoolUser one = pool.user();
        PoolUser two = pool.other()) {
      String told = assertThrows(TableFullException.class, pool::user).getMessage();
      assertTrue(told.contains("has all its 2 users"), told);
      assertNotEquals(one.id(), two.id());
      two.revoke();
      pool.other().close();
      assertThrows(SegmentClosedException.class, two::acquire);
      assertTrue(two.isGivenBack() && two.isReady());
    }
  }

  @Test
  void anObserverTakesNoRoleAndMeetsTheEndOfItsSegment() {
    try (TestPool pool = TestPool.of(bus.path("seg"), 3); PoolUser user = pool.user()) {
      long handle = user.acquire();
      PoolView view = observe(handle);
      assertThrows(SegmentClosedException.class, view::allocated);
      assertThrows(SegmentClosedException.class, () -> view.next(0));
    }
  }

  /** A view of a segment that is closed then. */
  private PoolView observe(long handle) {
    try (Segment observed = Segment.observe(bus.path("seg"))) {
      Entry entry = observed.directory().find(TestPool.NAME).orElseThrow();
      assertThrows(IllegalStateException.class, () -> PoolUser.open(entry));
      PoolView view = PoolView.open(entry);
      assertTrue(view.isLive(handle));
      assertNull(view.get(handle));
      assertEquals(1, PoolStatus.of(entry).allocatedCount());
      return view;
    }
  }

  @Test
  void whoIsToldOfTheRemovalByAnAcquireHasAcquiredNothing() {
    try (TestPool pool = TestPool.of(bus.path("seg"), 1);
        PoolUser user = pool.other(); PoolUser another = pool.user()) {
      user.release(user.acquire());
      assertFalse(user.holds(1)); // so uses of even numbers acquire, and it probes in one of these
      pool.second.directory().remove(TestPool.NAME);
      long[] held = {0};
      assertThrows(EntryRemovedException.class, () -> {
        for (int i = 0; i < 2_000; i++) {
          held[0] = user.acquire();
          user.release(held[0]);
          held[0] = 0;
        }
      });
      assertEquals(0, held[0], "it was told by a release");
      assertNotEquals(0, another.acquire());
    }
  }

  @Test
  void whoUsesARemovedPoolIsTold() {
    try (TestPool pool = TestPool.of(bus.path("seg"), 3)) {
      PoolUser user = pool.other();
      PoolView view = pool.view();
      pool.second.directory().remove(TestPool.NAME);
      assertThrows(EntryRemovedException.class, () -> {
        for (int i = 0; i < 2_000; i++) {
          user.release(user.acquire());
        }
      });
      assertThrows(EntryRemovedException.class, () -> {
        for (int i = 0; i < 2_000; i++) {
          view.next(0);
        }
      });
      user.close();
      view.close();
    }
  }

  @Test
  void aUserThatWasTakenForDeadIsToldAndItsSuccessorIsNotDisturbed() {
    try (TestPool pool = TestPool.of(bus.path("seg"), 3)) {
      PoolUser user = pool.user();
      long handle = user.acquire();
      SegmentEntry entry = (SegmentEntry) pool.elsewhere;
      entry.freeDeadRole(0, entry.roleWord(0));
      assertThrows(SegmentClosedException.class, user::acquire);
      assertThrows(SegmentClosedException.class, () -> user.release(handle));
      assertThrows(SegmentClosedException.class, () -> user.set(handle, Things.bytes(1)));
      assertEquals(1, pool.status().reclaimedCount());
      try (PoolUser next = pool.other()) {
        next.set(next.acquire(), Things.bytes(2));
        user.close();
        pool.assertAllocated(1);
      }
    }
  }

  private static long object(TestPool pool, int index) {
    return new Leases((SegmentEntry) pool.pool).data(index) - PoolLayout.OBJECT_DATA;
  }

  private static void store(TestPool pool, long offset, long word) {
    ((SegmentEntry) pool.pool).region().setLongVolatile(offset, word);
  }

  @Test
  void aLeaseThatIsNobodysIsSeenAndAcquiredWhenNothingElseIsFree() {
    try (TestPool pool = TestPool.of(bus.path("seg"), 2); PoolUser user = pool.user()) {
      store(pool, object(pool, 1), 5L << 28 | 7L << 12 | 3 << 1); // a use of role 2 that is over
      assertEquals(1, pool.status().stuckCount());
      assertTrue(user.acquire() != 0);
      assertEquals(6L << 28 | 1, user.acquire());
      assertEquals(0, user.acquire());
      pool.assertAllocated(2);
    }
  }

  @Test
  void aLeaseThatNobodyCanHaveIsDamage() {
    try (TestPool pool = TestPool.of(bus.path("seg"), 2); PoolUser user = pool.user(); PoolView view = pool.view()) {
      long object = object(pool, 1);
      for (long word : new long[] {5L << 28 | 1, 5L << 28 | 5 << 1, 1 << 1}) {
        store(pool, object, word);
        assertThrows(DamagedSegmentException.class, view::allocated);
        assertThrows(DamagedSegmentException.class, () -> view.next(1L << 28));
        assertThrows(DamagedSegmentException.class, () -> PoolStatus.of(pool.pool));
        assertTrue(Verification.of(pool.first).toString().contains("object 1 has a lease that no user has"));
      }
      store(pool, object, 5L << 28);
      store(pool, object + PoolLayout.OBJECT_VERSION, 6L << 28);
      assertTrue(Verification.of(pool.first).toString().contains("was acquired 5 times"));
      store(pool, object + PoolLayout.OBJECT_VERSION, 0);
      assertEquals(2, TestPool.acquireAll(user).size());
      pool.assertAllocated(2);
    }
  }

  @Test
  void theGenerationBehindTheLastOneIsOneSoThatNoHandleIsZero() {
    try (TestPool pool = TestPool.of(bus.path("seg"), 1); PoolUser user = pool.user()) {
      store(pool, object(pool, 0), -1L << 28);
      long handle = user.acquire();
      assertEquals(1L << 28, handle);
      user.set(handle, Things.bytes(9));
      assertEquals(9, Things.number(user.get(handle)));
      user.release(handle);
      pool.assertAllocated(0);
    }
  }

  @Test
  void aStatusShowsWhoHasHowManyAndWhoKeepsThemWhenThePoolIsExhausted() {
    try (TestPool pool = TestPool.of(bus.path("seg"), 3); PoolUser user = pool.user(); PoolUser other = pool.other()) {
      assertTrue(pool.status().isUntouched());
      user.label("players");
      user.release(user.acquire());
      user.acquire();
      other.acquire();
      PoolStatus status = pool.status();
      assertFalse(status.isUntouched());
      assertEquals(List.of(2L, 3L, 0L, 0L), status.counters().stream().map(StructureStatus.Counter::value).toList());
      assertEquals(2 / 3.0, status.fill().orElseThrow());
      assertEquals(List.of("players", ""), status.holders().stream().map(StructureStatus.Holder::label).toList());
      assertEquals(List.of(user.id(), other.id()), status.users().stream().map(PoolStatus.UserStatus::id).toList());
      assertEquals(ProcessHandle.current().pid(), pool.pool.owner().orElseThrow().pid());
      user.acquire();
      assertEquals(List.of(), pool.status().obstacles(status, 1), "both live and go on");
      SegmentEntry entry = (SegmentEntry) pool.pool;
      entry.revokeRole(1, entry.roleWord(1)); // as if its user stayed inside an operation
      List<StructureStatus.Obstacle> obstacles = pool.status().obstacles(status, 1);
      assertEquals(1, obstacles.size());
      assertEquals(1, obstacles.getFirst().role());
      assertEquals(List.of(ProcessHandle.current().pid()), obstacles.getFirst().heldBackPids());
      assertTrue(obstacles.getFirst().problem().contains("has 1 objects"), obstacles.getFirst().problem());
    }
  }
}
