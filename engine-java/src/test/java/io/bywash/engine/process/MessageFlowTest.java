package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Claim;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentNotFoundException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Messages between real processes. */
@Timeout(180)
class MessageFlowTest {
  private static final int MAX_BYTES = 48;

  @RegisterExtension final TempBus bus = new TempBus();

  private static SegmentSpec spec(long ringBytes) {
    return SegmentSpec.of(Broadcast.spec(Programs.QUEUE, ringBytes));
  }

  @Test
  @Tag("once")
  void aMessageArrivesInAnotherProcess() {
    try (Segment segment = Segment.create(bus.path("flow"), spec(4096));
        Publisher publisher = Programs.publisher(segment);
        ChildProcess reader = ChildProcess.start(Programs.Subscribe.class, segment.path(), MAX_BYTES, "block")) {
      assertEquals(0, reader.awaitLong("joined"));
      Programs.publishNext(publisher, MAX_BYTES);
      reader.tell("until 1");
      assertEquals("1 0 " + Payload.checksum(0, 1, MAX_BYTES), reader.await("read"));
      reader.tell("leave");
      reader.await("left");
      reader.finish();
    }
  }

  @Test
  @Tag("once")
  void blockingReadersLoseNothingAndASkippingOneCountsWhatItLost() {
    long count = 300_000;
    try (Segment segment = Segment.create(bus.path("flow"), spec(1 << 18));
        ChildProcess first = ChildProcess.start(Programs.Subscribe.class, segment.path(), MAX_BYTES, "block");
        ChildProcess second = ChildProcess.start(Programs.Subscribe.class, segment.path(), MAX_BYTES, "block");
        ChildProcess skipping = ChildProcess.start(Programs.Subscribe.class, segment.path(), MAX_BYTES, "skip");
        ChildProcess writer = ChildProcess.start(Programs.Publish.class, segment.path(), MAX_BYTES, 3, count)) {
      for (ChildProcess reader : List.of(first, second, skipping)) {
        reader.await("joined"); // at sequence 0, since the publisher waits for all three
      }
      first.tell("until " + count);
      second.tell("until " + count);
      writer.await("half"); // far more than the ring holds, so the third has to lose some
      skipping.tell("until " + count);
      String checksum = Long.toString(Payload.checksum(0, count, MAX_BYTES));
      assertEquals(count + " " + checksum, writer.await("published"));
      assertEquals(count + " 0 " + checksum, first.await("read"));
      assertEquals(count + " 0 " + checksum, second.await("read"));
      String[] counts = skipping.await("read").split(" ");
      assertEquals(count, Long.parseLong(counts[0]) + Long.parseLong(counts[1]));
      assertTrue(Long.parseLong(counts[1]) > 0, "the ring held more than expected, so the test proves nothing");
    }
  }

  @Test
  void aBlockingReaderLosesNothingOfMillionsOfMessages() {
    long count = 3_000_000;
    try (Segment segment = Segment.create(bus.path("flow"), spec(1 << 20));
        ChildProcess reader = ChildProcess.start(Programs.Subscribe.class, segment.path(), MAX_BYTES, "block");
        ChildProcess writer = ChildProcess.start(Programs.Publish.class, segment.path(), MAX_BYTES, 1, count)) {
      reader.await("joined");
      reader.tell("until " + count);
      String checksum = Long.toString(Payload.checksum(0, count, MAX_BYTES));
      assertEquals(count + " " + checksum, writer.await("published"));
      assertEquals(count + " 0 " + checksum, reader.await("read"));
    }
  }

  @Test
  @Tag("once")
  void whoeverJoinsAtTheOldestMessageLosesNothingFromThereOn() {
    int maxBytes = 512;
    SegmentSpec spec = SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 4096, 1023)); // the more, the longer a look at all
    try (Segment segment = Segment.create(bus.path("flow"), spec);
        ChildProcess writer = ChildProcess.start(PublishImpatiently.class, segment.path(), maxBytes)) {
      writer.await("opened");
      for (int i = 0; i < 2_000; i++) {
        try (Subscriber subscriber =
            Programs.subscriber(segment, SubscriberOptions.block().startingAtOldest())) {
          Programs.Checker checker = new Programs.Checker(maxBytes, subscriber.nextSequence());
          for (int look = 0; look < 3; look++) {
            Thread.yield(); // the publisher has to wait, once it has filled what there is
            subscriber.poll(checker, 2);
          }
        }
      }
      assertTrue(writer.isAlive());
    }
  }

  /** Arguments: file, longest message. Publishes until it is killed, and asks again at once when there is no room. */
  static final class PublishImpatiently implements ChildProgram.Optimised {
    @Override
    public void run(String... arguments) {
      Publisher publisher = Programs.publisher(Segment.attach(Path.of(arguments[0]), PATIENCE_NANOS));
      ChildProgram.say("opened");
      while (true) {
        long sequence = publisher.nextSequence();
        Claim claim = publisher.tryClaim(Payload.length(sequence, Integer.parseInt(arguments[1])));
        if (claim != null) {
          Payload.fill(claim, sequence);
          claim.commit();
        }
      }
    }
  }

  @Test
  void aReaderThatIsStartedFirstWaitsForTheSegment() {
    try (ChildProcess reader = ChildProcess.start(WaitForSegment.class, bus.path("late"))) {
      reader.await("waiting");
      try (Segment segment = Segment.create(bus.path("late"), spec(4096));
          Publisher publisher = Programs.publisher(segment)) {
        assertTrue(publisher.awaitSubscribers(1, ChildProgram.PATIENCE_NANOS));
        Programs.publishNext(publisher, MAX_BYTES);
        reader.await("received");
        reader.finish();
      }
    }
  }

  /** Says "waiting" when it has looked for the segment and found none. */
  static final class WaitForSegment implements ChildProgram {
    @Override
    public void run(String... arguments) {
      Path file = Path.of(arguments[0]);
      try {
        Segment.attach(file, 0).close();
        throw new AssertionError("the segment was there already");
      } catch (SegmentNotFoundException expected) {
        ChildProgram.say("waiting");
      }
      try (Segment segment = Segment.attach(file, PATIENCE_NANOS);
          Subscriber subscriber = Programs.subscriber(segment, SubscriberOptions.block())) {
        new Programs.Checker(MAX_BYTES, 0).readUntil(subscriber, 1);
        ChildProgram.say("received");
      }
    }
  }

  @Test
  void aPublisherWaitsForAsManyLivingSubscribersAsItWants() {
    try (Segment segment = Segment.create(bus.path("flow"), spec(4096));
        Subscriber first = Programs.subscriber(segment, SubscriberOptions.block());
        ChildProcess dead = ChildProcess.start(Programs.Hold.class, segment.path(), 1, "b")) {
      dead.await("ready");
      dead.kill();
      try (ChildProcess writer = ChildProcess.start(Programs.Publish.class, segment.path(), MAX_BYTES, 2, 10)) {
        writer.await("opened");
        Programs.Checker checker = new Programs.Checker(MAX_BYTES, 0);
        assertEquals(0, first.poll(checker, 1, 300_000_000), "the dead subscriber was counted");
        Subscriber second = Programs.subscriber(segment, SubscriberOptions.skip());
        checker.readUntil(first, 10);
        writer.await("published");
        second.close();
      }
    }
  }

  @Test
  @Tag("once")
  void aPublisherThatComesBackGoesOnAtTheNextSequence() {
    try (Segment segment = Segment.create(bus.path("flow"), spec(4096));
        Subscriber subscriber = Programs.subscriber(segment, SubscriberOptions.block())) {
      Programs.Checker checker = new Programs.Checker(MAX_BYTES, 0);
      for (long from = 0; from < 300; from += 100) {
        long until = from + 100;
        try (ChildProcess writer = ChildProcess.start(Programs.Publish.class, segment.path(), MAX_BYTES, 1, until)) {
          assertEquals(from, writer.awaitLong("opened"));
          checker.readUntil(subscriber, until);
          writer.tell("leave");
          writer.await("left");
          writer.finish();
        }
      }
      assertEquals(Payload.checksum(0, 300, MAX_BYTES), checker.checksum);
      assertEquals(0, subscriber.poll(checker, 1));
    }
  }
}
