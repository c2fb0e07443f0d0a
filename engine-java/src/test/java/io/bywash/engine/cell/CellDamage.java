package io.bywash.engine.cell;

import static io.bywash.engine.cell.Stats.STATS;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.subject.DamageSubject;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;

/** Cells to be damaged: an array of records, atomics, an array of numbers. */
final class CellDamage implements DamageSubject {
  /** docs/SPEC.md */
  private static final int ELEMENT_BYTES = 256;
  private static final int LENGTH = 6;
  private static final String RECORDS = "array of records";
  private static final String ATOMICS = "atomics";

  @Override
  public List<EntrySpec> structures() {
    return List.of(RecordArray.spec("records", LENGTH, STATS), CellSubject.atomics(ATOMICS),
        NumberArray.spec("numbers", 100, long.class));
  }

  @Override
  public EntrySpec added(String name) {
    return RecordArray.spec(name, 1, STATS);
  }

  private static String form(Entry entry) {
    return CellsStatus.of(entry).form();
  }

  @Override
  public void fill(Entry entry, int amount) {
    switch (form(entry)) {
      case RECORDS -> {
        try (RecordArray<Stats> array = RecordArray.open(entry, STATS)) {
          for (int i = 0; i < amount; i++) {
            array.set(i % array.length(), Stats.of(i));
          }
        }
      }
      case ATOMICS -> {
        try (Atomics atomics = Atomics.open(entry)) {
          atomics.longCell("count").getAndAdd(amount);
          atomics.doubleCell("mean").set(amount);
        }
      }
      default -> {
        try (NumberArray array = NumberArray.open(entry, long.class)) {
          array.write(amount % 50, MemorySegment.ofArray(new long[] {1, 2, 3}));
        }
      }
    }
  }

  @Override
  public List<AutoCloseable> hold(Entry entry) {
    if (form(entry).equals(RECORDS)) {
      SegmentEntry row = (SegmentEntry) entry;
      row.region().setLongVolatile(row.offset(), Owner.word(row.core().participants().self(), 1, 0,
          CellsLayout.LOCKED)); // the first element is being set
      return List.of(RecordArray.open(entry, STATS));
    }
    return List.of();
  }

  @Override
  public int word(Place place, ByteBuffer segment, Random random) {
    int element = ELEMENT_BYTES * random.nextInt(Math.max(1, place.sizeBytes() / ELEMENT_BYTES));
    return switch (random.nextInt(4)) {
      case 0 -> element;
      case 1 -> element + 8;
      default -> 8 * random.nextInt(place.sizeBytes() / 8);
    };
  }

  @Override
  public List<Long> tempting(Place place, ByteBuffer words) {
    long first = words.getLong(place.offset());
    long version = words.getLong(place.offset() + 8);
    return List.of(first, first ^ 1, first + 1, first + (1L << 16), first | 1, version, version + 1, version + 2, 0L,
        1L, 2L, 7L);
  }

  @Override
  public String status(Entry entry) {
    return CellsStatus.of(entry).toString();
  }

  @Override
  public void observe(Entry entry, Uses uses) throws Exception {
    uses.step("observe records", () -> {
      try (RecordArray<Stats> array = RecordArray.open(entry, STATS)) {
        return array.get(uses.random().nextInt(array.length()));
      }
    });
  }

  @Override
  public List<AutoCloseable> use(Entry entry, Uses uses) throws Exception {
    List<AutoCloseable> open = new ArrayList<>();
    Random random = uses.random();
    RecordArray<Stats> array = uses.step("open records", () -> RecordArray.open(entry, STATS));
    if (array != null) {
      open.add(array);
      useRecords(array, "", uses);
    }
    Atomics atomics = uses.step("open atomics", () -> Atomics.open(entry));
    if (atomics != null) {
      open.add(atomics);
      uses.step("atomics", () -> atomics.longCell("count").getAndAdd(1) + atomics.intCell("ready").getAndMax(5));
      uses.step("atomics", () -> atomics.doubleCell("mean").getAndMin(5) + (atomics.booleanCell("over")
          .compareAndSet(random.nextBoolean(), random.nextBoolean()) ? 1 : 0));
    }
    NumberArray numbers = uses.step("open numbers", () -> NumberArray.open(entry, long.class));
    if (numbers != null) {
      open.add(numbers);
      uses.step("numbers", () -> {
        numbers.setLong(random.nextInt(numbers.length()), 5);
        long[] some = new long[Math.min(10, numbers.length())];
        numbers.read(random.nextInt(numbers.length() - some.length + 1), MemorySegment.ofArray(some));
        return some;
      });
    }
    return open;
  }

  private static void useRecords(RecordArray<Stats> array, String who, Uses uses) throws Exception {
    for (int i = 0; i < 4; i++) {
      int index = uses.random().nextInt(array.length());
      uses.step(who + "get", () -> array.get(index));
      uses.step(who + "set", () -> array.set(index, Stats.of(index), uses.random().nextInt(100_000)));
      uses.step(who + "version", () -> array.version(index));
    }
  }

  @Override
  public void useSound(Entry entry) {
    switch (form(entry)) {
      case RECORDS -> {
        try (RecordArray<Stats> array = RecordArray.open(entry, STATS)) {
          for (int i = 0; i < array.length(); i++) {
            Stats stats = array.get(i); // null where it was never set
            require(!array.wasBusy() && (stats == null || stats.isWhole()), "element " + i);
            require(array.set(i, Stats.of(5), 60_000_000_000L) && array.get(i).number() == 5, "element " + i);
          }
        }
      }
      case ATOMICS -> {
        try (Atomics atomics = Atomics.open(entry)) {
          long before = atomics.longCell("count").getAndAdd(3);
          require(atomics.longCell("count").get() == before + 3, "the count");
        }
      }
      default -> {
        try (NumberArray array = NumberArray.open(entry, long.class)) {
          array.setLong(99, 8);
          require(array.getLong(99) == 8, "the last number");
        }
      }
    }
  }

  private static void require(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what + " is not what it was set to");
    }
  }

  @Override
  public List<String> expectedOutcomes() {
    return List.of("open records: success", "open records: DamagedSegmentException", "open atomics: success",
        "open atomics: DamagedSegmentException", "open numbers: success", "open numbers: DamagedSegmentException",
        "get: success", "set: success", "atomics: success", "numbers: success",
        "status: DamagedSegmentException");
  }

  @Override
  public Living live(Entry one, Entry other) {
    return form(one).equals(RECORDS) ? new Pair(RecordArray.open(one, STATS), RecordArray.open(other, STATS))
        : new Others(one);
  }

  /** Two that use an array of records. */
  private record Pair(RecordArray<Stats> one, RecordArray<Stats> other) implements Living {
    @Override
    public void use(Uses uses) throws Exception {
      useRecords(one, "living ", uses);
      useRecords(other, "living ", uses);
    }

    @Override
    public int useSound() {
      int index = LENGTH - 1;
      for (long number = 1; number <= 2; number++) {
        require(one.set(index, Stats.of(number), 60_000_000_000L), "the lock");
        Stats stats = other.get(index);
        require(stats.isWhole() && stats.number() == number, "the element");
      }
      return 2;
    }

    @Override
    public List<AutoCloseable> roles() {
      return List.of(one, other);
    }
  }

  /** Uses the others anew each time. */
  private record Others(Entry entry) implements Living {
    @Override
    public void use(Uses uses) throws Exception {
      new CellDamage().observe(entry, uses);
    }

    @Override
    public int useSound() {
      new CellDamage().useSound(entry);
      return 1;
    }

    @Override
    public List<AutoCloseable> roles() {
      return List.of();
    }
  }

  @Override
  public EntrySpec busy(String name) {
    return RecordArray.spec(name, LENGTH, STATS);
  }

  @Override
  public int busyWord(Place place, Random random) {
    return switch (random.nextInt(4)) {
      case 0 -> ELEMENT_BYTES * random.nextInt(LENGTH) + 8 * random.nextInt(2);
      case 1 -> ELEMENT_BYTES * LENGTH + 8 * random.nextInt(STATS.text().length() / 8); // the layout's text
      default -> 8 * random.nextInt(place.sizeBytes() / 8);
    };
  }

  @Override
  public Map<String, BusyUse> busyUses() {
    Map<String, BusyUse> uses = new LinkedHashMap<>();
    uses.put("setter", (entry, turn) -> {
      try (RecordArray<Stats> array = RecordArray.open(entry, STATS)) {
        for (int i = turn.random().nextInt(100); i > 0 && !turn.isOver(); i--) {
          if (!array.set(turn.random().nextInt(LENGTH), Stats.of(i), turn.random().nextInt(100_000))) {
            turn.note("locked");
          }
        }
      }
    });
    uses.put("getter", (entry, turn) -> {
      try (RecordArray<Stats> array = RecordArray.open(entry, STATS)) {
        for (int i = turn.random().nextInt(100); i > 0 && !turn.isOver(); i--) {
          array.get(turn.random().nextInt(LENGTH));
        }
      }
      CellsStatus.of(entry);
    });
    return uses;
  }

  @Override
  public void fillBusy(Entry entry) {
    fill(entry, 10);
  }

  private static void set(SegmentEntry entry, int offset, long value) {
    for (int i = 0; i < LENGTH; i++) {
      entry.region().setLongRelease(entry.offset() + i * ELEMENT_BYTES + offset, value);
    }
  }

  @Override
  public List<Change> changes() {
    return List.of(
        new Change("locks", (entry, there) -> set(entry, 0, there ? 1L << 40 | 200 << 8 | 1 : 1L << 33 | 1)),
        new Change("locks of a living one", (entry, there) -> set(entry, 0,
            Owner.word(entry.core().participants().self(), there ? 1 : 2, 0, CellsLayout.LOCKED))),
        new Change("versions", (entry, there) -> set(entry, 8, there ? Long.MAX_VALUE : 4)),
        new Change("contents", (entry, there) -> set(entry, 16, there ? -1 : 0)),
        new Change("the text of the layout", (entry, there) -> entry.region().setLongRelease(
            entry.offset() + ELEMENT_BYTES * LENGTH, there ? 0x2030_2030_2030_2030L : 0x0A0A_0A0A_0A0A_0A0AL)));
  }

  @Override
  public List<Consumer<Entry>> usesOfChanged() {
    return List.of(
        entry -> {
          try (RecordArray<Stats> array = RecordArray.open(entry, STATS)) {
            array.set(1, Stats.of(3), 1_000_000);
          }
        },
        entry -> {
          try (RecordArray<Stats> array = RecordArray.open(entry, STATS)) {
            array.get(1);
            array.version(2);
          }
        },
        CellsStatus::of);
  }
}
