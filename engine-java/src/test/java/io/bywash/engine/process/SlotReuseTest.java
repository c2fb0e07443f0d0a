package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Participant;
import io.bywash.engine.RoleTakenException;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TableFullException;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.linux.ProcessIdentity;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Slots of the dead are taken again, and nothing that the dead held is left. */
@Tag("once")
@Timeout(180)
class SlotReuseTest {
  private static final int SLOTS = 128;
  private static final int ROUNDS = 4;
  private static final int MAX_BYTES = 48;
  /** More than the kernel gives out: like a process that may not be looked at, it has no readable /proc/PID/stat. */
  private static final long NO_PID = 1L << 30;

  @RegisterExtension final TempBus bus = new TempBus();

  private Segment create(int slots) {
    return Segment.create(bus.path("slots"), SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 4096, 2 * SLOTS))
        .withParticipantCapacity(slots));
  }

  @Test
  void nothingIsUsedUpWhileHundredsOfParticipantsAreKilled() {
    try (Segment segment = create(SLOTS)) {
      Set<Long> lives = new HashSet<>();
      long before = 0;
      for (int round = 0; round < ROUNDS; round++) {
        before = round == 2 ? descriptors() : before;
        List<Participant> killed = killAll(segment, round % 2 == 0 ? "bs" : "s");
        for (Participant each : killed) {
          assertTrue(lives.add(Owner.participant(each.id(), each.epoch())), "a life was lived twice: " + each);
        }
        assertEquals(IntStream.range(1, SLOTS).boxed().collect(Collectors.toSet()),
            killed.stream().map(Participant::id).collect(Collectors.toSet()));
      }
      assertEquals(ROUNDS * (SLOTS - 1), lives.size());
      long most = before + 2; // those of killed processes are closed by and by
      ChildProcess.eventually("no descriptors are used up", () -> descriptors() <= most);
      takeAllSlots(segment);
      SegmentEntry entry = (SegmentEntry) segment.directory().find(Programs.QUEUE).orElseThrow();
      for (int role = 0; role < entry.roleCount(); role++) {
        assertEquals(SegmentLayout.ROLE_FREE, Owner.state(entry.roleWord(role)), "role " + role + " was not swept");
      }
      assertEquals(1, segment.participants().size());
    }
  }

  private static long descriptors() {
    try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
      return open.count();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** Kills a process that has taken all slots but the first; what they look like afterwards. */
  private List<Participant> killAll(Segment segment, String roles) {
    try (ChildProcess holder = ChildProcess.start(Programs.Hold.class, segment.path(), SLOTS - 1, roles)) {
      holder.await("ready");
      List<Participant> living = segment.participants();
      assertEquals(SLOTS, living.size());
      assertTrue(living.stream().allMatch(Participant::alive));
      assertThrows(TableFullException.class, () -> Segment.attach(segment.path(), 0));
      holder.kill();
      List<Participant> dead = new ArrayList<>(segment.participants());
      assertEquals(ProcessHandle.current().pid(), dead.getFirst().pid());
      assertTrue(dead.removeFirst().alive());
      assertTrue(dead.stream().noneMatch(Participant::alive));
      assertEquals(Set.of(holder.pid()), dead.stream().map(Participant::pid).collect(Collectors.toSet()));
      return dead;
    }
  }

  private static void takeAllSlots(Segment segment) {
    List<Segment> all = new ArrayList<>();
    for (int i = 1; i < SLOTS; i++) {
      all.add(Segment.attach(segment.path(), 0));
    }
    all.forEach(Segment::close);
  }

  @Test
  void theDeadHoldAPublisherBackNoLongerThoughNobodyTookTheirSlots() {
    try (Segment segment = create(SLOTS); Publisher publisher = Programs.publisher(segment)) {
      killAll(segment, "b");
      assertEquals(0, publisher.subscriberCount());
      for (int i = 0; i < 1_000; i++) {
        Programs.publishNext(publisher, MAX_BYTES);
      }
    }
  }

  /** Slot 1 of a process with a free lock. */
  private static void fakeSlot(Forgery forgery, long pid, long startTicks, long namespace, long boot) {
    long slot = SegmentLayout.HEADER_BYTES + SegmentLayout.SLOT_BYTES;
    forgery.role(0, forgery.deadParticipant(1));
    forgery.region.setLongVolatile(slot + SegmentLayout.SLOT_PID, pid);
    forgery.region.setLongVolatile(slot + SegmentLayout.SLOT_START_TICKS, startTicks);
    forgery.region.setLongVolatile(slot + SegmentLayout.SLOT_PID_NAMESPACE, namespace);
    forgery.region.setLongVolatile(slot + SegmentLayout.SLOT_BOOT_HIGH, boot);
    forgery.region.setLongVolatile(slot + SegmentLayout.SLOT_BOOT_LOW, ProcessIdentity.self().bootLow());
  }

  @Test
  void aProcessThatRunsIsNotTakenForDeadThoughItsLockIsFree() {
    ProcessIdentity self = ProcessIdentity.self();
    try (Segment segment = create(2)) {
      fakeSlot(new Forgery(segment), self.pid(), self.startTicks(), self.pidNamespace(), self.bootHigh());
      assertTrue(segment.participants().get(1).alive());
      assertThrows(RoleTakenException.class, () -> Programs.publisher(segment));
      assertThrows(TableFullException.class, () -> Segment.attach(segment.path(), 0));
      fakeSlot(new Forgery(segment), self.pid(), 1, 1, 1); // and now it ends
      Programs.publisher(segment).close();
    }
  }

  @Test
  void anIdentityThatIsNotCertainlyOneThatRunsDoesNotKeepASlot() {
    ProcessIdentity self = ProcessIdentity.self();
    assertSlotIsTaken(self.pid(), self.startTicks() + 1, self.pidNamespace(), self.bootHigh()); // the pid was reused
    assertSlotIsTaken(self.pid(), 0, self.pidNamespace(), self.bootHigh()); // /proc was hidden from itself
    assertSlotIsTaken(NO_PID, self.startTicks(), self.pidNamespace(), self.bootHigh()); // /proc hides it from others
    assertSlotIsTaken(self.pid(), self.startTicks(), self.pidNamespace() + 1, self.bootHigh()); // in another container
    assertSlotIsTaken(self.pid(), self.startTicks(), self.pidNamespace(), self.bootHigh() + 1); // before the last boot
  }

  private void assertSlotIsTaken(long pid, long startTicks, long namespace, long boot) {
    try (Segment segment = create(2)) {
      fakeSlot(new Forgery(segment), pid, startTicks, namespace, boot);
      assertFalse(segment.participants().get(1).alive());
      Programs.publisher(segment).close();
      Segment.attach(segment.path(), 0).close();
      assertEquals(1, segment.participants().size());
    }
  }

  @Test
  void aZombieIsDead() throws IOException {
    // the shell becomes a sleep, which does not wait for its child
    Process parent = new ProcessBuilder("sh", "-c", "sleep 0 & echo $!; exec sleep 600").start();
    try {
      long zombie = Long.parseLong(parent.inputReader().readLine());
      Path stat = Path.of("/proc/" + zombie + "/stat");
      ChildProcess.eventually(zombie + " is a zombie", () -> fields(stat)[0].equals("Z"));
      ProcessIdentity self = ProcessIdentity.self();
      assertSlotIsTaken(zombie, Long.parseLong(fields(stat)[19]), self.pidNamespace(), self.bootHigh());
    } finally {
      parent.destroyForcibly();
    }
  }

  private static String[] fields(Path stat) {
    try {
      String line = Files.readString(stat);
      return line.substring(line.lastIndexOf(')') + 2).split(" ");
    } catch (IOException gone) {
      throw new AssertionError(stat + " is gone", gone);
    }
  }
}
