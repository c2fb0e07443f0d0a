package io.bywash.engine.pool;

import static io.bywash.engine.internal.layout.SegmentLayout.OWN_WORDS;
import static io.bywash.engine.internal.layout.SegmentLayout.ROLES;
import static io.bywash.engine.internal.layout.SegmentLayout.ROLE_BYTES;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.subject.DamageSubject;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/** Pools to be damaged. */
final class PoolDamage implements DamageSubject {
  /** docs/SPEC.md 13.1: the two bitmaps of up to 64 objects, and then these. */
  private static final int FIRST_OBJECT = 256;
  private static final int OBJECT_BYTES = 128;
  private static final int CAPACITY = 10;
  private static final int USERS = 6;
  private static final long GENERATION = 1L << 28;

  @Override
  public List<EntrySpec> structures() {
    return List.of(Pool.spec("first", CAPACITY, Things.BYTES, USERS), Pool.spec("second", 1, Things.BYTES, 3));
  }

  @Override
  public EntrySpec added(String name) {
    return Pool.spec(name, 4, Things.BYTES, 3);
  }

  /** An object whose size is that of the pool, which a damaged row may change. */
  private static byte[] bytes(long number, int objectBytes) {
    return objectBytes == Things.BYTES ? Things.bytes(number) : new byte[objectBytes];
  }

  private static void set(PoolUser user, long handle, long number) {
    user.set(handle, bytes(number, user.objectBytes()));
  }

  @Override
  public void fill(Entry entry, int amount) {
    try (PoolUser user = PoolUser.open(entry)) {
      for (int i = 0; i <= amount; i++) {
        long handle = user.acquire();
        set(user, handle, i);
        user.release(handle);
      }
    }
  }

  @Override
  public List<AutoCloseable> hold(Entry entry) {
    PoolUser user = PoolUser.open(entry);
    set(user, user.acquire(), 1);
    return List.of(user);
  }

  @Override
  public int word(Place place, ByteBuffer segment, Random random) {
    int objects = Math.max(1, (place.sizeBytes() - place.data() - FIRST_OBJECT) / OBJECT_BYTES);
    return switch (random.nextInt(6)) {
      case 0, 1 -> place.data() + FIRST_OBJECT + OBJECT_BYTES * random.nextInt(objects);
      case 2 -> place.data() + FIRST_OBJECT + OBJECT_BYTES * random.nextInt(objects) + 8;
      case 3 -> place.data() + 128 * random.nextInt(2);
      case 4 -> ROLES + ROLE_BYTES * random.nextInt(place.roles());
      default -> 8 * random.nextInt(random.nextBoolean() ? OWN_WORDS / 8 + 1 : place.sizeBytes() / 8);
    };
  }

  @Override
  public List<Long> tempting(Place place, ByteBuffer words) {
    long lease = words.getLong(place.offset() + place.data() + FIRST_OBJECT);
    return List.of(lease, lease + GENERATION, lease - GENERATION, lease ^ 1, lease ^ 2, lease ^ 1L << 12, lease | 0xFFE,
        lease & -GENERATION, lease | -GENERATION, lease + 1, 2L, -1L, -GENERATION, 0L, 1L, 1L << 63);
  }

  @Override
  public String status(Entry entry) {
    return PoolStatus.of(entry).toString();
  }

  @Override
  public void observe(Entry entry, Uses uses) throws Exception {
    uses.step("view", () -> look(entry));
  }

  private static int look(Entry entry) {
    int bytes = 0;
    try (PoolView view = PoolView.open(entry)) {
      for (long handle = view.next(0); handle != 0; handle = view.next(handle)) {
        byte[] copy = view.get(handle);
        bytes += copy == null ? 0 : copy.length;
      }
      return bytes + view.allocated();
    }
  }

  /** Acquires an object or two, uses them, and releases them. */
  private static int work(PoolUser user, Random random) throws Documented {
    int done = 0;
    try {
      for (int i = random.nextInt(3); i >= 0; i--) {
        long handle = user.acquire();
        if (handle != 0) {
          set(user, handle, done);
          user.get(handle);
          if (random.nextBoolean()) {
            user.transfer(handle, user.id());
          }
          user.release(handle);
          done++;
        }
      }
      return done;
    } catch (InvalidHandleException refused) {
      throw new Documented("handle is " + refused.reason(), refused);
    }
  }

  @Override
  public List<AutoCloseable> use(Entry entry, Uses uses) throws Exception {
    List<AutoCloseable> roles = new ArrayList<>();
    PoolUser user = uses.step("user", () -> PoolUser.open(entry));
    for (int i = 0; i < 3; i++) {
      if (user != null) {
        uses.step("work", () -> work(user, uses.random()));
      }
      observe(entry, uses);
    }
    if (user != null) {
      uses.step("acquire all", () -> {
        int count = 0;
        while (user.acquire() != 0) {
          count++;
        }
        return count;
      });
      roles.add(user);
    }
    return roles;
  }

  @Override
  public void useSound(Entry entry) {
    try (PoolUser user = PoolUser.open(entry)) {
      PoolAutopsy.work(user, 1);
    }
  }

  @Override
  public List<String> expectedOutcomes() {
    return List.of("user: success", "user: DamagedSegmentException", "work: success", "acquire all: success",
        "acquire all: DamagedSegmentException", "view: success", "view: DamagedSegmentException",
        "living work: success", "living give: success", "status: DamagedSegmentException");
  }

  @Override
  public Living live(Entry one, Entry other) {
    return new Pair(PoolUser.open(one), PoolUser.open(other));
  }

  /** Two users, the first of which gives objects to the second. */
  private record Pair(PoolUser one, PoolUser other) implements Living {
    @Override
    public void use(Uses uses) throws Exception {
      uses.step("living work", () -> work(one, uses.random()));
      uses.step("living give", () -> {
        try {
          return give();
        } catch (InvalidHandleException refused) {
          throw new Documented("handle is " + refused.reason(), refused);
        }
      });
      uses.step("living work", () -> work(other, uses.random()));
    }

    private boolean give() {
      long handle = one.acquire();
      if (handle == 0) {
        return false;
      }
      set(one, handle, 5);
      boolean given = one.transfer(handle, other.id());
      boolean whole = !given || other.get(handle) != null;
      (given ? other : one).release(handle);
      return given && whole;
    }

    @Override
    public int useSound() {
      if (!give()) {
        throw new AssertionError("no object was given");
      }
      return 1;
    }

    @Override
    public List<AutoCloseable> roles() {
      return List.of(one, other);
    }
  }

  @Override
  public EntrySpec busy(String name) {
    return Pool.spec(name, CAPACITY, Things.BYTES, USERS);
  }

  @Override
  public int busyWord(Place place, Random random) {
    int object = place.data() + FIRST_OBJECT + OBJECT_BYTES * random.nextInt(CAPACITY);
    return switch (random.nextInt(6)) {
      case 0, 1 -> object;
      case 2 -> object + 8;
      case 3 -> ROLES + ROLE_BYTES * random.nextInt(place.roles());
      case 4 -> place.data() + 128 * random.nextInt(2);
      default -> place.data() + 8 * random.nextInt((place.sizeBytes() - place.data()) / 8);
    };
  }

  @Override
  public Map<String, BusyUse> busyUses() {
    Map<String, BusyUse> uses = new LinkedHashMap<>();
    uses.put("user", (entry, turn) -> {
      try (PoolUser user = PoolUser.open(entry)) {
        for (int i = turn.random().nextInt(100); i > 0 && !turn.isOver(); i--) {
          work(user, turn.random());
          if (turn.random().nextInt(8) == 0) {
            while (user.acquire() != 0 && !turn.isOver()) {
              turn.note("acquired");
            }
          }
        }
      } catch (Documented refused) {
        turn.note(refused.getMessage());
      }
    });
    uses.put("view", (entry, turn) -> {
      look(entry);
      LockSupport.parkNanos(50_000);
    });
    uses.put("status", (entry, turn) -> {
      PoolStatus.of(entry);
      LockSupport.parkNanos(100_000);
    });
    return uses;
  }

  @Override
  public void fillBusy(Entry entry) {
    fill(entry, 2 * CAPACITY);
  }

  private static void set(SegmentEntry entry, int index, int word, long value) {
    entry.region().setLongRelease(entry.offset() + SegmentLayout.structureDataOffset(entry.roleCount()) + FIRST_OBJECT
        + (long) index * OBJECT_BYTES + word, value);
  }

  @Override
  public List<Change> changes() {
    return List.of(
        new Change("leases", (entry, there) -> {
          for (int i = 0; i < CAPACITY; i++) {
            set(entry, i, 0, there ? 9 * GENERATION : 9 * GENERATION | 1 << 12 | 2);
          }
        }),
        new Change("generations", (entry, there) -> set(entry, 0, 0, there ? -GENERATION : 0)),
        new Change("versions", (entry, there) -> {
          for (int i = 0; i < CAPACITY; i++) {
            set(entry, i, 8, there ? 10 * GENERATION | 2 : 10 * GENERATION | 5);
          }
        }),
        new Change("hints", (entry, there) -> {
          long data = entry.offset() + SegmentLayout.structureDataOffset(entry.roleCount());
          entry.region().setLongRelease(data, there ? 0 : -1);
          entry.region().setLongRelease(data + 128, there ? -1 : 0);
        }));
  }

  @Override
  public List<Consumer<Entry>> usesOfChanged() {
    return List.of(
        entry -> {
          try (PoolUser user = PoolUser.open(entry)) {
            work(user, new Random(1));
          } catch (Documented refused) {
            return;
          }
        },
        entry -> {
          try (PoolUser user = PoolUser.open(entry)) {
            for (int i = 0; i < CAPACITY; i++) {
              user.acquire();
            }
          }
        },
        PoolDamage::look,
        PoolStatus::of);
  }
}
