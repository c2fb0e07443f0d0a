package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.NoSpaceException;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.linux.SegmentFile;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A small file system that only the process at hand sees: full, or filled by somebody else at the wrong moment.
 */
@Timeout(180)
class FullFileSystemTest {
  private static final int TOTAL_BYTES = 1 << 20;
  private static final Pattern MESSAGE =
      Pattern.compile("Segment (\\S+) needs (\\d+) bytes, but (\\S+) has (\\d+) free\\..*");

  @RegisterExtension final TempBus bus = new TempBus();

  private List<String> fileSystem(long sizeBytes) {
    return List.of("unshare", "--mount", "sh", "-c",
        "mount -t tmpfs -o size=" + sizeBytes + " tmpfs '" + bus.directory() + "' && exec \"$@\"", "sh");
  }

  @BeforeEach
  void needAFileSystem() {
    ChildProcess.assumeWorks(fileSystem(TOTAL_BYTES));
  }

  private void run(Class<? extends ChildProgram> program) {
    run(program, TOTAL_BYTES);
  }

  private void run(Class<? extends ChildProgram> program, long totalBytes) {
    try (ChildProcess child = ChildProcess.startBy(fileSystem(totalBytes), List.of(), program, bus.directory())) {
      child.await("done");
      child.finish();
    }
  }

  @Test
  void whoFindsNoSpaceIsToldHowMuchThereIsAndWhatExistsGoesOn() {
    run(FillUp.class);
  }

  @Test
  void whoseSpaceIsTakenBetweenTheCheckAndTheAllocationLeavesNothingBehind() {
    run(RaceForSpace.class, RaceForSpace.TOTAL_BYTES);
  }

  @Test
  void theSpaceOfClosedSegmentsIsThereForTheNextOne() {
    run(UseAgain.class);
  }

  @Test
  void whatADeadCreatorLeftIsNotInTheWayOfTheNextOne() {
    run(CreateBesideTheDead.class);
  }

  @Test
  void ofSeveralThatOpenASegmentAtOnceThatFitsOnlyOnceOneCreatesItAndTheOthersAttach() {
    run(OpenAtOnce.class);
  }

  @Test
  void whoFoundNoSpaceTriesAgainOnlyWhenItIsItsTurn() {
    run(WaitForTurn.class);
  }

  private static SegmentSpec spec(long sizeBytes) {
    return SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 4096, 3)).withParticipantCapacity(4).withEntryCapacity(4)
        .withSizeBytes(sizeBytes);
  }

  private static List<String> files(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).filter(name -> !name.equals(".lock")).sorted().toList();
    }
  }

  private static long freeBytes(Path directory) throws IOException {
    return Files.getFileStore(directory).getUsableSpace();
  }

  /** What the exception says is free. */
  private static long checkedFree(NoSpaceException refused, Path file, long neededBytes) {
    Matcher message = MESSAGE.matcher(refused.getMessage());
    assertTrue(message.matches(), refused.getMessage());
    assertEquals(file.toString(), message.group(1));
    assertEquals(neededBytes, Long.parseLong(message.group(2)));
    assertEquals(file.getParent().toString(), message.group(3));
    return Long.parseLong(message.group(4));
  }

  private static void exchange(Publisher publisher, Subscriber subscriber) {
    long first = subscriber.nextSequence();
    for (int i = 0; i < 5; i++) {
      Programs.publishNext(publisher, 100);
    }
    new Programs.Checker(100, first).readUntil(subscriber, first + 5);
  }

  /** Creates segments until there is no space, and one that takes the very last byte. */
  static final class FillUp implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      Path directory = Path.of(arguments[0]);
      List<Segment> segments = new ArrayList<>(List.of(Segment.create(directory.resolve("0"), spec(200_000))));
      try (Publisher publisher = Programs.publisher(segments.getFirst());
          Subscriber subscriber = Programs.subscriber(segments.getFirst(), SubscriberOptions.block())) {
        while (true) {
          Path next = directory.resolve(Integer.toString(segments.size()));
          List<String> before = files(directory);
          long free = freeBytes(directory);
          try {
            segments.add(Segment.create(next, spec(200_000)));
          } catch (NoSpaceException full) {
            assertEquals(free, checkedFree(full, next, spec(200_000).sizeBytes()));
            assertEquals(before, files(directory));
            assertEquals(free, freeBytes(directory));
            break;
          }
          exchange(publisher, subscriber);
        }
        segments.add(Segment.create(directory.resolve("rest"), spec(freeBytes(directory))));
        assertEquals(0, freeBytes(directory));
        for (int i = 0; i < 100; i++) {
          exchange(publisher, subscriber);
        }
        Segment.attach(segments.getFirst().path(), 0).close(); // nothing is allocated by joining
      }
      segments.forEach(Segment::close);
      assertEquals(List.of(), files(directory));
      ChildProgram.say("done");
    }
  }

  /**
   * Creates segments while another thread takes and gives back the space for them. They are so large that it takes
   * milliseconds to allocate one, and the other thread comes in between.
   */
  static final class RaceForSpace implements ChildProgram {
    static final int TOTAL_BYTES = 64 << 20;
    /** How often each outcome has to happen. */
    private static final int ENOUGH = 5;
    private static final int FILLER_BYTES = TOTAL_BYTES / 2;
    private static final int SEGMENT_BYTES = TOTAL_BYTES * 6 / 10;

    private int created;
    private int refusedByCheck;
    private int refusedByAllocation;

    @Override
    public void run(String... arguments) throws Exception {
      Path directory = Path.of(arguments[0]);
      AtomicBoolean over = new AtomicBoolean();
      try (Segment existing = Segment.create(directory.resolve("existing"), spec(200_000));
          Publisher publisher = Programs.publisher(existing);
          Subscriber subscriber = Programs.subscriber(existing, SubscriberOptions.block())) {
        CompletableFuture<Void> filling = Threads.runAsync(() -> fill(directory.resolve("filler"), over));
        long start = System.nanoTime();
        while (created < ENOUGH || refusedByAllocation < ENOUGH) {
          assertTrue(System.nanoTime() - start < PATIENCE_NANOS, "created " + created + ", refused by the check "
              + refusedByCheck + ", by the allocation " + refusedByAllocation);
          assertFalse(filling.isDone(), "nobody takes space any more");
          create(directory.resolve("contested"));
          exchange(publisher, subscriber);
        }
        over.set(true);
        filling.join();
        assertEquals(List.of("existing"), files(directory));
      }
      ChildProgram.say("done");
    }

    private static void fill(Path file, AtomicBoolean over) {
      byte[] piece = new byte[100_000];
      try {
        while (!over.get()) {
          try (OutputStream out = Files.newOutputStream(file)) {
            for (int written = 0; written < FILLER_BYTES; written += piece.length) {
              out.write(piece);
            }
          } catch (IOException full) {
            // the segment was faster
          }
          stay(); // so that it is there for half of the time
          Files.deleteIfExists(file);
          stay();
        }
      } catch (IOException wrong) {
        throw new AssertionError("the filler could not be deleted", wrong);
      }
    }

    private static void stay() {
      long end = System.nanoTime() + ThreadLocalRandom.current().nextInt(10_000_000);
      while (System.nanoTime() < end) {
        Thread.onSpinWait();
      }
    }

    private void create(Path file) throws IOException {
      try (Segment segment = Segment.create(file, spec(SEGMENT_BYTES));
          Publisher publisher = Programs.publisher(segment)) {
        Programs.publishNext(publisher, 100);
        created++;
      } catch (NoSpaceException full) {
        long free = checkedFree(full, file, spec(SEGMENT_BYTES).sizeBytes());
        if (full.getCause() == null) {
          refusedByCheck++;
          assertTrue(free < SEGMENT_BYTES, full.getMessage());
        } else {
          refusedByAllocation++;
          assertTrue(free > TOTAL_BYTES / 4, "what the creator itself had taken is not taken: " + full.getMessage());
        }
        assertEquals(List.of(), files(file.getParent()).stream().filter(name -> name.contains("contested")).toList());
      }
    }
  }

  /** Creates, uses and closes a segment that is more than half of the file system, again and again. */
  static final class UseAgain implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      for (int i = 0; i < 60; i++) {
        try (Segment segment = Segment.create(Path.of(arguments[0]).resolve("again"), spec(TOTAL_BYTES * 2 / 3));
            Publisher publisher = Programs.publisher(segment)) {
          Programs.publishNext(publisher, 100);
        }
      }
      ChildProgram.say("done");
    }
  }

  /** A creator that died had allocated two thirds of the file system. */
  static final class CreateBesideTheDead implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      Path directory = Path.of(arguments[0]);
      long free = freeBytes(directory);
      Files.write(directory.resolve(".segment.0123456789abcdef.tmp"), new byte[TOTAL_BYTES * 2 / 3]);
      Segment small = Segment.create(directory.resolve("small"), spec(100_000));
      assertTrue(freeBytes(directory) > free / 2, "its space is still taken");
      small.close();
      Files.write(directory.resolve(".segment.0123456789abcdef.tmp"), new byte[TOTAL_BYTES * 2 / 3]);
      Segment segment = Segment.open(directory.resolve("segment"), spec(TOTAL_BYTES * 2 / 3));
      assertEquals(List.of("segment"), files(directory));
      segment.close();
      ChildProgram.say("done");
    }
  }

  /** Threads open a segment of two thirds of the file system at one moment, again and again. */
  static final class OpenAtOnce implements ChildProgram {
    private static final int THREADS = 4;
    private static final int ROUNDS = 20;

    @Override
    public void run(String... arguments) throws Exception {
      Path file = Path.of(arguments[0]).resolve("segment");
      CyclicBarrier together = new CyclicBarrier(THREADS);
      try (ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
        List<Callable<Void>> openers = Collections.nCopies(THREADS, () -> {
          try {
            for (int round = 0; round < ROUNDS; round++) {
              openOnce(file, together);
            }
          } catch (Exception | AssertionError failure) {
            failure.printStackTrace(System.out);
            together.reset(); // the others fail too
            throw failure;
          }
          return null;
        });
        List<Future<Void>> running = openers.stream().map(threads::submit).toList();
        for (Future<Void> each : running) {
          each.get(PATIENCE_NANOS, TimeUnit.NANOSECONDS);
        }
      } catch (ExecutionException failure) {
        throw new AssertionError("an opener failed", failure.getCause());
      }
      assertEquals(List.of(), files(file.getParent()));
      ChildProgram.say("done");
    }

    /**
     * A method of its own, or the frame of the loop could keep the last round's segment, and its memory, from being
     * collected.
     */
    private static void openOnce(Path file, CyclicBarrier together) throws Exception {
      together.await();
      Segment segment = Segment.open(file, spec(TOTAL_BYTES * 2 / 3));
      together.await();
      assertEquals(THREADS, segment.participants().size());
      together.await();
      segment.close();
    }
  }

  /**
   * A thread that found no space stays out of the way, while somebody else has the turn and uses what there is by now.
   */
  static final class WaitForTurn implements ChildProgram {
    private static final long TURN_LOCK = 1;
    private static final int SEGMENT_BYTES = TOTAL_BYTES * 2 / 3;

    @Override
    public void run(String... arguments) throws Exception {
      Path directory = Path.of(arguments[0]);
      Segment.create(directory.resolve("first"), spec(100_000)).close(); // there is a lock file now
      Path hidden = directory.resolve(".segment.0123456789abcdef.tmp");
      SegmentFile creator = SegmentFile.create(hidden, PosixFilePermissions.fromString("rw-------"));
      assertTrue(creator.tryLock(SegmentLayout.SLOT_LOCKS)); // it lives
      creator.allocate(SEGMENT_BYTES);
      FutureTask<Segment> opened =
          new FutureTask<>(() -> Segment.open(directory.resolve("segment"), spec(SEGMENT_BYTES)));
      Thread opener = new Thread(opened);
      try (SegmentFile lock = SegmentFile.open(directory.resolve(".lock"), false)) {
        assertEquals(Optional.of(true), lock.withLock(TURN_LOCK, PATIENCE_NANOS, () -> {
          opener.start();
          ChildProcess.eventually("the opener found no space", () -> Stream.of(opener.getStackTrace())
              .anyMatch(frame -> frame.getMethodName().equals("openOneByOne")));
          Files.delete(hidden);
          creator.unlock(SegmentLayout.SLOT_LOCKS);
          creator.close();
          for (int i = 0; i < 10; i++) {
            Segment.create(directory.resolve("other"), spec(SEGMENT_BYTES)).close();
            assertEquals(List.of(), files(directory));
          }
          return true;
        }));
      }
      opened.get(PATIENCE_NANOS, TimeUnit.NANOSECONDS).close();
      assertEquals(List.of(), files(directory));
      ChildProgram.say("done");
    }
  }
}
