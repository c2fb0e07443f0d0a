package io.bywash.engine.death;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import io.bywash.engine.TempBus;
import io.bywash.engine.subject.DeathSubject.Fault;
import io.bywash.engine.subject.Subject;
import io.bywash.engine.subject.Subjects;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** An engine whose stores stand in a wrong order, or miss, is found out: faults are put into its class files. */
@Tag("once")
@Timeout(300)
class BrokenOrderTest {
  /** In what all segments do. */
  private static final List<Fault> COMMON = List.of(
      new Fault("DirectoryChanges.writeRow setLongOpaque", 0, "DirectoryChanges.setState setLongRelease",
          "add an entry"),
      new Fault("SegmentCore.format setIntRelease", 0, "", "create"));

  @RegisterExtension final TempBus bus = new TempBus();

  static Stream<Arguments> faults() {
    return Subjects.all().stream().flatMap(subject -> Stream.concat(subject.death().faults().stream(), COMMON.stream())
        .map(fault -> argumentSet(subject.name() + ": " + fault, subject, fault)));
  }

  @ParameterizedTest
  @MethodSource("faults")
  void aFaultInTheOrderOfStoresIsReported(Subject subject, Fault fault) {
    Breakage breakage = new Breakage(fault.store(), fault.number(), fault.until());
    Operations.Operation operation = Operations.named(subject, fault.operation());
    List<Trial.Found> found = Trial.run(new Rewriter(breakage), operation, bus.directory());
    assertTrue(breakage.isDone(), "there is no such store: " + breakage);
    Path root = bus.directory();
    AssertionError report = assertThrows(AssertionError.class,
        () -> DeathAtEveryStoreTest.examineAll(subject, found, root, operation.name()), breakage + " was not noticed");
    System.out.println("death at every store: " + breakage + ", reported: " + report.getMessage());
  }
}
