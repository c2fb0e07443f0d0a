package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.BusException;
import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Lifetime;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.inspect.Finding;
import io.bywash.engine.inspect.Verification;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.queue.Consumer;
import io.bywash.engine.queue.WorkQueue;
import io.bywash.engine.wait.WaitPolicy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A segment's file that somebody cuts while it is used. Who copies or looks is told by a typed exception; who writes or
 * reads in place may meet the virtual machine's InternalError; no process crashes or hangs.
 */
@Timeout(1200)
class TruncatedFileTest {
  private static final int RING_BYTES = 1 << 20;
  private static final int MAX_BYTES = 1_000;
  private static final String JOBS = "jobs";

  @RegisterExtension final TempBus bus = new TempBus();

  @Test
  void whoCopiesOrLooksIsToldThatTheFileWasCut() throws IOException {
    try (ChildProcess child = ChildProcess.start(UseUntilItEnds.class)) { // it outlives all of them
      for (Cut cut : List.of(new Cut(Use.SKIP, 0), new Cut(Use.SKIP, 100_000), new Cut(Use.FAIL, 0),
          new Cut(Use.EVICT, 100_000), new Cut(Use.LOOK, 0), new Cut(Use.OBSERVE, 8192), new Cut(Use.ATTACH, 4096),
          new Cut(Use.ADD, 4096), new Cut(Use.RECOVER, 4096), new Cut(Use.JOIN, 8192), new Cut(Use.VERIFY, 100_000),
          new Cut(Use.WAIT, 0), new Cut(Use.WAIT, 8192))) {
        assertToldOfTheCut(cut(child, cut));
      }
      child.tell("end");
      child.finish();
    }
  }

  private record Cut(Use use, long lengthBytes) {}

  /** Who maps a file at the very instant in which it is cut, makes it long again: then there is no entry in it. */
  private static void assertToldOfTheCut(String outcome) {
    assertTrue(outcome.matches("(DamagedSegment|SegmentFormat|EntryNotFound)Exception .*"), outcome);
    assertTrue(outcome.matches(".*(cut to|truncated to|the file has|begins with|it has \\d+ bytes|it has \\[]).*"),
        outcome);
  }

  @Test
  @Tag("stress")
  void whoeverUsesAFileThatIsCutAnywhereIsStoppedButNotItsProcess() throws IOException {
    Random random = io.bywash.engine.Payload.random("cut anywhere");
    for (int round = 0; round < 400; round++) {
      Use use = Use.values()[random.nextInt(Use.values().length)];
      Cut cut = new Cut(use, switch (use) { // somewhere where it looks
        case PUBLISH, BLOCK, SKIP, FAIL, EVICT -> random.nextInt(RING_BYTES / 4);
        case VERIFY -> random.nextInt(2 * RING_BYTES);
        case LOOK, OBSERVE, JOIN, WAIT -> 4096 * random.nextInt(3);
        case ATTACH, ADD, RECOVER -> 4096 * random.nextInt(2);
      });
      String outcome = cutOnce(cut);
      assertTrue(outcome.matches("\\w+Exception .*") || use == Use.PUBLISH || use == Use.BLOCK, outcome);
    }
  }

  @Test
  void whoWritesOrReadsInPlaceIsStoppedButNotItsProcess() throws IOException {
    try (ChildProcess child = ChildProcess.start(UseUntilItEnds.class)) {
      for (Cut cut : List.of(new Cut(Use.PUBLISH, 0), new Cut(Use.BLOCK, 0), new Cut(Use.PUBLISH, 100_000),
          new Cut(Use.BLOCK, 100_000))) {
        String outcome = cut(child, cut);
        assertTrue(outcome.matches("(\\w+Exception|InternalError) .*"), outcome);
      }
      child.tell("end");
      child.finish();
    }
  }

  /** An interpreted one is the end of a process whose file is cut between the load before it and itself. */
  @Test
  void aProcessHasItsCompareAndSetCompiledBeforeItUsesIt() {
    Path log = bus.path("compiled");
    try (ChildProcess child = ChildProcess.startBy(List.of(), List.of("-Xlog:jit+compilation=debug:file=" + log),
        LoadRegion.class)) {
      child.await("loaded");
      ChildProcess.eventually("compareAndSetLong is compiled", () -> read(log).contains("Region::compareAndSetLong "));
      child.tell("end");
      child.finish();
    } finally {
      log.toFile().delete();
    }
  }

  private static String read(Path log) {
    try {
      return Files.readString(log);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** Three of a hundred such processes died of it while their compare-and-sets were interpreted. */
  @Test
  @Tag("stress")
  void aProcessThatHasJustStartedOutlivesTheCut() throws IOException {
    Random random = io.bywash.engine.Payload.random("cut young");
    for (int round = 0; round < 500; round++) {
      Segment.create(bus.path("cut"),
          SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 1 << 16, 5)).withLifetime(Lifetime.KEPT))
          .close();
      try (ChildProcess child = ChildProcess.start(JoinAtOnce.class, bus.path("cut"))) {
        child.await("busy");
        long startNanos = System.nanoTime();
        int ageNanos = random.nextInt(30_000_000);
        while (System.nanoTime() - startNanos < ageNanos) {
          Thread.onSpinWait();
        }
        try (FileChannel channel = FileChannel.open(bus.path("cut"), StandardOpenOption.WRITE)) {
          channel.truncate(0);
        }
        child.await("told");
        child.finish();
      } finally {
        Files.deleteIfExists(bus.path("cut"));
      }
    }
  }

  private String cutOnce(Cut cut) throws IOException {
    try (ChildProcess child = ChildProcess.start(UseUntilItEnds.class)) {
      String outcome = cut(child, cut);
      child.tell("end");
      child.finish();
      return outcome;
    }
  }

  private String cut(ChildProcess child, Cut cut) throws IOException {
    SegmentSpec spec = SegmentSpec.of(Broadcast.spec(Programs.QUEUE, RING_BYTES, 5), WorkQueue.spec(JOBS, 4, 100))
        .withLifetime(Lifetime.KEPT)
        .withParticipantCapacity(4).withEntryCapacity(16).withSizeBytes(2 * RING_BYTES);
    Segment.create(bus.path("cut"), spec).close();
    try {
      child.tell(cut.use + " " + bus.path("cut"));
      child.await("busy");
      try (FileChannel channel = FileChannel.open(bus.path("cut"), StandardOpenOption.WRITE)) {
        channel.truncate(cut.lengthBytes);
      }
      String outcome = child.await("ended");
      child.await("closed"); // and the process lives to tell
      System.out.println(cut + ": " + outcome);
      return outcome;
    } finally {
      Files.deleteIfExists(bus.path("cut"));
    }
  }

  /** Uses the engine's memory, but nothing in it. */
  static final class LoadRegion implements ChildProgram.Uncached {
    @Override
    public void run(String... arguments) throws Exception {
      Region.allocate(Long.BYTES);
      ChildProgram.say("loaded");
      ChildProgram.hear();
    }
  }

  /** Joins and leaves from its first millisecond on, until it is told of the cut. */
  static final class JoinAtOnce implements ChildProgram.Uncached {
    @Override
    public void run(String... arguments) {
      try (Segment segment = Segment.attach(Path.of(arguments[0]), 0)) {
        Entry entry = segment.directory().find(Programs.QUEUE, Kind.BROADCAST);
        ChildProgram.say("busy");
        while (true) {
          Subscriber.open(entry, SubscriberOptions.skip().startingAtOldest()).close();
        }
      } catch (BusException told) {
        ChildProgram.say("told " + told.getMessage());
      }
    }
  }

  /** What the process does again and again while the file is cut. */
  enum Use { PUBLISH, BLOCK, SKIP, FAIL, EVICT, LOOK, OBSERVE, ATTACH, ADD, RECOVER, JOIN, VERIFY, WAIT }

  /**
   * Hears "USE FILE", does it until it fails, says "ended" with how, and "closed" when it has closed all; then the next
   * one, until it hears "end".
   */
  static final class UseUntilItEnds implements ChildProgram.Optimised, ChildProgram.Uncached {
    private static final long COMPILED_NANOS = 200_000_000;
    private static final long WAIT_NANOS = 100_000_000;

    private Segment segment;
    private Publisher publisher;
    private Subscriber subscriber;
    private Consumer consumer;
    private long bytes;

    @Override
    public void run(String... arguments) throws Exception {
      for (String order = ChildProgram.hear(); !order.equals("end"); order = ChildProgram.hear()) {
        String[] words = order.split(" ", 2);
        publisher = null;
        subscriber = null;
        consumer = null;
        useUntilItEnds(Use.valueOf(words[0]), Path.of(words[1]));
      }
    }

    private void useUntilItEnds(Use use, Path file) {
      segment = use == Use.OBSERVE ? Segment.observe(file) : Segment.attach(file, 0);
      Entry entry = segment.directory().find(Programs.QUEUE, Kind.BROADCAST);
      switch (use) {
        case PUBLISH -> publisher = Publisher.open(entry);
        case BLOCK -> open(entry, SubscriberOptions.block());
        case SKIP -> open(entry, SubscriberOptions.skip());
        case FAIL -> open(entry, SubscriberOptions.fail());
        case EVICT -> open(entry, SubscriberOptions.evictAfter(PATIENCE_NANOS));
        case WAIT -> consumer = Consumer.open(segment.directory().find(JOBS, Kind.WORK_QUEUE), WaitPolicy.BLOCK);
        default -> { }
      }
      long start = System.nanoTime();
      boolean said = false;
      try {
        while (true) {
          once(use, entry, file);
          if (!said && System.nanoTime() - start > COMPILED_NANOS) {
            said = true;
            ChildProgram.say("busy");
          }
          if (System.nanoTime() - start > PATIENCE_NANOS) {
            throw new AssertionError("nothing was noticed");
          }
        }
      } catch (BusException | InternalError told) {
        String where = told instanceof InternalError ? " at " + List.of(told.getStackTrace()) : "";
        ChildProgram.say("ended " + told.getClass().getSimpleName() + " " + told.getMessage() + where);
      }
      close();
    }

    /** A reader of a live stream: another attachment of this process publishes, in the same thread. */
    private void open(Entry entry, SubscriberOptions options) {
      subscriber = Subscriber.open(entry, options);
    }

    private void once(Use use, Entry entry, Path file) {
      switch (use) {
        case PUBLISH -> Programs.publishNext(publisher, MAX_BYTES);
        case BLOCK, SKIP, FAIL, EVICT -> readOldMessages(entry, use);
        case LOOK, OBSERVE -> look(entry);
        case ATTACH -> {
          try (Segment again = Segment.attach(file, 0)) {
            again.directory().find(Programs.QUEUE, Kind.BROADCAST);
          }
        }
        case ADD -> {
          segment.directory().findOrAdd(Broadcast.spec(Programs.QUEUE, RING_BYTES, 5));
          segment.directory().find("none");
        }
        case RECOVER -> segment.recover();
        case VERIFY -> verify();
        case WAIT -> consumer.take(WAIT_NANOS);
        case JOIN -> Subscriber.open(entry, SubscriberOptions.skip().startingAtOldest()).close();
      }
    }

    /** What was published once is read again and again, so that only the reader's own accesses meet the cut. */
    private void readOldMessages(Entry entry, Use use) {
      if (publisher == null) {
        publisher = Publisher.open(entry);
        subscriber.close();
        while (publisher.nextSequence() < RING_BYTES / 2 / MAX_BYTES) {
          Programs.publishNext(publisher, MAX_BYTES);
        }
      }
      SubscriberOptions options = switch (use) {
        case BLOCK -> SubscriberOptions.block();
        case SKIP -> SubscriberOptions.skip();
        case FAIL -> SubscriberOptions.fail();
        default -> SubscriberOptions.evictAfter(PATIENCE_NANOS);
      };
      try (Subscriber reader = Subscriber.open(entry, options.startingAtOldest())) {
        while (reader.poll(message -> bytes += message.getByte(message.length() - 1), 10) > 0) {
          Thread.onSpinWait();
        }
      }
    }

    /** Its findings are no exception. */
    private void verify() {
      for (Finding finding : Verification.of(segment)) {
        if (finding.severity() == Finding.Severity.ERROR) {
          throw new io.bywash.engine.DamagedSegmentException(finding.where() + ": " + finding.problem());
        }
      }
    }

    private void look(Entry entry) {
      segment.participants();
      segment.directory().entries();
      BroadcastStatus.of(entry);
    }

    private void close() {
      for (AutoCloseable each : new AutoCloseable[] {publisher, subscriber, consumer, segment}) {
        try {
          if (each != null) {
            each.close();
          }
        } catch (Exception | InternalError told) {
          ChildProgram.say("closing " + told);
        }
      }
      LockSupport.parkNanos(1_000_000); // an error that the virtual machine still holds back would come now
      ChildProgram.say("closed " + bytes);
    }
  }
}
