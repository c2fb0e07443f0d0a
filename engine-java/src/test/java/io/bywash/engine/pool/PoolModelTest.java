package io.bywash.engine.pool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Payload;
import io.bywash.engine.TempBus;
import io.bywash.engine.pool.InvalidHandleException.Reason;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Users do whatever they like; a map of what each has agrees with the pool, and all old handles are refused. */
class PoolModelTest {
  private static final int MAX_USERS = 4;
  private static final int OLD_HANDLES = 200;

  @RegisterExtension final TempBus bus = new TempBus();

  /** What a user has: the numbers in its objects by their handles, or null where nothing was written. */
  private record Member(PoolUser user, Map<Long, Long> objects) {}

  private final List<Member> members = new ArrayList<>();
  private final List<Long> old = new ArrayList<>();
  private Random random;
  private TestPool pool;
  private PoolView view;
  private long next = 1;

  @Test
  @Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void whateverUsersDoThePoolAgreesWithAMap() {
    agrees(10, 400);
  }

  @Test
  @Tag("stress")
  @Timeout(3600)
  void whateverUsersDoForLongThePoolAgreesWithAMap() {
    agrees(300, 20_000);
  }

  private void agrees(int rounds, int steps) {
    random = Payload.random("the model of a pool");
    for (int round = 0; round < rounds; round++) {
      int capacity = 1 + random.nextInt(random.nextBoolean() ? 6 : 200);
      try (TestPool tried = TestPool.of(bus.path("seg"), capacity); PoolView looking = tried.view()) {
        pool = tried;
        view = looking;
        members.clear();
        old.clear();
        for (int i = 0; i < steps; i++) {
          step(capacity);
          if (i % 50 == 0) {
            compare();
          }
        }
        compare();
        members.forEach(member -> member.user.close());
        pool.assertAllocated(0);
      }
    }
  }

  private int allocated() {
    return members.stream().mapToInt(member -> member.objects.size()).sum();
  }

  private void step(int capacity) {
    if (members.isEmpty() || members.size() < MAX_USERS && random.nextInt(20) == 0) {
      members.add(new Member(random.nextBoolean() ? pool.user() : pool.other(), new HashMap<>()));
    }
    Member member = members.get(random.nextInt(members.size()));
    switch (random.nextInt(20)) {
      case 0 -> end(member);
      case 1, 2 -> refuse(member);
      case 3, 4 -> transfer(member);
      case 5, 6, 7 -> write(member);
      case 8, 9, 10, 11, 12, 13 -> release(member);
      default -> acquire(member, capacity);
    }
  }

  private void end(Member member) {
    if (random.nextBoolean()) {
      member.user.close();
    } else {
      member.user.revoke();
    }
    members.remove(member);
    member.objects.keySet().forEach(this::forget);
  }

  private void forget(long handle) {
    old.add(handle);
    if (old.size() > OLD_HANDLES) {
      old.remove(random.nextInt(OLD_HANDLES));
    }
  }

  private void acquire(Member member, int capacity) {
    for (int i = random.nextInt(4); i >= 0; i--) {
      boolean isExhausted = allocated() == capacity;
      long handle = member.user.acquire();
      assertEquals(isExhausted, handle == 0);
      if (handle != 0) {
        assertFalse(old.contains(handle), "a handle came again");
        members.forEach(other -> assertNull(other.objects.get(handle)));
        member.objects.put(handle, null);
      }
    }
  }

  private Long any(Member member) {
    List<Long> handles = List.copyOf(member.objects.keySet());
    return handles.isEmpty() ? null : handles.get(random.nextInt(handles.size()));
  }

  private void write(Member member) {
    Long handle = any(member);
    if (handle != null) {
      member.user.set(handle, Things.bytes(next));
      member.objects.put(handle, next++);
    }
  }

  private void release(Member member) {
    Long handle = any(member);
    if (handle != null) {
      member.user.release(handle);
      member.objects.remove(handle);
      forget(handle);
    }
  }

  private void transfer(Member member) {
    Long handle = any(member);
    if (handle != null) {
      Member other = members.get(random.nextInt(members.size()));
      assertTrue(member.user.transfer(handle, other.user.id()));
      other.objects.put(handle, other == member ? member.objects.get(handle) : member.objects.remove(handle));
    }
  }

  /** Handles of others, and old ones. */
  private void refuse(Member member) {
    Long foreign = any(members.get(random.nextInt(members.size())));
    if (foreign != null && !member.objects.containsKey(foreign)) {
      assertEquals(Reason.FOREIGN,
          assertThrows(InvalidHandleException.class, () -> member.user.release(foreign)).reason());
    }
    if (!old.isEmpty()) {
      long stale = old.get(random.nextInt(old.size()));
      assertEquals(Reason.STALE, assertThrows(InvalidHandleException.class, () -> member.user.release(stale)).reason());
      assertFalse(view.isLive(stale));
      assertNull(view.get(stale));
    }
  }

  private void compare() {
    assertEquals(allocated(), view.allocated());
    List<Long> live = TestPool.live(view);
    assertEquals(allocated(), live.size());
    for (Member member : members) {
      assertTrue(live.containsAll(member.objects.keySet()));
      member.objects.forEach((handle, number) -> {
        assertTrue(member.user.holds(handle));
        byte[] seen = view.get(handle);
        assertEquals(number, seen == null ? null : (Long) Things.number(seen));
        byte[] own = member.user.get(handle);
        assertEquals(number, own == null ? null : (Long) Things.number(own));
      });
    }
    pool.assertAllocated(allocated());
  }
}
