package io.bywash.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.cell.Atomics;
import io.bywash.engine.inspect.LayoutStatus;
import io.bywash.engine.inspect.SegmentStatus;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 120, unit = TimeUnit.SECONDS)
class SegmentSpecTest {
  private static final String LONGEST = "n".repeat(64);

  @RegisterExtension final TempBus bus = new TempBus();

  private static void assertRefused(Executable use, Object... named) {
    IllegalArgumentException refused = assertThrows(IllegalArgumentException.class, use);
    for (Object part : named) {
      assertTrue(refused.getMessage().contains(part.toString()), () -> "\"" + part + "\" in: " + refused.getMessage());
    }
  }

  // ---- sizes

  @Test
  void theSizeIsComputedFromTablesAndEntries() {
    assertEquals(4096 + 64 * 256 + 64 * 256, SegmentSpec.of().sizeBytes());
    assertEquals(4096 + 8 * 256 + 16 * 256 + 2048, SegmentSpec.small(List.of()).sizeBytes());
    assertEquals(4096 + 256 * 256 + 256 * 256, SegmentSpec.large(List.of()).sizeBytes());
    assertEquals(8192, SegmentSpec.of().withParticipantCapacity(1).withEntryCapacity(1).sizeBytes());
    assertEquals(4096 + 256 * 256 + 512 * 256,
        SegmentSpec.of().withParticipantCapacity(256).withEntryCapacity(512).sizeBytes());
    assertEquals(36_864 + 24_576 + 8192, SegmentSpec.of(Broadcast.spec("a", 4096)).sizeBytes());
    EntrySpec small = new EntrySpec("a", Kind.BROADCAST, 1, 1, 0, 0);
    assertEquals(0, small.sizeBytes());
    EntrySpec atomic = new EntrySpec("a", Kind.BROADCAST, 1, 1, 0, 8);
    assertEquals(128, atomic.sizeBytes(), "without roles there is no common part");
    assertEquals(36_864 + 4096, SegmentSpec.of(atomic).sizeBytes());
    assertEquals(8192 + 4096, new EntrySpec("a", Kind.BROADCAST, 1, 1, 16, 1).sizeBytes());
    assertEquals(8192 + 4096, new EntrySpec("a", Kind.BROADCAST, 1, 1, 16, 4096 - 128).sizeBytes());
    assertEquals(8192 + 8192, new EntrySpec("a", Kind.BROADCAST, 1, 1, 16, 4096 - 127).sizeBytes());
    assertEquals(8192 + 4096 + 8192, new EntrySpec("a", Kind.BROADCAST, 1, 1, 17, 4097).sizeBytes());
    assertEquals(OptionalLong.empty(), SegmentSpec.of(small).givenSizeBytes());
  }

  @Test
  void presetsAndOtherSizesTellTheirOverheadAndHoldAsManyLongNamesAsTheySay() {
    assertEquals(12 * 1024, SegmentSpec.small(List.of()).overheadBytes());
    assertEquals(36 * 1024, SegmentSpec.of().overheadBytes());
    assertEquals(132 * 1024, SegmentSpec.large(List.of()).overheadBytes());
    int entries = 128;
    EntrySpec each = Atomics.spec("n".repeat(45) + 100, "long value");
    SegmentSpec custom = SegmentSpec.of().withEntryCapacity(entries);
    assertEquals(4096 + 64 * 256 + entries * 256, custom.overheadBytes());
    try (Segment segment = Segment.create(bus.path("seg"),
        custom.withSizeBytes(custom.overheadBytes() + entries * each.sizeBytes()))) {
      for (int i = 0; i < entries; i++) {
        segment.directory().findOrAdd(Atomics.spec("n".repeat(45) + (100 + i), "long value"));
      }
      assertEquals(entries, segment.directory().entries().size());
      assertEquals(entries, SegmentStatus.of(segment).entryCapacity());
      assertEquals(custom.overheadBytes(), LayoutStatus.of(segment).overheadBytes());
      assertThrows(TableFullException.class, () -> segment.directory().findOrAdd(Atomics.spec("more", "long value")));
    }
  }

  @Test
  void aGivenSizeIsRoundedUpToAPage() {
    assertEquals(1 << 20, SegmentSpec.of().withSizeBytes(1 << 20).sizeBytes());
    assertEquals((1 << 20) + 4096, SegmentSpec.of().withSizeBytes((1 << 20) + 1).sizeBytes());
    assertEquals(OptionalLong.of((1 << 20) + 4096), SegmentSpec.of().withSizeBytes((1 << 20) + 4096).givenSizeBytes());
    assertEquals(36_864, SegmentSpec.of().withSizeBytes(36_864).sizeBytes());
  }

  @Test
  void theFileHasTheSpecifiedSizeAndEveryByteOfItIsAllocated() throws Exception {
    for (SegmentSpec spec : List.of(SegmentSpec.of(), SegmentSpec.of().withSizeBytes(3_000_000),
        SegmentSpec.of(Broadcast.spec("a", 1 << 20)))) {
      try (Segment segment = Segment.create(bus.path("size"), spec)) {
        assertEquals(spec.sizeBytes(), segment.sizeBytes());
        assertEquals(spec.sizeBytes(), java.nio.file.Files.size(segment.path()));
        Process du = new ProcessBuilder("du", "-B1", segment.path().toString()).start();
        String allocated = new String(du.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.US_ASCII);
        assertEquals(spec.sizeBytes(), Long.parseLong(allocated.substring(0, allocated.indexOf('\t'))));
      }
    }
  }

  @Test
  void whatTheSpecificationSaysIsWhatTheSegmentIs() throws Exception {
    Set<PosixFilePermission> permissions = PosixFilePermissions.fromString("rw-rw----");
    SegmentSpec spec = SegmentSpec.of(Broadcast.spec("a", 4096), Broadcast.spec("b", 8192, 5))
        .withParticipantCapacity(3).withEntryCapacity(9).withLifetime(Lifetime.KEPT).withPermissions(permissions);
    try (Segment segment = Segment.create(bus.path("said"), spec)) {
      assertEquals("said", segment.name());
      assertEquals(bus.path("said"), segment.path());
      assertEquals(Lifetime.KEPT, segment.lifetime());
      assertEquals(permissions, java.nio.file.Files.getPosixFilePermissions(segment.path()));
      List<Entry> entries = segment.directory().entries();
      assertEquals(List.of("a", "b"), entries.stream().map(Entry::name).toList());
      Entry second = entries.get(1);
      assertEquals(Kind.BROADCAST, second.kind());
      assertEquals(8192, second.capacity());
      assertEquals(1024, second.elementSizeBytes());
      assertEquals(0, second.fingerprint());
      assertEquals(spec.entries().get(1).sizeBytes(), second.sizeBytes());
    }
    assertEquals(List.of("said"), bus.files(), "a kept segment stays");
    try (Segment again = Segment.open(bus.path("said"), spec)) {
      assertEquals(spec.sizeBytes(), again.sizeBytes());
    }
    java.nio.file.Files.delete(bus.path("said"));
  }

  // ---- equality

  @Test
  void specificationsAreEqualExactlyWhenAllTheirPartsAre() {
    SegmentSpec spec = SegmentSpec.of(Broadcast.spec("a", 4096));
    List<SegmentSpec> different = List.of(spec, SegmentSpec.of(), SegmentSpec.of(Broadcast.spec("b", 4096)),
        SegmentSpec.of(Broadcast.spec("a", 4096), Broadcast.spec("b", 4096)), spec.withParticipantCapacity(63),
        spec.withEntryCapacity(63), spec.withLifetime(Lifetime.KEPT), spec.withSizeBytes(1 << 20),
        spec.withSizeBytes(spec.sizeBytes()), spec.withPermissions(PosixFilePermissions.fromString("rw-r-----")));
    for (int i = 0; i < different.size(); i++) {
      for (int j = 0; j < different.size(); j++) {
        if (i == j) {
          assertEquals(different.get(i), different.get(j));
        } else {
          assertNotEquals(different.get(i), different.get(j));
        }
      }
    }
    SegmentSpec same = SegmentSpec.of(List.of(Broadcast.spec("a", 3000 + 1096))).withLifetime(Lifetime.KEPT)
        .withLifetime(Lifetime.WHILE_USED).withParticipantCapacity(64);
    assertEquals(spec, same);
    assertEquals(spec.hashCode(), same.hashCode());
    assertNotEquals(spec, new Object());
    assertTrue(spec.toString().contains("a") && spec.toString().contains(Long.toString(spec.sizeBytes())));
  }

  @Test
  void aSpecificationDoesNotChangeWithTheCollectionsItWasMadeFrom() {
    List<EntrySpec> entries = new ArrayList<>(List.of(Broadcast.spec("a", 4096)));
    SegmentSpec spec = SegmentSpec.of(entries);
    entries.clear();
    assertEquals(1, spec.entries().size());
    assertThrows(UnsupportedOperationException.class, () -> spec.entries().clear());
    assertThrows(UnsupportedOperationException.class, () -> spec.permissions().clear());
  }

  // ---- bad input

  @ParameterizedTest
  @ValueSource(ints = {0, -1, 257, Integer.MAX_VALUE, Integer.MIN_VALUE})
  void anImpossibleParticipantCapacityIsRefusedByName(int capacity) {
    assertRefused(() -> SegmentSpec.of().withParticipantCapacity(capacity), "participantCapacity=" + capacity, 256);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, 1, 513, Integer.MAX_VALUE, Integer.MIN_VALUE})
  void anImpossibleEntryCapacityIsRefusedByName(int capacity) {
    SegmentSpec two = SegmentSpec.of(Broadcast.spec("a", 4096), Broadcast.spec("b", 4096));
    assertRefused(() -> two.withEntryCapacity(capacity), "entryCapacity=" + capacity, 512);
  }

  @Test
  void moreEntriesThanADirectoryCanHoldAreRefused() {
    List<EntrySpec> entries = new ArrayList<>();
    for (int i = 0; i < 512; i++) {
      entries.add(Broadcast.spec("queue-" + i, 4096));
    }
    assertEquals(512, SegmentSpec.of(entries).entryCapacity());
    entries.add(Broadcast.spec("one-too-many", 4096));
    assertRefused(() -> SegmentSpec.of(entries), "entryCapacity=513", 512);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -1, Long.MIN_VALUE, Long.MAX_VALUE, Long.MAX_VALUE - 4095})
  void anImpossibleSizeIsRefusedByName(long sizeBytes) {
    assertRefused(() -> SegmentSpec.of().withSizeBytes(sizeBytes), "sizeBytes=" + sizeBytes);
  }

  @Test
  void aSizeThatDoesNotHoldTheEntriesIsRefused() {
    SegmentSpec spec = SegmentSpec.of(Broadcast.spec("a", 1 << 20));
    assertRefused(() -> spec.withSizeBytes(4096), "sizeBytes=4096", spec.sizeBytes());
    assertRefused(() -> spec.withSizeBytes(spec.sizeBytes() - 4096), spec.sizeBytes());
    assertRefused(() -> SegmentSpec.of().withSizeBytes(28_672).withParticipantCapacity(256), "sizeBytes=28672");
  }

  @Test
  void anEntryNameThatStandsThereTwiceIsRefused() {
    assertRefused(() -> SegmentSpec.of(Broadcast.spec("a", 4096), Broadcast.spec("b", 4096), Broadcast.spec("a", 8192)),
        "\"a\" twice");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", ".a", "-a", "_a", "a b", "a/b", "ä", "a\n", "a\0", "../a"})
  void aNameThatIsNoneIsRefusedWhereverItIsGiven(String name) {
    assertRefused(() -> Broadcast.spec(name, 4096), "name=\"" + name + "\"");
    assertRefused(() -> BusDirectory.at(bus.directory()).path(name), "name=\"" + name + "\"");
    try (Segment segment = Segment.create(bus.path("names"), SegmentSpec.of())) {
      assertRefused(() -> segment.directory().find(name), "name=\"" + name + "\"");
      assertRefused(() -> segment.directory().find(name, Kind.BROADCAST), "name=\"" + name + "\"");
    }
    if (!name.contains("/") && !name.isEmpty() && !name.contains("\0")) {
      assertRefused(() -> Segment.create(bus.path(name), SegmentSpec.of()), "name=\"" + name + "\"");
      assertRefused(() -> Segment.open(bus.path(name), SegmentSpec.of()), "name=\"" + name + "\"");
      assertRefused(() -> Segment.attach(bus.path(name), 0), "name=\"" + name + "\"");
      assertRefused(() -> Segment.observe(bus.path(name)), "name=\"" + name + "\"");
    }
  }

  @Test
  void theLongestNameWorksAndALongerOneDoesNot() {
    try (Segment segment = Segment.create(bus.path(LONGEST), SegmentSpec.of(Broadcast.spec(LONGEST, 4096)))) {
      assertEquals(LONGEST, segment.name());
      assertEquals(LONGEST, segment.directory().find(LONGEST).orElseThrow().name());
      assertEquals(List.of(LONGEST), BusDirectory.at(bus.directory()).names());
    }
    assertRefused(() -> Broadcast.spec(LONGEST + "n", 4096), "name=");
    assertRefused(() -> Segment.create(bus.path(LONGEST + "n"), SegmentSpec.of()), "name=");
    assertRefused(() -> Segment.create(java.nio.file.Path.of("/"), SegmentSpec.of()), "name=");
  }

  @ParameterizedTest
  @CsvSource({"0, 1, 0, 0", "-1, 1, 0, 0", "1, 0, 0, 0", "1, -1, 0, 0", "1, 1, -1, 0", "1, 1, 1025, 0", "1, 1, 0, -1",
      "1, 1, 0, 9223372036854775807", "1, 1, 0, 9223372036854775800"})
  void anImpossiblePartOfAnEntryIsRefusedByNameAndValue(long capacity, long elementSize, int roles, long dataBytes) {
    Object bad = roles < 0 || roles > 1024 ? "roleCount=" + roles : dataBytes != 0 ? "dataBytes=" + dataBytes
        : capacity < 1 ? "capacity=" + capacity : "elementSizeBytes=" + elementSize;
    assertRefused(() -> new EntrySpec("a", Kind.BROADCAST, capacity, elementSize, roles, dataBytes), bad);
  }

  @Test
  void anEntryOfUnknownKindCannotBeSpecified() {
    assertRefused(() -> new EntrySpec("a", Kind.UNKNOWN, 1, 1, 0, 0), "kind=UNKNOWN");
    assertThrows(NullPointerException.class, () -> new EntrySpec("a", null, 1, 1, 0, 0));
    assertRefused(() -> new EntrySpec(null, Kind.BROADCAST, 1, 1, 0, 0), "name=\"null\"");
  }

  @Test
  void entriesWhoseSizesAddUpToMoreThanAFileCanHaveAreRefused() {
    List<EntrySpec> entries = new ArrayList<>();
    for (int i = 0; i < 9; i++) {
      entries.add(new EntrySpec("huge-" + i, Kind.BROADCAST, 1, 1, 0, EntrySpec.MAX_DATA_BYTES));
    }
    assertRefused(() -> SegmentSpec.of(entries), "huge-");
  }

  @Test
  void missingPartsAreRefused() {
    assertThrows(NullPointerException.class, () -> SegmentSpec.of().withLifetime(null));
    assertThrows(NullPointerException.class, () -> SegmentSpec.of().withPermissions(null));
    assertThrows(NullPointerException.class, () -> SegmentSpec.of(Collections.singletonList(null)));
    assertThrows(NullPointerException.class, () -> SegmentSpec.of(Arrays.asList(Broadcast.spec("a", 4096), null)));
    assertThrows(NullPointerException.class, () -> Segment.create(bus.path("a"), null));
    assertThrows(NullPointerException.class, () -> Segment.open(bus.path("a"), null));
    assertThrows(NullPointerException.class, () -> Segment.attach((java.nio.file.Path) null, 0));
  }
}
