package io.bywash.engine.pool;

import static io.bywash.engine.pool.Things.Typed.THINGS;
import static io.bywash.engine.pool.TestPool.acquireAll;
import static io.bywash.engine.pool.Things.bytes;
import static io.bywash.engine.pool.TestPool.live;
import static io.bywash.engine.pool.Things.number;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Segment;
import io.bywash.engine.TempBus;
import io.bywash.engine.pool.InvalidHandleException.Reason;
import io.bywash.engine.pool.Things.Thing;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a pool promises when nobody dies. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PoolTest {
  @RegisterExtension final TempBus bus = new TempBus();

  private static Reason refused(Runnable use) {
    return assertThrows(InvalidHandleException.class, use::run).reason();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 63, 64, 65, 128, 4_095, 4_096, 4_097, 9_000})
  void asManyObjectsAsTheCapacityAreAcquiredEachOnceAndThenNone(int capacity) {
    try (TestPool pool = TestPool.of(bus.path("seg"), capacity); PoolUser user = pool.user();
        PoolUser other = pool.other()) {
      for (int round = 0; round < 3; round++) {
        List<Long> handles = acquireAll(round == 1 ? other : user);
        assertEquals(capacity, handles.size());
        assertEquals(capacity, new HashSet<>(handles).size());
        assertFalse(handles.contains(0L));
        assertEquals(0, other.acquire());
        pool.assertAllocated(capacity);
        Collections.shuffle(handles, new Random(capacity));
        handles.forEach(round == 1 ? other::release : user::release);
        pool.assertAllocated(0);
      }
      assertEquals(3L * capacity, pool.status().acquiredCount());
    }
  }

  @Test
  void theLastFreeObjectIsFoundWhereverItIs() {
    int capacity = 5_000;
    try (TestPool pool = TestPool.of(bus.path("seg"), capacity); PoolUser user = pool.user();
        PoolUser other = pool.other()) {
      List<Long> handles = acquireAll(user);
      for (int index : new int[] {0, 1, 63, 64, 4_095, 4_096, 4_999, 2_222}) {
        long released = handles.stream().filter(each -> (each & 0xFFF_FFFF) == index).findFirst().orElseThrow();
        user.release(released);
        long acquired = other.acquire();
        assertEquals(index, acquired & 0xFFF_FFFF);
        assertEquals(2, acquired >>> 28, "the generation");
        assertEquals(0, user.acquire());
      }
    }
  }

  @Test
  void aHandleOfAReleasedObjectIsRefusedForEver() {
    try (TestPool pool = TestPool.of(bus.path("seg"), 1); PoolUser user = pool.user(); PoolUser other = pool.other();
        PoolView view = pool.view()) {
      long handle = user.acquire();
      user.set(handle, bytes(1));
      user.release(handle);
      for (int round = 0; round < 3; round++) {
        assertEquals(Reason.STALE, refused(() -> user.release(handle)));
        assertEquals(Reason.STALE, refused(() -> user.get(handle)));
        assertEquals(Reason.STALE, refused(() -> user.set(handle, bytes(2))));
        assertEquals(Reason.STALE, refused(() -> user.transfer(handle, other.id())));
        assertEquals(Reason.STALE, refused(() -> other.release(handle)));
        assertFalse(user.holds(handle));
        assertFalse(view.isLive(handle));
        assertNull(view.get(handle));
        assertFalse(view.wasBusy());
        PoolUser next = round == 1 ? other : user;
        long again = next.acquire(); // the same object
        assertNotEquals(handle, again);
        next.set(again, bytes(7));
        assertEquals(Reason.STALE, refused(() -> next.release(handle)));
        assertNull(view.get(handle));
        assertEquals(7, number(view.get(again)));
        if (round < 2) {
          next.release(again);
        }
      }
    }
  }

  @Test
  void anObjectOfAnotherUserCannotBeTouchedAndAForgedHandleNames() {
    try (TestPool pool = TestPool.of(bus.path("seg"), 10); PoolUser user = pool.user(); PoolUser other = pool.other();
        PoolView view = pool.view()) {
      long handle = user.acquire();
      user.set(handle, bytes(5));
      assertEquals(Reason.FOREIGN, refused(() -> other.release(handle)));
      assertEquals(Reason.FOREIGN, refused(() -> other.set(handle, bytes(6))));
      assertEquals(Reason.FOREIGN, refused(() -> other.get(handle)));
      assertEquals(Reason.FOREIGN, refused(() -> other.transfer(handle, other.id())));
      assertFalse(other.holds(handle));
      String told = assertThrows(InvalidHandleException.class, () -> other.get(handle)).getMessage();
      assertTrue(told.contains("handle=" + handle) && told.contains(Long.toString(ProcessHandle.current().pid())),
          told);
      for (long forged : new long[] {0, 3, handle + (1L << 28), 1L << 28 | 10, -1, Long.MIN_VALUE, 1L << 28 | 9,
          Long.MAX_VALUE}) {
        assertEquals(Reason.FORGED, refused(() -> user.release(forged)), Long.toHexString(forged));
        assertFalse(user.holds(forged));
        assertFalse((forged & 0xFFF_FFFF) < 10 && forged >>> 28 != 0 && view.isLive(forged));
      }
      assertEquals(Reason.FORGED, refused(() -> view.get(1L << 28 | 10)));
      assertEquals(Reason.FORGED, refused(() -> view.next(-1)));
      assertEquals(5, number(user.get(handle)));
      pool.assertAllocated(1);
    }
  }

  @Test
  void anObjectIsUnreadableUntilItsHolderHasWrittenIt() {
    try (TestPool pool = TestPool.of(bus.path("seg"), 1); PoolUser user = pool.user(); PoolView view = pool.view()) {
      for (int round = 0; round < 3; round++) {
        long handle = user.acquire();
        assertNull(user.get(handle));
        assertNull(view.get(handle), "what the last holder wrote");
        assertTrue(view.isLive(handle));
        user.set(handle, bytes(round));
        assertEquals(round, number(view.get(handle)));
        assertEquals(round, number(user.get(handle)));
        user.release(handle);
        assertNull(view.get(handle));
      }
    }
  }

  @Test
  void aTransferredObjectIsTheOthersWithAllThatWasWritten() {
    try (TestPool pool = TestPool.of(bus.path("seg"), Pool.spec(TestPool.NAME, 3, THINGS, 4));
        PoolUser user = pool.user(); PoolUser other = pool.other(); PoolView view = pool.view()) {
      long handle = user.acquire(THINGS, Thing.of(3));
      assertTrue(user.transfer(handle, other.id()));
      assertEquals(Reason.FOREIGN, refused(() -> user.release(handle)));
      assertTrue(other.holds(handle));
      assertEquals(Thing.of(3), other.get(handle, THINGS));
      assertEquals(Thing.of(3), view.get(handle, THINGS));
      other.set(handle, THINGS, Thing.of(4));
      assertEquals(Thing.of(4), view.get(handle, THINGS));
      assertTrue(other.transfer(handle, other.id()), "to itself");
      assertTrue(other.transfer(handle, user.id()), "and back");
      user.revoke();
      assertFalse(view.isLive(handle));
      pool.assertAllocated(0);
    }
  }

  @Test
  void anObjectStaysWhereItIsWhenTheOtherUserIsGone() {
    try (TestPool pool = TestPool.of(bus.path("seg"), 3); PoolUser user = pool.user()) {
      long handle = user.acquire();
      PoolUser closed = pool.other();
      int id = closed.id();
      closed.close();
      assertFalse(user.transfer(handle, id));
      try (PoolUser later = pool.other()) {
        assertNotEquals(id, later.id(), "of the same role");
        assertFalse(user.transfer(handle, id));
        assertThrows(IllegalArgumentException.class, () -> user.transfer(handle, -1));
        assertThrows(IllegalArgumentException.class, () -> user.transfer(handle, 4), "there are roles 0 to 3");
      }
      assertTrue(user.holds(handle));
      pool.assertAllocated(1);
    }
  }

  @Test
  void whatAUserHasIsReleasedWhenItEnds() {
    try (TestPool pool = TestPool.of(bus.path("seg"), 100); PoolUser stays = pool.user()) {
      long kept = stays.acquire();
      List<PoolUser> users = List.of(pool.other(), pool.other(), pool.other());
      List<Long> handles = new ArrayList<>();
      users.forEach(user -> handles.addAll(List.of(user.acquire(), user.acquire())));
      pool.assertAllocated(7);
      users.get(0).close();
      pool.assertAllocated(5);
      users.get(1).revoke();
      pool.assertAllocated(3);
      pool.second.close();
      try (Segment again = Segment.attach(bus.path("seg"), 0);
          PoolView view = PoolView.open(again.directory().find(TestPool.NAME).orElseThrow())) {
        assertEquals(List.of(kept), live(view));
        handles.forEach(handle -> assertFalse(view.isLive(handle)));
      }
      assertEquals(0, PoolStatus.of(pool.pool).reclaimedCount(), "nobody died");
    }
  }

  @Test
  void anyObserverSeesAllObjectsAndItsCopiesAreWhole() {
    try (TestPool pool = TestPool.of(bus.path("seg"), Pool.spec(TestPool.NAME, 100, THINGS, 4));
        PoolUser user = pool.user(); Segment observed = Segment.observe(bus.path("seg"))) {
      List<Long> handles = new ArrayList<>();
      for (int i = 0; i < 70; i++) {
        handles.add(user.acquire(THINGS, Thing.of(i)));
      }
      user.release(handles.remove(30));
      try (PoolView view = PoolView.open(observed.directory().find(TestPool.NAME).orElseThrow())) {
        assertEquals(100, view.capacity());
        assertEquals(24, view.objectBytes());
        assertEquals(69, view.allocated());
        assertEquals(new HashSet<>(handles), new HashSet<>(live(view)));
        handles.forEach(handle -> assertEquals(user.get(handle, THINGS), view.get(handle, THINGS)));
      }
    }
  }
}
