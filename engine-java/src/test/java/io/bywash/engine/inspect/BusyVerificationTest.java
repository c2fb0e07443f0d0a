package io.bywash.engine.inspect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Claim;
import io.bywash.engine.Kind;
import io.bywash.engine.OverrunException;
import io.bywash.engine.Payload;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.internal.SegmentFace;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A segment in which everything happens at once gives no finding, not even at a single look. */
@Tag("once")
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BusyVerificationTest {
  private static final long BUSY_NANOS = TimeUnit.MILLISECONDS.toNanos(1_000);

  @RegisterExtension final TempBus bus = new TempBus();

  private final AtomicBoolean done = new AtomicBoolean();

  @ParameterizedTest
  @ValueSource(ints = {4096, 1 << 16})
  void aBusySegmentNeverGivesAFinding(int ringBytes) throws InterruptedException {
    try (Segment segment = create(ringBytes); Threads threads = new Threads()) {
      threads.start("publishers", this::publish);
      for (SubscriberOptions options : List.of(SubscriberOptions.block(), SubscriberOptions.skip(),
          SubscriberOptions.evictAfter(1_000_000))) {
        threads.start("subscribers", () -> subscribe(options, 30));
      }
      threads.start("adder", () -> add(segment));
      lookOften(threads, 10);
    }
  }

  @Test
  void aSegmentWhereEverybodyComesAndGoesNeverGivesAFinding() throws InterruptedException {
    try (Segment segment = create(4096); Threads threads = new Threads()) {
      for (int i = 0; i < 3; i++) {
        threads.start("visitors", () -> subscribe(SubscriberOptions.block(), 1));
      }
      lookOften(threads, 1_000);
      assertEquals(1, segment.participants().size());
    }
  }

  @Test
  void entriesThatComeAndGoGiveNoFindingAndDisturbNoLook() throws InterruptedException {
    try (Segment segment = create(4096); Threads threads = new Threads()) {
      threads.start("remover", () -> {
        while (!done.get()) {
          segment.directory().findOrAdd(Broadcast.spec("passing", 4096, 1));
          segment.directory().remove("passing");
        }
      });
      threads.start("onlooker", () -> {
        while (!done.get()) {
          assertTrue(SegmentStatus.of(segment).entries().stream().allMatch(entry -> entry.damage().isEmpty()));
          LayoutStatus.of(segment);
        }
      });
      lookOften(threads, 1_000);
    }
  }

  private Segment create(int ringBytes) {
    return Segment.create(bus.path("busy"),
        SegmentSpec.of(Broadcast.spec("queue", ringBytes)).withParticipantCapacity(8).withSizeBytes(1 << 23));
  }

  private void lookOften(Threads threads, int atLeast) throws InterruptedException {
    try (Segment observer = Segment.observe(bus.path("busy"))) {
      long start = System.nanoTime();
      int looks = 0;
      while ((System.nanoTime() - start < BUSY_NANOS || looks < atLeast) && !threads.hasFailed()) {
        assertEquals(List.of(), new SegmentCheck(SegmentFace.core(observer)).run());
        looks++;
      }
      System.out.println(looks + " looks at a busy segment");
      done.set(true);
      threads.join();
      assertEquals(List.of(), Verification.of(observer));
    }
  }

  /** Publishers that follow each other: single messages, batches, aborts, of all lengths. */
  private void publish() {
    Random random = Payload.random("BusyVerificationTest.publish");
    while (!done.get()) {
      try (Segment segment = Segment.attach(bus.path("busy"), 0);
          Publisher publisher = Publisher.open(segment.directory().find("queue", Kind.BROADCAST))) {
        for (int i = random.nextInt(2_000); i > 0 && !done.get(); i--) {
          Claim claim = publisher.claim(1 + random.nextInt(publisher.maxMessageBytes()), 0, 10_000_000);
          if (claim != null) {
            switch (random.nextInt(8)) {
              case 0 -> claim.abort();
              case 1, 2, 3 -> claim.stage();
              default -> claim.commit();
            }
          }
        }
      }
    }
  }

  private void subscribe(SubscriberOptions options, int maxPolls) {
    Random random = Payload.random("BusyVerificationTest.subscribe");
    while (!done.get()) {
      SubscriberOptions start = random.nextBoolean() ? options : options.startingAtOldest();
      try (Segment segment = Segment.attach(bus.path("busy"), 0);
          Subscriber subscriber = Subscriber.open(segment.directory().find("queue", Kind.BROADCAST), start)) {
        for (int polls = random.nextInt(maxPolls); polls > 0 && !done.get(); polls--) {
          subscriber.poll(message -> {}, 1 + random.nextInt(50), 1_000_000);
        }
      } catch (OverrunException | io.bywash.engine.EvictedException cutOff) {
        // joins again
      }
    }
  }

  private void add(Segment segment) {
    for (int i = 0; i < 60 && !done.get(); i++) {
      segment.directory().findOrAdd(Broadcast.spec("added" + i, 4096, 1));
      java.util.concurrent.locks.LockSupport.parkNanos(10_000_000);
    }
  }
}
