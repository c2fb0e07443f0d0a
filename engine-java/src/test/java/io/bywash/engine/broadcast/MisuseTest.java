package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.TestQueue.drain;
import static io.bywash.engine.broadcast.TestQueue.offer;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Claim;
import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Message;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.TestQueue.Receiver;
import io.bywash.engine.inspect.Finding;
import io.bywash.engine.inspect.Verification;
import io.bywash.engine.internal.directory.SegmentEntry;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Roles, claims and messages that several threads use at once, which the contract forbids: the JVM lives, nothing
 * outside of the misused queue is written, and the next publisher puts that in order.
 */
@Tag("once")
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MisuseTest {
  private static final long MISUSE_NANOS = 250_000_000;

  @RegisterExtension final TempBus bus = new TempBus();

  private final AtomicBoolean stop = new AtomicBoolean();
  private Segment segment;
  private Entry queue;
  /** The one before it in the file, and the one behind it. */
  private List<Entry> neighbours;

  @BeforeEach
  void open() {
    segment = Segment.create(bus.path("misuse"), SegmentSpec.of(Broadcast.spec("before", 4096),
        Broadcast.spec("queue", 4096), Broadcast.spec("behind", 4096)));
    queue = segment.directory().find("queue", Kind.BROADCAST);
    neighbours = List.of(segment.directory().find("before", Kind.BROADCAST),
        segment.directory().find("behind", Kind.BROADCAST));
    for (Entry neighbour : neighbours) {
      try (Publisher publisher = Publisher.open(neighbour)) {
        for (int i = 0; i < 40; i++) {
          assertTrue(offer(publisher, 1 + i));
        }
      }
    }
  }

  @AfterEach
  void close() {
    segment.close();
  }

  private static byte[] bytes(Entry entry) {
    SegmentEntry own = (SegmentEntry) entry;
    byte[] bytes = new byte[(int) own.sizeBytes()];
    own.region().copyTo(own.offset(), bytes, 0, bytes.length);
    return bytes;
  }

  /**
   * Has several threads do the same for a while; what they may throw says that this is misuse, or that the queue is
   * damaged.
   */
  private void misuse(List<Runnable> uses) throws InterruptedException {
    List<byte[]> before = neighbours.stream().map(MisuseTest::bytes).toList();
    try (Threads threads = new Threads()) {
      for (Runnable use : uses) {
        threads.start("misuse", () -> {
          while (!stop.get()) {
            try {
              use.run();
            } catch (IllegalStateException | IndexOutOfBoundsException | DamagedSegmentException fair) {
              // the answers that there are
            }
          }
        });
      }
      long start = System.nanoTime();
      Threads.await(() -> System.nanoTime() - start > MISUSE_NANOS || threads.hasFailed(), "some misuse");
      stop.set(true);
      threads.join();
    }
    for (int i = 0; i < neighbours.size(); i++) {
      assertArrayEquals(before.get(i), bytes(neighbours.get(i)), "entry " + neighbours.get(i).name());
    }
    for (Finding finding : Verification.of(segment)) {
      assertTrue(finding.where().contains("/queue"), finding.toString());
    }
  }

  /** A new publisher finds or makes the queue sound, and a new subscriber gets what it publishes. */
  private void assertUsable() {
    try (Publisher publisher = Publisher.open(queue); Subscriber subscriber = Subscriber.open(queue)) {
      Receiver receiver = new Receiver(subscriber);
      long first = subscriber.nextSequence();
      for (int i = 0; i < 200; i++) {
        assertTrue(offer(publisher, 1 + i));
        drain(subscriber, receiver);
      }
      receiver.assertSawAll(first, first + 200);
    }
    assertEquals(List.of(), Verification.of(segment));
  }

  @Test
  void aPublisherThatThreeThreadsUseDamagesItsQueueAtMostAndTheNextOneRepairsIt() throws InterruptedException {
    try (Publisher publisher = Publisher.open(queue)) {
      byte[] message = new byte[512];
      Runnable offers = () -> publisher.offer(message, 0, 1 + (int) (System.nanoTime() & 511), 7, 0);
      Runnable claims = () -> {
        Claim claim = publisher.tryClaim(1 + (int) (System.nanoTime() & 511));
        if (claim != null) {
          claim.putBytes(0, message, 0, claim.length()).putByte(claim.length() - 1, (byte) 1);
          claim.stage();
          publisher.publish();
        }
      };
      misuse(List.of(offers, claims, offers));
    }
    assertUsable();
  }

  @Test
  void aSubscriberThatThreeThreadsPollHarmsNobody() throws InterruptedException {
    for (SubscriberOptions options : List.of(SubscriberOptions.block(), SubscriberOptions.skip())) {
      try (Publisher publisher = Publisher.open(queue); Subscriber subscriber = Subscriber.open(queue, options)) {
        byte[] message = new byte[512];
        Runnable poll = () ->
            subscriber.poll(received -> received.getBytes(0, new byte[512], 0, received.length()), 10);
        misuse(List.of(() -> publisher.offer(message, 0, 1 + (int) (System.nanoTime() & 511), 0, 0), poll, poll, poll));
      }
      stop.set(false);
      assertUsable();
    }
  }

  @Test
  void aMessageThatIsReadByOtherThreadsHarmsNobody() throws InterruptedException {
    for (SubscriberOptions options : List.of(SubscriberOptions.block(), SubscriberOptions.skip())) {
      try (Publisher publisher = Publisher.open(queue); Subscriber subscriber = Subscriber.open(queue, options)) {
        byte[] message = new byte[512];
        AtomicReference<Message> kept = new AtomicReference<>();
        Runnable read = () -> {
          Message other = kept.get();
          if (other != null) {
            other.getBytes(0, new byte[512], 0, Math.max(1, other.length()));
            other.getLong(other.length() - Long.BYTES);
            other.toBytes();
          }
        };
        misuse(List.of(() -> publisher.offer(message, 0, 1 + (int) (System.nanoTime() & 511), 0, 0),
            () -> subscriber.poll(kept::set, 10), read));
      }
      stop.set(false);
      assertUsable();
    }
  }

  @Test
  void aClaimThatAnotherThreadFillsHarmsNobody() throws InterruptedException {
    try (Publisher publisher = Publisher.open(queue)) {
      AtomicReference<Claim> kept = new AtomicReference<>();
      Runnable publish = () -> {
        Claim claim = publisher.tryClaim(1 + (int) (System.nanoTime() & 511));
        if (claim != null) {
          kept.set(claim);
          claim.commit();
        }
      };
      Runnable fill = () -> {
        Claim other = kept.get();
        if (other != null) {
          other.putLong(other.length() - Long.BYTES, -1);
          other.putBytes(0, new byte[512], 0, Math.max(1, other.length()));
        }
      };
      misuse(List.of(publish, fill));
    }
    assertUsable();
  }

  @Test
  void whoUsesARoleWhileAnotherThreadIsInItIsToldSo() throws InterruptedException {
    try (Publisher publisher = Publisher.open(queue); Subscriber subscriber = Subscriber.open(queue);
        Threads threads = new Threads()) {
      CountDownLatch polling = new CountDownLatch(1);
      CountDownLatch told = new CountDownLatch(1);
      assertTrue(publisher.offer(new byte[1]));
      threads.start("poll", () -> assertEquals(1, subscriber.poll(message -> {
        polling.countDown();
        try {
          assertTrue(told.await(100, TimeUnit.SECONDS));
        } catch (InterruptedException impossible) {
          throw new AssertionError(impossible);
        }
      }, 1)));
      assertTrue(polling.await(100, TimeUnit.SECONDS));
      var refused = assertThrows(IllegalStateException.class, () -> subscriber.poll(message -> {}, 1));
      assertTrue(refused.getMessage().contains("two threads"), refused.getMessage());
      told.countDown();
      threads.join();

      threads.start("claim", () -> publisher.tryClaim(8));
      threads.join();
      refused = assertThrows(IllegalStateException.class, () -> publisher.tryClaim(8));
      assertTrue(refused.getMessage().contains("another thread"), refused.getMessage());
    }
    assertUsable();
  }

  /** Overflows the stack at ever other depths of an offer. */
  private static void overflow(Publisher publisher, byte[] message, int depth) {
    if (depth > 0) {
      overflow(publisher, message, depth - 1);
    } else {
      publisher.offer(message);
      overflow(publisher, message, 0);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void anOfferThatAStackOverflowEndsLeavesNoClaimOpen(boolean behind) throws InterruptedException {
    try (Publisher publisher = Publisher.open(queue);
        Subscriber subscriber = Subscriber.open(queue, SubscriberOptions.skip());
        Threads threads = new Threads()) {
      long[] lost = {0};
      AtomicBoolean inOrder = new AtomicBoolean(true);
      byte[] message = new byte[behind ? 300 : 20];
      threads.start("deep", () -> {
        for (int round = 0; round < 60; round++) {
          int depth = round * 7;
          assertThrows(StackOverflowError.class, () -> overflow(publisher, message, depth));
          assertTrue(publisher.offer(message), "an offer is refused after the stack overflow");
        }
      });
      threads.join();
      long[] next = {subscriber.nextSequence()};
      drain(subscriber, new io.bywash.engine.MessageHandler() {
        @Override
        public void onMessage(Message received) {
          inOrder.set(inOrder.get() && received.sequence() == next[0]++ && received.length() == message.length);
        }

        @Override
        public void onLost(long count) {
          lost[0] += count;
          next[0] += count;
        }
      });
      assertTrue(inOrder.get() && next[0] == publisher.nextSequence(), next[0] + " of " + publisher.nextSequence());
    }
    assertUsable();
  }
}
