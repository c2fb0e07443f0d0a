package io.bywash.engine.inspect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.BusDirectory;
import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Kind;
import io.bywash.engine.Lifetime;
import io.bywash.engine.Participant;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.StructureStatus;
import io.bywash.engine.StructureStatus.Counter;
import io.bywash.engine.StructureStatus.Effect;
import io.bywash.engine.StructureStatus.Holder;
import io.bywash.engine.StructureStatus.Obstacle;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.inspect.BusStatus.FileStatus;
import io.bywash.engine.inspect.BusStatus.State;
import io.bywash.engine.inspect.Finding.Severity;
import io.bywash.engine.inspect.EntryRates.HolderRates;
import io.bywash.engine.inspect.SegmentStatus.EntryStatus;
import io.bywash.engine.internal.SegmentFace;
import io.bywash.engine.internal.SegmentCore;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What segments and directories tell about themselves. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class StatusTest {
  private static final SegmentSpec SPEC =
      SegmentSpec.of(Broadcast.spec("q", 4096, 3), Broadcast.spec("r", 4096, 3)).withSizeBytes(1 << 20);

  @RegisterExtension final TempBus bus = new TempBus();

  @Test
  void aSegmentTellsWhatIsInItTheDamagedAndTheUnknownIncluded() {
    try (Segment segment = Segment.create(bus.path("seg"), SPEC); Segment observer = Segment.observe(bus.path("seg"))) {
      segment.directory().findOrAdd(Broadcast.spec("unknown", 8192, 3));
      SegmentCore core = SegmentFace.core(segment);
      core.region().setLong(core.geometry().row(1) + SegmentLayout.ROW_SIZE, 1);
      long row = core.geometry().row(2);
      core.region().setLong(row, core.region().getLong(row) & ~0xFFFF_0000L | 77 << 16);
      try (Publisher publisher = Publisher.open(segment.directory().find("q", Kind.BROADCAST))) {
        publisher.offer(new byte[10]);
        SegmentStatus status = SegmentStatus.of(observer);
        assertEquals("seg", status.name());
        assertEquals(1 << 20, status.sizeBytes());
        assertEquals(Lifetime.WHILE_USED, status.lifetime());
        assertTrue(status.isInUse());
        assertEquals(1, status.participants().size());
        assertEquals(List.of(), status.foreignPids());
        assertEquals(List.of(), status.leftByTheDead());
        assertEquals(List.of("q", "r", "unknown"),
            status.entries().stream().map(SegmentStatus.EntryStatus::name).toList());
        assertEquals(List.of("broadcast", "broadcast", "kind 77"),
            status.entries().stream().map(SegmentStatus.EntryStatus::kind).toList());
        assertEquals(1, ((BroadcastStatus) status.entries().get(0).status().orElseThrow()).messageCount());
        assertEquals("", status.entries().get(0).damage());
        assertTrue(status.entries().get(1).damage().contains("it claims 1 bytes"), status.entries().get(1).damage());
        assertTrue(status.entries().get(1).status().isEmpty());
        String text = new StatusText().segment(status, status).toString();
        for (String wanted : List.of("segment seg: 1 MiB", "kind 77", "it claims 1 bytes", "alive",
            Long.toString(ProcessHandle.current().pid()))) {
          assertTrue(text.contains(wanted), text);
        }
      }
    }
  }

  @Test
  void aClosedAttachmentIsRefused() {
    Segment segment = Segment.create(bus.path("seg"), SPEC);
    segment.close();
    assertThrows(SegmentClosedException.class, () -> SegmentStatus.of(segment));
  }

  @Test
  void aSubscriberThatHoldsThePublisherBackIsNamedAndOneThatReadsOnIsNot() {
    try (Segment segment = Segment.create(bus.path("seg"), SPEC);
        Publisher publisher = Publisher.open(segment.directory().find("q", Kind.BROADCAST));
        Subscriber slow = Subscriber.open(segment.directory().find("q", Kind.BROADCAST), SubscriberOptions.block());
        Subscriber skipping = Subscriber.open(segment.directory().find("q", Kind.BROADCAST),
            SubscriberOptions.skip())) {
      slow.label("archive");
      SegmentStatus empty = SegmentStatus.of(segment);
      assertEquals(List.of(), empty.stuck(empty));
      while (publisher.offer(new byte[48])) {
        // until the ring is full
      }
      SegmentStatus full = SegmentStatus.of(segment);
      assertEquals(List.of(), full.stuck(empty)); // something was published meanwhile
      List<Finding> stuck = SegmentStatus.of(segment).stuck(full);
      assertEquals(1, stuck.size(), stuck.toString());
      assertEquals("seg/q", stuck.getFirst().where());
      String pid = Long.toString(ProcessHandle.current().pid());
      assertTrue(stuck.getFirst().problem().contains("subscriber process " + pid
          + " \"archive\" (block, role 1) does not go on, "
          + publisher.nextSequence() + " messages behind, and holds publisher process " + pid), stuck.toString());
      HostStatus host = HostStatus.of(BusDirectory.at(bus.directory()));
      assertTrue(host.findings().contains(stuck.getFirst()), host.toString());
      slow.poll(message -> {}, 1);
      assertEquals(List.of(), SegmentStatus.of(segment).stuck(full));
      skipping.poll(message -> {}, 1);
    }
  }

  @Test
  void eachOfTwoSubscribersOfOneProcessHasItsOwnRateShareAndLag() {
    try (Segment segment = Segment.create(bus.path("seg"), SPEC);
        Publisher publisher = Publisher.open(segment.directory().find("q", Kind.BROADCAST));
        Subscriber idle = Subscriber.open(segment.directory().find("q", Kind.BROADCAST), SubscriberOptions.block());
        Subscriber busy = Subscriber.open(segment.directory().find("q", Kind.BROADCAST), SubscriberOptions.block())) {
      for (int count = 0; count < 8; count++) {
        publisher.offer(new byte[48]);
      }
      assertEquals(8, busy.poll(message -> {}, 100)); // so that one of them is ahead in the first look already
      SegmentStatus before = SegmentStatus.of(segment);
      for (int count = 0; count < 32; count++) { // records of 64 bytes, 40 in all: five eighths of the ring
        publisher.offer(new byte[48]);
      }
      assertEquals(32, busy.poll(message -> {}, 100));
      SegmentStatus now = SegmentStatus.of(segment);
      double seconds = (now.takenNanos() - before.takenNanos()) / 1e9;
      EntryRates rates = now.rates(before).getFirst();
      assertEquals(List.of("q", "r"), now.rates(before).stream().map(EntryRates::entry).toList());
      assertEquals(32, rates.perSecond().get("published") * seconds, 0.001);
      assertEquals(0, rates.perSecond().get("blocked"));
      assertEquals(0.625, rates.fill().orElseThrow());
      assertEquals(List.of(0, 1, 2), rates.holders().stream().map(each -> each.holder().role()).toList());
      assertEquals(List.of("publisher", "block", "block"),
          rates.holders().stream().map(each -> each.holder().task()).toList());
      assertEquals(0, rates.holders().get(1).perSecond().get("read"));
      assertEquals(32, rates.holders().get(2).perSecond().get("read") * seconds, 0.001);
      assertEquals(List.of(0.625, 0.0), rates.holders().stream().skip(1).map(StatusTest::ringShare).toList());
      assertEquals(List.of(), rates.obstacles());
      assertEquals(List.of(), now.heldBack(before));
      String rate = Long.toString(Math.round(32 / seconds));
      String text = new StatusText().segment(now, before).toString();
      assertTrue(text.matches("(?s).*q +1 +\\d+ +block +0 +40 +62% +0\n.*"), text);
      assertTrue(text.matches("(?s).*q +2 +\\d+ +block +" + rate + " +0 +0% +0\n.*"), text);
      idle.poll(message -> {}, 100);
    }
  }

  private static double ringShare(HolderRates each) {
    Counter share = each.holder().counters().stream().filter(counter -> counter.name().equals("of the ring"))
        .findFirst().orElseThrow();
    return (double) share.value() / share.whole();
  }

  @Test
  void aSubscriberHasNoRateFromTheOneThatHadItsRoleBefore() {
    try (Segment segment = Segment.create(bus.path("seg"), SPEC);
        Publisher publisher = Publisher.open(segment.directory().find("q", Kind.BROADCAST))) {
      Subscriber first = Subscriber.open(segment.directory().find("q", Kind.BROADCAST), SubscriberOptions.block());
      SegmentStatus before = SegmentStatus.of(segment);
      first.close();
      publisher.offer(new byte[48]);
      try (Subscriber second = Subscriber.open(segment.directory().find("q", Kind.BROADCAST),
          SubscriberOptions.block())) {
        SegmentStatus now = SegmentStatus.of(segment);
        EntryRates rates = now.rates(before).getFirst();
        assertEquals(1, rates.holders().get(1).holder().role());
        assertEquals(Map.of(), rates.holders().get(1).perSecond());
        assertTrue(rates.perSecond().containsKey("published"));
        assertEquals(Map.of(), now.rates(now).getFirst().perSecond()); // no time, no rate
        second.poll(message -> {}, 1);
      }
    }
  }

  @Test
  void aSubscriberThatReadsTooSlowlyIsNamedWithItsRateAndShareAndAFastOneIsNot() {
    try (Segment segment = Segment.create(bus.path("seg"), SPEC);
        Publisher publisher = Publisher.open(segment.directory().find("q", Kind.BROADCAST));
        Subscriber fast = Subscriber.open(segment.directory().find("q", Kind.BROADCAST), SubscriberOptions.block());
        Subscriber slow = Subscriber.open(segment.directory().find("q", Kind.BROADCAST), SubscriberOptions.block());
        Subscriber skipping = Subscriber.open(segment.directory().find("q", Kind.BROADCAST),
            SubscriberOptions.skip())) {
      SegmentStatus before = SegmentStatus.of(segment);
      int refused = 0;
      int published = 0;
      for (int turn = 0; turn < 10; turn++) {
        for (; publisher.offer(new byte[48]); published++) {
          fast.poll(message -> {}, 100);
        }
        refused++;
        slow.poll(message -> {}, 8);
      }
      SegmentStatus now = SegmentStatus.of(segment);
      double seconds = (now.takenNanos() - before.takenNanos()) / 1e9;
      EntryRates rates = now.rates(before).getFirst();
      assertEquals(1, rates.obstacles().size());
      assertEquals(2, rates.obstacles().getFirst().role());
      assertEquals(Effect.SLOWS, rates.obstacles().getFirst().effect());
      assertEquals(List.of(ProcessHandle.current().pid()), rates.obstacles().getFirst().heldBackPids());
      assertEquals(refused, rates.perSecond().get("blocked") * seconds, 0.001);
      assertEquals(published, rates.perSecond().get("published") * seconds, 0.001);
      assertEquals(80, rates.holders().get(2).perSecond().get("read") * seconds, 0.001);
      assertEquals(List.of(), now.stuck(before)); // it goes on
      assertEquals(1, now.heldBack(before).size(), now.heldBack(before).toString());
      String problem = now.heldBack(before).getFirst().problem();
      String pid = Long.toString(ProcessHandle.current().pid());
      assertTrue(problem.startsWith("subscriber process " + pid + " (block, role 2) reads "), problem);
      assertTrue(problem.contains(" is " + (published - 80) + " messages behind, "
          + (int) (100 * ringShare(rates.holders().get(2))) + "% of the ring, and holds publisher process " + pid),
          problem);
      String text = new StatusText().segment(now, before).toString();
      assertEquals(1, text.lines().filter(line -> line.endsWith("process " + pid)).count(), text);
      // When nobody was refused since, nobody is accused, however full the ring is.
      assertEquals(List.of(), SegmentStatus.of(segment).heldBack(now).stream()
          .filter(finding -> !finding.problem().contains("does not go on")).toList());
      skipping.poll(message -> {}, 1);
    }
  }

  @Test
  void aTruncatedSegmentIsRefusedAndListedAsDamaged() throws IOException {
    try (Segment segment = Segment.create(bus.path("seg"), SPEC); Segment observer = Segment.observe(bus.path("seg"));
        FileChannel file = FileChannel.open(bus.path("seg"), StandardOpenOption.WRITE)) {
      file.truncate(1 << 14);
      assertThrows(DamagedSegmentException.class, () -> SegmentStatus.of(observer));
      FileStatus status = BusStatus.of(BusDirectory.at(bus.directory())).files().getFirst();
      assertEquals(State.DAMAGED, status.state());
      assertTrue(status.explanation().contains("A process still uses it"), status.toString());
      file.write(ByteBuffer.allocate(1), (1 << 20) - 1);
      assertFalse(segment.participants().isEmpty());
    }
  }

  @Test
  void eachFileOfADirectoryIsToldForWhatItIs() throws IOException {
    BusDirectory directory = BusDirectory.at(bus.directory());
    assertEquals(List.of(), BusStatus.of(BusDirectory.at(bus.path("nowhere"))).files());
    Segment.create(bus.path("kept"), SPEC.withLifetime(Lifetime.KEPT)).close();
    Files.writeString(bus.path("foreign"), "no segment");
    Files.createDirectory(bus.path("folder"));
    Files.createSymbolicLink(bus.path("link"), bus.path("kept"));
    try (Segment live = Segment.create(bus.path("live"), SPEC)) {
      Path left = Files.write(bus.path(".x.0123456789abcdef.tmp"), new byte[8]);
      Files.copy(bus.path("live"), bus.path("damaged"));
      Files.copy(bus.path("live"), bus.path("stale"));
      long slot = SegmentFace.core(live).geometry().slot(0);
      write(bus.path("stale"), slot + SegmentLayout.SLOT_START_TICKS, 1);
      write(bus.path("damaged"), SegmentLayout.CHECKSUM_OFFSET, 1);
      Files.createLink(bus.path(".live.0123456789abcdef.tmp"), bus.path("live"));
      Map<String, State> states = BusStatus.of(directory).files().stream()
          .collect(Collectors.toMap(FileStatus::name, FileStatus::state));
      assertEquals(Map.of("kept", State.KEPT, "foreign", State.FOREIGN, "folder", State.FOREIGN, "link", State.FOREIGN,
          ".x.0123456789abcdef.tmp", State.LEFTOVER, ".live.0123456789abcdef.tmp", State.BEING_CREATED,
          "live", State.LIVE, "stale", State.STALE, "damaged", State.DAMAGED), states);
      String text = new StatusText().bus(BusStatus.of(directory)).toString();
      assertEquals(1 + states.size(), text.lines().count(), text);
      List<Finding> findings = HostStatus.of(directory).findings();
      assertEquals(Severity.WARNING, about(findings, "stale").severity());
      assertEquals(Severity.WARNING, about(findings, left.getFileName().toString()).severity());
      assertEquals(Severity.ERROR, about(findings, "damaged").severity());
      assertEquals(Severity.NOTE, about(findings, "foreign").severity());
      assertTrue(findings.stream().noneMatch(finding -> finding.where().equals("live")), findings.toString());
    }
    for (String name : bus.files()) {
      Files.delete(bus.path(name));
    }
  }

  private static Finding about(List<Finding> findings, String where) {
    return findings.stream().filter(finding -> finding.where().equals(where)).findFirst().orElseThrow();
  }

  private static void write(Path file, long offset, long value) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.allocate(8).putLong(0, value), offset);
    }
  }

  @Test
  void entriesOfAnyKindAreShownInOneTableForEachKindWithTheirCountersAsColumns() {
    Participant keeper = new Participant(0, 1, 77, true, true, 0, false, "light", false);
    Participant dead = new Participant(1, 1, 78, false, true, 0, false, "", false);
    EntryStatus lamp = entry("lamp", "lighthouse", 3, "lamps", Optional.of(keeper), "");
    EntryStatus broken = entry("torch", "lighthouse", 5, "lamps", Optional.empty(), "it is dark");
    EntryStatus strange = entry("x", "kind 7", 99, "", Optional.of(dead), "");
    EntryRates rates = new EntryRates("lamp", "lighthouse",
        List.of(Counter.growing("flashes", 40), Counter.rate("turned", 9), Counter.share("burnt", 1, 4)),
        Map.of("flashes", 8.4, "turned", 3.0), Optional.of(0.5),
        List.of(
            new HolderRates(new Holder(0, 1, keeper, "old man", "keeper", List.of(Counter.count("matches", 12))),
                Map.of()),
            new HolderRates(new Holder(2, 1, dead, "", "ship", List.of(Counter.rate("seen", 5))), Map.of("seen", 2.0))),
        List.of(new Obstacle(2, Effect.STOPS, List.of(80L, 81L), "it sank", "raise it")));
    assertEquals("""
        ENTRY  KIND        CAPACITY  FULL  OWNER  FLASHES  PER SECOND  PER SECOND  BURNT  DAMAGE
        lamp   lighthouse  3 lamps    50%  77          40           8           3    25%
        torch  lighthouse  5 lamps         none                                           it is dark

        ENTRY  KIND    CAPACITY  OWNER      DAMAGE
        x      kind 7        99  78 (gone)

        ENTRY  ROLE  PROCESS    LABEL    TASK    MATCHES  PER SECOND  HOLDS BACK
        lamp      0  77         old man  keeper       12
        lamp      2  78 (gone)           ship                      2  processes 80, 81
        """, new StatusText().entries(List.of(lamp, broken, strange), List.of(rates)).toString());
    assertEquals(List.of(new Finding(Severity.WARNING, "harbour/lamp", "it sank", "raise it")),
        rates.findings("harbour", Effect.STOPS).toList());
    assertEquals(List.of(), rates.findings("harbour", Effect.SLOWS).toList());
  }

  private static EntryStatus entry(String name, String kind, long capacity, String unit, Optional<Participant> owner,
      String damage) {
    Optional<StructureStatus> looked = damage.isEmpty() && !unit.isEmpty()
        ? Optional.of(new BroadcastStatus(4096, 512, 0, 0, 0, 0, 0, Optional.empty(), 0, Optional.empty(), "",
            List.of())) : Optional.empty();
    return new EntryStatus(name, kind, 0, 1, 4096, capacity, unit, 8, owner, looked, damage);
  }

  @Test
  void anEntryOfAnUnknownKindHasNoStatusAndIsShownByItsNumber() {
    try (Segment segment = Segment.create(bus.path("seg"), SPEC)) {
      SegmentCore core = SegmentFace.core(segment);
      long row = core.geometry().row(1);
      core.region().setLong(row, core.region().getLong(row) & ~0xFFFF_0000L | 77 << 16);
      assertEquals(Optional.empty(), StructureStatus.of(segment.directory().entries().get(1)));
      SegmentStatus status = SegmentStatus.of(segment);
      assertFalse(status.isUntouched(), "nobody knows whether one of an unknown kind is");
      String text = new StatusText().segment(status, status).toString();
      assertTrue(text.lines().anyMatch(line -> line.matches("r +kind 77 .*")), text);
    }
  }

  @Test
  void tablesAlignNumbersToTheRightAndFindingsComeTheWorstFirst() {
    String text = new StatusText().table(List.of("A", "N"), List.of(List.of("x", "1"), List.of("long", "200")))
        .findings(List.of(new Finding(Severity.NOTE, "a", "b", ""), new Finding(Severity.ERROR, "c", "d.", "e")))
        .toString();
    assertEquals("A       N\nx       1\nlong  200\n\nerror: c: d.\n  e\nnote: a: b.\n", text);
  }

  @Test
  void aTextForATerminalIsFoldedWithoutEmptyColumns() {
    String text = StatusText.ofWidth(20).table(List.of("A", "NUMBER", "EMPTY", "TEXT"), List.of(
        List.of("x", "1", "", "a text that is longer than a line"), List.of("long", "200", "", ""))).toString();
    assertEquals("A     NUMBER\n  TEXT\nx          1\n  a text that is\n  longer than a line\nlong     200\n", text);
    assertThrows(IllegalArgumentException.class, () -> StatusText.ofWidth(19));
  }

  @Test
  void whoDiedIsToldFromWhoLeftAlsoAfterTheSlotWasFreedOrTakenAgain() {
    Participant before = new Participant(1, 5, 77, true, true, 0, false, "", false);
    Participant dead = new Participant(1, 5, 77, false, true, 0, false, "", false);
    assertFalse(status(List.of(before)).hasDied(before));
    assertTrue(status(List.of(dead)).hasDied(before));
    assertFalse(status(List.of(new Participant(1, 5, 77, false, true, 0, true, "", false))).hasDied(before));
    assertFalse(status(List.of()).hasDied(before), "it left");
    assertTrue(status(List.of(), dead).hasDied(before), "it was buried");
    assertFalse(status(List.of(), new Participant(1, 6, 78, false, true, 0, false, "", false)).hasDied(before));
    assertFalse(status(List.of(new Participant(1, 6, 78, true, true, 0, false, "", false))).hasDied(before));
  }

  /** Whoever takes the slot of somebody who left may bury nobody, and raises its epoch all the same. */
  @Test
  void whoLeftInOrderHasNotDiedWhateverBecameOfItsSlot() {
    try (Segment segment = Segment.create(bus.path("seg"), SPEC)) {
      Segment left = Segment.attach(bus.path("seg"), 0);
      Participant before = SegmentStatus.of(segment).participants().getLast();
      assertTrue(before.alive());
      left.close();
      assertFalse(SegmentStatus.of(segment).hasDied(before));
      Segment.attach(bus.path("seg"), 0).close();
      assertFalse(SegmentStatus.of(segment).hasDied(before), "another one came and left");

      SegmentCore core = SegmentFace.core(segment);
      Participant killed = live(core, 2, SegmentLayout.SLOT_ACTIVE);
      Participant exited = live(core, 3, SegmentLayout.SLOT_LEAVING);
      assertEquals(List.of(true, false), Stream.of(killed, exited).map(SegmentStatus.of(segment)::hasDied).toList());
      segment.recover();
      SegmentStatus buried = SegmentStatus.of(segment);
      assertEquals(List.of(before.id() - 1), buried.participants().stream().map(Participant::id).toList());
      assertEquals(List.of(true, false), Stream.of(killed, exited).map(buried::hasDied).toList());
    }
  }

  /** A participant whose process is gone. */
  private static Participant live(SegmentCore core, int id, int state) {
    long slot = core.geometry().slot(id);
    core.region().setLong(slot + SegmentLayout.SLOT_PID, 77);
    core.region().setLong(slot + SegmentLayout.SLOT_START_TICKS, 1);
    core.region().setLong(slot, Owner.word(Owner.participant(id, 5), 0, 0, state));
    return new Participant(id, 5, 77, true, true, 0, false, "", false);
  }

  private SegmentStatus status(List<Participant> participants, Participant... buried) {
    return new SegmentStatus(0, "seg", bus.path("seg"), 0, 0, Lifetime.KEPT, Instant.EPOCH, 4, participants,
        List.of(buried), List.of(), 1, List.of(), List.of());
  }
}
