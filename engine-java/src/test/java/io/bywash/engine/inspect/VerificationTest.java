package io.bywash.engine.inspect;

import static io.bywash.engine.internal.layout.SegmentLayout.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.inspect.Finding.Severity;
import io.bywash.engine.internal.SegmentFace;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.SegmentCore;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.memory.Region;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
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

/** Every kind of damage outside of the structures is found and named, and what is in order is not accused. */
@Tag("once")
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class VerificationTest {
  private static final int SLOTS = 4;
  private static final int SUBSCRIBERS = 3;
  /** Of a broadcast's subscriber, see SPEC.md. */
  private static final int ROLE_POSITION = 128;

  @RegisterExtension final TempBus bus = new TempBus();

  private Segment segment;
  private Publisher publisher;
  private Subscriber subscriber;
  private SegmentCore core;
  private Region region;
  private SegmentEntry queue;

  @BeforeEach
  void open() {
    segment = Segment.create(bus.path("seg"), SegmentSpec.of(Broadcast.spec("q", 4096, SUBSCRIBERS),
        Broadcast.spec("r", 4096, SUBSCRIBERS)).withParticipantCapacity(SLOTS).withSizeBytes(1 << 17));
    core = SegmentFace.core(segment);
    region = core.region();
    queue = (SegmentEntry) segment.directory().find("q", Kind.BROADCAST);
    publisher = Publisher.open(queue);
    subscriber = Subscriber.open(queue, SubscriberOptions.block());
    for (int i = 0; i < 5; i++) {
      assertTrue(publisher.offer(new byte[48]));
    }
    subscriber.poll(message -> {}, 2);
    assertEquals(List.of(), Verification.of(segment));
  }

  @AfterEach
  void close() {
    segment.close(); // whatever was damaged, the roles and the file go
    publisher.close();
    subscriber.close();
    bus.path("seg").toFile().delete();
  }

  /** The only finding is about that place, is an error, and contains that text; seen by an observer as well. */
  private void assertFound(String where, String text) {
    for (List<Finding> findings : List.of(Verification.of(segment), new SegmentCheck(core).run())) {
      assertEquals(1, findings.size(), findings.toString());
      assertFinding(findings.getFirst(), Severity.ERROR, where, text);
    }
  }

  private static void assertFinding(Finding finding, Severity severity, String where, String text) {
    assertEquals(severity, finding.severity(), finding.toString());
    assertEquals(where, finding.where(), finding.toString());
    assertTrue(finding.problem().contains(text), finding.toString());
    assertTrue(!finding.advice().isBlank(), finding.toString());
  }

  @ParameterizedTest
  @CsvSource({"0, magic, not a Bywash segment", "8, version, layout version", "16, size, checksum", "24, id, checksum",
      "32, slots, checksum", "40, offset of slots, checksum", "64, lifetime and pages, checksum", "88, boot, checksum",
      "96, checksum, checksum", "120, ready, never made ready"})
  void aHeaderThatChangedIsFound(long offset, String what, String text) {
    region.setLong(offset, region.getLong(offset) ^ 0x0101_0101_0101_0101L);
    assertFound("seg", text);
  }

  @ParameterizedTest
  @CsvSource({"0, state is 0", "4, state is 4", "15, state is 15", "0x100000001, belongs to somebody", "3, still there",
      "0xFF02, names no participant", "0x100010002, names no participant"})
  void aStateThatIsImpossibleIsFound(String state, String text) {
    region.setLong(STATE_OFFSET, Long.decode(state));
    assertFound("seg", text);
    region.setLong(STATE_OFFSET, OPEN);
  }

  @ParameterizedTest
  @CsvSource({"2, 4", "2, 15", "2, 0x100000102", "2, 0x100010202", "2, 0x100000212", "3, 0x302000000"})
  void aSlotWordThatIsImpossibleIsFound(int slot, String word) {
    region.setLong(core.geometry().slot(slot), Long.decode(word));
    assertFound("seg, participant " + slot, "none of this slot");
  }

  @ParameterizedTest
  @CsvSource({SLOT_PID + ", 0", SLOT_PID + ", -1", SLOT_CAPABILITIES + ", 8", SLOT_CAPABILITIES + ", -1"})
  void anIdentityThatIsImpossibleIsFound(long offset, long value) {
    region.setLong(core.geometry().slot(0) + offset, value);
    assertFound("seg, participant 0", "it claims process");
  }

  @ParameterizedTest
  @CsvSource({"8, 0, it claims", "8, 4097, it claims", "8, -4096, it claims", "16, 0, it claims",
      "16, 131073, it claims", "16, 9223372036854775807, it claims", "16, 12289, its row has", "48, -1, roles",
      "48, 1025, roles", "48, 100, roles", "48, 1, does not fit", "24, 4097, does not fit", "24, 8192, does not fit",
      "32, 0, does not fit", "32, 513, does not fit", "56, 0, its creator", "56, 65280, its creator",
      "56, 4294967297, its creator", "0, 4294967298, its row has", "0, 65538, its row has"})
  void aRowThatIsImpossibleIsFoundByItsName(long offset, long value, String text) {
    region.setLong(core.geometry().row(1) + offset, value);
    assertFound("seg/r", text);
  }

  @Test
  void aRowInAnUnknownStateIsFoundByItsNumber() {
    region.setLong(core.geometry().row(1), region.getLong(core.geometry().row(1)) | 0x80);
    assertFound("seg, row 1", "its state is 130");
  }

  @Test
  void aRowWhoseNameIsNoneIsToldInPrintableLetters() {
    region.setLong(core.geometry().row(1) + ROW_NAME, 0x4a32_5b1bL); // would clear a terminal
    assertFound("seg/?[2J", "its name is no name");
    region.setLong(core.geometry().row(1) + ROW_NAME, 0);
    assertFound("seg, row 1", "its name is no name");
  }

  @Test
  void twoRowsOfOneNameAreFound() {
    region.setLong(core.geometry().row(1) + ROW_NAME, 'q');
    assertFound("seg/q", "the name of row 0");
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 4096})
  void rowsThatShareBytesAreFound(long distance) {
    region.setLong(core.geometry().row(1) + ROW_OFFSET, queue.offset() + distance);
    assertFound("seg/r", "belong to another entry");
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -4096, 4096, 1 << 17 + 12, 65_535, Long.MAX_VALUE})
  void aNextFreeByteThatPointsNowhereIsFound(long offset) {
    region.setLong(NEXT_FREE_OFFSET, offset);
    assertFound("seg", "next free byte");
  }

  @Test
  void aRowThatNobodyAddsIsFound() {
    EntrySpec added = Broadcast.spec("added", 4096);
    segment.directory().findOrAdd(added);
    long row = core.geometry().row(2);
    region.setLong(row, region.getLong(row) & ~0xFFL | ROW_ADDING);
    assertFound("seg, row 2", "nobody says");
    region.setLong(INTENT_OFFSET, Owner.word(core.participants().self(), 1, 0, 1));
    assertFound("seg, row 2", "nobody says");
    region.setLong(INTENT_OFFSET, Owner.word(core.participants().self(), 2, 0, 1));
    assertEquals(List.of(), Verification.of(segment)); // being added just now
  }

  @ParameterizedTest
  @CsvSource({"0xFF01", "0x1FF0001", "-1"})
  void anIntentThatMeansNothingIsFound(String intent) {
    region.setLong(INTENT_OFFSET, Long.decode(intent));
    assertFound("seg", "names no participant or no row");
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, SUBSCRIBERS + 2, Long.MAX_VALUE})
  void aCountOfRolesThatIsImpossibleIsFound(long count) {
    // A kind of another version.
    region.setLong(core.geometry().row(0), region.getLong(core.geometry().row(0)) | 0x10000 * 8);
    region.setLong(queue.offset() + ROLES_USED, count);
    List<Finding> findings = Verification.of(segment);
    assertFinding(findings.getLast(), Severity.ERROR, "seg/q", "it claims to have used");
  }

  @Test
  void aRoleBeyondThoseThatWereTakenIsFound() {
    region.setLong(queue.offset() + ROLES_USED, 1);
    assertFound("seg/q, role 1", "never was");
  }

  @ParameterizedTest
  @CsvSource({"0x100000014, impossible", "0x100000100, impossible", "0x10, impossible", "0x12, impossible",
      "0x10000FF12, impossible", "0x200000012, which gave back", "0x100000112, which gave back"})
  void aRoleWordThatIsImpossibleIsFound(String word, String text) {
    region.setLong(queue.role(1), Long.decode(word));
    assertFound("seg/q, role 1", text);
  }

  @ParameterizedTest
  @CsvSource({WAITING_FOR_DATA + ", " + SLOTS, WAITING_FOR_SPACE + ", " + SLOTS, WAITING_FOR_DATA + 24 + ", 63"})
  void aWaitingBitOfNobodyIsFound(long offset, int bit) {
    region.setLong(queue.offset() + offset, 1L << bit);
    assertFound("seg/q", "waits, but there are only 4");
  }

  @Test
  void whatTheDeadLeftIsTold() {
    long dead = Owner.participant(2, 7);
    long slot = core.geometry().slot(2);
    region.setLong(slot + SLOT_PID, 4711);
    region.setLong(slot, Owner.word(dead, 0, 0, SLOT_ACTIVE));
    List<Finding> findings = Verification.of(segment);
    assertEquals(1, findings.size(), findings.toString());
    assertFinding(findings.getFirst(), Severity.WARNING, "seg, participant 2", "process 4711 died without leaving");

    region.setLong(queue.offset() + ROLES_USED, 3);
    region.setLong(queue.role(2) + ROLE_POSITION, 320);
    region.setLong(queue.role(2), Owner.word(dead, 1, 1, ROLE_ACTIVE));
    region.setLong(STATE_OFFSET, Owner.word(dead, 0, 0, CLOSING));
    region.setLong(INTENT_OFFSET, Owner.word(dead, 3, 0, 1));
    findings = Verification.of(segment);
    assertEquals(3, findings.size(), findings.toString());
    assertFinding(findings.get(0), Severity.WARNING, "seg", "died while it removed");
    assertFinding(findings.get(1), Severity.WARNING, "seg, row 3", "died while it added");
    assertFinding(findings.get(2), Severity.WARNING, "seg, participant 2", "process 4711 died and holds role 2 of q");
  }

  @Test
  void whoLeftInGoodOrderWithItsJvmIsNotCalledDead() {
    long slot = core.geometry().slot(2);
    region.setLong(slot + SLOT_PID, 4711);
    region.setLong(slot, Owner.word(Owner.participant(2, 7), 0, 0, SLOT_LEAVING));
    assertFinding(Verification.of(segment).getFirst(), Severity.WARNING, "seg, participant 2", "process 4711 left");
  }

  @Test
  void whoClosedButIsHeldInAnOperationIsNamedUntilThatEnds() {
    Segment closed = Segment.attach(bus.path("seg"), 0);
    Subscriber subscriber = Subscriber.open(closed.directory().find("q", Kind.BROADCAST),
        SubscriberOptions.skip().startingAtOldest());
    subscriber.poll(message -> {
      closed.close(); // and the handler does not return
      List<Finding> findings = Verification.of(segment);
      assertEquals(1, findings.size(), findings.toString());
      assertFinding(findings.getFirst(), Severity.WARNING, "seg/q, role 2", "has closed the segment, but an operation");
      assertTrue(SegmentStatus.of(segment).leftByTheDead().contains(findings.getFirst()), "doctor shows it");
    }, 1);
    assertEquals(List.of(), Verification.of(segment));
  }

  @Test
  void aTruncatedFileIsAFindingAndNoCrash() throws Exception {
    try (FileChannel file = FileChannel.open(bus.path("seg"), StandardOpenOption.WRITE)) {
      file.truncate(1 << 13);
      assertFound("seg", "truncated to 8192 of 131072");
      // What a closing role does.
      assertThrows(InternalError.class, () -> region.compareAndSetLong(queue.role(0), 0, 0));
      file.write(ByteBuffer.allocate(1), (1 << 17) - 1);
    }
  }

  @Test
  void aFileThatWasReplacedIsTold() throws Exception {
    java.nio.file.Files.delete(bus.path("seg"));
    assertFinding(Verification.of(segment).getFirst(), Severity.WARNING, "seg", "removed or replaced");
  }

  @Test
  void aHostileSegmentWithEverythingWrongGivesABoundedAnswer() {
    for (long offset = HEADER_BYTES; offset < 1 << 17; offset += 8) {
      region.setLong(offset, 0x0202_0202_0002_0002L);
    }
    assertTrue(Verification.of(segment).size() <= 200);
    for (long offset = queue.offset(); offset < 1 << 17; offset += 8) {
      region.setLong(offset, -1);
    }
    assertTrue(!Verification.of(segment).isEmpty());
  }

  @Test
  void aClosedAttachmentIsRefused() {
    Segment observer = Segment.observe(bus.path("seg"));
    assertEquals(List.of(), Verification.of(observer));
    observer.close();
    assertThrows(SegmentClosedException.class, () -> Verification.of(observer));
  }
}
