package io.bywash.engine.internal.segment;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TableFullException;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.internal.attachment.Attachment;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.linux.SegmentFile;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The only slot left is just being given back, or its dead holder buried, when somebody wants to attach. */
@Timeout(120)
class ChangingSlotTest {
  private static final int TRIES = 20;

  @RegisterExtension final TempBus bus = new TempBus();

  @Test
  void whoAttachesWaitsForASlotThatIsBeingGivenBack() throws Exception {
    boolean attached = false;
    for (int i = 0; i < TRIES && !attached; i++) { // it waits for half a second, in which the machine may pause
      attached = attachWhileASlotChanges();
    }
    assertTrue(attached);
  }

  private boolean attachWhileASlotChanges() throws Exception {
    try (Segment segment = create(); SegmentFile holder = holdLastSlot(segment); Threads threads = new Threads()) {
      AtomicBoolean attached = new AtomicBoolean();
      Thread joiner = threads.start("joiner", () -> attached.set(attaches(segment)));
      Threads.await(() -> joiner.getState() == Thread.State.TIMED_WAITING || !joiner.isAlive(), "the joiner to wait");
      setLastSlot(segment, SegmentLayout.SLOT_FREE);
      holder.unlock(SegmentLayout.SLOT_LOCKS + 1);
      threads.join();
      return attached.get();
    }
  }

  @Test
  void whoAttachesIsRefusedWhenTheSlotDoesNotBecomeFree() throws IOException {
    try (Segment segment = create(); SegmentFile holder = holdLastSlot(segment)) {
      assertThrows(TableFullException.class, () -> Segment.attach(segment.path(), 0), holder::toString);
    }
  }

  private Segment create() {
    return Segment.create(bus.path("changing"),
        SegmentSpec.of(Broadcast.spec("queue", 4096)).withParticipantCapacity(2));
  }

  private static SegmentFile holdLastSlot(Segment segment) throws IOException {
    setLastSlot(segment, SegmentLayout.SLOT_LEAVING);
    SegmentFile holder = SegmentFile.open(segment.path(), false);
    assertTrue(holder.tryLock(SegmentLayout.SLOT_LOCKS + 1));
    return holder;
  }

  private static void setLastSlot(Segment segment, int state) {
    Attachment core = ((SegmentEntry) segment.directory().find("queue").orElseThrow()).core();
    core.region().setLongRelease(core.geometry().slot(1) + SegmentLayout.SLOT_WORD,
        Owner.word(Owner.participant(1, 1), 0, 0, state));
  }

  private static boolean attaches(Segment segment) {
    try {
      Segment.attach(segment.path(), 0).close();
      return true;
    } catch (TableFullException full) {
      return false;
    }
  }
}
