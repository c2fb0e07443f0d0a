package io.bywash.samples.nativepeer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the C library does when its user, the memory or the operating system is at fault. */
@Timeout(300)
final class FaultsTest {
  @ParameterizedTest
  @ValueSource(strings = {"too-long", "empty-ring", "least-number", "recovery", "forbidden", "interrupted", "stall",
      "damaged-calls"})
  void aFaultHasTheEffectThatIsDocumentedAndNoOther(String fault) throws Exception {
    run(Native.Variant.SANITIZED, "faults", fault);
  }

  @ParameterizedTest
  @ValueSource(strings = {"leftover", "damaged", "removed-letters", "damaged-letters", "full-for-a-while",
      "removed-for-a-while", "polling"})
  void aFaultOfAWorkQueueHasTheEffectThatIsDocumentedAndNoOther(String fault) throws Exception {
    run(Native.Variant.SANITIZED, "queues", fault);
  }

  @Test
  void whoHasNoMemoryLeftKeepsWhatHasToStayAndBuriesTheDead() throws Exception {
    run(Native.Variant.FAST, "queues", "memory"); // a limit of memory excludes a sanitizer's shadow memory
  }

  @Test
  void aMessageThatMovesTwiceDuringALookIsNotOverlooked() throws Exception {
    run(Native.Variant.SANITIZED, "moves", "two-moves");
  }

  private static void run(Native.Variant variant, String program, String fault) throws Exception {
    try (Bus bus = new Bus()) {
      assertEquals("as promised\n", Native.run(Native.HERE, List.of(Native.program(variant, program).toString(), fault,
          bus.path("s").toString())));
    }
  }
}
