package io.bywash.engine.inspect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.BusDirectory;
import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Kind;
import io.bywash.engine.Lifetime;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.inspect.BusStatus.FileStatus;
import io.bywash.engine.inspect.BusStatus.State;
import io.bywash.engine.inspect.Finding.Severity;
import io.bywash.engine.inspect.QueueRates.Effect;
import io.bywash.engine.inspect.QueueRates.SubscriberRates;
import io.bywash.engine.internal.Attachment;
import io.bywash.engine.internal.SegmentCore;
import io.bywash.engine.internal.SegmentLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
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
      SegmentCore core = Attachment.core(segment);
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
        assertEquals(List.of("q", "r", "unknown"), status.entries().stream().map(SegmentStatus.EntryStatus::name).toList());
        assertEquals(List.of("broadcast", "broadcast", "kind 77"),
            status.entries().stream().map(SegmentStatus.EntryStatus::kind).toList());
        assertEquals(1, status.entries().get(0).broadcast().orElseThrow().messageCount());
        assertEquals("", status.entries().get(0).damage());
        assertTrue(status.entries().get(1).damage().contains("it claims 1 bytes"), status.entries().get(1).damage());
        assertTrue(status.entries().get(1).broadcast().isEmpty());
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
        Subscriber skipping = Subscriber.open(segment.directory().find("q", Kind.BROADCAST), SubscriberOptions.skip())) {
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
      assertTrue(stuck.getFirst().problem().contains("subscriber process " + pid + " (block, role 1) does not go on, "
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
      QueueRates rates = now.rates(before).getFirst();
      assertEquals(List.of("q", "r"), now.rates(before).stream().map(QueueRates::queue).toList());
      assertEquals(32, rates.publishedPerSecond().orElseThrow() * seconds, 0.001);
      assertEquals(0, rates.blockedPerSecond().orElseThrow());
      assertEquals(0.625, rates.fullShare());
      assertEquals(List.of(1, 2), rates.subscribers().stream().map(each -> each.subscriber().role()).toList());
      assertEquals(0, rates.subscribers().get(0).readPerSecond().orElseThrow());
      assertEquals(32, rates.subscribers().get(1).readPerSecond().orElseThrow() * seconds, 0.001);
      assertEquals(List.of(0.625, 0.0), rates.subscribers().stream().map(SubscriberRates::ringShare).toList());
      assertEquals(List.of(Effect.NONE, Effect.NONE), rates.subscribers().stream().map(SubscriberRates::effect).toList());
      assertEquals(List.of(), now.heldBack(before));
      String rate = Long.toString(Math.round(32 / seconds));
      String text = new StatusText().segment(now, before).toString();
      assertTrue(text.matches("(?s).*q +1 +\\d+ +block +0 +40 +62% +0\n.*"), text);
      assertTrue(text.matches("(?s).*q +2 +\\d+ +block +" + rate + " +0 +0% +0\n.*"), text);
      idle.poll(message -> {}, 100);
    }
  }

  @Test
  void aSubscriberHasNoRateFromTheOneThatHadItsRoleBefore() {
    try (Segment segment = Segment.create(bus.path("seg"), SPEC);
        Publisher publisher = Publisher.open(segment.directory().find("q", Kind.BROADCAST))) {
      Subscriber first = Subscriber.open(segment.directory().find("q", Kind.BROADCAST), SubscriberOptions.block());
      SegmentStatus before = SegmentStatus.of(segment);
      first.close();
      publisher.offer(new byte[48]);
      try (Subscriber second = Subscriber.open(segment.directory().find("q", Kind.BROADCAST), SubscriberOptions.block())) {
        SegmentStatus now = SegmentStatus.of(segment);
        QueueRates rates = now.rates(before).getFirst();
        assertEquals(1, rates.subscribers().getFirst().subscriber().role());
        assertEquals(Optional.empty(), rates.subscribers().getFirst().readPerSecond());
        assertTrue(rates.publishedPerSecond().isPresent());
        assertEquals(Optional.empty(), now.rates(now).getFirst().publishedPerSecond()); // no time, no rate
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
        Subscriber skipping = Subscriber.open(segment.directory().find("q", Kind.BROADCAST), SubscriberOptions.skip())) {
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
      QueueRates rates = now.rates(before).getFirst();
      assertEquals(List.of(Effect.NONE, Effect.SLOWS, Effect.NONE),
          rates.subscribers().stream().map(SubscriberRates::effect).toList());
      assertEquals(refused, rates.blockedPerSecond().orElseThrow() * seconds, 0.001);
      assertEquals(published, rates.publishedPerSecond().orElseThrow() * seconds, 0.001);
      assertEquals(80, rates.subscribers().get(1).readPerSecond().orElseThrow() * seconds, 0.001);
      assertEquals(List.of(), now.stuck(before)); // it goes on
      assertEquals(1, now.heldBack(before).size(), now.heldBack(before).toString());
      String problem = now.heldBack(before).getFirst().problem();
      String pid = Long.toString(ProcessHandle.current().pid());
      assertTrue(problem.startsWith("subscriber process " + pid + " (block, role 2) reads "), problem);
      assertTrue(problem.contains(" is " + (published - 80) + " messages behind, "
          + (int) (100 * rates.subscribers().get(1).ringShare()) + "% of the ring, and holds publisher process " + pid), problem);
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
      long slot = Attachment.core(live).geometry().slot(0);
      write(bus.path("stale"), slot + SegmentLayout.SLOT_START_TICKS, 1);
      write(bus.path("damaged"), SegmentLayout.CHECKSUM_OFFSET, 1);
      Files.createLink(bus.path(".live.0123456789abcdef.tmp"), bus.path("live"));
      Map<String, State> states = BusStatus.of(directory).files().stream()
          .collect(Collectors.toMap(FileStatus::name, FileStatus::state));
      assertEquals(Map.of("kept", State.KEPT, "foreign", State.FOREIGN, "folder", State.FOREIGN, "link", State.FOREIGN,
          ".x.0123456789abcdef.tmp", State.LEFTOVER, ".live.0123456789abcdef.tmp", State.BEING_CREATED, "live", State.LIVE,
          "stale", State.STALE, "damaged", State.DAMAGED), states);
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
  void tablesAlignNumbersToTheRightAndFindingsComeTheWorstFirst() {
    String text = new StatusText().table(List.of("A", "N"), List.of(List.of("x", "1"), List.of("long", "200")))
        .findings(List.of(new Finding(Severity.NOTE, "a", "b", ""), new Finding(Severity.ERROR, "c", "d.", "e"))).toString();
    assertEquals("A       N\nx       1\nlong  200\n\nerror: c: d.\n  e\nnote: a: b.\n", text);
  }
}
