package io.bywash.engine.death;

import io.bywash.engine.subject.Subject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;

/** One run of an operation in the rewritten engine, with an image of the bus directory after each step. */
final class Trial {
  /** What was there after a step, and the marks of what had been promised; step 0 is before the first one. */
  record Found(int step, Image image, List<Long> marks) {}

  private Trial() {}

  /** An operation in the rewritten engine, in a new bus directory below {@code root}. */
  @SuppressWarnings("unchecked")
  static Function<String, Object> driver(ClassLoader engine, Operations.Operation operation, Path root,
      Runnable afterStep) {
    try {
      Path bus = Files.createDirectories(root.resolve("life0"));
      Class<?> type = Class.forName(Driver.class.getName(), true, engine);
      return (Function<String, Object>) type.getConstructor(String.class, Path.class, Runnable.class)
          .newInstance(operation.name(), bus, afterStep);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    } catch (ReflectiveOperationException failure) {
      throw new AssertionError("the driver cannot be made", failure);
    }
  }

  @SuppressWarnings("unchecked")
  private static List<Long> marks(Function<String, Object> driver) {
    return (List<Long>) driver.apply("marks");
  }

  private static void run(Function<String, Object> driver, Path root) {
    try {
      driver.apply("run");
    } finally {
      driver.apply("tidy");
      deleteLives(root);
    }
  }

  static void deleteLives(Path root) {
    try (Stream<Path> lives = Files.list(root)) {
      lives.toList().forEach(Image::delete);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** Somebody takes over what was found: what is there after each step of that? */
  static List<Found> takeOver(Rewriter engine, Subject subject, Found first, Path root) {
    first.image.writeTo(root.resolve("life0"));
    List<Long> marks = first.image.names().contains(Scene.SEGMENT) ? first.marks
        : subject.death().scene(root).marks(); // or another one is created
    return run(engine, Operations.takeOver(subject), root).stream()
        .map(second -> new Found(second.step, second.image, marks)).toList();
  }

  /** Runs an operation in directories below {@code root}, which are gone afterwards. */
  static List<Found> run(Rewriter engine, Operations.Operation operation, Path root) {
    List<Found> found = new ArrayList<>();
    List<Function<String, Object>> driver = new ArrayList<>();
    Runnable take = () -> found.add(new Found(found.size(), Image.of((Path) driver.getFirst().apply("bus")),
        marks(driver.getFirst())));
    driver.add(driver(engine, operation, root, take));
    driver.getFirst().apply("prepare");
    take.run();
    run(driver.getFirst(), root);
    return found;
  }

  /** How many steps an operation makes. */
  static int count(Rewriter engine, Operations.Operation operation, Path root) {
    int[] steps = new int[1];
    Function<String, Object> driver = driver(engine, operation, root, () -> steps[0]++);
    driver.apply("prepare");
    run(driver, root);
    return steps[0];
  }

  /** The places in the engine where an operation makes steps. */
  static Set<String> places(Rewriter engine, Operations.Operation operation, Path root) {
    Map<String, String> places = new HashMap<>();
    Function<String, Object> driver = driver(engine, operation, root,
        () -> StackWalker.getInstance().walk(stack -> note(stack, places)));
    driver.apply("prepare");
    run(driver, root);
    return new TreeSet<>(places.values());
  }

  /**
   * Where the engine made its last step, but for the classes that do nothing else. A line number takes long to find.
   */
  private static String note(Stream<StackWalker.StackFrame> stack, Map<String, String> places) {
    StackWalker.StackFrame place = stack.filter(frame -> Steps.isPlace(frame.getClassName())).findFirst().orElseThrow();
    return places.computeIfAbsent(place.getClassName() + place.getMethodName() + place.getByteCodeIndex(),
        key -> Steps.place(place.getClassName(), place.getMethodName(), place.getLineNumber()));
  }
}
