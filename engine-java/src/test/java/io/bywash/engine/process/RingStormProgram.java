package io.bywash.engine.process;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.ring.Ring;
import io.bywash.engine.ring.RingPopper;
import io.bywash.engine.ring.RingView;
import io.bywash.engine.ring.RingWriter;
import java.lang.foreign.MemorySegment;
import java.nio.LongBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;

/**
 * Arguments: segment, ledger, role, seed. Writes, pops or views a ring whose elements have their positions as numbers,
 * says "ready", and goes on until it is killed. The popper notes in the ledger how many elements were popped and lost,
 * and checks that what its predecessor noted fits what it finds.
 */
final class RingStormProgram implements ChildProgram.Optimised {
  static final int CAPACITY = 1_000;
  private static final int WORDS = 8;
  private static final int LIMIT = 150;
  private static final long MIX = 0x9E37_79B9_7F4A_7C15L;
  private static final long WAIT_NANOS = 2_000_000;
  static final EntrySpec RING = Ring.spec("ring", CAPACITY, WORDS * Long.BYTES);
  static final SegmentSpec SPEC = SegmentSpec.of(RING).withParticipantCapacity(32);

  private final long[] words = new long[CAPACITY * WORDS];
  private Random random;

  @Override
  public void run(String... arguments) throws Exception {
    random = new Random(Long.parseLong(arguments[3]));
    try (Segment segment = Segment.attach(Path.of(arguments[0]), 0)) {
      Entry ring = segment.directory().find("ring", Kind.RING);
      switch (arguments[2]) {
        case "writer" -> write(ring);
        case "popper" -> pop(ring, Path.of(arguments[1]));
        default -> view(ring);
      }
    }
  }

  private void write(Entry ring) {
    try (RingWriter writer = RingWriter.open(ring)) {
      ChildProgram.say("ready");
      while (true) {
        int count = 1 + random.nextInt(random.nextBoolean() ? LIMIT : 3);
        MemorySegment elements = fill(writer.pushedCount(), count);
        switch (random.nextInt(4)) {
          case 0 -> writer.pushBulk(elements, 0, count, 0);
          case 1 -> writer.pushBulk(elements, 0, count, WAIT_NANOS);
          default -> writer.pushBulkOverwrite(elements, 0, count);
        }
        if (random.nextInt(16) == 0) {
          LockSupport.parkNanos(random.nextInt(200_000));
        }
      }
    }
  }

  private MemorySegment fill(long from, int count) {
    for (int i = 0; i < count * WORDS; i++) {
      words[i] = (from + i / WORDS + i % WORDS) * MIX;
    }
    return MemorySegment.ofArray(words);
  }

  private void check(int count, long from) {
    for (int i = 0; i < count * WORDS; i++) {
      if (words[i] != (from + i / WORDS + i % WORDS) * MIX) {
        throw new AssertionError("element " + i / WORDS + " of " + count + " is not " + (from + i / WORDS));
      }
    }
  }

  private void pop(Entry ring, Path ledgerFile) throws Exception {
    try (FileChannel file = FileChannel.open(ledgerFile, StandardOpenOption.READ, StandardOpenOption.WRITE);
        RingPopper popper = RingPopper.open(ring)) {
      LongBuffer ledger = file.map(FileChannel.MapMode.READ_WRITE, 0, 2 * Long.BYTES).asLongBuffer();
      long unnoted = popper.poppedCount() - ledger.get(0);
      if (unnoted < 0 || unnoted > LIMIT || popper.lostCount() < ledger.get(1)) {
        throw new AssertionError("the last popper noted " + ledger.get(0) + " and " + ledger.get(1) + " lost, this one"
            + " found " + popper.poppedCount() + " and " + popper.lostCount());
      }
      ChildProgram.say("ready");
      while (true) {
        int limit = 1 + random.nextInt(LIMIT);
        int count = popper.popBulk(MemorySegment.ofArray(words), 0, limit, WAIT_NANOS);
        check(count, popper.poppedCount() + popper.lostCount() - count);
        ledger.put(0, popper.poppedCount());
        ledger.put(1, popper.lostCount());
      }
    }
  }

  private void view(Entry ring) {
    RingView view = RingView.of(ring);
    ChildProgram.say("ready");
    while (true) {
      int count = view.lastN(MemorySegment.ofArray(words), 0, CAPACITY);
      if (count > 0) {
        check(count, words[0] * inverse());
      }
    }
  }

  /** Of the odd factor, modulo 2^64, by Newton's method. */
  private static long inverse() {
    long inverse = MIX;
    for (int i = 0; i < 6; i++) {
      inverse *= 2 - MIX * inverse;
    }
    return inverse;
  }

  /** Pops all that is there, and checks it. */
  void drain(RingPopper popper) {
    int count;
    do {
      count = popper.popBulk(MemorySegment.ofArray(words), 0, LIMIT, 0);
      check(count, popper.poppedCount() + popper.lostCount() - count);
    } while (count > 0);
  }
}
