package io.bywash.engine.internal.directory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.Removal.Outcome;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.internal.BusFiles;
import io.bywash.engine.internal.SegmentCore;
import io.bywash.engine.internal.kinds.StructureTypes;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.role.RoleHandle;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Who was slow finds bytes that are another entry's by now, and leaves them alone; who is at work keeps its own. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class HeldRowTest {
  private static final EntrySpec SPEC = Broadcast.spec("queue", 4096, 3);

  @RegisterExtension final TempBus bus = new TempBus();

  private SegmentCore core;
  private SegmentEntry entry;

  @BeforeEach
  void create() {
    core = BusFiles.create(StructureTypes.ALL, bus.path("seg"),
        SegmentSpec.small(List.of(SPEC)).withSizeBytes(1 << 17));
    entry = find();
  }

  @AfterEach
  void close() {
    core.close();
  }

  private SegmentEntry find() {
    return (SegmentEntry) core.directory().find("queue", Kind.BROADCAST);
  }

  private void remove() {
    assertEquals(Outcome.REMOVED, core.remove("queue").outcome());
  }

  @Test
  void aBurierThatWasPausedSweepsNothingOfTheEntryThatHasTheBytesNow() {
    remove();
    SegmentEntry next = (SegmentEntry) core.findOrAdd(SPEC);
    assertEquals(entry.offset(), next.offset());
    long dead = Owner.word(Owner.participant(3, 7), 1, 0, SegmentLayout.ROLE_ACTIVE);
    core.region().setLong(next.role(1), dead);
    assertEquals(0, core.directory().sweep(entry, 3));
    assertEquals(dead, next.roleWord(1));
    assertEquals(1, core.directory().sweep(next, 3));
  }

  @Test
  void aWaitKeepsTheBytesThoughItsRoleWasGivenBack() {
    RoleHandle role = RoleHandle.tryTake(entry, 1, 0);
    role.exit();
    assertTrue(entry.tryBeginWait());
    role.close();
    remove();
    SegmentEntry next = (SegmentEntry) core.findOrAdd(SPEC);
    assertTrue(next.offset() != entry.offset());
    entry.endWait();
  }

  @Test
  void nobodyBeginsToWaitInAnEntryThatIsGone() {
    remove();
    assertFalse(entry.tryBeginWait());
    core.findOrAdd(SPEC);
    assertFalse(entry.tryBeginWait());
    assertTrue(find().tryBeginWait());
    find().endWait();
  }

  @Test
  void aLabelIsNotWrittenForARoleThatWasGivenBack() {
    RoleHandle role = RoleHandle.tryTake(entry, 1, 0);
    role.exit();
    role.label("mine");
    role.close();
    remove();
    SegmentEntry next = (SegmentEntry) core.findOrAdd(SPEC);
    role.label("late");
    assertEquals("", next.roleLabel(1));
  }
}
