package io.bywash.engine.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.inspect.Verification;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A segment with a ring, attached twice, as two processes would; elements have their positions as numbers. */
final class TestRing implements AutoCloseable {
  static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(100);
  static final String NAME = "ring";

  final Segment first;
  final Segment second;
  final Entry ring;
  final Entry elsewhere;

  private TestRing(Path file, EntrySpec spec) {
    first = Segment.create(file, SegmentSpec.of(spec));
    second = Segment.attach(file, 0);
    ring = first.directory().find(NAME).orElseThrow();
    elsewhere = second.directory().find(NAME).orElseThrow();
  }

  static TestRing of(Path file, int capacity) {
    return new TestRing(file, Ring.spec(NAME, capacity, Samples.BYTES));
  }

  static TestRing of(Path file, EntrySpec spec) {
    return new TestRing(file, spec);
  }

  RingWriter writer() {
    return RingWriter.open(ring);
  }

  RingPopper popper() {
    return RingPopper.open(elsewhere);
  }

  static int push(RingWriter writer, int count) {
    return push(writer, count, 0);
  }

  static int push(RingWriter writer, int count, long timeoutNanos) {
    return writer.pushBulk(Samples.of(writer.pushedCount(), count), 0, count, timeoutNanos);
  }

  static void overwrite(RingWriter writer, int count) {
    writer.pushBulkOverwrite(Samples.of(writer.pushedCount(), count), 0, count);
  }

  static int pop(RingPopper popper, int limit) {
    return pop(popper, limit, 0);
  }

  /** Pops elements, which are whole and those behind what was popped or lost before; how many. */
  static int pop(RingPopper popper, int limit, long timeoutNanos) {
    MemorySegment elements = Samples.room(limit);
    int count = popper.popBulk(elements, 0, limit, timeoutNanos);
    Samples.check(elements, count, popper.poppedCount() + popper.lostCount() - count);
    return count;
  }

  RingStatus status() {
    return RingStatus.of(elsewhere);
  }

  /** All that was pushed was popped or lost, and there is nothing wrong with the ring. */
  void assertDrained(long popped, long lost) {
    RingStatus status = status();
    assertEquals(List.of(popped + lost, popped, lost, 0L), List.of(status.pushedCount(), status.poppedCount(),
        status.lostCount(), (long) status.readyCount()));
    assertSound();
  }

  void assertSound() {
    assertEquals(List.of(), Verification.of(first));
  }

  @Override
  public void close() {
    second.close();
    first.close();
  }
}
