package io.bywash.engine.pool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Users and viewers that race. */
@Tag("optimised")
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PoolRaceTest {
  private static final int ENOUGH = 100_000;
  private static final int CLOSES = 500;
  private static final int CAPACITY = 500;
  /** So many acquisitions during which the free one moved. */
  private static final int MEETINGS = 1_000;

  @RegisterExtension final TempBus bus = new TempBus();

  /**
   * One user has all objects but one, and makes another one free all the time. The hints are taken from it, so that the
   * other user, which searches, is always late.
   */
  @Test
  void nobodyIsToldThatThePoolIsExhaustedWhileOneObjectIsAlwaysFree() throws Exception {
    try (TestPool pool = TestPool.of(bus.path("seg"), CAPACITY); PoolUser one = pool.user();
        PoolUser other = pool.other(); Threads threads = new Threads()) {
      AtomicBoolean over = new AtomicBoolean();
      AtomicInteger moves = new AtomicInteger();
      List<Long> all = TestPool.acquireAll(one);
      one.release(all.removeLast());
      Hints hints = Leases.of(pool.pool).hints;
      threads.start("moves the free one", () -> {
        Random random = new Random(CAPACITY);
        int free = CAPACITY - 1;
        while (!over.get()) {
          int index = random.nextInt(all.size());
          one.release(all.get(index));
          int next = PoolScene.index(all.get(index));
          hints.mark(next);
          hints.give(free);
          free = next;
          all.set(index, one.acquire());
          assertTrue(all.get(index) != 0);
          moves.incrementAndGet();
        }
      });
      try {
        for (int meetings = 0; meetings < MEETINGS && !threads.hasFailed(); ) {
          int before = moves.get();
          long handle = other.acquire();
          meetings += moves.get() == before ? 0 : 1;
          assertTrue(handle != 0, "there is always a free one");
          other.release(handle);
        }
      } finally {
        over.set(true);
      }
      threads.join();
    }
  }

  @Test
  void eachObjectHasOneHolderAndCopiesAreWholeWhileItIsWrittenAndPassedOn() throws Exception {
    try (TestPool pool = TestPool.of(bus.path("seg"), 4); PoolUser one = pool.user(); PoolUser other = pool.other();
        PoolView view = pool.view(); Threads threads = new Threads()) {
      AtomicBoolean over = new AtomicBoolean();
      AtomicInteger received = new AtomicInteger();
      Queue<Long> toOther = new ConcurrentLinkedQueue<>();
      Queue<Long> toOne = new ConcurrentLinkedQueue<>();
      threads.start("one", () -> pass(one, other.id(), toOne, toOther, over, received));
      threads.start("other", () -> pass(other, one.id(), toOther, toOne, over, received));
      try {
        view(view, received, threads);
      } finally {
        over.set(true);
      }
      threads.join();
    }
  }

  /** Until much was seen and passed on. */
  private static void view(PoolView view, AtomicInteger received, Threads threads) {
    int seen = 0;
    while ((seen < ENOUGH / 10 || received.get() < CLOSES) && !threads.hasFailed()) {
      for (long handle = view.next(0); handle != 0; handle = view.next(handle)) {
        byte[] copy = view.get(handle);
        if (copy != null) {
          assertEquals(handle >>> 28, Things.number(copy) >>> 20, "what was written in another use");
          seen++;
        }
      }
    }
  }

  /** Acquires, writes and releases objects, or hands them to the other one. */
  private static void pass(PoolUser user, int other, Queue<Long> from, Queue<Long> to, AtomicBoolean over,
      AtomicInteger received) {
    long writes = 0;
    Deque<Long> own = new ArrayDeque<>();
    while (!over.get()) {
      Long given = from.poll();
      long handle = given != null ? given : user.acquire();
      if (handle != 0) {
        if (given != null) {
          byte[] found = user.get(handle);
          assertEquals(handle >>> 28, Things.number(found) >>> 20);
          received.incrementAndGet();
        }
        user.set(handle, Things.bytes(handle >>> 28 << 20 | ++writes & 0xFFFFF));
        own.add(handle);
      }
      if (own.size() > 1 || handle == 0 && !own.isEmpty()) {
        long last = own.poll();
        if ((writes & 1) == 0) {
          user.release(last);
        } else {
          assertTrue(user.transfer(last, other));
          to.add(last);
        }
      }
    }
  }

  @Test
  void nothingIsLostWhenObjectsAreHandedToUsersThatEndMeanwhile() throws Exception {
    try (TestPool pool = TestPool.of(bus.path("seg"), 3); PoolUser giver = pool.user();
        Threads threads = new Threads()) {
      AtomicBoolean over = new AtomicBoolean();
      AtomicInteger id = new AtomicInteger(-1);
      threads.start("ends again and again", () -> {
        while (!over.get()) {
          try (PoolUser user = pool.other()) {
            id.set(user.id());
            for (int i = id.get() >>> 10 & 0x3FF; i > 0; i--) {
              Thread.onSpinWait(); // by another time in each turn
            }
          }
        }
      });
      int given = 0;
      int kept = 0;
      while ((given < CLOSES || kept < CLOSES) && !threads.hasFailed()) {
        long handle = id.get() < 0 ? 0 : giver.acquire(); // the other one may have them all for a moment
        if (handle != 0 && giver.transfer(handle, id.get())) {
          given++;
        } else if (handle != 0) {
          giver.release(handle);
          kept++;
        }
      }
      over.set(true);
      threads.join();
      pool.assertAllocated(0);
    }
  }
}
