package io.bywash.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Huge pages are a wish: whether the host has them or not, the segment works and others attach as usual. */
class HugePagesTest {
  private static final SegmentSpec SPEC = SegmentSpec.of(Broadcast.spec("queue", 4 << 20));

  @RegisterExtension final TempBus bus = new TempBus();

  @Test
  void aSegmentThatAskedForHugePagesWorksWhetherTheyAreThereOrNot() {
    try (Segment creator = Segment.create(bus.path("huge"), SPEC.withHugePages());
        Segment other = Segment.open(bus.path("huge"), SPEC);
        Publisher publisher = Publisher.open(creator.directory().find("queue", Kind.BROADCAST));
        Subscriber subscriber = Subscriber.open(other.directory().find("queue", Kind.BROADCAST))) {
      int rounds = 3 * (4 << 20) / (1 << 14); // three times around the ring
      for (int i = 0; i < rounds; i++) {
        assertTrue(publisher.offer(new byte[(1 << 14) - 16]));
        assertEquals(1, subscriber.poll(message -> assertEquals((1 << 14) - 16, message.length()), 10));
      }
    }
  }

  @Test
  void theWishIsPartOfTheSpecification() {
    assertTrue(SPEC.withHugePages().hugePages());
    assertNotEquals(SPEC, SPEC.withHugePages());
    assertEquals(SPEC.withHugePages(), SPEC.withHugePages());
    assertTrue(SPEC.withHugePages().withParticipantCapacity(3).withSizeBytes(8 << 20).hugePages());
  }
}
