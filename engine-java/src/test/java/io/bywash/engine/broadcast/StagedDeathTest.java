package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.TestQueue.drain;
import static io.bywash.engine.broadcast.TestQueue.offer;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Claim;
import io.bywash.engine.Participant;
import io.bywash.engine.Payload;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.TestQueue.Receiver;
import io.bywash.engine.internal.layout.SegmentLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Publishers that die with staged messages. The segment is copied at that moment: to whoever attaches the copy, all
 * that were there are dead. So hundreds can die one after the other.
 */
@Tag("once")
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class StagedDeathTest {
  @RegisterExtension final TempBus bus = new TempBus();

  private TestQueue queue;
  private Publisher publisher;
  private int deaths;

  @BeforeEach
  void open() {
    queue = TestQueue.create(bus.path("life0"), 4096);
    publisher = queue.publisher();
  }

  @AfterEach
  void close() {
    publisher.close();
    queue.close();
  }

  private void die() throws IOException {
    TestQueue before = queue;
    Publisher dead = publisher;
    String name = "life" + ++deaths;
    Files.copy(before.segment.path(), bus.path(name));
    forgetTheProcess(bus.path(name));
    queue = TestQueue.attach(bus.path(name));
    long committed = BroadcastStatus.of(queue.entry).messageCount();
    assertEverySequenceIsFound();
    publisher = queue.publisher();
    assertEquals(committed, publisher.nextSequence(), "the successor's first sequence");
    dead.close();
    before.close();
  }

  /** This process lives on, and would veto the deaths. */
  private void forgetTheProcess(Path copy) throws IOException {
    try (FileChannel channel = FileChannel.open(copy, StandardOpenOption.WRITE)) {
      for (Participant participant : queue.segment.participants()) {
        channel.write(ByteBuffer.allocate(Long.BYTES),
            SegmentLayout.HEADER_BYTES + participant.id() * SegmentLayout.SLOT_BYTES + SegmentLayout.SLOT_START_TICKS);
      }
    }
  }

  /** A subscriber can begin at each message that is there, and all of them are true. */
  private void assertEverySequenceIsFound() {
    long committed = BroadcastStatus.of(queue.entry).messageCount();
    try (Subscriber all = queue.subscriber(SubscriberOptions.skip().startingAtOldest())) {
      long oldest = all.nextSequence();
      Receiver receiver = new Receiver(all);
      drain(all, receiver);
      receiver.assertSawAll(oldest, committed);
      for (long first = oldest; first < committed; first++) {
        try (Subscriber subscriber = queue.subscriber(SubscriberOptions.skip().startingAt(first))) {
          assertEquals(first, subscriber.nextSequence());
          assertEquals(1, subscriber.poll(new Receiver(subscriber), 1));
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"60, false", "60, true", "500, false", "500, true"})
  void whatADeadPublisherStagedIsNeverSeenAndAllSequencesAreRight(int most, boolean gated) throws IOException {
    Random random = Payload.random("whatADeadPublisherStaged(" + most + ", " + gated + ")");
    long lost = 0;
    for (int round = 0; round < 100; round++) {
      Subscriber reader = gated ? queue.subscriber(SubscriberOptions.block().startingAtOldest()) : null;
      for (int count = random.nextInt(40); count > 0; count--) {
        if (!offer(publisher, 1 + random.nextInt(most))) {
          reader.poll(message -> {}, 1 + random.nextInt(8));
        }
      }
      if (reader != null && random.nextBoolean()) {
        drain(reader, new Receiver(reader));
      }
      for (int count = random.nextInt(80); count > 0; count--) {
        TestQueue.stage(publisher, 1 + random.nextInt(most)); // may find no room, and publish
        if (random.nextInt(8) == 0) {
          Claim claim = publisher.tryClaim(1 + random.nextInt(most));
          if (claim != null) {
            Payload.fill(claim, 1L << 40).abort();
          }
        }
      }
      if (random.nextInt(4) == 0) {
        Claim open = publisher.tryClaim(1 + random.nextInt(most));
        assertTrue(open == null || open.length() > 0);
      }
      if (reader != null) {
        reader.close();
      }
      long staged = publisher.nextSequence();
      die();
      lost += staged - publisher.nextSequence();
      int successors = random.nextInt(100);
      for (int count = 0; count < successors; count++) {
        assertTrue(offer(publisher, 1 + random.nextInt(most)));
        if (random.nextInt(30) == 0) {
          assertEverySequenceIsFound();
        }
      }
      assertEverySequenceIsFound();
    }
    assertTrue(lost > 0, "nothing was staged, so the test proves nothing");
  }
}
