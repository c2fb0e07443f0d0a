package io.bywash.engine.ring;

import io.bywash.engine.Kind;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.litmus.LitmusBus;
import java.lang.foreign.MemorySegment;

/**
 * A ring with its writer in one attachment, and its popper and a view in another. Elements show whether they are torn:
 * each word is made of the element's position.
 */
final class LitmusRing {
  /** How many elements the writer may be ahead of the tail. */
  static final int BLOCK = RingLayout.MIN_BLOCK;
  static final int CAPACITY = 2 * BLOCK;
  static final int PLACES = CAPACITY + BLOCK;

  private static final int WORDS = 8;
  private static final long MIX = 0x9E37_79B9_7F4A_7C15L;

  final Elements elements;
  final RingWriter writer;
  final RingPopper popper;
  final RingView view;
  private final long[] pushed = new long[PLACES * WORDS];
  private final long[] popped = new long[PLACES * WORDS];
  private final long[] viewed = new long[PLACES * WORDS];
  private final SegmentEntry reading;

  LitmusRing() {
    LitmusBus.Pair pair = LitmusBus.create(
        SegmentSpec.of(Ring.spec("ring", CAPACITY, WORDS * Long.BYTES)).withEntryCapacity(1));
    reading = (SegmentEntry) pair.second().directory().find("ring", Kind.RING);
    elements = Elements.of(reading);
    writer = RingWriter.open(pair.first().directory().find("ring", Kind.RING));
    popper = RingPopper.open(reading);
    view = RingView.of(reading);
  }

  private MemorySegment next(int count) {
    for (int i = 0; i < count * WORDS; i++) {
      pushed[i] = (writer.pushedCount() + i / WORDS + i % WORDS) * MIX;
    }
    return MemorySegment.ofArray(pushed);
  }

  /** Pushes as many elements as there is room for, up to a limit; how many. */
  int push(int limit) {
    return writer.pushBulk(next(limit), 0, limit, 0);
  }

  void overwrite(int count) {
    writer.pushBulkOverwrite(next(count), 0, count);
  }

  private static boolean areWhole(long[] found, int count, long from) {
    for (int i = 0; i < count * WORDS; i++) {
      if (found[i] != (from + i / WORDS + i % WORDS) * MIX) {
        return false;
      }
    }
    return true;
  }

  /** Pops up to so many elements: how many there were, or -1 when one was torn or out of order. */
  int pop(int limit) {
    int count = popper.popBulk(MemorySegment.ofArray(popped), 0, limit, 0);
    return areWhole(popped, count, popper.poppedCount() + popper.lostCount() - count) ? count : -1;
  }

  /** Looks at the newest elements: how many there were, or -1 when one was torn or out of order. */
  int look() {
    int count = view.lastN(MemorySegment.ofArray(viewed), 0, CAPACITY);
    long from = count == 0 ? 0 : viewed[0] * inverse();
    return areWhole(viewed, count, from) ? count : -1;
  }

  /** Of the odd factor, modulo 2^64, by Newton's method. */
  private static long inverse() {
    long inverse = MIX;
    for (int i = 0; i < 6; i++) {
      inverse *= 2 - MIX * inverse;
    }
    return inverse;
  }

  /** The tail, read without an ordering. */
  long tail() {
    return reading.region().getLongOpaque(reading.offset() + RingLayout.TAIL);
  }

  /** The head, read without an ordering. */
  long head() {
    return reading.region().getLongOpaque(reading.offset() + RingLayout.HEAD);
  }

  void drain() {
    while (pop(CAPACITY) != 0) {
      // there may be more
    }
  }
}
