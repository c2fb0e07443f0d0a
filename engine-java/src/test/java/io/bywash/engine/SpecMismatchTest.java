package io.bywash.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.SegmentLayout;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Who asks for something else than what exists is told every difference. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class SpecMismatchTest {
  private static final SegmentSpec SPEC = SegmentSpec.of(Broadcast.spec("a", 4096, 7), Broadcast.spec("b", 8192))
      .withParticipantCapacity(5).withEntryCapacity(6);

  @RegisterExtension final TempBus bus = new TempBus();

  private Segment segment;

  @BeforeEach
  void create() {
    segment = Segment.create(bus.path("spec"), SPEC);
  }

  @AfterEach
  void close() {
    segment.close();
  }

  private void assertDifferences(SegmentSpec wanted, String... differences) {
    SpecMismatchException mismatch =
        assertThrows(SpecMismatchException.class, () -> Segment.open(bus.path("spec"), wanted));
    assertEquals(List.of(differences), mismatch.differences());
    assertTrue(mismatch.getMessage().contains(bus.path("spec").toString()), mismatch.getMessage());
    String count = differences.length + (differences.length == 1 ? " difference:" : " differences:");
    assertTrue(mismatch.getMessage().contains(count), mismatch.getMessage());
    for (String difference : differences) {
      assertTrue(mismatch.getMessage().contains(difference), mismatch.getMessage());
    }
    long next = SegmentLayout.HEADER_BYTES + SegmentLayout.SLOT_BYTES + SegmentLayout.SLOT_WORD;
    assertEquals(0, ((SegmentEntry) segment.directory().find("a").orElseThrow()).region().getLongVolatile(next),
        "whoever is refused never joins, or one that leaves could rely on it to remove the segment");
  }

  @Test
  void eachDifferenceIsNamedWithWhatIsThereAndWhatWasWanted() {
    assertDifferences(SPEC.withParticipantCapacity(4), "participantCapacity is 5, wanted 4");
    assertDifferences(SPEC.withEntryCapacity(2), "entryCapacity is 6, wanted 2");
    assertDifferences(SPEC.withLifetime(Lifetime.KEPT), "lifetime is WHILE_USED, wanted KEPT");
    assertDifferences(SPEC.withSizeBytes(1 << 20), "sizeBytes is " + SPEC.sizeBytes() + ", wanted 1048576");
    SegmentSpec other = SegmentSpec.of(Broadcast.spec("a", 4096, 6)).withParticipantCapacity(5).withEntryCapacity(6);
    assertDifferences(other, "entry \"a\": roleCount is 8, wanted 7");
  }

  @Test
  void allDifferencesAreListedAtOnce() {
    EntrySpec changed = new EntrySpec("b", Kind.BROADCAST, 16_384, 77, "1 77 Tick\n 0 long time\n", 3, 16_384,
        List.of(5L));
    SegmentSpec other = SegmentSpec.of(Broadcast.spec("missing", 4096), changed).withParticipantCapacity(1)
        .withEntryCapacity(2).withLifetime(Lifetime.KEPT).withSizeBytes(1 << 24);
    assertDifferences(other, "participantCapacity is 5, wanted 1", "entryCapacity is 6, wanted 2",
        "lifetime is WHILE_USED, wanted KEPT", "sizeBytes is " + SPEC.sizeBytes() + ", wanted 16777216",
        "entry \"missing\" does not exist, wanted BROADCAST", "entry \"b\": capacity is 8192, wanted 16384",
        "entry \"b\": elementSizeBytes is 1024, wanted 77", "entry \"b\": type 1 is missing, wanted \"1 77 Tick\"",
        "entry \"b\": field time of type 1 is missing, wanted \"0 long time\"",
        "entry \"b\": roleCount is 65, wanted 3",
        "entry \"b\": parameters are [0, 0, 0, 0, 0, 0, 0, 0], wanted [5, 0, 0, 0, 0, 0, 0, 0]");
  }

  @Test
  void aSpecificationOfLessThanThereIsMatches() {
    SegmentSpec less = SegmentSpec.of(Broadcast.spec("b", 8192)).withParticipantCapacity(5).withEntryCapacity(6)
        .withPermissions(PosixFilePermissions.fromString("rw-rw-rw-"));
    Segment.open(bus.path("spec"), less).close();
    Segment.open(bus.path("spec"), SPEC.withSizeBytes(SPEC.sizeBytes())).close();
  }

  @Test
  void anEntryThatIsThereButDifferentIsNotAddedAgain() {
    SpecMismatchException mismatch = assertThrows(SpecMismatchException.class,
        () -> segment.directory().findOrAdd(Broadcast.spec("a", 8192)));
    assertEquals(List.of("entry \"a\": capacity is 4096, wanted 8192",
        "entry \"a\": elementSizeBytes is 512, wanted 1024",
        "entry \"a\": roleCount is 8, wanted 65"), mismatch.differences());
    assertEquals(2, segment.directory().entries().size());
  }

  @Test
  void anEntryThatIsNotThereIsNamedTogetherWithThoseThatAre() {
    EntryNotFoundException missing = assertThrows(EntryNotFoundException.class,
        () -> segment.directory().find("missing", Kind.BROADCAST));
    for (String part : List.of("\"missing\"", "[a, b]", bus.path("spec").toString())) {
      assertTrue(missing.getMessage().contains(part), missing.getMessage());
    }
    assertTrue(segment.directory().find("missing").isEmpty());
  }

  @Test
  void anEntryOfAKindThatThisVersionDoesNotKnowIsListedAndFoundButNotUsed() {
    SegmentEntry entry = (SegmentEntry) segment.directory().find("a", Kind.BROADCAST);
    long row = SegmentLayout.rowsOffset(5);
    entry.region().setLong(row, entry.region().getLong(row) & ~0xFFFF_0000L | 77L << 16);

    assertEquals(List.of(Kind.UNKNOWN, Kind.BROADCAST),
        segment.directory().entries().stream().map(Entry::kind).toList());
    Entry unknown = segment.directory().find("a").orElseThrow();
    assertEquals(4096, unknown.capacity());
    assertTrue(unknown.owner().isPresent());
    for (SpecMismatchException mismatch : List.of(
        assertThrows(SpecMismatchException.class, () -> Publisher.open(unknown)),
        assertThrows(SpecMismatchException.class, () -> Subscriber.open(unknown)),
        assertThrows(SpecMismatchException.class, () -> segment.directory().find("a", Kind.BROADCAST)))) {
      assertEquals(List.of("kind is UNKNOWN, wanted BROADCAST"), mismatch.differences());
      assertTrue(mismatch.getMessage().contains("\"a\""), mismatch.getMessage());
    }
    assertDifferences(SPEC, "entry \"a\": kind is UNKNOWN, wanted BROADCAST");
    Publisher.open(segment.directory().find("b", Kind.BROADCAST)).close();
  }

  @Test
  void anEntryOfAnotherEngineIsRefused() {
    record Foreign(String name, long id, Kind kind, long capacity, long elementSizeBytes, long fingerprint,
        String layout, long sizeBytes) implements Entry {
      @Override
      public java.util.Optional<Participant> owner() {
        return java.util.Optional.empty();
      }
    }

    Entry foreign = new Foreign("a", 1, Kind.BROADCAST, 4096, 512, 0, "", 8192);
    var refused = assertThrows(IllegalArgumentException.class, () -> Publisher.open(foreign));
    assertTrue(refused.getMessage().contains("entry="), refused.getMessage());
    assertThrows(IllegalArgumentException.class, () -> Subscriber.open(foreign));
  }
}
