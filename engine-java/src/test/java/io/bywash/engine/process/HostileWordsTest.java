package io.bywash.engine.process;

import static io.bywash.engine.process.ChildProgram.hear;
import static io.bywash.engine.process.ChildProgram.say;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import io.bywash.engine.BusDirectory;
import io.bywash.engine.BusException;
import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TableFullException;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.inspect.BusStatus;
import io.bywash.engine.inspect.Finding;
import io.bywash.engine.inspect.SegmentStatus;
import io.bywash.engine.inspect.Verification;
import io.bywash.engine.internal.SegmentFace;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.SegmentCore;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.linux.SegmentFile;
import io.bywash.engine.subject.DamageSubject;
import io.bywash.engine.subject.DamageSubject.Change;
import io.bywash.engine.subject.Subjects;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Somebody who may write a segment changes its words to and fro, or holds locks: what others do ends all the same,
 * typed.
 */
@Tag("once")
@Timeout(value = 180, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HostileWordsTest {
  private static final int TRIES = 12;
  /** What is in a segment whose slots matter. */
  private static final EntrySpec ANY = Subjects.all().getFirst().death().spec("any");

  @RegisterExtension final TempBus bus = new TempBus();

  /** What is changed in any segment, and in any structure with roles. */
  private static final List<Change> COMMON = List.of(
      new Change("slot", (entry, there) -> entry.region().setLongRelease(entry.core().geometry().slot(1), there
          ? Owner.word(Owner.participant(1, 5), 0, 0, SegmentLayout.SLOT_FREE)
          : Owner.word(Owner.participant(1, 6), 0, 0, SegmentLayout.SLOT_ACTIVE))),
      new Change("intent", (entry, there) -> entry.region().setLongRelease(SegmentLayout.INTENT_OFFSET,
          there ? 0 : Owner.word(Owner.participant(200, 1), 3, 0, 1))),
      new Change("state", (entry, there) -> entry.region().setLongRelease(SegmentLayout.STATE_OFFSET,
          there ? SegmentLayout.OPEN : Owner.word(Owner.participant(200, 1), 0, 0, SegmentLayout.CLOSING))));
  private static final List<Change> OF_ROLES = List.of(
      new Change("role", (entry, there) -> entry.region().setLongRelease(entry.role(1),
          Owner.word(0, there ? 5 : 6, 0, SegmentLayout.ROLE_FREE))),
      new Change("roles used", (entry, there) -> entry.region().setLongRelease(
          entry.offset() + SegmentLayout.ROLES_USED, there ? -1 : 0)));

  static Stream<Arguments> changes() {
    return Subjects.all().stream().flatMap(subject -> {
      DamageSubject damage = subject.damage();
      List<Change> changes = new ArrayList<>(damage.changes());
      changes.addAll(damage.busy("structure").roleCount() > 1 ? OF_ROLES : List.of());
      changes.addAll(COMMON);
      return changes.stream().map(change -> argumentSet(subject.name() + ": " + change.name(), damage, change));
    });
  }

  private List<Runnable> uses(DamageSubject subject, Segment segment, Entry entry) {
    List<Runnable> uses = new ArrayList<>();
    for (Consumer<Entry> use : subject.usesOfChanged()) {
      uses.add(() -> use.accept(entry));
    }
    uses.add(() -> SegmentStatus.of(segment));
    uses.add(() -> Verification.of(segment));
    uses.add(() -> BusStatus.of(BusDirectory.at(bus.directory())));
    uses.add(() -> segment.directory().findOrAdd(subject.busy(entry.name())));
    uses.add(segment::recover);
    uses.add(() -> Segment.attach(segment.path(), 0).close());
    return uses;
  }

  @ParameterizedTest
  @MethodSource("changes")
  void everyUseEndsWhileWordsAreChangedToAndFro(DamageSubject subject, Change change) throws Exception {
    Path file = bus.path("hostile");
    try (Segment segment = Segment.create(file, SegmentSpec.of(subject.busy("structure")))) {
      SegmentEntry entry = (SegmentEntry) segment.directory().find("structure").orElseThrow();
      subject.fillBusy(entry);
      change.before().accept(entry);
      useWhileItChanges(uses(subject, segment, entry), entry, change);
      entry.region().setLongRelease(SegmentLayout.STATE_OFFSET, SegmentLayout.OPEN);
    } finally {
      Files.deleteIfExists(file); // its words may say anything by now
    }
  }

  private static void useWhileItChanges(List<Runnable> uses, SegmentEntry entry, Change change)
      throws InterruptedException {
    AtomicBoolean stop = new AtomicBoolean();
    AtomicInteger ended = new AtomicInteger();
    try (Threads threads = new Threads()) {
      threads.start("hostile", () -> {
        for (boolean there = true; !stop.get(); there = !there) {
          change.flip().flip(entry, there);
          long start = System.nanoTime();
          while (System.nanoTime() - start < 1_500) {
            Thread.onSpinWait();
          }
        }
      });
      threads.start("victim", () -> {
        try {
          for (int i = 0; i < TRIES; i++) {
            for (Runnable use : uses) {
              try {
                use.run();
              } catch (BusException | IllegalArgumentException typed) {
                // the answers that there are
              }
              ended.incrementAndGet();
              if (change.slow() && i > 1) {
                break;
              }
            }
          }
        } finally {
          stop.set(true);
        }
      });
      threads.join();
    }
    assertTrue(ended.get() > uses.size());
  }

  @Test
  @Timeout(100) // a wait for each slot would take more than three minutes
  void locksOfAllFreeSlotsMakeALookNoSlowerThanThatOfOne() throws IOException {
    SegmentSpec spec = SegmentSpec.of(ANY).withParticipantCapacity(256);
    try (Segment large = Segment.create(bus.path("locked"), spec);
        SegmentFile locker = SegmentFile.open(large.path(), false)) {
      for (int id = 1; id < 256; id++) {
        assertTrue(locker.tryLock(SegmentLayout.SLOT_LOCKS + id));
      }
      try (Segment observed = Segment.observe(large.path())) {
        List<Finding> findings = Verification.of(observed);
        assertTrue(findings.size() >= 100, findings.size() + " findings");
        assertTrue(findings.getFirst().problem().contains("its lock is held, but the slot is free"),
            findings.toString());
        SegmentStatus.of(observed);
      }
    }
  }

  /**
   * Holds shared locks on the bytes of all slots but the first, for which it needs no more than to read the file.
   * Argument: file.
   */
  static final class LockShared implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      try (FileChannel file = FileChannel.open(Path.of(arguments[0]), StandardOpenOption.READ);
          FileLock all = file.lock(SegmentLayout.SLOT_LOCKS + 1, Owner.MAX_SLOTS - 1, true)) {
        say("locked " + all.isShared());
        hear();
      }
    }
  }

  @Test
  @Timeout(60) // that of one join, while each slot was waited for, was 18 s with native access, and more without
  void sharedLocksOnAllFreeSlotsMakeAJoinAndARecoveryEndSoon() throws Exception {
    SegmentSpec spec = SegmentSpec.of(ANY).withParticipantCapacity(256);
    try (Segment large = Segment.create(bus.path("shared"), spec)) {
      SegmentCore core = SegmentFace.core(large);
      try (ChildProcess locker = ChildProcess.start(LockShared.class, large.path())) {
        locker.await("locked");
        for (int i = 0; i < 3; i++) {
          var full = assertThrows(TableFullException.class, () -> Segment.attach(large.path(), 0));
          assertTrue(full.getMessage().contains("255 free ones are locked"), full.getMessage());
        }
        for (int id = 1; id < 256; id++) { // as if all had been killed
          core.region().setLongRelease(core.geometry().slot(id),
              Owner.word(Owner.participant(id, 1), 0, 0, SegmentLayout.SLOT_ACTIVE));
        }
        for (int i = 0; i < 3; i++) {
          assertEquals(List.of(), large.recover().dead(), "their locks are not to be had");
        }
        locker.tell("end");
        locker.finish();
      }
      assertEquals(255, large.recover().dead().size());
      Segment.attach(large.path(), 0).close();
    }
  }

  @Test
  void aSlotWhoseEpochCannotBeRaisedIsNotUsedAnyMoreAndIsNoDamage() {
    SegmentSpec spec = SegmentSpec.of(ANY).withParticipantCapacity(3);
    try (Segment first = Segment.create(bus.path("epochs"), spec)) {
      SegmentCore core = SegmentFace.core(first);
      long slot = core.geometry().slot(1);
      core.region().setLongRelease(slot, Owner.word(Owner.participant(1, -3), 0, 0, SegmentLayout.SLOT_FREE));
      try (Segment last = Segment.attach(bus.path("epochs"), 0)) { // the last life of this slot
        assertEquals(-2, epochOf(last, 1));
        assertEquals(2, last.participants().size());
        assertTrue(last.participants().stream().allMatch(each -> each.alive()));
      }
      try (Segment next = Segment.attach(bus.path("epochs"), 0)) {
        assertEquals(List.of(0, 2), next.participants().stream().map(each -> each.id()).toList());
        var full = assertThrows(TableFullException.class, () -> Segment.attach(bus.path("epochs"), 0));
        assertTrue(full.getMessage().contains("1 were used so often"), full.getMessage());
        assertEquals(List.of(), Verification.of(first));
      }
      for (int epoch : new int[] {-3, -2, -1}) { // one that died there is buried, and the slot is not used again
        core.region().setLongRelease(slot, Owner.word(Owner.participant(1, epoch), 0, 0, SegmentLayout.SLOT_ACTIVE));
        core.region().setLongRelease(slot + SegmentLayout.SLOT_START_TICKS, 0);
        assertEquals(1, first.recover().dead().size(), "epoch " + epoch);
        try (Segment next = Segment.attach(bus.path("epochs"), 0)) {
          assertEquals(List.of(0, 2), next.participants().stream().map(each -> each.id()).toList());
        }
        assertEquals(List.of(), Verification.of(first));
      }
    }
  }

  private static int epochOf(Segment of, int id) {
    return of.participants().stream().filter(each -> each.id() == id).findFirst().orElseThrow().epoch();
  }
}
