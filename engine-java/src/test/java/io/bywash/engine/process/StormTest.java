package io.bywash.engine.process;

import static io.bywash.engine.process.StormProgram.EACH;
import static io.bywash.engine.process.StormProgram.MAX_BYTES;
import static io.bywash.engine.process.StormProgram.Names.GATED;
import static io.bywash.engine.process.StormProgram.Names.PUBLISHED;
import static io.bywash.engine.process.StormProgram.Names.SHORT_LIVED;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bywash.engine.Segment;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.inspect.Verification;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.memory.NativeAccess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * Processes full of participants, killed and paused at random moments under load. The survivors lose nothing, see
 * nothing twice, wait for nobody who is dead, and nothing is used up.
 */
@Timeout(4 * 3600)
class StormTest {
  /** How many processes storm at once at least, and how many are started and killed in a round. */
  private static final int PROCESSES = 1;
  private static final int REPLACED = 2;
  /** How long those of a round live at the most, from their first step on. */
  private static final int LIFE_NANOS = 300_000_000;

  @RegisterExtension final TempBus bus = new TempBus();
  @TempDir Path ledgers;

  private final AtomicBoolean over = new AtomicBoolean();
  private final List<Segment> segments = new ArrayList<>();
  private final List<Witness> witnesses = new ArrayList<>();
  private final List<Source> sources = new ArrayList<>();
  private long longestNanos;

  @Test
  void survivorsOfKilledProcessesLoseNothingAndWaitForNobody() throws Exception {
    assumeTrue(NativeAccess.ENABLED, "in the short form only with native access; the long form has both");
    storm(12);
  }

  @Test
  @Tag("stress")
  void survivorsOfThousandsOfKilledProcessesLoseNothingAndWaitForNobody() throws Exception {
    storm(2_250);
  }

  /** Reads everything that is published in a segment, with and without the right to hold the publisher back. */
  private final class Witness {
    private final Segment segment;
    private final Subscriber everything;
    private final Subscriber something;
    private final Programs.Checker all = new Programs.Checker(MAX_BYTES, 0);
    private final Programs.Checker some = new Programs.Checker(MAX_BYTES, 0);
    private volatile long received;

    Witness(Segment segment) {
      this.segment = segment;
      everything = Programs.subscriber(segment, SubscriberOptions.block());
      something = Programs.subscriber(segment, SubscriberOptions.skip());
    }

    void read() {
      while (!over.get()) {
        all.poll(everything, 1_000, 10_000_000);
        some.poll(something, 100, 0);
        received = all.received;
      }
    }

    /** With nobody publishing any more. */
    void assertNothingIsMissing() throws IOException {
      while (all.poll(everything, 1_000, 0) || some.poll(something, 1_000, 0)) {
        // the rest
      }
      PolicyPrograms.Ledger ledger = PolicyPrograms.Ledger.in(ledgers.resolve(segment.name()));
      assertTrue(ledger.published() <= all.received && all.received <= ledger.begun(), segment.name() + " received "
          + all.received + ", published " + ledger.published() + ", begun " + ledger.begun());
      assertEquals(0, all.lost);
      assertEquals(all.received, some.received + some.lost);
      assertEquals(Payload.checksum(0, all.received, MAX_BYTES), all.checksum);
      everything.close();
      something.close();
    }
  }

  /** Publishes for the readers among the storm. */
  private final class Source {
    private final Publisher publisher;
    private volatile long sent;

    Source(Segment segment) {
      publisher = Programs.publisher(segment);
    }

    void publish() {
      while (!over.get()) {
        Programs.publishNext(publisher, MAX_BYTES);
        sent++;
        if (sent % 16 == 0) {
          LockSupport.parkNanos(50_000); // there are more actors than cores
        }
      }
    }
  }

  private void storm(int rounds) throws Exception {
    for (int i = 0; i < EACH; i++) {
      segments.add(Segment.create(bus.path(PUBLISHED + i), StormProgram.SPEC));
      segments.add(Segment.create(bus.path(GATED + i), StormProgram.SPEC));
      witnesses.add(new Witness(segments.get(2 * i)));
      sources.add(new Source(segments.get(2 * i + 1)));
    }
    Deque<ChildProcess> processes = new ArrayDeque<>();
    try (Threads threads = new Threads()) {
      witnesses.forEach(witness -> threads.start("witness", witness::read));
      sources.forEach(source -> threads.start("source", source::publish));
      startMore(processes, PROCESSES);
      long before = 0;
      for (int round = 0; round < rounds && !threads.hasFailed(); round++) {
        replaceSome(processes);
        before = round == rounds / 4 ? descriptors() : before;
      }
      assertFalse(threads.hasFailed(), "a survivor failed");
      long most = before + 2; // those of killed processes are closed by and by
      ChildProcess.eventually("no descriptors are used up", () -> descriptors() <= most);
      processes.forEach(ChildProcess::kill);
      assertSurvivorsGoOn();
      over.set(true);
      threads.join();
    } finally {
      over.set(true); // also for the threads of a test that failed
      processes.forEach(ChildProcess::close);
    }
    finish(rounds);
  }

  /** The others are stopped until the new ones are there: for longer than anybody waits for a sign of life. */
  private void startMore(Deque<ChildProcess> processes, int count) {
    List<ChildProcess> before = List.copyOf(processes);
    if (!before.isEmpty()) {
      ChildProcess.pause(before);
    }
    List<ChildProcess> more = IntStream.range(0, count)
        .mapToObj(i -> ChildProcess.start(StormProgram.class, bus.directory(), ledgers)).toList();
    processes.addAll(more);
    more.forEach(each -> each.await("ready"));
    if (!before.isEmpty()) {
      ChildProcess.resume(before);
    }
    more.forEach(each -> each.tell("go"));
  }

  private void replaceSome(Deque<ChildProcess> processes) {
    startMore(processes, REPLACED);
    for (int i = 0; i < REPLACED; i++) {
      LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(LIFE_NANOS / REPLACED));
      killAny(processes);
    }
    assertSurvivorsGoOn();
    processes.forEach(StormTest::assertStorms);
  }

  private void killAny(Deque<ChildProcess> processes) {
    for (int skipped = ThreadLocalRandom.current().nextInt(processes.size()); skipped > 0; skipped--) {
      processes.add(processes.remove());
    }
    ChildProcess victim = processes.remove();
    assertStorms(victim);
    victim.kill();
  }

  private static void assertStorms(ChildProcess process) {
    if (!process.isAlive()) {
      process.finish(); // fails with what it said
    }
  }

  /** Readers get more, with a successor of the dead publisher, and publishers find room behind dead readers. */
  private void assertSurvivorsGoOn() {
    long start = System.nanoTime();
    for (Source source : sources) {
      long before = source.sent;
      ChildProcess.eventually("a publisher goes on", () -> source.sent > before + 1);
    }
    for (Witness witness : witnesses) {
      long before = witness.received;
      ChildProcess.eventually("a successor publishes", () -> witness.received > before + 1 || isNobodyLeft());
    }
    longestNanos = Math.max(longestNanos, System.nanoTime() - start);
  }

  private boolean isNobodyLeft() {
    return segments.stream().allMatch(segment -> segment.participants().stream()
        .noneMatch(each -> each.alive() && each.pid() != ProcessHandle.current().pid()));
  }

  private static long descriptors() {
    try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
      return open.count();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private void finish(int rounds) throws IOException {
    long received = 0;
    for (Witness witness : witnesses) {
      witness.assertNothingIsMissing();
      received += witness.received;
    }
    sources.forEach(source -> source.publisher.close());
    for (Segment segment : segments) {
      assertNothingIsUsedUp(segment);
      segment.close();
    }
    for (int i = 0; i < EACH; i++) {
      Path file = bus.path(SHORT_LIVED + i);
      try (Segment segment = Segment.open(file, StormProgram.SHORT_LIVED_SPEC)) {
        for (int row = 0; row < EACH; row++) { // as many rows as there are
          segment.directory().findOrAdd(Broadcast.spec("added-" + row, 4096, 4));
        }
        assertNothingIsUsedUp(segment);
      }
    }
    Segment.create(bus.path("last"), StormProgram.SHORT_LIVED_SPEC).close(); // removes what killed creators left
    assertEquals(List.of(), bus.files());
    System.out.println("storm: killed " + (REPLACED * rounds + PROCESSES) + " processes of " + StormProgram.ACTORS
        + " participants each; " + received + " messages received; survivors went on within "
        + longestNanos / 1_000_000 + " ms");
  }

  /** Every slot can be taken, and then no role is anybody's. */
  private static void assertNothingIsUsedUp(Segment segment) {
    SegmentEntry entry = (SegmentEntry) segment.directory().find(Programs.QUEUE).orElseThrow();
    int slots = entry.core().geometry().slotCount();
    segment.recover();
    assertEquals(List.of(), Verification.of(segment), "found in " + segment);
    List<Segment> all = IntStream.range(1, slots).mapToObj(i -> Segment.attach(segment.path(), 0)).toList();
    for (int role = 0; role < entry.roleCount(); role++) {
      assertEquals(SegmentLayout.ROLE_FREE, Owner.state(entry.roleWord(role)), "role " + role + " of " + segment);
    }
    all.forEach(Segment::close);
    assertEquals(1, segment.participants().size());
  }
}
