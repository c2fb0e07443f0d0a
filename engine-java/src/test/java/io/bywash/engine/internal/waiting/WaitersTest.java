package io.bywash.engine.internal.waiting;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.internal.attachment.Attachment;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.internal.role.RoleHandle;
import io.bywash.engine.internal.attachment.UsageGuard;
import io.bywash.engine.wait.WaitHub;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Who is woken: the bits of roles, their summary, the doorbells, and the hub. */
@Timeout(120)
@Tag("optimised")
class WaitersTest {
  private static final int ROLES = 200;

  @RegisterExtension final TempBus bus = new TempBus();

  private Segment segment;
  private Segment other;
  private SegmentEntry entry;
  private Attachment otherCore;
  private Waiters waiters;
  private final List<RoleHandle> handles = new ArrayList<>();

  @BeforeEach
  void create() {
    assumeTrue(NativeAccess.ENABLED, "nobody is woken without native access");
    segment = Segment.create(bus.path("waiters"), SegmentSpec.of(Broadcast.spec("queue", 4096, ROLES - 1)));
    other = Segment.attach(bus.path("waiters"), 0);
    entry = (SegmentEntry) segment.directory().find("queue").orElseThrow();
    otherCore = ((SegmentEntry) other.directory().find("queue").orElseThrow()).core();
    waiters = entry.waitingForData();
  }

  @AfterEach
  void close() {
    if (segment != null) {
      handles.forEach(UsageGuard::close);
      other.close();
      segment.close();
    }
  }

  private void take(SegmentEntry from, int... roles) {
    for (int role : roles) {
      RoleHandle handle = RoleHandle.tryTake(from, role, 0);
      handle.exit();
      handles.add(handle);
    }
  }

  private long summary() {
    return entry.region().getLongOpaque(entry.offset() + SegmentLayout.SUMMARY_FOR_DATA);
  }

  private int rung() {
    return new WaitRoom(entry.core()).doorbellValue();
  }

  private List<Integer> announced(int... roles) {
    List<Integer> left = new ArrayList<>();
    for (int role : roles) {
      if (waiters.isAnnounced(role)) {
        left.add(role);
      }
    }
    return left;
  }

  @Test
  void aWakerFindsEachRoleThroughTheSummary() {
    int[] roles = {0, 1, 63, 64, 127, 128, 199};
    take(entry, roles);
    for (int role : roles) {
      waiters.announce(role);
    }
    assertEquals(0b1111, summary());
    int before = rung();
    waiters.signal();
    assertEquals(List.of(), announced(roles));
    assertEquals(4, rung() - before, "once for all roles of a participant in one word");
  }

  @Test
  void theSummaryIsClearedOnlyByAWakerThatFindsNobody() {
    take(entry, 5, 70);
    waiters.announce(5);
    waiters.announce(70);
    assertTrue(waiters.withdraw(70));
    assertEquals(0b11, summary());
    waiters.signal();
    assertEquals(0b01, summary(), "nobody was in the second word");
    waiters.signal();
    assertEquals(0, summary());
    waiters.announce(5);
    assertEquals(1, summary());
  }

  @Test
  void aSleeperLearnsThatAWakerTookItsBit() {
    take(entry, 5);
    waiters.announce(5);
    waiters.signal();
    assertFalse(waiters.withdraw(5));
  }

  @Test
  void signalOneWakesOneAndEachHasItsTurn() {
    int[] roles = {3, 9, 100, 150};
    take(entry, roles);
    for (int role : roles) {
      waiters.announce(role);
    }
    for (int left = roles.length - 1; left >= 0; left--) {
      int before = rung();
      waiters.signalOne();
      assertEquals(left, announced(roles).size());
      assertEquals(1, rung() - before);
    }
    waiters.announce(3);
    waiters.signalOne();
    waiters.announce(3);
    waiters.announce(9);
    waiters.signalOne();
    assertEquals(List.of(3), announced(roles), "role 3 had its turn");
  }

  @Test
  void signalOneDoesNotStopAtARoleThatNobodyHolds() {
    take(entry, 40);
    waiters.announce(7); // as by one whose role was freed while it announced itself
    waiters.announce(40);
    int before = rung();
    waiters.signalOne();
    assertEquals(List.of(), announced(7, 40));
    assertEquals(1, rung() - before);
  }

  @Test
  void signalRoleWakesThatRoleOnly() {
    take(entry, 3, 4);
    waiters.announce(3);
    waiters.announce(4);
    waiters.signalRole(4);
    assertEquals(List.of(3), announced(3, 4));
    waiters.signalRole(4);
    assertEquals(List.of(3), announced(3, 4));
  }

  @Test
  void theDoorbellOfARolesPresentHolderIsRung() {
    SegmentEntry theirs = (SegmentEntry) other.directory().find("queue").orElseThrow();
    take(entry, 3);
    handles.removeFirst().close();
    take(theirs, 3);
    theirs.waitingForData().announce(3);
    int mine = rung();
    int yours = new WaitRoom(otherCore).doorbellValue();
    waiters.signal();
    assertEquals(mine, rung());
    assertEquals(1, new WaitRoom(otherCore).doorbellValue() - yours);
  }

  @Test
  void theBitsOfARoleGoWithIt() {
    take(entry, 3);
    waiters.announce(3);
    entry.waitingForSpace().announce(3);
    handles.removeFirst().close();
    assertFalse(waiters.isAnnounced(3) || entry.waitingForSpace().isAnnounced(3));
    waiters.announce(3); // too late, and the next holder does not sleep
    take(entry, 3);
    assertFalse(waiters.isAnnounced(3));
  }

  @Test
  void whoClearsTheBitsOfARoleThatAnotherHasTakenRingsForIt() {
    take(entry, 3);
    long word = entry.roleWord(3);
    waiters.announce(3);
    assertTrue(entry.freeRole(3, word));
    assertFalse(entry.freeRole(3, word), "freed before");
    take(entry, 3);
    waiters.announce(3);
    assertFalse(entry.freeRole(3, word));
    assertTrue(waiters.isAnnounced(3), "it is the next holder's");
  }

  @Test
  void rolesThatDoNotExistAreFoundByACheck() {
    assertTrue(waiters.problem().isEmpty());
    waiters.announce(ROLES - 1);
    assertTrue(waiters.problem().isEmpty());
    waiters.announce(ROLES);
    assertTrue(waiters.problem().orElseThrow().contains("role " + ROLES));
    waiters.withdraw(ROLES);
    waiters.announce(300);
    waiters.withdraw(300);
    assertTrue(waiters.problem().orElseThrow().contains("summary"));
  }

  // ---- the hub passes a wake on

  private static final class SilentlyOver extends Hub.Wait {
    private volatile boolean over;

    SilentlyOver(WaitPoint point) {
      super(point);
    }

    @Override
    protected boolean isOver() {
      return over;
    }

    @Override
    protected void end(Throwable failure) {
      throw new AssertionError("nothing was ever published", failure);
    }
  }

  @Test
  void aCancelledWaitWhoseBitWasTakenPassesTheWakeOn() {
    SegmentEntry theirs = (SegmentEntry) other.directory().find("queue").orElseThrow();
    try (Subscriber mine = Subscriber.open(entry); Subscriber next = Subscriber.open(theirs)) {
      int role = WaitPoints.role(mine);
      theirs.waitingForData().announce(WaitPoints.role(next)); // as a thread that sleeps
      int yours = new WaitRoom(otherCore).doorbellValue();
      boolean taken;
      do { // the hub may find out by itself before the bit is taken
        SilentlyOver cancelled = new SilentlyOver(mine);
        Hub.shared().add(cancelled);
        Threads.await(() -> waiters.isAnnounced(role), "the hub to announce it");
        assertEquals(yours, new WaitRoom(otherCore).doorbellValue());
        cancelled.over = true;
        taken = waiters.withdraw(role);
      } while (!taken);
      waiters.ring(role);
      Threads.await(() -> new WaitRoom(otherCore).doorbellValue() != yours, "the next one to be woken");
    }
  }

  @Test
  void theHubAnnouncesAWaitAgainThatWasWokenInVainAndNoneThatWasCancelled() throws Exception {
    try (Subscriber mine = Subscriber.open(entry)) {
      int role = WaitPoints.role(mine);
      CompletableFuture<Void> waiting = WaitHub.shared().whenReady(mine);
      Threads.await(() -> waiters.isAnnounced(role), "the hub to announce it");
      waiters.signalRole(role); // in vain: nothing is there
      Threads.await(() -> waiters.isAnnounced(role), "the hub to announce it again");
      waiting.cancel(false);
      Threads.await(() -> !waiters.isAnnounced(role), "the hub to forget it");
    }
  }

  private static final class Counting extends Hub.Wait {
    private volatile boolean over;

    Counting(WaitPoint point, AtomicInteger looks) {
      super(new WaitPoint() {
        @Override
        public Waiters waiters() {
          return point.waiters();
        }

        @Override
        public int role() {
          return point.role();
        }

        @Override
        public boolean isWaitOver() {
          looks.incrementAndGet();
          return point.isWaitOver();
        }

        @Override
        public long changeStamp() {
          return point.changeStamp();
        }
      });
    }

    @Override
    protected boolean isOver() {
      return over;
    }

    @Override
    protected void end(Throwable failure) {
      over = true;
    }
  }

  @Test
  void theHubLooksAtWhatWasWokenAndNotAtAllThatWait() throws Exception {
    int rounds = 2_000;
    AtomicInteger looks = new AtomicInteger();
    List<Subscriber> idle = new ArrayList<>();
    List<Counting> waits = new ArrayList<>();
    try (Segment busy = Segment.create(bus.path("busy"), SegmentSpec.of(Broadcast.spec("idle", 4096, ROLES),
        Broadcast.spec("ping", 4096)))) {
      for (int i = 0; i < ROLES; i++) {
        idle.add(Subscriber.open(busy.directory().find("idle").orElseThrow(), SubscriberOptions.skip()));
        waits.add(new Counting(idle.getLast(), looks));
        Hub.shared().add(waits.getLast());
      }
      Publisher publisher = Publisher.open(busy.directory().find("ping").orElseThrow());
      Subscriber subscriber = Subscriber.open(busy.directory().find("ping").orElseThrow());
      long start = System.nanoTime();
      for (int i = 0; i < rounds; i++) {
        CompletableFuture<Void> ready = WaitHub.shared().whenReady(subscriber);
        assertTrue(publisher.offer(new byte[1]));
        ready.get(100, TimeUnit.SECONDS);
        assertEquals(1, subscriber.poll(message -> {}, 1));
      }
      long seconds = 1 + (System.nanoTime() - start) / 1_000_000_000;
      int most = ROLES * (int) (5 + 2 * seconds); // a few when it begins to wait, and one in a second
      assertTrue(looks.get() >= ROLES && looks.get() <= most, looks + " looks in " + seconds + " s");
      publisher.close();
      subscriber.close();
      idle.forEach(Subscriber::close);
      Threads.await(() -> waits.stream().allMatch(wait -> wait.over), "all to learn that their roles were closed");
    }
  }
}
