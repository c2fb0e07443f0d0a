package io.bywash.engine.internal.directory;

import static io.bywash.engine.internal.layout.SegmentLayout.ROLE_ACTIVE;
import static io.bywash.engine.internal.layout.SegmentLayout.ROLE_FREE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.BusDirectory;
import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.Removal;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.StructureStatus;
import io.bywash.engine.TempBus;
import io.bywash.engine.inspect.BusStatus;
import io.bywash.engine.internal.BusFiles;
import io.bywash.engine.internal.SegmentCore;
import io.bywash.engine.internal.SegmentRemoval;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.internal.role.RoleHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the common code asks of a kind, and when: shown by a made-up kind, which only this test knows. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class StructureTypeTest {
  private static final int FIRST_WORD = SegmentLayout.OWN_WORDS;
  private static final SegmentSpec SPEC = SegmentSpec.of(new EntrySpec("made-up", Kind.BROADCAST, 10, 8, 4, 4096));

  /** A structure whose first word is its capacity; the last byte of a role's page tells what its holder held. */
  private static final class MadeUp extends StructureType {
    private final List<String> calls = new ArrayList<>();
    private String retained;
    private boolean leavesSomething;

    MadeUp() {
      super(Kind.BROADCAST); // the number of its kind; its real type is not among those of these attachments
    }

    @Override
    protected String damage(SegmentEntry entry) {
      return entry.capacity() == 10 ? null : "its capacity is not 10";
    }

    @Override
    protected StructureStatus status(SegmentEntry entry) {
      calls.add("status");
      throw entry.damaged("it has no status");
    }

    @Override
    protected List<String> problems(SegmentEntry entry) {
      return List.of("first word " + entry.region().getLong(entry.offset() + FIRST_WORD));
    }

    @Override
    protected List<Suspect> suspects(SegmentEntry entry) {
      throw entry.damaged("something");
    }

    @Override
    protected void recover(SegmentEntry entry, int role, long word) {
      calls.add("recover role " + role + (entry.roleWord(role) == word ? ", which is still taken" : ", which is gone"));
    }

    @Override
    protected boolean leavesSomething(SegmentEntry entry, int role) {
      calls.add("role " + role + (Owner.state(entry.roleWord(role)) == ROLE_FREE ? " is free" : " becomes free")
          + " at count " + entry.leftCount());
      return leavesSomething;
    }

    @Override
    protected String retained(SegmentEntry entry) {
      return retained;
    }

    @Override
    protected boolean mayRetain() {
      return true;
    }

    @Override
    protected void format(Region region, long offset, EntrySpec spec) {
      region.setLong(offset + FIRST_WORD, spec.capacity());
    }
  }

  @RegisterExtension final TempBus bus = new TempBus();

  private final MadeUp type = new MadeUp();
  private final List<StructureType> types = List.of(type);

  private static SegmentEntry entry(SegmentCore core, String name) {
    return (SegmentEntry) core.directory().find(name).orElseThrow();
  }

  /** Has a role held by somebody who is dead: of an earlier life of the slot of {@code core}. */
  private static long holdByTheDead(SegmentCore core, SegmentEntry entry, int role) {
    long self = core.participants().self();
    long dead = Owner.word(Owner.participant(Owner.slotId(self), Owner.epoch(self) - 1), 1, 0, ROLE_ACTIVE);
    core.region().setLong(entry.offset() + SegmentLayout.ROLES_USED, entry.roleCount());
    core.region().setLong(entry.role(role), dead);
    return dead;
  }

  @Test
  void anEntryIsFormattedBeforeItIsSeenAlsoOneThatIsAddedLater() {
    SegmentCore core = BusFiles.create(types, bus.path("seg"), SPEC.withSizeBytes(1 << 17));
    assertEquals(List.of("first word 10"), entry(core, "made-up").problems());
    core.findOrAdd(new EntrySpec("later", Kind.BROADCAST, 10, 8, 4, 4096));
    assertEquals(List.of("first word 10"), entry(core, "later").problems());
    core.close();
  }

  @Test
  void whatIsImpossibleAboutTheGeometryIsAskedFirst() {
    SegmentCore core = BusFiles.create(types, bus.path("seg"), SPEC);
    core.region().setLong(core.geometry().row(0) + SegmentLayout.ROW_CAPACITY, 11);
    SegmentEntry damaged = entry(core, "made-up");
    assertEquals(List.of("its capacity is not 10"), damaged.problems());
    assertEquals(List.of(), damaged.suspects());
    String message = assertThrows(DamagedSegmentException.class, damaged::status).getMessage();
    assertTrue(message.contains("its capacity is not 10"), message);
    assertEquals(List.of(), type.calls);
    core.close();
  }

  @Test
  void aLookThatMeetsDamageSuspectsNobodySinceTheCheckTellsIt() {
    SegmentCore core = BusFiles.create(types, bus.path("seg"), SPEC);
    assertEquals(List.of(), entry(core, "made-up").suspects());
    core.close();
  }

  @Test
  void theKindRecoversWhatTheDeadLeftBeforeASweepFreesTheRole() {
    SegmentCore core = BusFiles.create(types, bus.path("seg"), SPEC);
    SegmentEntry entry = entry(core, "made-up");
    long dead = holdByTheDead(core, entry, 2);
    assertEquals(1, entry.sweep(Owner.slotId(dead)));
    assertEquals(List.of("recover role 2, which is still taken", "role 2 becomes free at count 0"), type.calls);
    assertEquals(ROLE_FREE, Owner.state(entry.roleWord(2)));
    core.close();
  }

  @Test
  void theKindRecoversWhatTheDeadLeftBeforeAnotherTakesTheRole() {
    SegmentCore core = BusFiles.create(types, bus.path("seg"), SPEC);
    SegmentEntry entry = entry(core, "made-up");
    holdByTheDead(core, entry, 1);
    RoleHandle taken = RoleHandle.tryTake(entry, 1, 0);
    assertEquals(List.of("recover role 1, which is still taken"), type.calls);
    taken.exit();
    taken.close();
    RoleHandle.tryTake(entry, 1, 0).close();
    assertEquals(1, type.calls.stream().filter(call -> call.startsWith("recover")).count(),
        "whoever lives gives its role back by itself");
    core.close();
  }

  @Test
  void thatARoleLeavesSomethingIsToldBeforeAndAfterItIsFree() {
    type.leavesSomething = true;
    SegmentCore core = BusFiles.create(types, bus.path("seg"), SPEC);
    SegmentEntry entry = entry(core, "made-up");
    RoleHandle taken = RoleHandle.tryTake(entry, 1, 0);
    taken.exit();
    taken.close();
    assertEquals(List.of("role 1 becomes free at count 0"), type.calls);
    assertEquals(2, entry.leftCount());
    holdByTheDead(core, entry, 2);
    entry.sweep(Owner.slotId(core.participants().self()));
    assertEquals(4, entry.leftCount(), "the dead leave something as well");
    type.leavesSomething = false;
    RoleHandle.tryTake(entry, 1, 0).close();
    assertEquals(4, entry.leftCount());
    core.close();
  }

  @Test
  void aSegmentStaysAsLongAsAStructureRetainsIt() {
    Path path = bus.path("seg");
    type.retained = "holds 3 things";
    BusFiles.create(types, path, SPEC).close();
    assertTrue(Files.exists(path));
    assertEquals(List.of(), SegmentRemoval.clean(types, bus.directory(), List.of("seg")));
    SegmentSpec other = SegmentSpec.of(new EntrySpec("made-up", Kind.BROADCAST, 10, 16, 4, 4096));
    String message =
        assertThrows(SpecMismatchException.class, () -> BusFiles.open(types, path, other)).getMessage();
    assertTrue(message.contains("entry \"made-up\" holds 3 things") && message.contains("bywash doctor --remove seg"),
        message);
    SegmentCore core = BusFiles.open(types, path, SPEC);
    type.retained = null;
    core.close();
    assertFalse(Files.exists(path));
  }

  @Test
  void whoDoesNotKnowAKindThatMayHoldSomethingLeavesTheSegmentAlone() {
    Path path = bus.path("seg");
    SegmentCore core = BusFiles.create(types, path, SPEC);
    long row = core.geometry().row(0);
    core.region().setLong(row, core.region().getLong(row) & ~0xFFFF_0000L | 99 << 16);
    core.close();
    assertTrue(Files.exists(path));
    assertEquals(List.of(), SegmentRemoval.clean(List.of(), bus.directory(), List.of("seg")));
    BusStatus status = BusStatus.of(BusDirectory.at(bus.directory()));
    assertEquals(BusStatus.State.KEPT, status.files().getFirst().state());
    String explanation = status.files().getFirst().explanation();
    assertTrue(explanation.contains("\"made-up\" is of a kind that this version does not know"), explanation);
    assertEquals(Removal.Outcome.REMOVED, SegmentRemoval.remove(List.of(), path).outcome());
  }

  @Test
  void anEntryOfAnUnknownKindIsNamedByItsNumberSweptAndNothingIsAskedAboutIt() {
    SegmentCore core = BusFiles.create(List.of(), bus.path("seg"), SPEC);
    long row = core.geometry().row(0);
    core.region().setLong(row, core.region().getLong(row) & ~0xFFFF_0000L | 99 << 16);
    SegmentEntry unknown = entry(core, "made-up");
    assertEquals("kind 99", unknown.kindName());
    assertEquals(Kind.UNKNOWN, unknown.kind());
    assertEquals(Optional.empty(), unknown.status());
    assertEquals(List.of(), unknown.problems());
    assertEquals(List.of(), unknown.suspects());
    assertEquals(core.participants().self(), Owner.participant(unknown.owner().orElseThrow().id(),
        unknown.owner().orElseThrow().epoch()), "its creator owns it");
    long dead = holdByTheDead(core, unknown, 2);
    assertEquals(1, unknown.sweep(Owner.slotId(dead)));
    core.close();
  }
}
