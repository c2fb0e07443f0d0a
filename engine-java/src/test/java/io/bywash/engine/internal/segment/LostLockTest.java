package io.bywash.engine.internal.segment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Participant;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.internal.attachment.Attachment;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.role.RoleHandle;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;

/**
 * A participant that lost its lock while its process lives, and was buried, as somebody in another container would do
 * it. It is told at its next operation, and what it does damages nobody.
 */
@Timeout(120)
class LostLockTest {
  @RegisterExtension final TempBus bus = new TempBus();

  private Segment zombie;
  private Segment other;
  private Entry queue;

  @BeforeEach
  void attach() {
    zombie = Segment.create(bus.path("lost"), SegmentSpec.of(Broadcast.spec("queue", 4096)).withParticipantCapacity(3)
        .withSizeBytes(1 << 20));
    other = Segment.attach(bus.path("lost"), 0);
    queue = zombie.directory().find("queue", Kind.BROADCAST);
  }

  @AfterEach
  void close() {
    zombie.close();
    other.close();
  }

  private static Attachment core(Segment segment) {
    return ((SegmentEntry) segment.directory().find("queue").orElseThrow()).core();
  }

  /** The lock is gone, and the process is in another pid namespace. */
  private void loseTheLock() {
    Attachment core = core(zombie);
    long slot = core.geometry().slot(0);
    core.region().setLongOpaque(slot + SegmentLayout.SLOT_PID_NAMESPACE, 1);
    try {
      core.file().unlock(SegmentLayout.SLOT_LOCKS);
    } catch (IOException failure) {
      throw new AssertionError(failure);
    }
    assertEquals(1, other.recover().dead().size());
  }

  private static void assertTold(Executable operation) {
    String told = assertThrows(SegmentClosedException.class, operation).getMessage();
    assertTrue(told.contains("taken for dead") && told.contains("attach it again"), told);
  }

  @Test
  void itsNextOperationsSayThatItWasTakenForDead() {
    Subscriber block = Subscriber.open(queue);
    Subscriber skip = Subscriber.open(queue, SubscriberOptions.skip());
    loseTheLock();
    for (Subscriber subscriber : List.of(block, skip)) {
      assertTrue(subscriber.isReady(), "whoever waits has to find out");
      assertTold(() -> subscriber.poll(message -> {}, 1));
      subscriber.close();
    }
    assertTold(() -> Publisher.open(queue));
    assertTold(() -> Subscriber.open(queue));
    assertTold(() -> zombie.directory().findOrAdd(Broadcast.spec("more", 4096)));
    assertTold(zombie::recover);
  }

  @Test
  void whatItHoldsFromThenOnIsNotShownInTheSlotOfItsSuccessor() {
    loseTheLock();
    try (Segment successor = Segment.attach(bus.path("lost"), 0)) {
      assertEquals(0, Owner.slotId(core(successor).participants().self()), "the same slot");
      int row = ((SegmentEntry) queue).row();
      core(zombie).hold(row);
      assertFalse(core(other).participants().isHeld(row));
      core(zombie).letGo(row);
    }
  }

  @Test
  void itsPublisherIsToldAtTheLatestWhenItNextLooksForRoom() {
    Publisher publisher = Publisher.open(queue);
    publisher.offer(new byte[8]);
    loseTheLock();
    assertTold(() -> {
      for (int i = 0; i < 4096 / 32; i++) {
        publisher.offer(new byte[8]);
      }
    });
    publisher.close();
  }

  @Test
  void whatItsPublisherHadStagedNeverTakesBackWhatItsSuccessorPublished() {
    Publisher publisher = Publisher.open(queue);
    publisher.tryClaim(8).stage();
    loseTheLock();
    try (Publisher successor = Publisher.open(other.directory().find("queue", Kind.BROADCAST))) {
      for (int i = 0; i < 100; i++) {
        assertTrue(successor.offer(new byte[100]));
      }
      assertTold(publisher::publish);
      publisher.close();
      try (Subscriber late = Subscriber.open(other.directory().find("queue", Kind.BROADCAST))) {
        assertEquals(100, late.nextSequence());
      }
    }
  }

  @Test
  void aRoleThatWasSweptBeforeItCountedDoesNotTakeTheNextHoldersPlace() {
    RoleHandle joining = RoleHandle.tryTake((SegmentEntry) queue, 1, 1);
    loseTheLock();
    try (Subscriber next = Subscriber.open(other.directory().find("queue", Kind.BROADCAST))) {
      long word = ((SegmentEntry) queue).roleWord(1);
      assertTold(joining::activate);
      joining.close();
      assertEquals(word, ((SegmentEntry) queue).roleWord(1));
      assertEquals(0, next.poll(message -> {}, 1));
    }
  }

  @Test
  void whenItClosesTheNextHolderOfItsSlotStaysAndSoDoesTheSegment() {
    Subscriber subscriber = Subscriber.open(queue);
    loseTheLock();
    Segment next = Segment.attach(bus.path("lost"), 0);
    Participant holder = next.participants().getFirst();
    assertEquals(0, holder.id(), "it has the lost one's slot");
    core(zombie).participants().heartbeat();
    subscriber.close();
    zombie.close();
    assertTrue(Files.exists(next.path()), "removed by the dead");
    assertEquals(holder, next.participants().getFirst());
    assertTrue(holder.alive());
    other.close();
    assertTrue(Files.exists(next.path()), "its holder looked dead");
    next.close();
    assertFalse(Files.exists(bus.path("lost")));
  }

  @Test
  void theLastOneThatWasTakenForDeadLeavesTheRemovalToOthers() {
    loseTheLock();
    other.close();
    assertFalse(Files.exists(bus.path("lost")), "the last that lives removes it");
    zombie.close();
    assertFalse(Files.exists(bus.path("lost")));
  }
}
