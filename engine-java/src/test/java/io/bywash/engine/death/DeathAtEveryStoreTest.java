package io.bywash.engine.death;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.BusException;
import io.bywash.engine.TempBus;
import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.subject.Subject;
import io.bywash.engine.subject.Subjects;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever an operation was about to do next when its process died: what it left is taken over by the living. */
@Timeout(3600)
class DeathAtEveryStoreTest {
  private static final Rewriter ENGINE = new Rewriter();
  private static final int SAMPLE = 100;

  @RegisterExtension final TempBus bus = new TempBus();

  /** Of those that do the same with and without native access each runs once. */
  static List<Operations.Operation> operations() {
    return Operations.all().stream()
        .filter(operation -> NativeAccess.ENABLED || !operation.is(Trait.STORES_ONLY)).toList();
  }

  @ParameterizedTest
  @MethodSource("operations")
  void afterEachStepWhatIsThereCanBeRecoveredAndUsed(Operations.Operation operation) {
    List<Trial.Found> found = Trial.run(ENGINE, operation, bus.directory());
    int examined = examineAll(operation.subject(), found, bus.directory(), operation.name());
    System.out.println("death at every store: " + operation + ": " + (found.size() - 1) + " steps, " + examined
        + " different images");
    boolean parks = operation.is(Trait.PARKS) && !NativeAccess.ENABLED;
    assertTrue(found.size() > 1 || parks, operation + " made no step");
  }

  static List<Subject> subjects() {
    return Subjects.all();
  }

  @ParameterizedTest
  @MethodSource("subjects")
  void whoTakesOverMayDieTooAfterAnyStep(Subject subject) {
    takeOverAndDie(subject, NativeAccess.ENABLED ? SAMPLE : 3 * SAMPLE);
  }

  @ParameterizedTest
  @MethodSource("subjects")
  @Tag("stress")
  void whoTakesOverAfterAnyStepMayDieTooAfterAnyStep(Subject subject) {
    takeOverAndDie(subject, 1);
  }

  /** For each so-manieth image of all operations with a structure of that kind. */
  private void takeOverAndDie(Subject subject, int every) {
    int deaths = 0;
    int number = 0;
    for (Operations.Operation operation : Operations.of(subject)) {
      Trial.Found last = null;
      for (Trial.Found first : Trial.run(ENGINE, operation, bus.directory())) {
        boolean isNew = last == null || !first.image().isSame(last.image());
        last = first;
        if (isNew && number++ % every == 0) {
          List<Trial.Found> second = Trial.takeOver(ENGINE, subject, first, bus.directory());
          examineAll(subject, second, bus.directory(), operation + ", step " + first.step() + ", then taken over");
          deaths += second.size();
        }
      }
    }
    System.out.println("death at every store: " + subject.name() + ": " + deaths + " second deaths after "
        + (number + every - 1) / every + " first ones");
    assertTrue(deaths > number / every, deaths + " second deaths");
  }

  /** Examines the images that differ from the one before; how many they were. */
  static int examineAll(Subject subject, List<Trial.Found> found, Path root, String what) {
    Trial.Found last = null;
    int examined = 0;
    for (Trial.Found each : found) {
      if (last == null || !each.image().isSame(last.image()) || !each.marks().equals(last.marks())) {
        try {
          Autopsy.of(subject, each, root.resolve("autopsy"));
        } catch (AssertionError | BusException fault) {
          throw new AssertionError("after step " + each.step() + " of " + (found.size() - 1) + " of \"" + what + "\": "
              + fault.getMessage(), fault);
        }
        examined++;
      }
      last = each;
    }
    return examined;
  }
}
