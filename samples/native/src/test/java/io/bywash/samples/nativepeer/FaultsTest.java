package io.bywash.samples.nativepeer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the C library does when its user, the memory or the operating system is at fault; see {@code faults.c}. */
@Timeout(300)
final class FaultsTest {
  @ParameterizedTest
  @ValueSource(strings = {"too-long", "empty-ring", "least-number", "recovery", "forbidden", "interrupted", "leftover",
      "stall", "damaged-calls"})
  void aFaultHasTheEffectThatIsDocumentedAndNoOther(String fault) throws Exception {
    run(Native.Variant.SANITIZED, fault);
  }

  @Test
  void whoHasNoMemoryLeftKeepsWhatHasToStayAndBuriesTheDead() throws Exception {
    run(Native.Variant.FAST, "memory"); // a limit of memory, and a sanitizer's shadow memory, exclude each other
  }

  private static void run(Native.Variant variant, String fault) throws Exception {
    try (Bus bus = new Bus()) {
      assertEquals("as promised\n", Native.run(Native.HERE, List.of(Native.program(variant, "faults").toString(), fault,
          bus.path("s").toString())));
    }
  }
}
