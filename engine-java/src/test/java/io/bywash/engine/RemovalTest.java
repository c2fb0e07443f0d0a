package io.bywash.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Removal.Outcome;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.internal.SegmentFace;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.SegmentCore;
import io.bywash.engine.internal.files.NamesLock;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.linux.OpenDirectory;
import io.bywash.engine.internal.memory.Region;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Removal on purpose takes what nobody uses, and nothing else. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RemovalTest {
  private static final SegmentSpec SPEC = SegmentSpec.of(Broadcast.spec("q", 4096)).withParticipantCapacity(4);

  @RegisterExtension final TempBus bus = new TempBus();

  private BusDirectory directory;

  @BeforeEach
  void open() {
    directory = BusDirectory.at(bus.directory());
  }

  /** A segment whose participant was killed: its bytes are those of one in use, but nobody holds a lock. */
  private Path stale(String name) {
    return stale(name, SPEC);
  }

  private Path stale(String name, SegmentSpec spec) {
    Path file = bus.path(name);
    try (Segment segment = Segment.create(bus.path("template"), spec)) {
      SegmentCore core = SegmentFace.core(segment);
      long slot = core.geometry().slot(0);
      long startTicks = core.region().getLong(slot + SegmentLayout.SLOT_START_TICKS);
      core.region().setLong(slot + SegmentLayout.SLOT_START_TICKS, 1); // no process has that
      Files.copy(bus.path("template"), file);
      core.region().setLong(slot + SegmentLayout.SLOT_START_TICKS, startTicks);
    } catch (IOException failure) {
      throw new AssertionError(failure);
    }
    directory.remove("template"); // the kept ones
    return file;
  }

  private void assertRemoved(String name) {
    Removal removal = directory.remove(name);
    assertEquals(new Removal(name, Outcome.REMOVED, List.of(), removal.explanation()), removal);
    assertFalse(Files.exists(bus.path(name)));
  }

  private Removal assertStays(String name, Outcome outcome) {
    Removal removal = directory.remove(name);
    assertEquals(outcome, removal.outcome(), removal.toString());
    assertTrue(Files.exists(bus.path(name), java.nio.file.LinkOption.NOFOLLOW_LINKS));
    assertTrue(directory.clean().stream()
        .noneMatch(each -> each.name().equals(name) && each.outcome() == Outcome.REMOVED));
    assertTrue(Files.exists(bus.path(name), java.nio.file.LinkOption.NOFOLLOW_LINKS));
    return removal;
  }

  @Test
  void aSegmentThatSomebodyUsesStaysAndItsProcessIsNamed() {
    for (Lifetime lifetime : Lifetime.values()) {
      try (Segment segment = Segment.create(bus.path("used"), SPEC.withLifetime(lifetime))) {
        Removal removal = assertStays("used", Outcome.IN_USE);
        assertEquals(List.of(ProcessHandle.current().pid()), removal.pids());
        assertTrue(removal.explanation().contains("process " + ProcessHandle.current().pid()), removal.explanation());
        assertEquals(1, segment.participants().size()); // it left no trace
      }
      directory.remove("used");
    }
  }

  @Test
  void aStaleSegmentIsRemovedByNameAndByClean() {
    stale("a");
    assertRemoved("a");
    stale("b");
    stale("c");
    stale("kept", SPEC.withLifetime(Lifetime.KEPT));
    assertEquals(List.of("b", "c"), directory.clean().stream().map(Removal::name).toList());
    assertEquals(List.of("kept"), bus.files());
    assertRemoved("kept");
    assertEquals(List.of(), directory.clean());
  }

  @Test
  void aKeptSegmentThatEverybodyLeftIsRemovedByNameOnly() {
    Segment.create(bus.path("kept"), SPEC.withLifetime(Lifetime.KEPT)).close();
    assertEquals(List.of(), directory.clean());
    assertRemoved("kept");
  }

  @ParameterizedTest
  @ValueSource(longs = {8 + 4, 16, 32, 96, 120})
  void aDamagedSegmentIsRemovedByNameOnly(long offset) throws IOException {
    Path file = stale("damaged");
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.write(java.nio.ByteBuffer.wrap(new byte[] {0x77}), offset);
    }
    assertEquals(List.of(), directory.clean());
    assertRemoved("damaged");
  }

  @Test
  void whatHasTakenTheNameOfADamagedSegmentMeanwhileIsLookedAtAnew() throws Exception {
    Path file = stale("damaged");
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.write(java.nio.ByteBuffer.wrap(new byte[] {0x77}), 16);
    }
    try (Threads threads = new Threads(); OpenDirectory opened = OpenDirectory.of(bus.directory())) {
      NamesLock.under(opened, () -> {
        Thread remover = threads.start("remover",
            () -> assertEquals(Outcome.REFUSED, directory.remove("damaged").outcome()));
        Threads.await(() -> Stream.of(remover.getStackTrace())
            .anyMatch(frame -> frame.getMethodName().equals("withLock")), "the remover to wait for the names lock");
        Files.delete(file);
        return Files.writeString(file, "no segment, though it has taken the name");
      });
      threads.join();
    }
    assertTrue(Files.exists(file));
    Files.delete(file);
  }

  @Test
  void aSegmentThatNobodyCanJoinSinceItsStateIsDamagedIsRemoved() throws IOException {
    try (FileChannel channel = FileChannel.open(stale("damaged"), StandardOpenOption.WRITE)) {
      channel.write(java.nio.ByteBuffer.wrap(new byte[] {0x77}), SegmentLayout.STATE_OFFSET);
    }
    assertThrows(DamagedSegmentException.class, () -> Segment.attach(bus.path("damaged"), 0));
    assertRemoved("damaged");
  }

  @Test
  void aDamagedSegmentStaysWhileSomebodyLivesInIt() {
    try (Segment segment = Segment.create(bus.path("damaged"), SPEC)) {
      Region region = SegmentFace.core(segment).region();
      region.setInt(SegmentLayout.CHECKSUM_OFFSET, ~region.getInt(SegmentLayout.CHECKSUM_OFFSET));
      assertStays("damaged", Outcome.IN_USE);
    }
    assertFalse(Files.exists(bus.path("damaged")));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 255})
  void aSegmentStaysWhileSomebodyLivesInItWhoseSlotIsDamaged(int slotId) {
    List<Segment> all = new ArrayList<>(List.of(Segment.create(bus.path("hidden"), SPEC.withParticipantCapacity(256))));
    while (all.size() < 256) {
      all.add(Segment.attach(bus.path("hidden"), 0));
    }
    try (Segment segment = all.remove(slotId)) {
      all.forEach(Segment::close);
      SegmentCore core = SegmentFace.core(segment);
      long slot = core.geometry().slot(slotId);
      long word = core.region().getLong(slot);
      core.region().setLong(slot, Owner.withState(word, SegmentLayout.SLOT_FREE));
      assertEquals(List.of(), segment.participants());
      assertStays("hidden", Outcome.IN_USE);
      core.region().setLong(slot, word);
    }
    assertFalse(Files.exists(bus.path("hidden")));
  }

  @Test
  void filesThatAreNoSegmentsOfThisVersionAreRefused() throws IOException {
    Path segment = stale("segment");
    Files.createSymbolicLink(bus.path("link"), segment);
    Files.createDirectory(bus.path("folder"));
    Files.writeString(bus.path("text"), "this is no segment");
    Files.writeString(bus.path("long"), "this is no segment".repeat(1000));
    Files.copy(segment, bus.path("version"));
    try (FileChannel channel = FileChannel.open(bus.path("version"), StandardOpenOption.WRITE)) {
      channel.write(java.nio.ByteBuffer.wrap(new byte[] {9}), SegmentLayout.VERSION_OFFSET);
    }
    for (String name : List.of("link", "folder", "text", "long", "version")) {
      assertTrue(!assertStays(name, Outcome.REFUSED).explanation().isBlank());
      Files.delete(bus.path(name));
    }
    assertFalse(Files.exists(segment), "clean() removed it meanwhile");
    assertThrows(IllegalArgumentException.class, () -> directory.remove("../segment"));
    assertEquals(Outcome.NOT_FOUND, directory.remove("nothing").outcome());
    assertEquals(Outcome.NOT_FOUND, BusDirectory.at(bus.path("nowhere")).remove("nothing").outcome());
    assertEquals(List.of(), BusDirectory.at(bus.path("nowhere")).clean());
  }

  @Test
  void aSegmentOfAnotherUserIsRefusedAlsoToRoot() throws IOException {
    Path segment = stale("others");
    Assumptions.assumeTrue((Integer) Files.getAttribute(segment, "unix:uid") == 0, "only root can give files away");
    Files.setAttribute(segment, "unix:uid", 65_534);
    assertTrue(assertStays("others", Outcome.REFUSED).explanation().contains("belongs to user id 65534"));
    Files.delete(segment);
  }

  @Test
  void whatADeadCreatorLeftIsRemovedAndWhatALivingOneBuildsIsNot() throws IOException {
    Path left = bus.path(".seg.0123456789abcdef.tmp");
    Files.write(left, new byte[4096]);
    Files.write(bus.path(".other.tmp"), new byte[1]); // somebody else's
    assertEquals(List.of(left.getFileName().toString()), directory.clean().stream().map(Removal::name).toList());
    assertEquals(List.of(".other.tmp"), bus.files());
    Files.delete(bus.path(".other.tmp"));
  }

  @Test
  void aRemovalThatADeadRemoverLeftIsFinished() {
    Path file = stale("half");
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      long state = Owner.word(Owner.participant(0, 1), 0, 0, SegmentLayout.CLOSING);
      channel.write(java.nio.ByteBuffer.allocate(8).order(java.nio.ByteOrder.LITTLE_ENDIAN).putLong(0, state), 128);
    } catch (IOException failure) {
      throw new AssertionError(failure);
    }
    assertRemoved("half");
  }

  /** Attachers and removers race: whoever has attached keeps what it has until it leaves. */
  @Test
  void aSegmentIsNeverRemovedUnderSomebodyWhoAttachedMeanwhile() throws InterruptedException {
    AtomicBoolean done = new AtomicBoolean();
    AtomicInteger removals = new AtomicInteger();
    int used = 0;
    try (Threads threads = new Threads()) {
      threads.start("remover", () -> {
        while (!done.get()) {
          Removal removal = directory.remove("raced");
          removals.addAndGet(removal.outcome() == Outcome.REMOVED ? 1 : 0);
          directory.clean();
        }
      });
      long start = System.nanoTime();
      while ((System.nanoTime() - start < 500_000_000 || used < 20 || removals.get() < 1) && !threads.hasFailed()) {
        try (Segment segment = Segment.open(bus.path("raced"), SPEC.withLifetime(Lifetime.KEPT))) {
          assertTrue(SegmentFace.core(segment).file().isAt(bus.path("raced")), "it was removed under its user");
          used++;
        }
      }
      done.set(true);
      threads.join();
    }
    directory.remove("raced");
    assertEquals(List.of(), bus.files());
  }
}
