package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Participant;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentAccessException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TableFullException;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.linux.SegmentFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Observers see everything and are seen by nobody: they never look like life. */
@Timeout(180)
class ObserverProcessTest {
  private static final int MAX_BYTES = 48;

  @RegisterExtension final TempBus bus = new TempBus();

  private Segment create(int participants) {
    return Segment.create(bus.path("seen"), SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 4096))
        .withParticipantCapacity(participants));
  }

  @Test
  void participantsThatWereAllKilledAreDeadToAnObserver() {
    Segment created = create(8);
    try (ChildProcess first = ChildProcess.start(Programs.Hold.class, created.path(), 1, "p");
        ChildProcess second = ChildProcess.start(Programs.Hold.class, created.path(), 1, "b");
        ChildProcess prober = ChildProcess.start(ProbeForEver.class, created.path())) {
      first.await("ready");
      second.await("ready");
      prober.await("probing");
      created.close();
      try (Segment observed = Segment.observe(created.path())) {
        assertEquals(2, observed.participants().size());
        assertEquals(List.of(), pids(observed, false));
        first.kill();
        second.kill();
        assertEquals(List.of(first.pid(), second.pid()), pids(observed, false));
      }
      try (Segment next = Segment.attach(created.path(), 0); Publisher publisher = Programs.publisher(next)) {
        assertEquals(0, publisher.subscriberCount());
      }
      assertTrue(prober.isAlive());
      assertFalse(Files.exists(created.path()), "an observer kept the segment from being removed");
    } finally {
      created.close();
    }
  }

  private static List<Long> pids(Segment segment, boolean alive) {
    return segment.participants().stream().filter(participant -> participant.alive() == alive).map(Participant::pid)
        .sorted().toList();
  }

  /** Observes and probes until it is killed; says "probing" once it has begun. */
  static final class ProbeForEver implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      try (Segment segment = Segment.observe(Path.of(arguments[0]));
          SegmentFile file = SegmentFile.open(Path.of(arguments[0]), true)) {
        for (long i = 0; true; i++) {
          if (i == 10_000) {
            ChildProgram.say("probing");
          }
          file.isLockedByOther(SegmentLayout.SLOT_LOCKS + 1); // most of the time, on the slot that tests are after
          if (i % 100 == 0 && pids(segment, true).contains(ProcessHandle.current().pid())) {
            throw new AssertionError("an observer is no participant");
          }
        }
      }
    }
  }

  @Test
  void aSlotThatAnObserverProbesAllTheTimeCanBeTaken() {
    try (Segment segment = create(2); ChildProcess prober = ChildProcess.start(ProbeForEver.class, segment.path())) {
      prober.await("probing");
      for (int i = 0; i < 500; i++) {
        new Forgery(segment).deadParticipant(1); // the only other slot; not free, so that it is worth a probe
        try (Segment second = Segment.attach(segment.path(), 0)) {
          if (i == 0) {
            assertThrows(TableFullException.class, () -> Segment.attach(segment.path(), 0));
            assertEquals(2, second.participants().size());
          }
        }
      }
      assertTrue(prober.isAlive());
    }
  }

  @Test
  void theRoleOfADeadOneThatAnotherThreadProbesAllTheTimeCanBeTaken() {
    AtomicBoolean enough = new AtomicBoolean();
    try (Segment segment = create(2); Segment observed = Segment.observe(segment.path())) {
      Forgery forgery = new Forgery(segment);
      long dead = forgery.deadParticipant(1);
      CompletableFuture<Void> probing = Threads.runAsync(() -> {
        while (!enough.get()) {
          assertEquals(2, observed.participants().size());
        }
      });
      try {
        for (int i = 0; i < 2_000; i++) {
          forgery.role(0, dead);
          Programs.publisher(segment).close();
          assertEquals(1, pids(segment, false).size(), "a probe looked like life");
        }
      } finally {
        enough.set(true);
      }
      probing.join();
    }
  }

  @Test
  void anObservingProcessReadsCopiesAndHoldsNobodyBack() {
    long count = 20_000;
    try (Segment segment = create(8);
        Publisher publisher = Programs.publisher(segment);
        ChildProcess observer = ChildProcess.start(ObserveMessages.class, segment.path(), count)) {
      observer.await("joined");
      assertEquals(0, publisher.subscriberCount());
      while (publisher.nextSequence() < count) {
        Programs.publishNext(publisher, MAX_BYTES);
      }
      assertEquals(count, observer.awaitLong("observed"));
      observer.finish();
    }
  }

  /** Arguments: file, sequence to read up to. Says "joined", then "observed" with the count, with the lost ones. */
  static final class ObserveMessages implements ChildProgram {
    @Override
    public void run(String... arguments) {
      try (Segment segment = Segment.observe(Path.of(arguments[0]));
          Subscriber subscriber = Programs.subscriber(segment, SubscriberOptions.skip())) {
        ChildProgram.say("joined");
        Programs.Checker checker = new Programs.Checker(MAX_BYTES, subscriber.nextSequence());
        checker.readUntil(subscriber, Long.parseLong(arguments[1]));
        ChildProgram.say("observed " + (checker.received + checker.lost));
      }
    }
  }

  @Test
  void observingNeedsNoPermissionToWrite() throws IOException {
    try (Segment segment = create(8); Publisher publisher = Programs.publisher(segment)) {
      Files.setPosixFilePermissions(segment.path(), PosixFilePermissions.fromString("r--------"));
      Files.setPosixFilePermissions(bus.directory(), PosixFilePermissions.fromString("r-x------"));
      try (ChildProcess observer = ChildProcess.start(ObserveMessages.class, segment.path(), 10)) {
        observer.await("joined");
        while (publisher.nextSequence() < 10) {
          Programs.publishNext(publisher, MAX_BYTES);
        }
        assertEquals(10, observer.awaitLong("observed"));
        observer.finish();
        if (!Files.isWritable(segment.path())) { // it is to the superuser
          assertThrows(SegmentAccessException.class, () -> Segment.attach(segment.path(), 0));
        }
      } finally {
        Files.setPosixFilePermissions(bus.directory(), PosixFilePermissions.fromString("rwx------"));
      }
    }
  }

  @Test
  void observingAgainAndAgainDoesNotUseUpFileDescriptors() throws IOException {
    try (Segment segment = create(8)) {
      Segment.observe(segment.path()).close();
      Segment.attach(segment.path(), 0).close();
      long before = openFiles();
      for (int i = 0; i < 100; i++) {
        Segment.observe(segment.path()).close();
        Segment.attach(segment.path(), 0).close();
      }
      assertTrue(openFiles() < before + 20, () -> "100 observations and attachments left descriptors open");
      assertEquals(List.of(ProcessHandle.current().pid()), pids(segment, true));
    }
  }

  private static long openFiles() throws IOException {
    try (var files = Files.list(Path.of("/proc/self/fd"))) {
      return files.count();
    }
  }
}
