package io.bywash.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.internal.directory.SegmentEntry;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Programs call their participants and roles something, for people who look at them. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class LabelTest {
  @RegisterExtension final TempBus bus = new TempBus();

  private Segment create() {
    return Segment.create(bus.path("seg"), SegmentSpec.of(Broadcast.spec("queue", 4096, 3)));
  }

  @Test
  void aParticipantIsListedWithItsLabelAndTheNextOneInItsSlotWithout() {
    try (Segment segment = create()) {
      try (Segment other = Segment.attach(bus.path("seg"), 0)) {
        other.label("märkte");
        assertEquals("märkte", segment.participants().get(1).label());
        other.label("x");
        assertEquals("x", segment.participants().get(1).label());
      }
      try (Segment next = Segment.attach(bus.path("seg"), 0)) {
        assertEquals("", next.participants().get(1).label());
      }
    }
  }

  @Test
  void aRoleHasALabelUntilItIsTakenAgain() {
    try (Segment segment = create()) {
      SegmentEntry entry = (SegmentEntry) segment.directory().find("queue", Kind.BROADCAST);
      try (Publisher publisher = Publisher.open(entry)) {
        publisher.label("feed of the day");
        assertEquals("feed of the day", entry.roleLabel(0));
      }
      try (Publisher next = Publisher.open(entry)) {
        assertTrue(next.offer(new byte[1]));
        assertEquals("", entry.roleLabel(0));
      }
    }
  }

  @Test
  void whatIsTooLongOrNotPrintableIsRefused() {
    try (Segment segment = create()) {
      segment.label("a".repeat(32));
      for (String bad : new String[] {"a".repeat(33), "ä".repeat(17), "a\nb", "\u001b[2J"}) {
        var refused = assertThrows(IllegalArgumentException.class, () -> segment.label(bad));
        assertTrue(refused.getMessage().contains("label="), refused.getMessage());
      }
      assertEquals("a".repeat(32), segment.participants().get(0).label());
    }
  }

  @Test
  void anObserverHasNone() {
    try (Segment segment = create(); Segment observer = Segment.observe(segment.path())) {
      assertThrows(IllegalStateException.class, () -> observer.label("x"));
    }
  }
}
