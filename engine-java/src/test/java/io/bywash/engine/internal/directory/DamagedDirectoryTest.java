package io.bywash.engine.internal.directory;

import static io.bywash.engine.internal.layout.SegmentLayout.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.BusException;
import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.memory.Region;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A damaged row does not take its neighbours with it. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class DamagedDirectoryTest {
  @RegisterExtension final TempBus bus = new TempBus();

  private Segment segment;
  private Region region;
  private long row;

  @BeforeEach
  void open() {
    segment = Segment.create(bus.path("rows"), SegmentSpec.of(Broadcast.spec("before", 4096),
        Broadcast.spec("damaged", 4096), Broadcast.spec("after", 4096)).withSizeBytes(1 << 20));
    SegmentEntry entry = (SegmentEntry) segment.directory().find("damaged").orElseThrow();
    region = entry.region();
    row = entry.core().geometry().row(1);
  }

  @AfterEach
  void close() {
    segment.close();
  }

  private List<String> names() {
    return segment.directory().entries().stream().map(Entry::name).toList();
  }

  private void assertNeighbourWorks(String name) {
    Entry neighbour = segment.directory().find(name, Kind.BROADCAST);
    try (Publisher publisher = Publisher.open(neighbour); Subscriber subscriber = Subscriber.open(neighbour)) {
      assertTrue(publisher.offer(new byte[100]));
      assertEquals(1, subscriber.poll(message -> {}, 1));
    }
  }

  private void assertNeighboursWork() {
    assertNeighbourWorks("before");
    assertNeighbourWorks("after");
    segment.directory().findOrAdd(Broadcast.spec("new", 4096));
    try (Segment other = Segment.attach(bus.path("rows"), 0)) {
      assertTrue(other.directory().find("new").isPresent());
      assertTrue(other.directory().find("after").isPresent());
    }
  }

  @ParameterizedTest
  @CsvSource({"8, 0", "8, -4096", "8, 4096", "8, 1048576", "8, 1044480", "8, 61441", "8, 9223372036854771712",
      "16, 0", "16, -1", "16, 4095", "16, 1048576", "16, 9223372036854775807",
      "48, -1", "48, 1025", "48, 1024", "48, 9223372036854775807", "48, 4294967297"})
  void aRowWithImpossibleGeometryIsRefusedByNameAndItsNeighboursWork(int offset, long value) {
    region.setLong(row + offset, value);
    for (DamagedSegmentException damage : List.of(
        assertThrows(DamagedSegmentException.class, () -> segment.directory().find("damaged")),
        assertThrows(DamagedSegmentException.class, () -> segment.directory().find("damaged", Kind.BROADCAST)),
        assertThrows(DamagedSegmentException.class,
            () -> segment.directory().findOrAdd(Broadcast.spec("damaged", 4096))))) {
      assertTrue(damage.getMessage().contains("\"damaged\""), damage.getMessage());
      assertTrue(damage.getMessage().contains("/rows"), damage.getMessage());
    }
    assertEquals(List.of("before", "after"), names());
    assertNeighboursWork();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 4096, -4096})
  void twoRowsThatClaimTheSameBytesGiveThemToNobodyAndTheirNeighbourWorks(int distance) {
    SegmentEntry before = (SegmentEntry) segment.directory().find("before").orElseThrow();
    region.setLong(row + ROW_OFFSET, before.offset() + (distance < 0 ? before.sizeBytes() : 0) + distance);
    for (String name : List.of("before", "damaged")) {
      DamagedSegmentException damage =
          assertThrows(DamagedSegmentException.class, () -> segment.directory().find(name, Kind.BROADCAST));
      assertTrue(damage.getMessage().contains("\"before\"") && damage.getMessage().contains("\"damaged\""),
          damage.getMessage());
    }
    assertEquals(List.of("after"), names());
    assertNeighbourWorks("after");
    region.setLong(row + ROW_OFFSET, before.offset() + before.sizeBytes());
    assertNeighboursWork();
  }

  @ParameterizedTest
  @CsvSource({"24, 0", "24, -4096", "24, 4097", "24, 2048", "24, 8192", "24, 9223372036854775807",
      "32, 0", "32, -1", "32, 513", "32, 9223372036854775807", "48, 0", "48, 1"})
  void aRowWithAnImpossibleRingIsListedButGivesNoRoles(int offset, long value) {
    region.setLong(row + offset, value);
    Entry damaged = segment.directory().find("damaged", Kind.BROADCAST);
    assertThrows(DamagedSegmentException.class, () -> Publisher.open(damaged));
    assertThrows(DamagedSegmentException.class, () -> Subscriber.open(damaged));
    assertEquals(List.of("before", "damaged", "after"), names());
    assertNeighboursWork();
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -1, 0x2F2F_2F2F_2F2F_2F2FL, 0x0000_0000_0000_0A61L})
  void aRowWhoseNameIsNoneIsLeftOut(long name) {
    region.setLong(row + ROW_NAME, name);
    assertEquals(List.of("before", "after"), names());
    assertTrue(segment.directory().find("damaged").isEmpty());
    assertNeighboursWork();
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 3, 4, 255})
  void aRowInAStateThatIsNotLiveIsNotThere(long state) {
    region.setLong(row, region.getLong(row) & ~0xFFL | state);
    assertEquals(List.of("before", "after"), names());
    assertTrue(segment.directory().find("damaged").isEmpty());
    assertNeighboursWork();
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -1, -4096, 4096, 61_441, 1 << 20, (1 << 20) + 4096, Long.MAX_VALUE, Long.MIN_VALUE})
  void aFreeOffsetThatPointsNowhereStopsNoOneButTheAdder(long offset) {
    region.setLong(NEXT_FREE_OFFSET, offset);
    assertThrows(BusException.class, () -> segment.directory().findOrAdd(Broadcast.spec("new", 4096)));
    assertEquals(List.of("before", "damaged", "after"), names());
    Publisher.open(segment.directory().find("damaged", Kind.BROADCAST)).close();
  }

  @Test
  void aFreeOffsetInTheMiddleOfTheEntriesDoesNotHandOutTheirSpaceAgain() {
    long taken = ((SegmentEntry) segment.directory().find("damaged").orElseThrow()).offset();
    region.setLong(NEXT_FREE_OFFSET, taken);
    assertThrows(DamagedSegmentException.class, () -> segment.directory().findOrAdd(Broadcast.spec("new", 4096)));
    assertEquals(List.of("before", "damaged", "after"), names());
  }

  @ParameterizedTest
  @ValueSource(longs = {1, -1, 0x10001, 0x1FF_0001, 0xFFFF_0001L, Long.MIN_VALUE})
  void anIntentThatMeansNothingIsForgotten(long intent) {
    region.setLong(INTENT_OFFSET, intent);
    segment.directory().findOrAdd(Broadcast.spec("new", 4096));
    assertEquals(List.of("before", "damaged", "after", "new"), names());
    assertEquals(0, region.getLong(INTENT_OFFSET));
    assertNeighboursWork();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aRowThatItsDeadAdderLeftHalfDoneIsVoidedAndItsSpaceHandedOutOnce(boolean movedOn) {
    long free = region.getLong(NEXT_FREE_OFFSET);
    Entry probe = segment.directory().findOrAdd(Broadcast.spec("half", 8192));
    long half = ((SegmentEntry) probe).core().geometry().row(3);
    region.setLong(half, region.getLong(half) & ~0xFFL | ROW_ADDING); // as if the adder had died before its last store
    if (!movedOn) {
      region.setLong(NEXT_FREE_OFFSET, free);
    }
    region.setLong(INTENT_OFFSET, Owner.word(Owner.participant(9, 9), 3, 0, 1));
    assertEquals(List.of("before", "damaged", "after"), names());
    SegmentEntry added = (SegmentEntry) segment.directory().findOrAdd(Broadcast.spec("new", 4096));
    assertEquals(free, added.offset());
    assertEquals(free + added.sizeBytes(), region.getLong(NEXT_FREE_OFFSET));
    assertEquals(List.of("before", "damaged", "after", "new"), names());
  }
}
