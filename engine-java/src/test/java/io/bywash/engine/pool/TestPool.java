package io.bywash.engine.pool;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.inspect.Verification;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A segment with a pool, attached twice, as two processes would. */
final class TestPool implements AutoCloseable {
  static final String NAME = "pool";

  final Segment first;
  final Segment second;
  final Entry pool;
  final Entry elsewhere;

  private TestPool(Path file, EntrySpec spec) {
    first = Segment.create(file, SegmentSpec.of(spec));
    second = Segment.attach(file, 0);
    pool = first.directory().find(NAME).orElseThrow();
    elsewhere = second.directory().find(NAME).orElseThrow();
  }

  static TestPool of(Path file, int capacity) {
    return new TestPool(file, Pool.spec(NAME, capacity, Things.BYTES, 4));
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
