package io.bywash.engine.process;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.pool.Pool;
import io.bywash.engine.pool.PoolStatus;
import io.bywash.engine.pool.PoolUser;
import io.bywash.engine.pool.PoolView;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Arguments: segment, seed. Acquires objects until it has its share, says "ready", and goes on, always with about that
 * many, until it is killed: writes, releases and acquires some, hands others to another user, and looks for what it was
 * given. Each object has a number that its content follows from.
 */
final class PoolStormProgram implements ChildProgram.Optimised {
  static final int CAPACITY = 400;
  /** Two of them have nine tenths of all. */
  static final int SHARE = CAPACITY * 45 / 100;
  private static final int TURNS_A_LOOK = 500;
  private static final int BYTES = 40;
  private static final long MIX = 0x9E37_79B9_7F4A_7C15L;
  private static final long PATIENCE_NANOS = 60_000_000_000L;
  static final EntrySpec POOL = Pool.spec("pool", CAPACITY, BYTES, 8);
  static final SegmentSpec SPEC = SegmentSpec.of(POOL).withParticipantCapacity(8);

  private final Map<Long, Long> numbers = new HashMap<>();
  private final List<Long> handles = new ArrayList<>();
  private Random random;
  private Entry pool;
  private PoolUser user;
  private PoolView view;
  private long next;

  @Override
  public void run(String... arguments) throws Exception {
    random = new Random(Long.parseLong(arguments[1]));
    next = random.nextLong();
    try (Segment segment = Segment.attach(Path.of(arguments[0]), 0)) {
      pool = segment.directory().find("pool", Kind.POOL);
      user = PoolUser.open(pool);
      view = PoolView.open(pool);
      long start = System.nanoTime();
      while (handles.size() < SHARE) {
        if (!acquire()) {
          adopt();
          if (System.nanoTime() - start > PATIENCE_NANOS) {
            throw new AssertionError("what the dead had is lost: " + handles.size() + " here, " + PoolStatus.of(pool));
          }
        }
      }
      ChildProgram.say("ready");
      for (int turn = 1; true; turn++) {
        turn();
        if (turn % TURNS_A_LOOK == 0) {
          give();
          adopt();
        }
      }
    }
  }

  private static byte[] bytes(long number) {
    ByteBuffer words = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < BYTES / Long.BYTES; i++) {
      words.putLong(number + i * MIX);
    }
    return words.array();
  }

  /** The number in an object that is whole. */
  static long number(byte[] bytes) {
    ByteBuffer words = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    long number = words.getLong();
    for (int i = 1; i < BYTES / Long.BYTES; i++) {
      if (words.getLong() != number + i * MIX) {
        throw new AssertionError("object " + number + " is torn");
      }
    }
    return number;
  }

  private boolean acquire() {
    long handle = user.acquire();
    if (handle == 0) {
      return false;
    }
    if (numbers.containsKey(handle)) {
      throw new AssertionError("object " + handle + " was acquired twice");
    }
    handles.add(handle);
    write(handle);
    return true;
  }

  private void write(long handle) {
    user.set(handle, bytes(++next));
    numbers.put(handle, next);
  }

  /** One of this user's objects, which is as it was written, and is not this user's for much longer. */
  private long takeAny() {
    int index = random.nextInt(handles.size());
    long handle = handles.get(index);
    handles.set(index, handles.getLast());
    handles.removeLast();
    long number = number(user.get(handle));
    if (number != numbers.remove(handle)) {
      throw new AssertionError("somebody wrote " + number + " to object " + handle);
    }
    return handle;
  }

  private void turn() {
    if (handles.size() >= SHARE) {
      user.release(takeAny());
    } else {
      acquire();
    }
    if (!handles.isEmpty()) {
      write(handles.get(random.nextInt(handles.size())));
    }
  }

  /** Hands an object to each of the others. */
  private void give() {
    for (PoolStatus.UserStatus other : PoolStatus.of(pool).users()) {
      if (other.id() != user.id() && !handles.isEmpty()) {
        long handle = takeAny();
        if (!user.transfer(handle, other.id())) {
          user.release(handle);
        }
      }
    }
  }

  /** Finds what was handed to this user, and releases what is too much. */
  private void adopt() {
    for (long handle = view.next(0); handle != 0; handle = view.next(handle)) {
      byte[] copy = view.get(handle);
      if (copy != null) {
        number(copy);
      }
      if (user.holds(handle) && !numbers.containsKey(handle)) {
        handles.add(handle);
        write(handle);
      }
    }
    while (handles.size() > SHARE) {
      user.release(takeAny());
    }
  }
}
