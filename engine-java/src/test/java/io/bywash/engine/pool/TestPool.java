package io.bywash.engine.pool;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.inspect.Verification;
import io.bywash.engine.record.Records;
import java.lang.invoke.MethodHandles;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A segment with a pool, attached twice, as two processes would; and objects that show whether they are whole. */
final class TestPool implements AutoCloseable {
  static final String NAME = "pool";
  static final int BYTES = 24;
  private static final long MIX = 0x9E37_79B9_7F4A_7C15L;

  final Segment first;
  final Segment second;
  final Entry pool;
  final Entry elsewhere;

  /** An object as a record: all of it follows from its number. */
  record Thing(long number, long mixed, long inverse) {
    static Thing of(long number) {
      return new Thing(number, number * MIX, ~number);
    }

    /** Itself, if it is whole. */
    Thing whole() {
      if (!equals(of(number))) {
        throw new AssertionError(this + " is torn");
      }
      return this;
    }
  }

  /** Made when records are first used, since not every test may define classes. */
  static final class Typed {
    static final Records<Thing> THINGS = Records.of(MethodHandles.lookup(), Thing.class);

    private Typed() {}
  }

  private TestPool(Path file, EntrySpec spec) {
    first = Segment.create(file, SegmentSpec.of(spec));
    second = Segment.attach(file, 0);
    pool = first.directory().find(NAME).orElseThrow();
    elsewhere = second.directory().find(NAME).orElseThrow();
  }

  static TestPool of(Path file, int capacity) {
    return new TestPool(file, Pool.spec(NAME, capacity, BYTES, 4));
  }

  static TestPool of(Path file, EntrySpec spec) {
    return new TestPool(file, spec);
  }

  PoolUser user() {
    return PoolUser.open(pool);
  }

  /** A user by the other attachment. */
  PoolUser other() {
    return PoolUser.open(elsewhere);
  }

  PoolView view() {
    return PoolView.open(elsewhere);
  }

  PoolStatus status() {
    return PoolStatus.of(elsewhere);
  }

  /** The bytes of an object with that number. */
  static byte[] bytes(long number) {
    return ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(number).putLong(number * MIX)
        .putLong(~number).array();
  }

  /** The number in bytes that are whole. */
  static long number(byte[] bytes) {
    ByteBuffer words = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    return new Thing(words.getLong(), words.getLong(), words.getLong()).whole().number();
  }

  /** Acquires objects until there is none; their handles. */
  static List<Long> acquireAll(PoolUser user) {
    List<Long> handles = new ArrayList<>();
    for (long handle = user.acquire(); handle != 0; handle = user.acquire()) {
      handles.add(handle);
    }
    return handles;
  }

  /** The handles of all objects in use. */
  static List<Long> live(PoolView view) {
    List<Long> handles = new ArrayList<>();
    for (long handle = view.next(0); handle != 0; handle = view.next(handle)) {
      handles.add(handle);
    }
    return handles;
  }

  void assertAllocated(int count) {
    try (PoolView view = view()) {
      assertEquals(count, view.allocated());
      assertEquals(count, live(view).size());
    }
    PoolStatus status = status();
    assertEquals(count, status.allocatedCount());
    assertEquals(count, status.users().stream().mapToInt(PoolStatus.UserStatus::objectCount).sum());
    assertEquals(0, status.stuckCount());
    assertEquals(List.of(), Verification.of(first));
  }

  @Override
  public void close() {
    second.close();
    first.close();
  }
}
