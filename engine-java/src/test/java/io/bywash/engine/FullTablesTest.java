package io.bywash.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;

/** Tables of fixed size, filled to the last place. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class FullTablesTest {
  @RegisterExtension final TempBus bus = new TempBus();

  private static void assertSays(BusException refused, Object... parts) {
    for (Object part : parts) {
      assertTrue(refused.getMessage().contains(part.toString()), () -> "\"" + part + "\" in: " + refused.getMessage());
    }
  }

  @Test
  void asManyParticipantsAsThereAreSlotsCanAttachAndTheNextIsToldWhoTheyAre() {
    for (int capacity : new int[] {1, 3, 65, 256}) {
      SegmentSpec spec = SegmentSpec.of(Broadcast.spec("queue", 4096)).withParticipantCapacity(capacity);
      List<Segment> attached = new ArrayList<>(List.of(Segment.create(bus.path("full"), spec)));
      while (attached.size() < capacity) {
        attached.add(Segment.attach(bus.path("full"), 0));
      }
      for (Executable use : List.<Executable>of(() -> Segment.attach(bus.path("full"), 0),
          () -> Segment.open(bus.path("full"), spec))) {
        assertSays(assertThrows(TableFullException.class, use), bus.path("full"), capacity,
            ProcessHandle.current().pid(), "participantCapacity");
      }
      assertEquals(capacity, attached.get(0).participants().size());
      attached.removeLast().close();
      if (capacity > 1) {
        attached.add(Segment.attach(bus.path("full"), 0));
        Subscriber last = Subscriber.open(attached.getLast().directory().find("queue", Kind.BROADCAST));
        try (Publisher first = Publisher.open(attached.getFirst().directory().find("queue", Kind.BROADCAST))) {
          assertTrue(first.offer(new byte[1]));
          assertEquals(1, last.poll(message -> {}, 1));
        }
        last.close();
      }
      attached.forEach(Segment::close);
    }
  }

  @Test
  void anObserverNeedsNoSlot() {
    SegmentSpec spec = SegmentSpec.of(Broadcast.spec("queue", 4096)).withParticipantCapacity(1);
    try (Segment segment = Segment.create(bus.path("full"), spec);
        Segment observer = Segment.observe(bus.path("full"))) {
      assertEquals(segment.participants().size(), observer.participants().size());
    }
  }

  @Test
  void asManySubscribersAsThereArePlacesCanJoinAndTheNextIsRefused() {
    for (int places : new int[] {1, 5, 200}) {
      SegmentSpec spec = SegmentSpec.of(Broadcast.spec("queue", 4096, places));
      try (Segment segment = Segment.create(bus.path("full"), spec);
          Segment other = Segment.attach(bus.path("full"), 0);
          Publisher publisher = Publisher.open(segment.directory().find("queue", Kind.BROADCAST))) {
        List<Subscriber> subscribers = new ArrayList<>();
        for (int i = 0; i < places; i++) {
          Entry queue = (i % 2 == 0 ? segment : other).directory().find("queue", Kind.BROADCAST);
          subscribers.add(Subscriber.open(queue,
              i % 3 == 0 ? SubscriberOptions.skip() : SubscriberOptions.block()));
        }
        Entry queue = other.directory().find("queue", Kind.BROADCAST);
        assertSays(assertThrows(TableFullException.class, () -> Subscriber.open(queue)),
            "\"queue\"", places, bus.path("full"));
        assertSays(assertThrows(TableFullException.class, () -> Subscriber.open(queue, SubscriberOptions.skip())),
            places);
        assertTrue(publisher.offer(new byte[1]));
        subscribers.forEach(subscriber -> assertEquals(1, subscriber.poll(message -> {}, 1)));
        subscribers.remove(places / 2).close();
        subscribers.add(Subscriber.open(queue));
        assertEquals(places, publisher.subscriberCount());
        subscribers.forEach(Subscriber::close);
      }
    }
  }

  @Test
  void asManyEntriesAsThereAreRowsCanBeAddedAndTheNextIsRefused() {
    SegmentSpec spec = SegmentSpec.of(Broadcast.spec("first", 4096)).withEntryCapacity(4).withSizeBytes(1 << 20);
    try (Segment segment = Segment.create(bus.path("full"), spec);
        Segment other = Segment.attach(bus.path("full"), 0)) {
      for (String name : List.of("b", "c", "d")) {
        Entry added = other.directory().findOrAdd(Broadcast.spec(name, 4096));
        assertEquals(name, added.name());
        assertEquals(other.participants().get(1), added.owner().orElseThrow());
      }
      assertSays(assertThrows(TableFullException.class, () -> segment.directory().findOrAdd(Broadcast.spec("e", 4096))),
          bus.path("full"), 4, "\"e\"", "entryCapacity");
      assertEquals(List.of("first", "b", "c", "d"), segment.directory().entries().stream().map(Entry::name).toList());
      assertEquals("d", segment.directory().findOrAdd(Broadcast.spec("d", 4096)).name(), "what is there needs no row");
    }
  }

  @Test
  void anEntryThatDoesNotFitIsRefusedWithWhatIsLeftAndASmallerOneIsAdded() {
    SegmentSpec spec = SegmentSpec.of().withSizeBytes(36_864 + 3 * 32_768);
    EntrySpec large = Broadcast.spec("large", 1 << 20);
    try (Segment segment = Segment.create(bus.path("full"), spec)) {
      for (int left = 3; left >= 0; left--) {
        assertSays(assertThrows(NoSpaceException.class, () -> segment.directory().findOrAdd(large)), bus.path("full"),
            left * 32_768 + " unused", "\"large\"", large.sizeBytes(), "sizeBytes");
        if (left > 0) {
          Entry added = segment.directory().findOrAdd(Broadcast.spec("small-" + left, 4096));
          try (Publisher publisher = Publisher.open(added); Subscriber subscriber = Subscriber.open(added)) {
            assertTrue(publisher.offer(new byte[512]));
            assertEquals(1, subscriber.poll(message -> {}, 1));
          }
        }
      }
      assertEquals(3, segment.directory().entries().size());
    }
  }

  @Test
  void manyThreadsThatAddTheSameEntriesGetTheSameOnes() throws InterruptedException {
    SegmentSpec spec = SegmentSpec.of().withSizeBytes(2 << 20).withEntryCapacity(30);
    try (Threads threads = new Threads(); Segment segment = Segment.create(bus.path("full"), spec)) {
      for (int i = 0; i < 4; i++) {
        boolean own = i % 2 == 0;
        threads.start("adder " + i, () -> {
          Segment attached = own ? Segment.attach(bus.path("full"), 0) : segment;
          for (int n = 0; n < 30; n++) {
            assertEquals("queue-" + n, attached.directory().findOrAdd(Broadcast.spec("queue-" + n, 4096)).name());
          }
          if (own) {
            attached.close();
          }
        });
      }
      threads.join();
      List<Entry> entries = segment.directory().entries();
      assertEquals(30, entries.size());
      assertEquals(30, entries.stream().map(Entry::name).distinct().count());
    }
  }
}
