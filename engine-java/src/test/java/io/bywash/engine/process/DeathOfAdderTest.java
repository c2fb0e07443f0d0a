package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TableFullException;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.memory.Region;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Processes that are killed while they add an entry: it is there as a whole or not at all, and costs nothing. */
@Timeout(600)
class DeathOfAdderTest {
  private static final int ENTRIES = 512;
  /** Where row 1 is in a segment of 64 slots: behind row 0, the queue. */
  private static final long ROW = SegmentLayout.rowsOffset(64) + SegmentLayout.ROW_BYTES;
  private static final EntrySpec ADDED = Broadcast.spec("added", 4096, 1);

  @RegisterExtension final TempBus bus = new TempBus();

  /** What the adder wrote last before it was killed. */
  enum LastStep { INTENT, ADDING, FIELDS, NEXT_FREE, LIVE }

  @ParameterizedTest
  @EnumSource
  void whatADeadAdderLeftHalfDoneIsVoidedAndItsRowAndSpaceAreUsedAgain(LastStep last) {
    SegmentSpec room = SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 4096));
    try (Segment segment = Segment.create(bus.path("names"),
        room.withSizeBytes(room.sizeBytes() + 2 * ADDED.sizeBytes()))) {
      Forgery forgery = new Forgery(segment);
      Region region = forgery.region;
      long space = region.getLongVolatile(SegmentLayout.NEXT_FREE_OFFSET);
      long dead = forgery.deadParticipant(1);
      addUntil(last, region, dead, space);
      boolean done = last == LastStep.LIVE;
      assertEquals(done, segment.directory().find("added").isPresent());

      Entry first = segment.directory().findOrAdd(Broadcast.spec("first", 4096, 1));
      assertEquals(done ? space + ADDED.sizeBytes() : space, ((SegmentEntry) first).offset());
      assertEquals(0, region.getLongVolatile(SegmentLayout.INTENT_OFFSET));
      assertEquals(done ? List.of("queue", "added", "first") : List.of("queue", "first"), names(segment));
      Entry second = segment.directory().findOrAdd(ADDED); // fits only if no space was lost, or is the dead one's own
      assertEquals(done ? space : space + ADDED.sizeBytes(), ((SegmentEntry) second).offset());
    }
  }

  private static void addUntil(LastStep last, Region region, long dead, long space) {
    int step = last.ordinal();
    region.setLongVolatile(SegmentLayout.INTENT_OFFSET, Owner.word(dead, 1, 0, 1));
    long word = 1L << 32 | (long) Kind.BROADCAST.code() << 16 | (long) Kind.BROADCAST.version() << 8;
    if (step >= LastStep.ADDING.ordinal()) {
      region.setLongVolatile(ROW + SegmentLayout.ROW_WORD, word | SegmentLayout.ROW_ADDING);
    }
    if (step >= LastStep.FIELDS.ordinal()) {
      region.setLongVolatile(ROW + SegmentLayout.ROW_OFFSET, space);
      region.setLongVolatile(ROW + SegmentLayout.ROW_SIZE, ADDED.sizeBytes());
      region.setLongVolatile(ROW + SegmentLayout.ROW_CAPACITY, ADDED.capacity());
      region.setLongVolatile(ROW + SegmentLayout.ROW_ELEMENT_SIZE, ADDED.elementSizeBytes());
      region.setLongVolatile(ROW + SegmentLayout.ROW_ROLE_COUNT, ADDED.roleCount());
      region.setLongVolatile(ROW + SegmentLayout.ROW_CREATOR, dead);
      byte[] name = ADDED.name().getBytes(java.nio.charset.StandardCharsets.US_ASCII);
      region.copyFrom(ROW + SegmentLayout.ROW_NAME, name, 0, name.length);
    }
    if (step >= LastStep.NEXT_FREE.ordinal()) {
      region.setLongVolatile(SegmentLayout.NEXT_FREE_OFFSET, space + ADDED.sizeBytes());
    }
    if (step >= LastStep.LIVE.ordinal()) {
      region.setLongVolatile(ROW + SegmentLayout.ROW_WORD, word | SegmentLayout.ROW_LIVE);
    }
  }

  private static List<String> names(Segment segment) {
    return segment.directory().entries().stream().map(Entry::name).toList();
  }

  @Test
  @Tag("once")
  void anAdderKilledAtARandomMomentCostsNeitherRowsNorSpace() {
    killAdders(4);
  }

  @Test
  @Tag("stress")
  void manyAddersKilledAtRandomMomentsCostNeitherRowsNorSpace() {
    killAdders(100);
  }

  private void killAdders(int rounds) {
    EntrySpec[] none = {};
    long size = SegmentSpec.of(none).withEntryCapacity(ENTRIES).sizeBytes() + ENTRIES * ADDED.sizeBytes();
    for (int round = 0; round < rounds; round++) {
      try (Segment segment = Segment.create(bus.path("names"),
          SegmentSpec.of(none).withEntryCapacity(ENTRIES).withSizeBytes(size));
          ChildProcess adder = ChildProcess.start(AddMany.class, segment.path())) {
        adder.await("adding");
        LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(5_000_000));
        adder.kill();
        assertTrue(segment.directory().find("e0").isPresent());
        addAll(segment); // throws if a row or a byte is missing
        List<Entry> entries = segment.directory().entries();
        assertEquals(ENTRIES, entries.size());
        long offset = ((SegmentEntry) entries.getFirst()).offset();
        for (int i = 0; i < ENTRIES; i++) {
          assertEquals("e" + i, entries.get(i).name());
          assertEquals(offset + i * ADDED.sizeBytes(), ((SegmentEntry) entries.get(i)).offset());
        }
      }
    }
  }

  private static void addAll(Segment segment) {
    for (int i = 0; i < ENTRIES; i++) {
      segment.directory().findOrAdd(Broadcast.spec("e" + i, 4096, 1));
    }
  }

  /** Adds one entry after the other until it is killed. */
  static final class AddMany implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      Segment segment = Segment.attach(Path.of(arguments[0]), PATIENCE_NANOS);
      segment.directory().findOrAdd(Broadcast.spec("e0", 4096, 1));
      ChildProgram.say("adding");
      addAll(segment);
      ChildProgram.hear();
    }
  }

  @Test
  void manyProcessesThatAddTheSameNamesAtOnceShareTheEntries() {
    EntrySpec[] none = {};
    long size = SegmentSpec.of(none).withEntryCapacity(ENTRIES).sizeBytes() + ENTRIES * ADDED.sizeBytes();
    try (Segment segment = Segment.create(bus.path("names"),
        SegmentSpec.of(none).withEntryCapacity(ENTRIES).withSizeBytes(size));
        ChildProcess first = ChildProcess.start(AddMany.class, segment.path());
        ChildProcess second = ChildProcess.start(AddMany.class, segment.path())) {
      first.await("adding");
      second.await("adding");
      addAll(segment);
      assertEquals(ENTRIES, segment.directory().entries().size());
      assertThrows(TableFullException.class, () -> segment.directory().findOrAdd(ADDED));
    }
  }
}
