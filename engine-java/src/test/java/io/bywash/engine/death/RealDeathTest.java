package io.bywash.engine.death;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.Participant;
import io.bywash.engine.Payload;
import io.bywash.engine.Segment;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.process.ChildProcess;
import io.bywash.engine.process.ChildProgram;
import io.bywash.engine.subject.DeathSubject;
import io.bywash.engine.subject.Subject;
import io.bywash.engine.subject.Subjects;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Processes that are really halted after a step, with real locks. Where that is possible another process is attached,
 * and takes part in the structure.
 */
@Timeout(7200)
class RealDeathTest {
  /** Natively, of all kinds together; without native access one of each kind. */
  private static final int HALTS = 14;

  @RegisterExtension final TempBus bus = new TempBus();

  /** A step of an operation. */
  private record Point(Operations.Operation operation, int step) {}

  private final Rewriter engine = new Rewriter();

  private int steps(Operations.Operation operation) {
    return Trial.count(engine, operation, bus.directory());
  }

  /** Without native access one of them, another one each time. */
  static List<Subject> subjects() {
    List<Subject> all = Subjects.all();
    return NativeAccess.ENABLED ? all
        : List.of(all.get(Payload.random("the kind that is buried").nextInt(all.size())));
  }

  @Test
  void whatHaltedProcessesLeftIsTakenOverByTheLiving() throws IOException {
    Random random = Payload.random("halts");
    int each = NativeAccess.ENABLED ? (HALTS + Subjects.all().size() - 1) / Subjects.all().size() : 1;
    List<Point> sample = new ArrayList<>();
    for (Subject subject : Subjects.all()) {
      List<Operations.Operation> all = Operations.of(subject);
      for (int i = 0; i < each; i++) { // one of each part of the list
        Operations.Operation operation = all.get((i * all.size() + random.nextInt(all.size())) / each);
        sample.add(new Point(operation, 1 + random.nextInt(Math.max(1, steps(operation)))));
      }
    }
    haltAt(sample);
  }

  /** All operations, or those whose names match the regular expression of {@code -Ddeath=}. */
  static List<Operations.Operation> operations() {
    Pattern wanted = Pattern.compile(System.getProperty("death", ""));
    return Operations.all().stream().filter(operation -> wanted.matcher(operation.name()).find()).toList();
  }

  @ParameterizedTest
  @MethodSource("operations")
  @Tag("stress")
  void whatAProcessLeftThatWasHaltedAfterAnyStepIsTakenOverByTheLiving(Operations.Operation operation)
      throws IOException {
    int steps = steps(operation);
    if (steps > 0) { // else it parks
      haltAt(IntStream.rangeClosed(1, steps).mapToObj(step -> new Point(operation, step)).toList());
    }
  }

  private void haltAt(List<Point> points) throws IOException {
    int halted = 0;
    for (Point point : points) {
      try {
        boolean alone = point.operation.is(Trait.ALONE) || point.operation.is(Trait.AFTER_DEATHS);
        halted += (alone ? haltAlone(point) : haltBesideALivingOne(point)) ? 1 : 0;
      } catch (AssertionError | RuntimeException fault) {
        throw new AssertionError("after step " + point.step + " of \"" + point.operation + "\": " + fault.getMessage(),
            fault);
      }
    }
    System.out.println("death at every store: " + halted + " processes were halted in " + points.size() + " trials,"
        + " from \"" + points.getFirst().operation() + "\" on");
    assertTrue(halted >= points.size() - Math.max(3, points.size() / 4), "only " + halted + " of " + points.size()
        + " processes came to the step");
  }

  /** What a process said of itself when it died. */
  private record Death(boolean halted, long pid, Path where, List<Long> marks) {}

  private static Death awaitDeath(ChildProcess child) {
    String[] words = child.await("end").split(" ");
    child.awaitEnd();
    return new Death(words[0].equals("halted"), child.pid(), Path.of(words[1]),
        Arrays.stream(words).skip(2).map(Long::valueOf).toList());
  }

  private boolean haltAlone(Point point) {
    try (ChildProcess child = ChildProcess.start(HaltAt.class, bus.directory(), point.operation.name(), point.step)) {
      Death death = awaitDeath(child);
      if (death.halted) {
        Autopsy.ofReal(point.operation.subject(), death.where, death.marks, point.step % 2 == 0);
      }
      return death.halted;
    } finally {
      Trial.deleteLives(bus.directory());
    }
  }

  private boolean haltBesideALivingOne(Point point) throws IOException {
    Path file = Files.createDirectory(bus.path("life0")).resolve(Scene.SEGMENT);
    DeathSubject<?> subject = point.operation.subject().death();
    try (Segment segment = Segment.create(file, Scene.spec(subject))) {
      Entry entry = segment.directory().find(Scene.STRUCTURE).orElseThrow();
      try (DeathSubject.Companion companion = subject.companion(entry);
          ChildProcess child = ChildProcess.start(HaltAt.class, bus.directory(), point.operation.name(), point.step)) {
        CompletableFuture<Death> dying = Threads.supplyAsync(() -> awaitDeath(child));
        while (!dying.isDone()) {
          companion.live();
        }
        bury(segment, dying.join());
        companion.takeOver(dying.join().marks);
        segment.directory().findOrAdd(subject.added(Scene.ADDED));
        return dying.join().halted;
      }
    } finally {
      assertEquals(List.of(),
          Image.of(bus.path("life0")).names().stream().filter(name -> !name.equals(".lock")).toList());
      Trial.deleteLives(bus.directory());
    }
  }

  private static void bury(Segment segment, Death death) {
    for (Participant dead : segment.recover().dead()) {
      // It may not have said its pid yet.
      assertTrue(dead.pid() == death.pid || dead.pid() == 0, dead + " is not " + death);
    }
    assertTrue(segment.recover().isEmpty(), "the second time");
    assertEquals(1, segment.participants().size());
  }

  @ParameterizedTest
  @MethodSource("subjects")
  void whoIsBeingBuriedHoldsNobodyBackThoughItsBurierDoesNotGoOn(Subject subject) {
    try (ChildProcess child = ChildProcess.start(StopBurying.class, bus.directory(), subject.name())) {
      Path file = Path.of(child.await("burying")).resolve(Scene.SEGMENT);
      try (Segment segment = Segment.attach(file, 0)) {
        subject.death().useWhileOthersAreBuried(segment.directory().find(Scene.STRUCTURE).orElseThrow());
        child.kill();
        segment.recover();
        assertEquals(1, segment.participants().size(), "the one that was begun, and the burier, are buried");
      }
    } finally {
      Trial.deleteLives(bus.directory());
    }
  }

  /**
   * Arguments: directory, subject. Recovers, and stops behind the first step that others can see: it has a dead one's
   * lock then.
   */
  static final class StopBurying implements ChildProgram {
    private Function<String, Object> driver;
    private Image before;

    @Override
    public void run(String... arguments) {
      Operations.Operation recover = Operations.recover(Subjects.named(arguments[1]));
      driver = Trial.driver(new Rewriter(), recover, Path.of(arguments[0]), this::afterStep);
      driver.apply("prepare");
      before = Image.of((Path) driver.apply("bus"));
      driver.apply("run");
    }

    private void afterStep() {
      if (!Image.of((Path) driver.apply("bus")).isSame(before)) {
        ChildProgram.say("burying " + driver.apply("bus"));
        try {
          ChildProgram.hear();
        } catch (IOException ended) {
          throw new UncheckedIOException(ended);
        }
      }
    }
  }

  /** Arguments: directory, operation, step. Halts after that step, and says before what it had promised. */
  static final class HaltAt implements ChildProgram {
    private int steps;
    private int last;
    private Function<String, Object> driver;

    @Override
    public void run(String... arguments) {
      last = Integer.parseInt(arguments[2]);
      driver = Trial.driver(new Rewriter(), Operations.named(arguments[1]), Path.of(arguments[0]), this::afterStep);
      driver.apply("prepare");
      driver.apply("run");
      driver.apply("tidy");
      end("ran"); // fewer steps than in the trial before: waiting takes a different number of them
    }

    private void afterStep() {
      if (++steps == last) {
        end("halted");
        Runtime.getRuntime().halt(0);
      }
    }

    private void end(String how) {
      String marks = ((List<?>) driver.apply("marks")).stream().map(mark -> " " + mark).collect(Collectors.joining());
      ChildProgram.say("end " + how + " " + driver.apply("bus") + marks);
      System.out.flush();
    }
  }
}
