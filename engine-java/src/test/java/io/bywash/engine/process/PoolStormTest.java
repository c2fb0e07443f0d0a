package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.Payload;
import io.bywash.engine.Segment;
import io.bywash.engine.TempBus;
import io.bywash.engine.inspect.Verification;
import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.pool.PoolStatus;
import io.bywash.engine.pool.PoolUser;
import io.bywash.engine.pool.PoolView;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Two processes have nine tenths of a pool, and are killed in turn at random moments; each is followed by another one,
 * which gets its share only if nothing of the dead one's is lost.
 */
@Timeout(6 * 3600)
class PoolStormTest {
  private static final int LIFE_NANOS = 30_000_000;

  @RegisterExtension final TempBus bus = new TempBus();

  @Test
  void nothingLeaksThoughUsersAreKilledWhileThePoolIsNearlyFull() {
    assumeTrue(NativeAccess.ENABLED, "in the short form only with native access; the long form has both");
    storm(4);
  }

  @Test
  @Tag("stress")
  void nothingLeaksThoughUsersAreKilledTenThousandTimesWhileThePoolIsNearlyFull() {
    storm(Integer.getInteger("bywash.storm.rounds", 10_000));
  }

  private void storm(int rounds) {
    Random random = Payload.random("the storm of a pool");
    try (Segment segment = Segment.create(bus.path("storm"), PoolStormProgram.SPEC)) {
      Entry pool = segment.directory().find("pool").orElseThrow();
      ChildProcess[] users = new ChildProcess[2];
      try (PoolView view = PoolView.open(pool)) {
        for (int i = 0; i < users.length; i++) {
          users[i] = start(random);
        }
        for (int round = 0; round < rounds; round++) {
          LockSupport.parkNanos(random.nextInt(LIFE_NANOS));
          look(view);
          int killed = round % 2;
          users[killed].kill();
          users[killed] = start(random); // it is ready when it has what the dead one had
          assertLives(users[1 - killed]);
        }
        long reclaimed = PoolStatus.of(pool).reclaimedCount();
        assertTrue(reclaimed >= (long) rounds * PoolStormProgram.SHARE / 2, reclaimed + " objects were reclaimed");
        for (ChildProcess user : users) {
          user.kill();
        }
      } finally {
        for (ChildProcess user : users) {
          if (user != null) {
            user.close();
          }
        }
      }
      segment.recover();
      assertEquals(0, PoolStatus.of(pool).allocatedCount());
      assertEquals(List.of(), Verification.of(segment));
      System.out.println(rounds + " kills: " + PoolStatus.of(pool));
      assertAllCanBeAcquired(pool);
    }
  }

  private ChildProcess start(Random random) {
    ChildProcess child = ChildProcess.start(PoolStormProgram.class, bus.path("storm"), random.nextLong());
    child.await("ready");
    return child;
  }

  private static void assertLives(ChildProcess process) {
    if (!process.isAlive()) {
      process.finish(); // fails with what it said
      throw new AssertionError("process " + process.pid() + " ended");
    }
  }

  /** The pool is nearly full, and all that is seen is whole. */
  private static void look(PoolView view) {
    int count = 0;
    for (long handle = view.next(0); handle != 0; handle = view.next(handle)) {
      byte[] copy = view.get(handle);
      if (copy != null) {
        PoolStormProgram.number(copy);
      }
      count++;
    }
    assertTrue(count > 2 * PoolStormProgram.SHARE * 9 / 10, count + " objects in use");
  }

  private static void assertAllCanBeAcquired(Entry pool) {
    try (PoolUser user = PoolUser.open(pool)) {
      Set<Long> handles = new HashSet<>();
      for (long handle = user.acquire(); handle != 0; handle = user.acquire()) {
        handles.add(handle);
      }
      assertEquals(PoolStormProgram.CAPACITY, handles.size());
    }
  }
}
