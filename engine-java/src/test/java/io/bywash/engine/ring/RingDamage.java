package io.bywash.engine.ring;

import static io.bywash.engine.internal.layout.SegmentLayout.OWN_WORDS;
import static io.bywash.engine.internal.layout.SegmentLayout.ROLES;
import static io.bywash.engine.internal.layout.SegmentLayout.ROLE_BYTES;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.subject.DamageSubject;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/** Rings to be damaged. */
final class RingDamage implements DamageSubject {
  /** docs/SPEC.md 12.1 */
  private static final int TAIL = 384;
  private static final int INTENT = 392;
  private static final int HEAD = 512;
  private static final int LOST = 520;
  private static final int[] WORDS = {TAIL, INTENT, HEAD, LOST, LOST + 8};
  private static final int CAPACITY = 10;
  private static final int MANY = 30;

  @Override
  public List<EntrySpec> structures() {
    return List.of(Ring.spec("first", CAPACITY, Samples.BYTES), Ring.spec("second", 1, Samples.BYTES),
        Ring.spec("third", 600, Samples.BYTES));
  }

  @Override
  public EntrySpec added(String name) {
    return Ring.spec(name, 4, Samples.BYTES);
  }

  @Override
  public void fill(Entry entry, int amount) {
    try (RingWriter writer = RingWriter.open(entry); RingPopper popper = RingPopper.open(entry)) {
      for (int i = 0; i < amount; i++) {
        overwrite(writer, 1 + i % 17);
        pop(popper, 1 + i % 13, 0);
      }
      overwrite(writer, (int) entry.capacity() / 2);
    }
  }

  /** Elements whose size is that of the ring, which a damaged row may change. */
  private static MemorySegment elements(long from, int count, int elementBytes) {
    return elementBytes == Samples.BYTES ? Samples.of(from, count)
        : MemorySegment.ofArray(new byte[Math.multiplyExact(count, elementBytes)]);
  }

  private static void overwrite(RingWriter writer, int count) {
    writer.pushBulkOverwrite(elements(writer.pushedCount(), count, writer.elementBytes()), 0, count);
  }

  private static int push(RingWriter writer, int count, long timeoutNanos) {
    return writer.pushBulk(elements(writer.pushedCount(), count, writer.elementBytes()), 0, count, timeoutNanos);
  }

  private static int pop(RingPopper popper, int limit, long timeoutNanos) {
    return popper.popBulk(elements(0, limit, popper.elementBytes()), 0, limit, timeoutNanos);
  }

  private static int look(Entry entry, int count) {
    RingView view = RingView.of(entry);
    return view.lastN(elements(0, count, view.elementBytes()), 0, count);
  }

  /** As many elements as fit the heap that a step may take, however large a damaged row says that they are. */
  private static int some(Random random, int elementBytes) {
    return 1 + random.nextInt(Math.clamp((1 << 18) / elementBytes, 1, MANY));
  }

  @Override
  public List<AutoCloseable> hold(Entry entry) {
    RingWriter writer = RingWriter.open(entry);
    RingPopper popper = RingPopper.open(entry);
    overwrite(writer, 3);
    pop(popper, 1, 0);
    return List.of(popper, writer);
  }

  @Override
  public int word(Place ring, ByteBuffer segment, Random random) {
    return switch (random.nextInt(6)) {
      case 0, 1, 2 -> WORDS[random.nextInt(WORDS.length)];
      case 3 -> ROLES + ROLE_BYTES * random.nextInt(ring.roles());
      case 4 -> 8 * random.nextInt(OWN_WORDS / 8);
      default -> 8 * random.nextInt(ring.sizeBytes() / 8);
    };
  }

  @Override
  public List<Long> tempting(Place ring, ByteBuffer words) {
    long tail = words.getLong(ring.offset() + TAIL);
    long head = words.getLong(ring.offset() + HEAD);
    return List.of(tail, tail + 1, tail - 1, tail + 8, tail + 9, tail - 11, head, head + 1, head + 2, head - 2,
        head ^ 1, head >>> 1, tail << 1, tail << 1 | 1, (tail << 1) + 2, 1L << 60, (1L << 60) + 1, -1L << 40);
  }

  @Override
  public String status(Entry entry) {
    return RingStatus.of(entry).toString();
  }

  @Override
  public void observe(Entry entry, Uses uses) throws Exception {
    uses.step("view", () -> look(entry, some(uses.random(), (int) entry.elementSizeBytes() | 1)));
  }

  @Override
  public List<AutoCloseable> use(Entry entry, Uses uses) throws Exception {
    Random random = uses.random();
    List<AutoCloseable> roles = new ArrayList<>();
    RingWriter writer = uses.step("writer", () -> RingWriter.open(entry));
    RingPopper popper = uses.step("popper", () -> RingPopper.open(entry));
    for (int round = 0; round < 3; round++) {
      if (writer != null) {
        uses.step("push", () -> push(writer, some(random, writer.elementBytes()),
            random.nextInt(64) == 0 ? 1_000_000 : 0));
        uses.step("overwrite", () -> {
          overwrite(writer, some(random, writer.elementBytes()));
          return true;
        });
      }
      if (popper != null) {
        uses.step("pop", () -> pop(popper, some(random, popper.elementBytes()),
            random.nextInt(64) == 0 ? 1_000_000 : 0));
      }
      observe(entry, uses);
    }
    if (writer != null) {
      roles.add(writer);
    }
    if (popper != null) {
      roles.add(popper);
    }
    return roles;
  }

  /** What is there can be popped, and then what is pushed. */
  @Override
  public void useSound(Entry entry) {
    try (RingWriter writer = RingWriter.open(entry); RingPopper popper = RingPopper.open(entry)) {
      drain(popper);
      for (int round = 0; round < 3; round++) {
        pushAndPop(writer, popper, (int) entry.capacity());
      }
    }
  }

  private static int drain(RingPopper popper) {
    MemorySegment elements = Samples.room(MANY);
    int all = 0;
    int count;
    do {
      count = popper.popBulk(elements, 0, MANY, 0);
      Samples.check(elements, count, popper.poppedCount() + popper.lostCount() - count);
      all += count;
    } while (count > 0);
    return all;
  }

  private static int pushAndPop(RingWriter writer, RingPopper popper, int count) {
    int pushed = push(writer, count, 0);
    int popped = drain(popper);
    if (pushed != count || popped != count) {
      throw new AssertionError("of " + count + " elements " + pushed + " were pushed, and " + popped + " popped");
    }
    return count;
  }

  @Override
  public List<String> expectedOutcomes() {
    return List.of("writer: DamagedSegmentException", "writer: success", "popper: DamagedSegmentException",
        "popper: success", "push: success", "pop: success", "living push: success",
        "living pop: DamagedSegmentException",
        "status: DamagedSegmentException", "view: success", "view: DamagedSegmentException");
  }

  @Override
  public Living live(Entry one, Entry other) {
    return new Members(one, other);
  }

  /** Both roles, with some elements under way. */
  private static final class Members implements Living {
    private final RingWriter writer;
    private final RingPopper popper;

    Members(Entry writing, Entry popping) {
      writer = RingWriter.open(writing);
      popper = RingPopper.open(popping);
      drain(popper);
      overwrite(writer, 3);
    }

    @Override
    public void use(Uses uses) throws Exception {
      uses.step("living push", () -> push(writer, some(uses.random(), Samples.BYTES), 0));
      uses.step("living pop", () -> pop(popper, some(uses.random(), Samples.BYTES), 0));
      uses.step("living push", () -> push(writer, 1, 0));
      uses.step("living pop", () -> pop(popper, 1, 0));
    }

    @Override
    public int useSound() {
      drain(popper);
      return pushAndPop(writer, popper, 1);
    }

    @Override
    public List<AutoCloseable> roles() {
      return List.of(popper, writer);
    }
  }

  @Override
  public EntrySpec busy(String name) {
    return Ring.spec(name, CAPACITY, Samples.BYTES);
  }

  @Override
  public int busyWord(Place place, Random random) {
    return switch (random.nextInt(4)) {
      case 0, 1 -> WORDS[random.nextInt(WORDS.length)];
      case 2 -> ROLES + ROLE_BYTES * random.nextInt(place.roles());
      default -> place.data() + 8 * random.nextInt((place.sizeBytes() - place.data()) / 8);
    };
  }

  @Override
  public Map<String, BusyUse> busyUses() {
    Map<String, BusyUse> uses = new LinkedHashMap<>();
    uses.put("writer", (entry, turn) -> {
      try (RingWriter writer = RingWriter.open(entry)) {
        for (int i = turn.random().nextInt(300); i > 0 && !turn.isOver(); i--) {
          if (turn.random().nextBoolean()) {
            overwrite(writer, 1 + turn.random().nextInt(MANY));
          } else if (push(writer, 1 + turn.random().nextInt(MANY), turn.random().nextInt(100_000)) == 0) {
            turn.note("full");
          }
        }
      }
    });
    uses.put("popper", (entry, turn) -> {
      try (RingPopper popper = RingPopper.open(entry)) {
        for (int i = turn.random().nextInt(300); i > 0 && !turn.isOver(); i--) {
          pop(popper, 1 + turn.random().nextInt(MANY), turn.random().nextInt(100_000));
        }
      }
    });
    uses.put("view", (entry, turn) -> {
      look(entry, 1 + turn.random().nextInt(MANY));
      LockSupport.parkNanos(50_000);
    });
    uses.put("status", (entry, turn) -> {
      RingStatus.of(entry);
      LockSupport.parkNanos(100_000);
    });
    return uses;
  }

  @Override
  public void fillBusy(Entry entry) {
    try (RingWriter writer = RingWriter.open(entry)) {
      overwrite(writer, 2 * CAPACITY);
    }
  }

  @Override
  public List<Change> changes() {
    return List.of(
        new Change("tail", (entry, there) -> set(entry, TAIL, there ? 1L << 40 : 2 * CAPACITY)),
        new Change("intent", (entry, there) -> set(entry, INTENT, there ? 1L << 40 : 2 * CAPACITY)),
        new Change("intent far ahead", (entry, there) -> set(entry, INTENT, there ? Long.MAX_VALUE : Long.MIN_VALUE)),
        new Change("head", (entry, there) -> set(entry, HEAD, there ? CAPACITY : 1L << 41 | 1)),
        new Change("lost", (entry, there) -> set(entry, LOST, there ? 0 : -1)));
  }

  private static void set(SegmentEntry entry, long offset, long value) {
    entry.region().setLongRelease(entry.offset() + offset, value);
  }

  @Override
  public List<Consumer<Entry>> usesOfChanged() {
    return List.of(
        entry -> {
          try (RingWriter writer = RingWriter.open(entry)) {
            overwrite(writer, MANY);
            push(writer, MANY, 0);
          }
        },
        entry -> {
          try (RingPopper popper = RingPopper.open(entry)) {
            pop(popper, MANY, 0);
            pop(popper, 1, 0);
          }
        },
        entry -> look(entry, MANY),
        RingStatus::of);
  }
}
