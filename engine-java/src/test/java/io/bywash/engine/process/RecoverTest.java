package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.Participant;
import io.bywash.engine.Recovery;
import io.bywash.engine.RoleTakenException;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.inspect.Finding;
import io.bywash.engine.inspect.Verification;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.linux.SegmentFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@link Segment#recover}: all that the dead left is put in order at once, and nothing of the living is touched. */
@Timeout(180)
class RecoverTest {
  private static final int SLOTS = 8;
  private static final int MAX_BYTES = 48;
  private static final String TEMPORARY = ".other.0123456789abcdef.tmp";

  @RegisterExtension final TempBus bus = new TempBus();

  private Segment create() {
    return Segment.create(bus.path("sick"),
        SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 4096), Broadcast.spec("next", 4096))
        .withParticipantCapacity(SLOTS));
  }

  private static SegmentEntry queue(Segment segment) {
    return (SegmentEntry) segment.directory().find(Programs.QUEUE).orElseThrow();
  }

  private static long slotWord(Segment segment, int id) {
    return queue(segment).region().getLongVolatile(
        SegmentLayout.HEADER_BYTES + id * SegmentLayout.SLOT_BYTES + SegmentLayout.SLOT_WORD);
  }

  @Test
  void whereNobodyDiedThereIsNothingToDo() {
    try (Segment segment = create();
        Segment other = Segment.attach(segment.path(), 0);
        Publisher publisher = Programs.publisher(other);
        Subscriber subscriber = Programs.subscriber(segment, SubscriberOptions.block())) {
      Recovery recovery = segment.recover();
      assertTrue(recovery.isEmpty(), recovery.toString());
      assertEquals(recovery, other.recover());
      Programs.publishNext(publisher, MAX_BYTES);
      new Programs.Checker(MAX_BYTES, 0).readUntil(subscriber, 1);
    }
  }

  @Test
  void rolesAndSlotsOfKilledProcessesAreFreeAndThoseOfTheLivingAreKept() {
    try (Segment segment = create();
        ChildProcess dead = ChildProcess.start(Programs.Hold.class, segment.path(), 2, "bs");
        ChildProcess living = ChildProcess.start(Programs.Hold.class, segment.path(), 1, "pbs")) {
      dead.await("ready");
      living.await("ready");
      List<Participant> before = segment.participants();
      dead.kill();
      Recovery recovery = segment.recover();
      assertEquals(List.of(dead.pid(), dead.pid()), recovery.dead().stream().map(Participant::pid).toList());
      assertTrue(recovery.dead().stream().noneMatch(Participant::alive));
      assertTrue(before.stream().map(RecoverTest::life).toList()
          .containsAll(recovery.dead().stream().map(RecoverTest::life).toList()), recovery.toString());
      assertEquals(4, recovery.rolesFreed());
      assertFalse(recovery.intentVoided() || recovery.removalReverted());
      assertTrue(segment.recover().isEmpty(), "the second time");

      assertEquals(Set.of(ProcessHandle.current().pid(), living.pid()),
          segment.participants().stream().map(Participant::pid).collect(Collectors.toSet()));
      assertThrows(RoleTakenException.class, () -> Programs.publisher(segment));
      assertEquals(3, IntStream.range(0, queue(segment).roleCount())
          .filter(role -> Owner.state(queue(segment).roleWord(role)) != SegmentLayout.ROLE_FREE).count());
      living.tell("leave");
      living.finish();
    }
  }

  @Test
  void aProcessThatIsKilledWhileOnlySubscribersWaitLosesItsSlotAndRoles() throws Exception {
    try (Segment segment = create();
        ChildProcess dead = ChildProcess.start(Programs.Hold.class, segment.path(), 1, "pb");
        Subscriber waiting = Programs.subscriber(segment, SubscriberOptions.block());
        Threads threads = new Threads()) {
      dead.await("ready");
      Thread waiter = threads.start("waiter", () ->
          assertEquals(1, waiting.poll(message -> {}, 1, ChildProgram.PATIENCE_NANOS)));
      dead.kill();
      Threads.await(() -> segment.participants().size() == 1, "the burial");
      try (Publisher next = Programs.publisher(segment)) {
        Programs.publishNext(next, MAX_BYTES);
        waiter.join();
      }
      threads.join();
    }
  }

  private static long life(Participant participant) {
    return Owner.participant(participant.id(), participant.epoch());
  }

  @Test
  void aPausedProcessIsNotDead() {
    try (Segment segment = create();
        ChildProcess paused = ChildProcess.start(Programs.Hold.class, segment.path(), 1, "pb")) {
      paused.await("ready");
      paused.pause();
      assertTrue(segment.recover().isEmpty());
      assertThrows(RoleTakenException.class, () -> Programs.publisher(segment));
      paused.kill();
      assertEquals(2, segment.recover().rolesFreed());
      Programs.publisher(segment).close();
    }
  }

  @Test
  void aPublisherThatWaitsForADeadSubscriberGoesOn() {
    try (Segment segment = create();
        Publisher publisher = Programs.publisher(segment);
        ChildProcess dead = ChildProcess.start(Programs.Hold.class, segment.path(), 1, "b")) {
      dead.await("ready");
      while (publisher.offer(new byte[MAX_BYTES])) {
        // up to the dead one's position
      }
      dead.kill();
      assertEquals(1, segment.recover().rolesFreed());
      assertTrue(publisher.offer(new byte[MAX_BYTES]), "it is held back by nobody");
    }
  }

  @Test
  void whatADeadAdderAndADeadRemoverLeftIsTakenBack() {
    try (Segment segment = create()) {
      Forgery forgery = new Forgery(segment);
      long adder = forgery.deadParticipant(1);
      long remover = forgery.deadParticipant(2);
      forgery.region.setLongVolatile(SegmentLayout.INTENT_OFFSET, Owner.word(adder, 2, 0, 1));
      long row = SegmentLayout.rowsOffset(SLOTS) + 2 * SegmentLayout.ROW_BYTES + SegmentLayout.ROW_WORD;
      forgery.region.setLongVolatile(row, 1L << 32 | SegmentLayout.ROW_ADDING);
      forgery.closing(remover);
      Recovery recovery = segment.recover();
      assertTrue(recovery.intentVoided() && recovery.removalReverted(), recovery.toString());
      assertEquals(2, recovery.dead().size());
      assertEquals(0, forgery.region.getLongVolatile(SegmentLayout.INTENT_OFFSET));
      assertEquals(SegmentLayout.ROW_FREE, forgery.region.getLongVolatile(row) & 0xFF);
      assertEquals(SegmentLayout.OPEN, forgery.state());
      assertTrue(segment.recover().isEmpty(), "the second time");
    }
    assertFalse(Files.exists(bus.path("sick")), "the removal works again");
  }

  @Test
  void hiddenFilesOfDeadCreatorsAreRemovedAndThoseOfTheLivingAreNot() throws IOException {
    try (Segment segment = create();
        ChildProcess builder = ChildProcess.start(DeathOfCreatorTest.Build.class, bus.path(TEMPORARY))) {
      builder.await("building");
      Files.createFile(bus.path(".another.0123456789abcdef.tmp"));
      assertEquals(1, segment.recover().filesRemoved());
      assertEquals(List.of(TEMPORARY, "sick"), bus.files());
      builder.kill();
      assertEquals(1, segment.recover().filesRemoved());
      assertEquals(List.of("sick"), bus.files());
    }
  }

  @Test
  void adderRemoverAndCreatorThatLiveAreNeitherTouchedNorWaitedFor() {
    Segment segment = create();
    try (ChildProcess other = ChildProcess.start(LockAll.class, segment.path(), bus.path(".lock"),
        bus.path(TEMPORARY))) {
      other.await("locked");
      Forgery forgery = new Forgery(segment);
      long living = Owner.participant(1, forgery.epoch(1));
      forgery.region.setLongVolatile(SegmentLayout.INTENT_OFFSET, Owner.word(living, 2, 0, 1));
      forgery.closing(living);
      other.pause();
      Recovery recovery = segment.recover();
      assertTrue(recovery.isEmpty(), recovery.toString());
      assertEquals(SegmentLayout.CLOSING, Owner.state(forgery.state()));
      assertTrue(bus.files().contains(TEMPORARY));
      other.kill();
      Recovery after = segment.recover();
      assertTrue(after.intentVoided() && after.removalReverted(), after.toString());
      assertEquals(1, after.filesRemoved());
    }
    segment.close();
  }

  @Test
  void itDoesNotWaitForAThreadOfThisProcessThatWaitsForAnAdder() throws Exception {
    Segment segment = Segment.create(bus.path("sick"), SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 4096))
        .withParticipantCapacity(SLOTS).withEntryCapacity(4).withSizeBytes(1 << 20));
    try (ChildProcess other = ChildProcess.start(LockAll.class, segment.path(), bus.path(".lock"),
        bus.path(TEMPORARY))) {
      other.await("locked");
      Forgery forgery = new Forgery(segment);
      forgery.region.setLongVolatile(SegmentLayout.INTENT_OFFSET, Owner.word(forgery.deadParticipant(2), 2, 0, 1));
      FutureTask<Entry> adding =
          new FutureTask<>(() -> segment.directory().findOrAdd(Broadcast.spec("later", 4096, 1)));
      Thread adder = Thread.ofPlatform().start(adding);
      ChildProcess.eventually("the adder waits", () -> adder.getState() == Thread.State.TIMED_WAITING);
      assertEquals(1, segment.recover().dead().size());
      assertFalse(adding.isDone(), "it was waited for");
      other.kill();
      assertEquals("later", adding.get().name());
      assertEquals(0, forgery.region.getLongVolatile(SegmentLayout.INTENT_OFFSET));
      assertEquals(1, segment.recover().filesRemoved());
    }
    segment.close();
  }

  @Test
  void hiddenFilesThatHoldSomethingElseAreLeftAlone() throws IOException {
    try (Segment segment = create()) {
      String notes = "notes of somebody else ".repeat(500);
      Files.writeString(bus.path(TEMPORARY), notes);
      assertEquals(0, segment.recover().filesRemoved());
      Segment.create(bus.path("other"), SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 4096))).close();
      assertEquals(notes, Files.readString(bus.path(TEMPORARY)));
      Files.delete(bus.path(TEMPORARY));
    }
  }

  /** Attaches, and locks what an adder, and what a creator, has locked. */
  static final class LockAll implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      Segment segment = Segment.attach(Path.of(arguments[0]), PATIENCE_NANOS);
      var directory = SegmentFile.open(segment.path(), false);
      var bus = SegmentFile.open(Path.of(arguments[1]), false);
      Files.createFile(Path.of(arguments[2]));
      if (!directory.tryLock(SegmentLayout.DIRECTORY_LOCK) || !bus.tryLock(0)) {
        throw new AssertionError("somebody has the lock");
      }
      ChildProgram.say("locked");
      ChildProgram.hear();
    }
  }

  @Test
  void aDamagedStructureKeepsNoOtherFromBeingRecovered() {
    try (Segment segment = create()) {
      Forgery forgery = new Forgery(segment);
      Entry next = segment.directory().find("next").orElseThrow();
      long dead = forgery.deadParticipant(1);
      forgery.role(1, dead);
      long other = ((SegmentEntry) next).role(1) + SegmentLayout.ROLE_WORD;
      long row = SegmentLayout.rowsOffset(SLOTS) + SegmentLayout.ROW_OFFSET;
      long offset = forgery.region.getLongVolatile(row);
      for (long damage : new long[] {-1, Long.MIN_VALUE, Long.MAX_VALUE, 4097}) {
        forgery.region.setLongVolatile(row, damage);
        dead = forgery.deadParticipant(1);
        forgery.region.setLongVolatile(other, Owner.word(dead, 1, 1, SegmentLayout.ROLE_ACTIVE));
        assertEquals(1, segment.recover().rolesFreed());
        assertEquals(SegmentLayout.ROLE_FREE, Owner.state(forgery.region.getLongVolatile(other)));
      }
      forgery.region.setLongVolatile(row, offset);
    }
  }

  @Test
  void anObserverIsToldToAttachForWriting() {
    Segment segment = create();
    try (Segment observed = Segment.observe(segment.path())) {
      String told = assertThrows(IllegalStateException.class, observed::recover).getMessage();
      assertTrue(told.contains("read-only") && told.contains("recover"), told);
    }
    segment.close();
    assertThrows(SegmentClosedException.class, segment::recover);
  }

  @Test
  void manyRecoverAtOnceAndEachDeadOneIsBuriedByOneOfThem() throws Exception {
    try (Segment segment = create(); Segment other = Segment.attach(segment.path(), 0)) {
      for (int round = 0; round < 200; round++) {
        Forgery forgery = new Forgery(segment);
        for (int id = 2; id < SLOTS; id++) {
          forgery.role(id, forgery.deadParticipant(id));
        }
        List<CompletableFuture<Recovery>> running = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
          Segment by = i % 2 == 0 ? segment : other;
          running.add(Threads.supplyAsync(by::recover));
        }
        List<Integer> buried = new ArrayList<>();
        int rolesFreed = 0;
        for (CompletableFuture<Recovery> each : running) {
          each.join().dead().forEach(dead -> buried.add(dead.id()));
          rolesFreed += each.join().rolesFreed();
        }
        assertEquals(List.of(2, 3, 4, 5, 6, 7), buried.stream().sorted().toList());
        assertEquals(SLOTS - 2, rolesFreed);
        assertEquals(2, segment.participants().size());
      }
    }
  }

  @Test
  void theDeadOneIsKnownToBeDeadWhileItsRolesAreSwept() {
    try (Segment segment = create()) {
      Forgery forgery = new Forgery(segment);
      long dead = forgery.deadParticipant(1);
      forgery.role(0, dead);
      // what a recoverer has written that is paused after its first step, its lock being held by it
      try (ChildProcess recoverer = ChildProcess.start(LockSlot.class, segment.path())) {
        recoverer.await("locked");
        assertThrows(RoleTakenException.class, () -> Programs.publisher(segment), "a held lock is life");
        forgery.region.setLongVolatile(SegmentLayout.HEADER_BYTES + SegmentLayout.SLOT_BYTES + SegmentLayout.SLOT_WORD,
            Owner.word(Owner.participant(1, Owner.epoch(dead) + 1), 0, 0, SegmentLayout.SLOT_JOINING));
        Programs.publisher(segment).close();
        forgery.role(0, dead);
        recoverer.kill();
      }
      assertEquals(List.of(Finding.Severity.WARNING),
          Verification.of(segment).stream().map(Finding::severity).toList(), "what the dead one holds is no damage");
      assertEquals(1, segment.recover().dead().size());
      assertEquals(SegmentLayout.SLOT_FREE, Owner.state(slotWord(segment, 1)));
    }
  }

  /** Has the lock of slot 1. */
  static final class LockSlot implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      var file = SegmentFile.open(Path.of(arguments[0]), false);
      if (!file.tryLock(SegmentLayout.SLOT_LOCKS + 1)) {
        throw new AssertionError("somebody has the lock");
      }
      ChildProgram.say("locked");
      ChildProgram.hear();
    }
  }
}
