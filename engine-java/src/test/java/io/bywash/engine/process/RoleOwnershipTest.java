package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Directory;
import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Participant;
import io.bywash.engine.RoleTakenException;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.TableFullException;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.cell.Atomics;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Who holds a role, over several processes. */
@Tag("once")
@Timeout(180)
class RoleOwnershipTest {
  private static final int MAX_BYTES = 48;

  @RegisterExtension final TempBus bus = new TempBus();

  private Segment create() {
    return Segment.create(bus.path("roles"), SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 4096, 2)));
  }

  @Test
  void aSecondPublisherIsToldThePidOfTheFirst() {
    try (Segment segment = create()) {
      Entry entry = segment.directory().find(Programs.QUEUE, Kind.BROADCAST);
      try (ChildProcess holder = ChildProcess.start(Programs.Hold.class, segment.path(), 1, "p")) {
        holder.await("ready");
        RoleTakenException refused = assertThrows(RoleTakenException.class, () -> Publisher.open(entry));
        assertEquals(holder.pid(), refused.holderPid());
        assertTrue(refused.getMessage().contains(Long.toString(holder.pid())), refused.getMessage());
        assertEquals(holder.pid(), entry.owner().orElseThrow().pid());
        holder.tell("leave");
        holder.await("left");
        holder.finish();
      }
      Publisher.open(entry).close();
    }
  }

  @Test
  void aPublisherOfAnotherProcessIsRefusedWithThePidOfThisOne() {
    try (Segment segment = create(); ChildProcess other = ChildProcess.start(TryToPublish.class, segment.path())) {
      Publisher publisher = Programs.publisher(segment);
      other.tell("try");
      assertEquals(ProcessHandle.current().pid(), other.awaitLong("refused"));
      publisher.close();
      other.tell("again");
      other.await("opened");
      other.finish();
    }
  }

  /** When told to, says "refused" with the holder's pid; when told again, tries again and says "opened". */
  static final class TryToPublish implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      try (Segment segment = Segment.attach(Path.of(arguments[0]), PATIENCE_NANOS)) {
        ChildProgram.hear();
        try (Publisher none = Programs.publisher(segment)) {
          throw new AssertionError("two publishers: " + none);
        } catch (RoleTakenException refused) {
          ChildProgram.say("refused " + refused.holderPid());
        }
        ChildProgram.hear();
        Programs.publisher(segment).close();
        ChildProgram.say("opened");
      }
    }
  }

  @Test
  void aPausedPublisherKeepsItsRoleUntilItIsKilled() {
    try (Segment segment = create();
        ChildProcess holder = ChildProcess.start(Programs.PublishForEver.class, segment.path(), MAX_BYTES)) {
      Entry entry = segment.directory().find(Programs.QUEUE, Kind.BROADCAST);
      holder.await("opened");
      ChildProcess.eventually("messages flow", () -> newest(entry) > 100);
      holder.pause();
      long start = System.nanoTime();
      while (System.nanoTime() - start < 500_000_000) {
        assertEquals(holder.pid(), assertThrows(RoleTakenException.class, () -> Publisher.open(entry)).holderPid());
      }
      long committed = newest(entry);
      holder.kill();
      try (Publisher successor = Publisher.open(entry)) {
        assertEquals(committed, successor.nextSequence());
        assertEquals(ProcessHandle.current().pid(), entry.owner().orElseThrow().pid());
      }
    }
  }

  @Test
  void whoLooksAtAllOwnersAgainSeesEntriesComeAndGoAndTheirOwnersDie() {
    SegmentSpec spec = SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 4096, 2)).withEntryCapacity(4)
        .withSizeBytes(1 << 16);
    try (Segment segment = Segment.create(bus.path("roles"), spec);
        Segment observed = Segment.observe(segment.path())) {
      Directory directory = observed.directory();
      Entry entry = directory.owners().keySet().iterator().next();
      assertEquals(ProcessHandle.current().pid(), owner(directory, entry).pid());
      try (ChildProcess holder = ChildProcess.start(Programs.Hold.class, segment.path(), 1, "p")) {
        holder.await("ready");
        assertEquals(holder.pid(), owner(directory, entry).pid());
        holder.kill();
        ChildProcess.eventually("its owner is seen dead", () -> !owner(directory, entry).alive());
        assertEquals(Optional.of(owner(directory, entry)), entry.owner());
      }
      segment.directory().findOrAdd(Atomics.spec("more", "long one"));
      assertEquals(List.of(Programs.QUEUE, "more"), directory.owners().keySet().stream().map(Entry::name).toList());
      segment.directory().remove("more");
      assertEquals(List.of(Programs.QUEUE), directory.owners().keySet().stream().map(Entry::name).toList());
      segment.directory().findOrAdd(Atomics.spec("more", "int other"));
      assertTrue(directory.owners().keySet().stream().anyMatch(each -> each.layout().contains("other")));
    }
  }

  /** While nothing is added or removed an entry is the same object, so it can be asked for. */
  private static Participant owner(Directory directory, Entry entry) {
    return directory.owners().get(entry).orElseThrow();
  }

  private static long newest(Entry entry) {
    try (Subscriber subscriber = Subscriber.open(entry, SubscriberOptions.skip())) {
      return subscriber.nextSequence();
    }
  }

  @Test
  void thePlacesOfKilledSubscribersAreFree() {
    try (Segment segment = create();
        ChildProcess holder = ChildProcess.start(Programs.Hold.class, segment.path(), 1, "bs")) {
      Entry entry = segment.directory().find(Programs.QUEUE, Kind.BROADCAST);
      holder.await("ready");
      assertThrows(TableFullException.class, () -> Subscriber.open(entry));
      holder.kill();
      try (Subscriber first = Subscriber.open(entry); Subscriber second = Subscriber.open(entry)) {
        assertEquals(0, first.nextSequence() + second.nextSequence());
        assertThrows(TableFullException.class, () -> Subscriber.open(entry));
      }
    }
  }

  @Test
  void eachDifferenceToWhatAnotherProcessCreatedIsTold() {
    SegmentSpec spec = SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 4096));
    try (ChildProcess holder = ChildProcess.start(Create.class, bus.path("roles"))) {
      holder.await("created");
      SegmentSpec other = SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 8192), Broadcast.spec("more", 4096))
          .withParticipantCapacity(7);
      SpecMismatchException refused =
          assertThrows(SpecMismatchException.class, () -> Segment.open(bus.path("roles"), other));
      assertEquals(4, refused.differences().size(), refused.getMessage()); // slots, capacity, message size, entry
      try (Segment segment = Segment.open(bus.path("roles"), spec)) {
        assertEquals(2, segment.participants().size(), "the refused attachment left its slot behind");
      }
      holder.tell("leave");
      holder.finish();
    }
  }

  /** Creates the segment and closes it when told to. */
  static final class Create implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      SegmentSpec spec = SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 4096));
      try (Segment segment = Segment.create(Path.of(arguments[0]), spec)) {
        ChildProgram.say("created " + segment.name());
        ChildProgram.hear();
      }
    }
  }
}
