package io.bywash.engine.death;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.BusException;
import io.bywash.engine.Payload;
import io.bywash.engine.TempBus;
import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.subject.Subject;
import io.bywash.engine.subject.Subjects;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever an operation was about to do next when its process died: what it left is taken over by the living. */
@Timeout(3600)
class DeathAtEveryStoreTest {
  private static final Rewriter ENGINE = new Rewriter();
  /** How many first deaths of those who take over are tried with the first kind, and with each other one. */
  private static final int MANY = NativeAccess.ENABLED ? 21 : 7;
  private static final int FEW = NativeAccess.ENABLED ? 7 : 3;

  @RegisterExtension final TempBus bus = new TempBus();

  /**
   * Without native access those that do the same with it are left out, and those that every segment has are tried with
   * one kind of structure each, another one each time.
   */
  static List<Operations.Operation> operations() {
    if (NativeAccess.ENABLED) {
      return Operations.all();
    }
    List<Operations.Operation> operations = new ArrayList<>(notOnlyStores().filter(each -> !isCommon(each)).toList());
    List<List<Operations.Operation>> common = Subjects.all().stream()
        .map(subject -> Operations.of(subject).stream().filter(DeathAtEveryStoreTest::isCommon).toList()).toList();
    int first = Payload.random("kinds of the common operations").nextInt(common.size());
    for (int i = 0; i < common.getFirst().size(); i++) {
      operations.add(common.get((first + i) % common.size()).get(i));
    }
    return operations;
  }

  private static boolean isCommon(Operations.Operation operation) {
    return operation.is(Trait.COMMON);
  }

  private static Stream<Operations.Operation> notOnlyStores() {
    return Operations.all().stream().filter(operation -> !operation.is(Trait.STORES_ONLY));
  }

  @ParameterizedTest
  @MethodSource("operations")
  void afterEachStepWhatIsThereCanBeRecoveredAndUsed(Operations.Operation operation) {
    dieAfterEachStep(operation);
  }

  /** With native access that is nothing more. */
  static List<Operations.Operation> withEachKind() {
    return NativeAccess.ENABLED ? List.of() : notOnlyStores().filter(DeathAtEveryStoreTest::isCommon).toList();
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("withEachKind")
  @Tag("stress")
  void afterEachStepWhatIsThereCanBeRecoveredAndUsedWithStructuresOfEachKind(Operations.Operation operation) {
    dieAfterEachStep(operation);
  }

  private void dieAfterEachStep(Operations.Operation operation) {
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

  /** After one step of some operations, spread over all with a structure of that kind. */
  @ParameterizedTest
  @MethodSource("subjects")
  void whoTakesOverMayDieTooAfterAnyStep(Subject subject) {
    List<Operations.Operation> all = Operations.of(subject);
    int firsts = subject == Subjects.all().getFirst() ? MANY : FEW;
    Random random = Payload.random("deaths of " + subject.name() + " that are taken over");
    int deaths = 0;
    for (int i = 0; i < firsts; i++) {
      Operations.Operation operation = all.get((i * all.size() + random.nextInt(all.size())) / firsts);
      List<Trial.Found> images = different(Trial.run(ENGINE, operation, bus.directory()));
      deaths += takeOverAndDie(operation, images.get(random.nextInt(images.size())));
    }
    assertDeaths(subject, deaths, firsts);
  }

  @ParameterizedTest
  @MethodSource("subjects")
  @Tag("stress")
  void whoTakesOverAfterAnyStepMayDieTooAfterAnyStep(Subject subject) {
    int deaths = 0;
    int firsts = 0;
    for (Operations.Operation operation : Operations.of(subject)) {
      for (Trial.Found first : different(Trial.run(ENGINE, operation, bus.directory()))) {
        deaths += takeOverAndDie(operation, first);
        firsts++;
      }
    }
    assertDeaths(subject, deaths, firsts);
  }

  private static List<Trial.Found> different(List<Trial.Found> found) {
    List<Trial.Found> different = new ArrayList<>();
    for (Trial.Found each : found) {
      if (different.isEmpty() || !each.image().isSame(different.getLast().image())) {
        different.add(each);
      }
    }
    return different;
  }

  /** How many second deaths there were behind the first one. */
  private int takeOverAndDie(Operations.Operation operation, Trial.Found first) {
    Subject subject = operation.subject();
    List<Trial.Found> second = Trial.takeOver(ENGINE, subject, first, bus.directory());
    examineAll(subject, second, bus.directory(), operation + ", step " + first.step() + ", then taken over");
    return second.size();
  }

  private static void assertDeaths(Subject subject, int deaths, int firsts) {
    System.out.println("death at every store: " + subject.name() + ": " + deaths + " second deaths after " + firsts
        + " first ones");
    assertTrue(deaths > firsts, deaths + " second deaths");
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
