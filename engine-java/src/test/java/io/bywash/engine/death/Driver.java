package io.bywash.engine.death;

import io.bywash.engine.internal.memory.Region;
import java.nio.file.Path;
import java.util.function.Function;

/**
 * Runs one operation in the rewritten engine. It is loaded by a {@link Rewriter} and driven by words, since it shares
 * only the JDK's types with the test.
 */
public final class Driver implements Function<String, Object> {
  private final Operations.Operation operation;
  private final Scene scene;
  private final Runnable afterStep;
  private boolean interrupted;

  /** An operation in a bus directory, and what is done after each of its steps. */
  public Driver(String operation, Path bus, Runnable afterStep) {
    this.operation = Operations.named(operation);
    this.scene = this.operation.subject().death().scene(bus);
    this.afterStep = afterStep;
  }

  private void afterStep() {
    if (!interrupted && scene.when.test(Image.of(scene.bus))) {
      interrupted = true;
      Probe.watch(null);
      scene.meanwhile.run();
      Probe.watch(this::afterStep);
    }
    afterStep.run();
  }

  @Override
  public Object apply(String order) {
    return switch (order) {
      case "prepare" -> {
        Region.allocate(Long.BYTES); // initialised here, its trial writes are not the operation's
        operation.before().accept(scene);
        yield null;
      }
      case "run" -> {
        Probe.watch(this::afterStep);
        try {
          operation.watched().accept(scene);
        } finally {
          Probe.watch(null);
        }
        yield null;
      }
      case "bus" -> scene.bus;
      case "marks" -> scene.marks();
      case "tidy" -> {
        scene.tidy();
        yield null;
      }
      default -> throw new IllegalArgumentException(order);
    };
  }
}
