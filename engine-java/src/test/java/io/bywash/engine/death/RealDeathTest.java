package io.bywash.engine.death;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Claim;
import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Participant;
import io.bywash.engine.Segment;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.process.ChildProcess;
import io.bywash.engine.process.ChildProgram;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Processes that are really halted after a step, with real locks. Where that is possible another process is attached, and
 * holds the publisher back by a subscriber of its own.
 */
@Timeout(7200)
class RealDeathTest {
  private static final int HALTS = 20;

  @RegisterExtension final TempBus bus = new TempBus();

  /** A step of an operation. */
  private record Point(Operations.Operation operation, int step) {}

  private final Rewriter engine = new Rewriter();

  private int steps(Operations.Operation operation) {
    return Trial.count(engine, operation, bus.directory());
  }

  @Test
  void whatAHaltedProcessLeftIsTakenOverByTheLiving() throws IOException {
    List<Operations.Operation> all = Operations.all();
    List<Point> sample = new ArrayList<>();
    for (int i = 0; i < HALTS; i++) { // another operation each time, and another part of it
      Operations.Operation operation = all.get(i * all.size() / HALTS);
      sample.add(new Point(operation, 1 + (int) (i * 0.618 % 1 * steps(operation))));
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
  void whatAProcessLeftThatWasHaltedAfterAnyStepIsTakenOverByTheLiving(Operations.Operation operation) throws IOException {
    int steps = steps(operation);
    if (steps > 0) { // else it parks
      haltAt(IntStream.rangeClosed(1, steps).mapToObj(step -> new Point(operation, step)).toList());
    }
  }

  private void haltAt(List<Point> points) throws IOException {
    int halted = 0;
    for (Point point : points) {
      try {
        boolean alone = point.operation.is(Operations.Trait.ALONE) || point.operation.is(Operations.Trait.AFTER_DEATHS);
        halted += (alone ? haltAlone(point) : haltBesideALivingOne(point)) ? 1 : 0;
      } catch (AssertionError | RuntimeException fault) {
        throw new AssertionError("after step " + point.step + " of \"" + point.operation + "\": " + fault.getMessage(),
            fault);
      }
    }
    System.out.println("death at every store: " + halted + " processes were halted in " + points.size() + " trials, from \""
        + points.getFirst().operation() + "\" on");
    assertTrue(4 * halted >= 3 * points.size(), "only " + halted + " of " + points.size() + " processes came to the step");
  }

  /** What a process said of itself when it died. */
  private record Death(boolean halted, long pid, Path where, Trial.Marks marks) {}

  private static Death awaitDeath(ChildProcess child, Point point) {
    String[] words = child.await("end").split(" ");
    child.awaitEnd();
    boolean several = point.operation.is(Operations.Trait.SEVERAL);
    return new Death(words[0].equals("halted"), child.pid(), Path.of(words[1]), new Trial.Marks(Long.parseLong(words[2]),
        Long.parseLong(words[3]), Long.parseLong(words[4]), Long.parseLong(words[5]), several));
  }

  private boolean haltAlone(Point point) {
    try (ChildProcess child = ChildProcess.start(HaltAt.class, bus.directory(), point.operation.name(), point.step)) {
      Death death = awaitDeath(child, point);
      if (death.halted) {
        Autopsy.ofReal(death.where, death.marks, point.step % 2 == 0);
      }
      return death.halted;
    } finally {
      Trial.deleteLives(bus.directory());
    }
  }

  private boolean haltBesideALivingOne(Point point) throws IOException {
    Path file = Files.createDirectory(bus.path("life0")).resolve(Scene.SEGMENT);
    try (Segment segment = Segment.create(file, Scene.SPEC)) {
      Entry queue = segment.directory().find(Scene.QUEUE, Kind.BROADCAST);
      try (Subscriber subscriber = Subscriber.open(queue)) {
        Autopsy.Reader reader = new Autopsy.Reader(subscriber);
        try (ChildProcess child = ChildProcess.start(HaltAt.class, bus.directory(), point.operation.name(), point.step)) {
          CompletableFuture<Death> dying = CompletableFuture.supplyAsync(() -> awaitDeath(child, point));
          while (!dying.isDone()) {
            subscriber.poll(reader, 1_000, 1_000_000);
          }
          takeOver(segment, queue, subscriber, reader, dying.join());
          return dying.join().halted;
        }
      }
    } finally {
      assertEquals(List.of(), Image.of(bus.path("life0")).names().stream().filter(name -> !name.equals(".lock")).toList());
      Trial.deleteLives(bus.directory());
    }
  }

  private static void takeOver(Segment segment, Entry queue, Subscriber subscriber, Autopsy.Reader reader, Death death) {
    for (Participant dead : segment.recover().dead()) {
      assertTrue(dead.pid() == death.pid || dead.pid() == 0, dead + " is not " + death); // it may not have said its pid yet
    }
    assertTrue(segment.recover().isEmpty(), "the second time");
    assertEquals(1, segment.participants().size());
    try (Publisher publisher = Publisher.open(queue);
        Subscriber second = Subscriber.open(queue, SubscriberOptions.skip())) {
      long published = publisher.nextSequence();
      assertTrue(published >= death.marks.promised() && published <= Math.max(death.marks.begun(), death.marks.written()),
          published + " messages are published, which is impossible after " + death.marks);
      reader.readUntil(published);
      Autopsy.Reader late = new Autopsy.Reader(second);
      for (long sequence = published; sequence < published + Autopsy.NEW_MESSAGES; sequence++) {
        Autopsy.publish(publisher);
        reader.readUntil(sequence + 1);
        late.readUntil(sequence + 1);
      }
      assertEquals(published + Autopsy.NEW_MESSAGES, subscriber.nextSequence());
    }
    segment.directory().findOrAdd(Scene.ADDED);
  }

  @Test
  void whoIsBeingBuriedHoldsNobodyBackThoughItsBurierDoesNotGoOn() {
    try (ChildProcess child = ChildProcess.start(StopBurying.class, bus.directory())) {
      Path file = Path.of(child.await("burying")).resolve(Scene.SEGMENT);
      try (Segment segment = Segment.attach(file, 0);
          Publisher publisher = Publisher.open(segment.directory().find(Scene.QUEUE, Kind.BROADCAST))) {
        for (int i = 0; i < Autopsy.NEW_MESSAGES; i++) {
          Claim claim = publisher.claim(Letters.MAX_BYTES, 0, ChildProgram.PATIENCE_NANOS);
          assertNotNull(claim, "the dead one's subscribers hold the publisher back");
          claim.commit();
        }
        child.kill();
        assertEquals(2, segment.recover().dead().size(), "the one that was begun, and the burier");
      }
    } finally {
      Trial.deleteLives(bus.directory());
    }
  }

  /** Argument: directory. Recovers, and stops behind the first step that others can see: it has a dead one's lock then. */
  static final class StopBurying implements ChildProgram {
    private Function<String, Object> driver;
    private Image before;

    @Override
    public void run(String... arguments) {
      driver = Trial.driver(new Rewriter(), Operations.named("recover"), Path.of(arguments[0]), this::afterStep);
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
      ChildProgram.say("end " + how + " " + driver.apply("bus") + " " + driver.apply("promised") + " " + driver.apply("begun")
          + " " + driver.apply("written") + " " + driver.apply("handled"));
      System.out.flush();
    }
  }
}
