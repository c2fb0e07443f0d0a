package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.BroadcastLayout.*;
import static io.bywash.engine.internal.layout.SegmentLayout.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.TempBus;
import io.bywash.engine.inspect.Finding;
import io.bywash.engine.inspect.Verification;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.role.RoleHandle;
import io.bywash.engine.internal.memory.Region;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every kind of damage in a queue is found and named by a look that only reads. */
@Tag("once")
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RingCheckTest {
  private static final int RING = 4096;

  @RegisterExtension final TempBus bus = new TempBus();

  private TestQueue queue;
  private Ring ring;
  private Region region;
  private Subscriber subscriber;
  /** Of a record of 64 bytes in the middle of the ring. */
  private long record;

  @BeforeEach
  void publish() {
    queue = TestQueue.create(bus.path("damage"), RING);
    ring = Ring.of(queue.entry);
    region = ring.region;
    try (Publisher publisher = queue.publisher()) {
      for (int i = 0; i < 100; i++) {
        assertTrue(TestQueue.offer(publisher, 48));
      }
      assertTrue(TestQueue.offer(publisher, 500)); // does not begin at a block's first byte
    }
    record = ring.published() - 528 - 640;
    subscriber = queue.subscriber(SubscriberOptions.block());
    assertEquals(List.of(), problems());
  }

  @AfterEach
  void close() {
    queue.close();
    subscriber.close();
  }

  private List<String> problems() {
    return BroadcastStatus.problems(queue.entry);
  }

  private void assertFound(String... texts) {
    List<String> problems = problems();
    assertEquals(texts.length, problems.size(), problems.toString());
    for (int i = 0; i < texts.length; i++) {
      assertTrue(problems.get(i).contains(texts[i]), problems.toString());
    }
  }

  @ParameterizedTest
  @CsvSource({"published, 1", "published, -16", "published, 4611686018427387920", "published, 16", "oldest, 8",
      "oldest, -16", "oldest, 8192", "oldest, 9223372036854775807"})
  void positionsThatDoNotFitTogetherAreFound(String word, long value) {
    region.setLong(word.equals("oldest") ? ring.oldestOffset : ring.publishedOffset, value);
    assertFound("impossible in a ring of 4096 bytes");
  }

  @Test
  void aPublishedPositionWithinARecordIsFound() {
    region.setLong(ring.publishedOffset, ring.published() - 16);
    subscriber.close();
    assertFound("beyond the published position");
  }

  @Test
  void aPublishedPositionBehindWhatWasWrittenIsFound() {
    region.setLong(ring.publishedOffset, ring.oldest() + RING);
    assertTrue(problems().toString().contains("was due"), problems().toString());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, -64, Integer.MIN_VALUE, Integer.MAX_VALUE, 513, 49, 16})
  void aLengthThatIsImpossibleOrBreaksTheChainIsFound(int length) {
    region.setInt(ring.at(record) + RECORD_LENGTH, length);
    assertTrue(problems().getLast().contains("was due"), problems().toString());
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -1, 1L << 40, Long.MIN_VALUE})
  void aSequenceThatIsNotDueIsFound(long sequence) {
    region.setLong(ring.at(record) + RECORD_SEQUENCE, sequence);
    assertFound("where sequence 90 was due");
  }

  @Test
  void aPaddingThatIsTooShortOrCarriesAWrongSequenceOrEndsTheQueueIsFound() {
    long end = (ring.published() | RING - 1) + 1;
    try (Publisher publisher = queue.publisher()) {
      while (end - ring.published() >= 512) {
        subscriber.poll(message -> {}, 10);
        assertTrue(TestQueue.offer(publisher, 240));
      }
      subscriber.poll(message -> {}, 10);
      assertTrue(TestQueue.offer(publisher, 512)); // does not fit before the end
    }
    assertEquals(List.of(), problems());
    long padding = ring.at(end) == ring.dataOffset ? findPadding(end) : -1;
    int length = region.getInt(padding);
    region.setInt(padding, length + 16);
    assertTrue(problems().toString().contains("was due"), problems().toString());
    region.setInt(padding, length);
    region.setLong(padding + RECORD_SEQUENCE, 5);
    assertTrue(problems().toString().contains("was due"), problems().toString());
    region.setLong(padding + RECORD_SEQUENCE, region.getLong(ring.at(end) + RECORD_SEQUENCE));
    assertEquals(List.of(), problems());
    region.setLong(ring.publishedOffset, end);
    assertTrue(problems().toString().contains("stands behind padding"), problems().toString());
  }

  private long findPadding(long end) {
    for (long position = end - 16; position > end - 560; position -= 16) {
      if (region.getInt(ring.at(position)) == position - end) {
        return ring.at(position);
      }
    }
    throw new AssertionError("there is no padding before " + end);
  }

  private long noteOf(long position) {
    return queueOffset() + BLOCK_INDEX + BlockIndex.entry(ring.blocks.blockOf(position)) * BLOCK_ENTRY_BYTES;
  }

  private long queueOffset() {
    return ring.publishedOffset - PUBLISHED;
  }

  @Test
  void aBlockIndexEntryWithAWrongSequenceOrPlaceIsFound() {
    long note = noteOf(record);
    long noted = region.getLong(note);
    region.setLong(note + 8, region.getLong(note + 8) + 1);
    assertFound("the block index, entry " + ring.blocks.blockOf(record) + " tells of position");
    region.setLong(note + 8, region.getLong(note + 8) - 1);
    for (long wrong : new long[] {noted + 16, noted + 8, noted + 1}) {
      region.setLong(note, wrong);
      assertFound("where no such record begins");
    }
    region.setLong(note, ring.published() + RING + 64);
    assertFound("where no record can begin");
    region.setLong(note, ring.published() + 8);
    assertFound("where no record can begin");
    region.setLong(note, -1); // a publisher that died as it noted the block
    assertEquals(List.of(), problems());
  }

  @Test
  void anOldestRecordThatTheBlockIndexDoesNotKnowIsFound() {
    region.setLong(noteOf(ring.oldest()), -1);
    assertFound("does not lead to the oldest record");
  }

  @Test
  void aSubscriberWhereNoRecordBeginsIsFound() {
    long position = ring.entry.role(1) + ROLE_POSITION;
    region.setLong(position, record + 16);
    assertFound("the subscriber in role 1 tells of position");
    for (long wrong : new long[] {record + 8, -16, ring.published() + 16, Long.MAX_VALUE}) {
      region.setLong(position, wrong);
      assertFound("the subscriber in role 1 stands at position");
    }
  }

  /** As it joined between two steps of the publisher's, and was stopped then: see Give up in the specification. */
  @Test
  void aSubscriberThatStandsBehindTheOldestRecordWithNothingOverwrittenUnderItIsNotAccused() {
    region.setLong(ring.entry.role(1) + ROLE_POSITION, ring.published() - RING);
    assertTrue(ring.oldest() > ring.published() - RING, "the boundary has passed it");
    assertEquals(List.of(), problems());
    assertEquals(List.of(), Verification.of(queue.segment));
  }

  /**
   * It was stopped between writing its position and counting, overtaken by many rounds, and stopped again when it
   * counted.
   */
  @Test
  void aSubscriberThatWasOvertakenBeforeItCountedIsToldAsOneThatStoppedAndNotAsDamage() {
    subscriber.close();
    RoleHandle joiner = RoleHandle.tryTake(ring.entry, 1, MODE_BLOCK);
    region.setLong(joiner.offset() + ROLE_POSITION, ring.published());
    try (Publisher publisher = queue.publisher()) {
      for (int i = 0; i < 500; i++) {
        assertTrue(TestQueue.offer(publisher, 48));
      }
      assertTrue(region.getLong(joiner.offset() + ROLE_POSITION) < ring.published() - RING, "it was overtaken");
      joiner.activate();
      assertEquals(List.of(), problems());
      List<Finding> findings = Verification.of(queue.segment);
      assertEquals(1, findings.size(), findings.toString());
      assertEquals(Finding.Severity.WARNING, findings.getFirst().severity());
      assertTrue(findings.getFirst().problem().contains("it stopped while it joined"), findings.toString());
      region.setLong(joiner.offset() + ROLE_POSITION, ring.published()); // it goes on, and takes another position
      assertEquals(List.of(), Verification.of(queue.segment));
    } finally {
      joiner.exit();
      joiner.close();
    }
  }

  @ParameterizedTest
  @CsvSource({"0, 2, has mode 0", "5, 2, has mode 5", "0, 3, has mode 0", "5, 3, has mode 5"})
  void aSubscriberWithAModeThatDoesNotExistIsFound(int mode, int state, String text) {
    long self = ring.entry.core().participants().self();
    region.setLong(ring.entry.role(1), Owner.word(self, 1, mode, state));
    assertFound("the subscriber in role 1 " + text);
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "1, 1", "1, 2", "1, 3", "1, 4"})
  void aRoleThatWasRevokedIsNoDamageWhateverItsMode(int role, int mode) {
    long self = ring.entry.core().participants().self();
    region.setLong(ring.entry.offset() + ROLES_USED, 2);
    region.setLong(ring.entry.role(role), Owner.word(self, 1, mode, ROLE_REVOKED));
    assertEquals(List.of(), problems());
    assertEquals(List.of(), Verification.of(queue.segment));
    region.setLong(ring.entry.role(role), 0);
  }

  @Test
  void aPublisherWithAModeIsFound() {
    long self = ring.entry.core().participants().self();
    region.setLong(ring.entry.role(0), Owner.word(self, 1, 1, ROLE_ACTIVE));
    assertFound("the publisher's role has mode 1");
  }

  @Test
  void whatAPublisherStagedBeforeItDiedIsNoDamage() {
    try (Segment other = Segment.attach(bus.path("damage"), 0);
        Publisher publisher = Publisher.open(other.directory().find("queue", Kind.BROADCAST))) {
      while (TestQueue.stage(publisher, 48)) {
        assertEquals(List.of(), problems());
      }
    }
  }

  @Test
  void anEntryOfAnotherKindIsRefused() {
    try (Segment segment = Segment.create(bus.path("other"), SegmentSpec.of(Broadcast.spec("q", RING)))) {
      var entry = (io.bywash.engine.internal.directory.SegmentEntry) segment.directory().find("q", Kind.BROADCAST);
      entry.region().setLong(entry.core().geometry().row(0), 1L << 32 | 7 << 16 | ROW_LIVE);
      assertThrows(SpecMismatchException.class,
          () -> BroadcastStatus.problems(segment.directory().find("q").orElseThrow()));
    }
  }
}
