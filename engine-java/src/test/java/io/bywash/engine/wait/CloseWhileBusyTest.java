package io.bywash.engine.wait;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Claim;
import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Payload;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A segment is closed by one thread while others are in the middle of using it. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@Tag("optimised")
class CloseWhileBusyTest {
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(50);

  @RegisterExtension final TempBus bus = new TempBus();

  private Segment open() {
    return Segment.open(bus.path("busy"), SegmentSpec.of(Broadcast.spec("queue", 4096)));
  }

  private static Entry queue(Segment segment) {
    return segment.directory().find("queue", Kind.BROADCAST);
  }

  private interface Step {
    void take();
  }

  /** Repeats a step until the segment is closed under it; anything else that is thrown fails the test. */
  private static void untilClosed(AutoCloseable role, Step step) throws Exception {
    try (role) {
      assertThrows(SegmentClosedException.class, () -> {
        while (true) {
          step.take();
        }
      });
      assertThrows(SegmentClosedException.class, step::take, "and it stays closed");
    }
  }

  private static void publish(Publisher publisher, AtomicLong steps) {
    Claim claim = publisher.claim(8 + (int) (publisher.nextSequence() % 300), 0, PATIENCE_NANOS);
    assertTrue(claim != null, "waited in vain for room");
    try (claim) {
      Payload.fill(claim, publisher.nextSequence()).commit();
    }
    steps.incrementAndGet();
  }

  @RepeatedTest(60)
  void whoeverUsesASegmentThatIsClosedGetsATypedExceptionAndLeavesNothingBehind() throws InterruptedException {
    AtomicLong steps = new AtomicLong();
    try (Threads threads = new Threads()) {
      Segment segment = open();
      Publisher publisher = Publisher.open(queue(segment));
      Subscriber block = Subscriber.open(queue(segment));
      Subscriber skip = Subscriber.open(queue(segment), SubscriberOptions.skip());
      threads.start("publisher", () -> untilClosed(publisher, () -> publish(publisher, steps)));
      threads.start("block", () -> untilClosed(block, () -> block.poll(Payload::check, 10, PATIENCE_NANOS)));
      threads.start("skip", () -> untilClosed(skip, () -> skip.poll(Payload::check, 10, PATIENCE_NANOS)));
      Threads.await(() -> steps.get() > 200 || threads.hasFailed(), "a flow of messages");
      segment.close();
      threads.join();
    }
    assertEquals(List.of(), bus.files(), "the last role takes the segment with it");
  }

  @RepeatedTest(25)
  void othersGoOnUnharmedWhenOneAttachmentIsClosedInFullFlow() throws InterruptedException {
    AtomicLong steps = new AtomicLong();
    try (Threads threads = new Threads(); Segment staying = open()) {
      Segment leaving = open();
      Publisher publisher = Publisher.open(queue(staying));
      Subscriber staysBehind = Subscriber.open(queue(staying));
      Subscriber leaves = Subscriber.open(queue(leaving));
      threads.start("publisher", () -> {
        while (publisher.nextSequence() < 2000) {
          publish(publisher, steps);
        }
      });
      threads.start("leaves", () -> untilClosed(leaves, () -> leaves.poll(Payload::check, 10, PATIENCE_NANOS)));
      threads.start("stays", () -> {
        while (staysBehind.nextSequence() < 2000) {
          assertTrue(staysBehind.poll(Payload::check, 10, PATIENCE_NANOS) > 0);
        }
      });
      Threads.await(() -> steps.get() > 100 || threads.hasFailed(), "a flow of messages");
      leaving.close();
      threads.join();
      publisher.close();
      staysBehind.close();
      assertEquals(1, staying.participants().size());
    }
  }

  @RepeatedTest(40)
  void rolesThatAreTakenWhileTheSegmentIsClosedFailOrWorkButAreNotLeaked() throws InterruptedException {
    AtomicLong steps = new AtomicLong();
    try (Threads threads = new Threads()) {
      Segment segment = open();
      Entry entry = queue(segment);
      for (int i = 0; i < 2; i++) {
        threads.start("joiner " + i, () -> assertThrows(SegmentClosedException.class, () -> {
          while (true) {
            try (Subscriber subscriber = Subscriber.open(entry)) {
              subscriber.poll(message -> {}, 1);
              segment.directory().find("queue");
              segment.participants();
            }
            steps.incrementAndGet();
          }
        }));
      }
      Threads.await(() -> steps.get() > 20 || threads.hasFailed(), "joins");
      segment.close();
      threads.join();
    }
    assertEquals(List.of(), bus.files());
  }

  @Test
  void entriesThatAreAddedWhileTheSegmentIsClosedAreThereOrNotButNeverHalf() throws InterruptedException {
    for (int round = 0; round < 60; round++) {
      AtomicLong added = new AtomicLong();
      SegmentSpec spec = SegmentSpec.of(List.of()).withSizeBytes(16 << 20);
      try (Threads threads = new Threads(); Segment staying = Segment.open(bus.path("adding"), spec)) {
        Segment leaving = Segment.attach(bus.path("adding"), 0);
        threads.start("adder", () -> assertThrows(SegmentClosedException.class, () -> {
          for (int i = 0; i < 60; i++) {
            leaving.directory().findOrAdd(Broadcast.spec("queue-" + i, 4096));
            added.incrementAndGet();
          }
          while (true) {
            leaving.directory().entries();
          }
        }));
        long wanted = round % 20;
        Threads.await(() -> added.get() > wanted || threads.hasFailed(), "entries");
        leaving.close();
        threads.join();
        long seen = staying.directory().entries().size();
        assertTrue(seen == added.get() || seen == added.get() + 1, () -> seen + " entries, added " + added);
        try (Publisher publisher = Publisher.open(staying.directory().findOrAdd(Broadcast.spec("last", 4096)))) {
          assertTrue(publisher.offer(new byte[1]));
        }
      }
    }
  }

  @Test
  void closeMayBeCalledByManyThreadsAtOnce() throws InterruptedException {
    for (int round = 0; round < 100; round++) {
      try (Threads threads = new Threads()) {
        Segment segment = open();
        Subscriber subscriber = Subscriber.open(queue(segment));
        for (int i = 0; i < 3; i++) {
          threads.start("closer", segment::close);
        }
        threads.start("leaver", subscriber::close);
        threads.join();
      }
      assertEquals(List.of(), bus.files());
    }
  }
}
