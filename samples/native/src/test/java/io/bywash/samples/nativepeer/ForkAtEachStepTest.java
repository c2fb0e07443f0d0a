package io.bywash.samples.nativepeer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A C process that forks a child before the first, the second, the third ... step of creating, attaching and leaving,
 * as another one of its threads may do, and is killed then. The child lives on: it must not hold what its parent held.
 */
@Timeout(300)
final class ForkAtEachStepTest {
  private static final SegmentSpec SPEC = SegmentSpec.small(List.of(Broadcast.spec("made", 4096, 1)));
  private static final int MAX_STEPS = 5_000;

  /** Whether the operation was killed before its step {@code n}, and Java went on; false when it has fewer. */
  private static boolean goesOn(Bus bus, String operation, int n, int living) throws Exception {
    Process process = new ProcessBuilder(Native.program(Native.Variant.STEPS, "steps").toString(), operation,
        bus.path("s").toString(), String.valueOf(n), "fork").redirectErrorStream(true).start();
    String said;
    try {
      assertTrue(process.waitFor(60, TimeUnit.SECONDS), "it does not end");
      try (Segment segment = Segment.open(bus.path("s"), SPEC)) {
        segment.recover();
        Bus.verify(segment);
        assertEquals(living, segment.participants().size(), "the dead is taken for alive");
      }
      Segment.create(bus.path("another"), SPEC).close(); // nobody has locked the names
    } catch (AssertionError | RuntimeException failure) {
      throw new AssertionError("after a fork before step " + n + " of " + operation, failure);
    } finally {
      process.getOutputStream().close(); // ends the child
      said = new String(process.getInputStream().readAllBytes());
    }
    assertTrue(process.exitValue() == 128 + 9 || process.exitValue() == 0 && said.startsWith("done "), said);
    return process.exitValue() != 0;
  }

  private static int steps(Bus bus, String operation, int living) throws Exception {
    int n = 1;
    while (goesOn(bus, operation, n, living)) {
      assertTrue(++n < MAX_STEPS, "it has no last step");
    }
    return n;
  }

  @Test
  void aChildThatWasForkedWhileItsParentCreatedOrRemovedASegmentHoldsNothing() throws Exception {
    try (Bus bus = new Bus()) {
      assertTrue(steps(bus, "create", 1) > 50);
    }
  }

  @Test
  void aChildThatWasForkedWhileItsParentAttachedOrLeftHoldsNothing() throws Exception {
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), SPEC)) {
      assertTrue(steps(bus, "join", 2) > 10);
      assertEquals(1, segment.participants().size());
    }
  }
}
