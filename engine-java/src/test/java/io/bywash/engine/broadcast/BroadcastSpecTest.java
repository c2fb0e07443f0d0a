package io.bywash.engine.broadcast;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.SegmentSpec;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("once")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class BroadcastSpecTest {
  @ParameterizedTest
  @CsvSource({"4096, 4096", "4097, 8192", "8191, 8192", "8192, 8192", "1000000, 1048576", "2147483647, 2147483648",
      "137438953472, 137438953472", "137438953471, 137438953472"})
  void aRingIsRoundedUpToAPowerOfTwo(long given, long capacity) {
    EntrySpec spec = Broadcast.spec("queue", given);
    assertEquals(capacity, spec.capacity());
    assertEquals(Kind.BROADCAST, spec.kind());
    assertEquals(65, spec.roleCount());
    assertEquals(24_576 + 4096 + capacity, spec.sizeBytes());
    assertEquals(36_864 + 24_576 + 4096 + capacity, SegmentSpec.of(spec).sizeBytes());
    assertEquals(Broadcast.spec("queue", capacity), spec);
    assertEquals(Broadcast.spec("queue", capacity).hashCode(), spec.hashCode());
  }

  @ParameterizedTest
  @CsvSource({"4096, 512", "65536, 8192", "524288, 65536", "4194304, 524288", "4294967296, 536870912",
      "8589934592, 1073741824", "17179869184, 1073741824", "137438953472, 1073741824"})
  void theLargestMessageIsAnEighthOfTheRingAndAtMostAGibibyte(long ring, long largest) {
    assertEquals(largest, Broadcast.maxMessageBytes(ring));
    assertEquals(largest, Broadcast.spec("queue", ring).elementSizeBytes());
    assertTrue(ring < 512 * 1024 || largest >= 65_535);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -1, 1, 4095, (1L << 37) + 1, Long.MAX_VALUE, Long.MIN_VALUE})
  void anImpossibleRingIsRefusedByName(long ring) {
    var refused = assertThrows(IllegalArgumentException.class, () -> Broadcast.spec("queue", ring));
    assertTrue(refused.getMessage().contains("ringBytes=" + ring), refused.getMessage());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, 1024, Integer.MAX_VALUE, Integer.MIN_VALUE})
  void anImpossibleNumberOfSubscribersIsRefusedByName(int subscribers) {
    var refused = assertThrows(IllegalArgumentException.class, () -> Broadcast.spec("queue", 4096, subscribers));
    assertTrue(refused.getMessage().contains("subscribers=" + subscribers), refused.getMessage());
  }

  @Test
  void theNumberOfSubscribersIsPartOfTheSpecification() {
    assertEquals(2, Broadcast.spec("queue", 4096, 1).roleCount());
    assertEquals(1024, Broadcast.spec("queue", 4096, 1023).roleCount());
    assertEquals(Broadcast.spec("queue", 4096, 64), Broadcast.spec("queue", 4096));
    assertTrue(!Broadcast.spec("queue", 4096, 63).equals(Broadcast.spec("queue", 4096)));
  }
}
