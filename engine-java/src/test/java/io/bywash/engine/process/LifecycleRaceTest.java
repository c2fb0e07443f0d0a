package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.bywash.engine.Segment;
import io.bywash.engine.SegmentExistsException;
import io.bywash.engine.SegmentNotFoundException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.directory.SegmentEntry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Processes that create, open and close the same segment at the same moment. */
@Timeout(600)
class LifecycleRaceTest {
  static final SegmentSpec SPEC = SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 4096));

  /** In a normal build. */
  private static final int ROUNDS = 10;

  /** So many processes with so many threads each serve all tests of this class. */
  private static final int PROCESSES = 4;
  private static final int THREADS = 2;
  private static final List<ChildProcess> RACERS = new ArrayList<>();

  @RegisterExtension final TempBus bus = new TempBus();

  @AfterAll
  static void end() {
    RACERS.forEach(ChildProcess::close);
    RACERS.clear();
  }

  @Test
  void exactlyOneOfTwoCreatorsWins() {
    createAtOnce(2, 1, ROUNDS);
  }

  @Test
  void exactlyOneOfEightCreatorsWins() {
    createAtOnce(4, 2, ROUNDS);
  }

  private void createAtOnce(int processes, int threads, int rounds) {
    race(processes, threads, rounds, "create", outcomes -> {
      List<String> losers = new ArrayList<>(outcomes);
      losers.removeIf(outcome -> !outcome.equals("exists"));
      assertEquals(processes * threads - 1, losers.size(), outcomes::toString);
      return outcomes.size();
    });
  }

  @Test
  void twoProcessesThatOpenAtOnceShareOneSegment() {
    openAtOnce(2, 1, ROUNDS);
  }

  @Test
  void eightThatOpenAtOnceShareOneSegment() {
    openAtOnce(4, 2, ROUNDS);
  }

  @Test
  @Tag("stress")
  void thousandsOfTimesThoseThatOpenAtOnceShareOneSegment() {
    openAtOnce(2, 1, 3_000);
    openAtOnce(4, 2, 1_000);
  }

  private void openAtOnce(int processes, int threads, int rounds) {
    race(processes, threads, rounds, "open", outcomes -> {
      assertEquals(1, new HashSet<>(outcomes).size(), outcomes::toString);
      try (Segment observed = Segment.observe(bus.path("race"))) {
        assertEquals(processes * threads, observed.participants().size());
      }
      return outcomes.size();
    });
  }

  /** Gives the same order to all at one moment, checks the outcomes, and has all close at one moment. */
  private void race(int processes, int threads, int rounds, String order, Function<List<String>, Integer> check) {
    withRacers(processes, racers -> {
      for (int round = 0; round < rounds; round++) {
        assertEquals(processes * threads, check.apply(together(racers, order, threads)));
        assertEquals(Collections.nCopies(processes * threads, "closed"), together(racers, "close", threads));
        assertFalse(Files.exists(bus.path("race")), "the last one out did not remove the file in round " + round);
      }
    });
  }

  /** Some of the processes, which go on after a test that did not fail. */
  private void withRacers(int count, Consumer<List<ChildProcess>> race) {
    try {
      if (RACERS.isEmpty()) {
        for (int i = 0; i < PROCESSES; i++) {
          RACERS.add(ChildProcess.start(Racer.class, bus.path("race"), THREADS));
        }
        RACERS.forEach(racer -> racer.await("ready"));
      }
      List<ChildProcess> racers = RACERS.subList(0, count);
      racers.forEach(racer -> racer.tell("file " + bus.path("race")));
      race.accept(racers);
    } catch (Throwable failure) {
      end();
      throw failure;
    }
  }

  private static List<String> together(List<ChildProcess> racers, String order, int threads) {
    long moment = System.nanoTime() + 1_000_000; // the same clock in all processes of a host
    racers.forEach(racer -> racer.tell(order + " " + moment + " " + threads));
    List<String> outcomes = new ArrayList<>();
    racers.forEach(racer -> outcomes.addAll(Arrays.asList(racer.await("done").split(" "))));
    return outcomes;
  }

  @Test
  void whoeverIsAttachedIsAttachedToTheFileThatOthersFind() {
    churn(4, 1, 6 * ROUNDS);
  }

  @Test
  @Tag("stress")
  void whoeverIsAttachedIsAttachedToTheFileThatOthersFindForALongTime() {
    churn(4, 2, 10_000);
  }

  private void churn(int processes, int threads, int iterations) {
    withRacers(processes, racers -> assertEquals(Collections.nCopies(processes * threads, "churned"),
        together(racers, "churn:" + iterations, threads)));
    assertFalse(Files.exists(bus.path("race")), "the last one out did not remove the file");
  }

  /**
   * Arguments: file, threads. Obeys "ORDER MOMENT THREADS" in so many threads, or in all, at that moment, and says
   * "done" with all outcomes; "file FILE" names another file.
   */
  static final class Racer implements ChildProgram {
    private Path file;

    @Override
    public void run(String... arguments) throws Exception {
      file = Path.of(arguments[0]);
      int threads = Integer.parseInt(arguments[1]);
      Segment[] segments = new Segment[threads];
      try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
        warmUp(pool, threads);
        ChildProgram.say("ready");
        while (true) {
          String[] order = ChildProgram.hear().split(" ");
          if (order[0].equals("file")) {
            file = Path.of(order[1]);
            continue;
          }
          long moment = Long.parseLong(order[1]);
          int count = order.length > 2 ? Integer.parseInt(order[2]) : threads;
          List<Future<String>> outcomes = IntStream.range(0, count).mapToObj(thread -> pool.submit(() -> {
            while (System.nanoTime() - moment < 0) {
              Thread.onSpinWait();
            }
            return obey(order[0], segments, thread);
          })).toList();
          StringBuilder line = new StringBuilder("done");
          for (Future<String> outcome : outcomes) {
            line.append(' ').append(outcome.get());
          }
          ChildProgram.say(line);
        }
      }
    }

    /** All classes are loaded before the first race. */
    private void warmUp(ExecutorService pool, int threads) throws Exception {
      Path own = file.resolveSibling("warm-up-" + ProcessHandle.current().pid());
      Segment.open(own, SPEC).close();
      pool.invokeAll(Collections.nCopies(threads, () -> null));
    }

    private String obey(String order, Segment[] segments, int thread) {
      switch (order.split(":")[0]) {
        case "create" -> {
          try {
            segments[thread] = Segment.create(file, SPEC);
            return "won";
          } catch (SegmentExistsException lost) {
            return "exists";
          }
        }
        case "open" -> {
          segments[thread] = Segment.open(file, SPEC);
          return Long.toString(id(segments[thread]));
        }
        case "life" -> {
          segments[thread] = switch (order.split(":")[1]) {
            case "create" -> createOrAttach();
            case "open" -> Segment.open(file, SPEC);
            default -> Segment.attach(file, PATIENCE_NANOS);
          };
          return life(segments[thread]);
        }
        case "close" -> {
          if (segments[thread] != null) {
            segments[thread].close();
          }
          segments[thread] = null;
          return "closed";
        }
        case "churn" -> {
          for (int i = 0; i < Integer.parseInt(order.split(":")[1]); i++) {
            churn(i);
          }
          return "churned";
        }
        default -> throw new AssertionError(order);
      }
    }

    private Segment createOrAttach() {
      try {
        return Segment.create(file, SPEC);
      } catch (SegmentExistsException lost) {
        return Segment.attach(file, PATIENCE_NANOS);
      }
    }

    private void churn(int iteration) {
      try (Segment segment = iteration % 3 == 0 ? attachIfThere() : Segment.open(file, SPEC)) {
        if (segment != null) {
          for (int look = 0; look < 3; look++) {
            if (id(segment) != idAt(file)) {
              throw new AssertionError("attached to " + id(segment) + ", others find " + idAt(file));
            }
            Thread.yield();
          }
        }
      }
    }

    private Segment attachIfThere() {
      try {
        return Segment.attach(file, 0);
      } catch (SegmentNotFoundException none) {
        return null;
      }
    }
  }

  /** Which segment, and which life in it; its creator is the first life of slot 0. */
  private static String life(Segment segment) {
    long self = ((SegmentEntry) segment.directory().find(Programs.QUEUE).orElseThrow()).core().participants().self();
    return id(segment) + ":" + Owner.slotId(self) + ":" + Owner.epoch(self);
  }

  static long id(Segment segment) {
    return ((SegmentEntry) segment.directory().find(Programs.QUEUE).orElseThrow()).core().geometry().segmentId();
  }

  /** The id of the segment that has this name now. */
  private static long idAt(Path file) {
    try (Segment observed = Segment.observe(file)) {
      return id(observed);
    }
  }
}
