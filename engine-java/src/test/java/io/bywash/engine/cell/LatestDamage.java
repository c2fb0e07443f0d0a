package io.bywash.engine.cell;

import static io.bywash.engine.internal.layout.SegmentLayout.OWN_WORDS;
import static io.bywash.engine.internal.layout.SegmentLayout.ROLES;
import static io.bywash.engine.internal.layout.SegmentLayout.ROLE_BYTES;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Message;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.subject.DamageSubject;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;

/** Latest values to be damaged. */
final class LatestDamage implements DamageSubject {
  /** docs/SPEC.md */
  private static final int LATEST = 384;
  private static final int MAX_BYTES = 70;
  private static final int BUFFER_BYTES = 128;

  @Override
  public List<EntrySpec> structures() {
    return List.of(Latest.spec("first", MAX_BYTES, 1, 5), Latest.spec("second", MAX_BYTES, 3, 5));
  }

  @Override
  public EntrySpec added(String name) {
    return Latest.spec(name, MAX_BYTES, 1, 3);
  }

  private static byte[] content(int number) {
    byte[] bytes = new byte[1 + Math.floorMod(number, MAX_BYTES)];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (number + i);
    }
    return bytes;
  }

  private static int set(LatestWriter writer, int number) {
    byte[] bytes = content(number);
    writer.set(bytes, 0, Math.min(bytes.length, writer.maxValueBytes()), number);
    return number;
  }

  @Override
  public void fill(Entry entry, int amount) {
    try (LatestWriter writer = LatestWriter.open(entry)) {
      for (int i = 0; i <= amount; i++) {
        set(writer, i);
      }
    }
  }

  @Override
  public List<AutoCloseable> hold(Entry entry) {
    LatestWriter writer = LatestWriter.open(entry);
    set(writer, 5);
    LatestReader reader = LatestReader.open(entry);
    reader.get();
    return List.of(reader, writer);
  }

  @Override
  public int word(Place place, ByteBuffer segment, Random random) {
    int buffers = (place.sizeBytes() - place.data()) / BUFFER_BYTES;
    return switch (random.nextInt(6)) {
      case 0, 1 -> LATEST;
      case 2 -> ROLES + ROLE_BYTES * random.nextInt(place.roles());
      case 3, 4 -> place.data() + BUFFER_BYTES * random.nextInt(buffers) + 8 * random.nextInt(3);
      default -> random.nextBoolean() ? 8 * random.nextInt(OWN_WORDS / 8) : 8 * random.nextInt(place.sizeBytes() / 8);
    };
  }

  @Override
  public List<Long> tempting(Place place, ByteBuffer words) {
    long latest = words.getLong(place.offset() + LATEST);
    return List.of(latest, latest ^ 1, latest ^ 4, latest ^ 8, latest | 0xFFC, latest + (1L << 12), latest - (1L << 12),
        latest >>> 12, (latest >>> 12) + 1, 0L, 1L, -1L, 71L, 70L, 1L << 63);
  }

  @Override
  public String status(Entry entry) {
    return LatestStatus.of(entry).toString();
  }

  @Override
  public void observe(Entry entry, Uses uses) throws Exception {
    uses.step("observe", () -> {
      try (LatestReader reader = LatestReader.open(entry)) {
        return read(reader, uses.random());
      }
    });
  }

  private static int read(LatestReader reader, Random random) {
    int[] length = new int[1];
    if (random.nextBoolean()) {
      reader.read(value -> length[0] = value.toBytes().length);
    } else {
      Message value = reader.get();
      length[0] = value == null ? 0 : value.toBytes().length;
    }
    reader.awaitNewer(random.nextInt(16) == 0 ? 100_000 : 0);
    return length[0];
  }

  @Override
  public List<AutoCloseable> use(Entry entry, Uses uses) throws Exception {
    List<AutoCloseable> roles = new ArrayList<>();
    LatestWriter writer = uses.step("writer", () -> LatestWriter.open(entry));
    LatestReader reader = uses.step("reader", () -> LatestReader.open(entry));
    for (int i = 0; i < 3; i++) {
      if (reader != null) {
        uses.step("read", () -> read(reader, uses.random()));
      }
      if (writer != null && uses.random().nextBoolean()) {
        uses.step("set", () -> set(writer, uses.random().nextInt(1_000)));
      }
    }
    if (writer != null) {
      roles.add(writer);
    }
    if (reader != null) {
      roles.add(reader);
    }
    return roles;
  }

  @Override
  public void useSound(Entry entry) {
    try (LatestWriter writer = LatestWriter.open(entry); LatestReader reader = LatestReader.open(entry)) {
      check(writer, reader, 3);
    }
  }

  private static int check(LatestWriter writer, LatestReader reader, int count) {
    for (int i = 0; i < count; i++) {
      set(writer, i);
      Message value = reader.get();
      if (value == null || value.type() != i || value.length() != content(i).length) {
        throw new AssertionError("the value is not what it was set to");
      }
    }
    return count;
  }

  @Override
  public List<String> expectedOutcomes() {
    return List.of("writer: success", "writer: DamagedSegmentException", "reader: success", "read: success",
        "read: DamagedSegmentException", "set: success", "living set: success", "status: DamagedSegmentException");
  }

  @Override
  public Living live(Entry one, Entry other) {
    return new Pair(LatestWriter.open(one), LatestReader.open(other));
  }

  /** A writer and a reader. */
  private record Pair(LatestWriter writer, LatestReader reader) implements Living {
    @Override
    public void use(Uses uses) throws Exception {
      uses.step("living read", () -> read(reader, uses.random()));
      uses.step("living set", () -> set(writer, 4));
      uses.step("living read", () -> read(reader, uses.random()));
    }

    @Override
    public int useSound() {
      return check(writer, reader, 2);
    }

    @Override
    public List<AutoCloseable> roles() {
      return List.of(writer, reader);
    }
  }

  @Override
  public EntrySpec busy(String name) {
    return Latest.spec(name, MAX_BYTES, 2, 6);
  }

  @Override
  public int busyWord(Place place, Random random) {
    return switch (random.nextInt(4)) {
      case 0 -> LATEST;
      case 1 -> ROLES + ROLE_BYTES * random.nextInt(8);
      default -> place.data() + BUFFER_BYTES * random.nextInt(8) + 8 * random.nextInt(BUFFER_BYTES / 8);
    };
  }

  @Override
  public Map<String, BusyUse> busyUses() {
    Map<String, BusyUse> uses = new LinkedHashMap<>();
    uses.put("writer", (entry, turn) -> {
      try (LatestWriter writer = LatestWriter.open(entry)) {
        for (int i = turn.random().nextInt(300); i > 0 && !turn.isOver(); i--) {
          set(writer, i);
        }
      }
    });
    uses.put("reader", (entry, turn) -> {
      try (LatestReader reader = LatestReader.open(entry)) {
        for (int i = turn.random().nextInt(300); i > 0 && !turn.isOver(); i--) {
          read(reader, turn.random());
        }
      }
      LatestStatus.of(entry);
    });
    return uses;
  }

  @Override
  public void fillBusy(Entry entry) {
    fill(entry, 9);
  }

  private static void set(SegmentEntry entry, long offset, long value) {
    entry.region().setLongRelease(entry.offset() + offset, value);
  }

  @Override
  public List<Change> changes() {
    return List.of(
        new Change("the word", (entry, there) -> set(entry, LATEST, there ? 9L << 12 | 1 : 9L << 12 | 7 << 2)),
        new Change("versions", (entry, there) -> set(entry, LATEST, there ? 9L << 12 : -1L << 12)),
        new Change("stamps and lengths", (entry, there) -> {
          long data = SegmentLayout.structureDataOffset(entry.roleCount());
          for (int i = 0; i < 8; i++) {
            set(entry, data + i * BUFFER_BYTES, there ? 10 : 0);
            set(entry, data + i * BUFFER_BYTES + 8, there ? 70 : 71);
          }
        }));
  }

  @Override
  public List<Consumer<Entry>> usesOfChanged() {
    return List.of(
        entry -> {
          try (LatestWriter writer = LatestWriter.open(entry)) {
            set(writer, 10);
          }
        },
        entry -> {
          try (LatestReader reader = LatestReader.open(entry)) {
            Message value = reader.get();
            if (value != null) {
              value.toBytes();
            }
            reader.read(each -> each.toBytes());
            reader.awaitNewer(100_000);
          }
        },
        LatestStatus::of);
  }
}
