package io.bywash.samples.nativepeer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.EvictedException;
import io.bywash.engine.Kind;
import io.bywash.engine.Message;
import io.bywash.engine.MessageHandler;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.wait.WaitPolicy;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Broadcasts with a C process on one side, and Java on the other one. */
@Timeout(300)
final class BroadcastPeersTest {
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);
  private static final int RING = 64 * 1024;

  private static SegmentSpec spec() {
    return SegmentSpec.of(Broadcast.spec("q", RING, 8), Broadcast.spec("back", RING, 2));
  }

  private static Publisher publisher(Segment segment, String entry) {
    return Publisher.open(segment.directory().find(entry, Kind.BROADCAST));
  }

  private static Subscriber subscriber(Segment segment, String entry, SubscriberOptions options) {
    return Subscriber.open(segment.directory().find(entry, Kind.BROADCAST), options);
  }

  private static void publish(Publisher publisher, long count) {
    for (long i = 0; i < count; i++) {
      long next = publisher.nextSequence();
      byte[] message = Numbered.message(next);
      assertTrue(publisher.offer(message, 0, message.length, (int) next, PATIENCE_NANOS), "no room for " + next);
    }
  }

  /** Counts what it gets, and checks that each message is whole, and that none is missing but those told as lost. */
  private static final class Counter implements MessageHandler {
    private long next;
    private long received;
    private long lost;

    @Override
    public void onMessage(Message message) {
      assertEquals(next, message.sequence());
      assertEquals(next, Numbered.check(message.toBytes()));
      assertEquals((int) next, message.type());
      next++;
      received++;
    }

    @Override
    public void onLost(long count) {
      next += count;
      lost += count;
    }

    private void readUpTo(Subscriber subscriber, long end) {
      while (next < end) {
        assertTrue(subscriber.poll(this, 256, PATIENCE_NANOS) > 0, "no message came behind " + next);
      }
    }
  }

  // ---- every message, in order

  @Test
  void messagesOfRandomSizesFromCToJavaArriveWholeAndInOrder() throws Exception {
    fromCToJava(200_000);
  }

  @Tag("stress")
  @Timeout(3_600)
  @Test
  void aMillionMessagesOfRandomSizesFromCToJavaArriveWholeAndInOrder() throws Exception {
    fromCToJava(1_000_000);
  }

  private static void fromCToJava(int count) throws Exception {
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), spec());
        Subscriber subscriber = subscriber(segment, "q", SubscriberOptions.block())) {
      Peer peer = bus.fastPeer("publish", "q", 0, count, 7, 1).awaits("ready");
      Counter counter = new Counter();
      counter.readUpTo(subscriber, count);
      peer.awaits("published " + count).ends();
      Bus.verify(segment);
    }
  }

  @Test
  void messagesOfRandomSizesFromJavaToCArriveWholeAndInOrder() throws Exception {
    fromJavaToC(200_000);
  }

  @Tag("stress")
  @Timeout(3_600)
  @Test
  void aMillionMessagesOfRandomSizesFromJavaToCArriveWholeAndInOrder() throws Exception {
    fromJavaToC(1_000_000);
  }

  private static void fromJavaToC(int count) throws Exception {
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), spec());
        Publisher publisher = publisher(segment, "q")) {
      Peer peer = bus.fastPeer("subscribe", "q", "block", count, "poll").awaits("ready");
      publish(publisher, count);
      peer.awaits("received " + count + " lost 0 first 0").ends();
      Bus.verify(segment);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 5})
  void whatCCopiesOrWritesInPlaceInBatchesArrivesWholeThroughTheSanitizers(int batch) throws Exception {
    int count = 20_000;
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), spec());
        Subscriber subscriber = subscriber(segment, "q", SubscriberOptions.block())) {
      Peer peer = bus.peer("publish", "q", 0, count, batch, 1).awaits("ready");
      new Counter().readUpTo(subscriber, count);
      peer.awaits("published " + count).ends();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"poll", "receive"})
  void whatCReadsInPlaceOrCopiesArrivesWholeThroughTheSanitizers(String how) throws Exception {
    int count = 20_000;
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), spec());
        Publisher publisher = publisher(segment, "q")) {
      Peer blocking = bus.peer("subscribe", "q", "block", count, how).awaits("ready");
      Peer evictable = bus.peer("subscribe", "q", "evict", count, how).awaits("ready");
      publish(publisher, count);
      blocking.awaits("received " + count + " lost 0 first 0").ends();
      evictable.awaits("received " + count + " lost 0 first 0").ends();
    }
  }

  // ---- exact loss

  @ParameterizedTest
  @ValueSource(strings = {"skip", "fail"})
  void whatASlowSubscriberInCLosesAndWhatItReceivesAreTogetherAllThatJavaPublished(String policy) throws Exception {
    int count = 200_000;
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), spec());
        Publisher publisher = publisher(segment, "q")) {
      publish(publisher, 2_000); // so that its first message is not the first one
      Peer peer = bus.peer("subscribe", "q", policy, count, "poll").awaits("ready");
      publish(publisher, count - 2_000);
      String[] words = peer.line().split(" ");
      peer.ends();
      long first = Long.parseLong(words[5]);
      assertTrue(first > 0, "the oldest message that is left is not the first one");
      assertEquals(count - first, Long.parseLong(words[1]) + Long.parseLong(words[3]));
      assertTrue(Long.parseLong(words[3]) > 0, "nothing was lost, so nothing is proven: " + String.join(" ", words));
    }
  }

  @Test
  void whatASlowSubscriberInJavaLosesAndWhatItReceivesAreTogetherAllThatCPublished() throws Exception {
    int count = 200_000;
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), spec());
        Subscriber subscriber = subscriber(segment, "q", SubscriberOptions.skip())) {
      Peer peer = bus.fastPeer("publish", "q", 0, count, 3, 1).awaits("ready").awaits("published " + count);
      Counter counter = new Counter();
      counter.readUpTo(subscriber, count);
      peer.ends();
      assertEquals(count, counter.received + counter.lost);
      assertTrue(counter.lost > count - RING / 32, "a ring cannot hold more");
      assertEquals(counter.lost, subscriber.lostCount());
    }
  }

  // ---- holding back

  @Test
  void aSubscriberInCThatStandsHoldsJavaBackAndNobodyAnyMoreWhenItIsKilled() throws Exception {
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), spec());
        Publisher publisher = publisher(segment, "q")) {
      Peer peer = bus.peer("stand", "q", "block").awaits("ready");
      while (publisher.offer(Numbered.message(publisher.nextSequence()))) {
        assertTrue(publisher.nextSequence() < RING, "it does not hold the publisher back");
      }
      peer.kill();
      publish(publisher, 5_000);
      segment.recover();
      Bus.verify(segment);
    }
  }

  @Test
  void aSubscriberInCThatStandsForTooLongIsEvictedByJavaAndSaysSo() throws Exception {
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), spec());
        Publisher publisher = publisher(segment, "q")) {
      Peer peer = bus.peer("stand", "q", "evict").awaits("ready");
      publish(publisher, 5_000); // waits until the subscriber is evicted
      String said = peer.release().line();
      assertTrue(said.startsWith("-15 This subscriber of entry \"q\" in segment " + bus.path("s")
          + " was cut off before sequence 0: it held the publisher back for more than 1.0 ms."), said);
      peer.ends();
    }
  }

  @Test
  void aSubscriberInJavaThatStandsForTooLongIsEvictedByC() throws Exception {
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), spec());
        Subscriber subscriber = subscriber(segment, "q", SubscriberOptions.evictAfter(1_000_000))) {
      bus.peer("publish", "q", 0, 5_000, 0, 1).awaits("ready").awaits("published 5000").ends();
      try {
        while (subscriber.poll(message -> { }, 100) > 0) {
          // what it had found before
        }
        throw new AssertionError("it was not evicted");
      } catch (EvictedException expected) {
        assertEquals(0, expected.nextSequence());
      }
    }
  }

  // ---- waiting

  @Test
  void sleepersWakeEachOtherBothWays() throws Exception {
    int count = 300;
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), spec());
        Publisher publisher = publisher(segment, "q");
        Subscriber subscriber = subscriber(segment, "back", SubscriberOptions.block().waiting(WaitPolicy.BLOCK))) {
      Peer peer = bus.peer("echo", "q", "back", count).awaits("ready");
      for (long i = 0; i < count; i++) {
        if (i % 100 == 0) {
          LockSupport.parkNanos(120_000_000); // longer than a sleeper sleeps at once
        }
        publish(publisher, 1);
        Long answer = subscriber.receive(message -> Numbered.check(message.toBytes()), PATIENCE_NANOS);
        assertEquals(i, answer);
      }
      peer.awaits("echoed").ends();
      Bus.verify(segment);
    }
  }

  @Test
  void aPeerInCDoesNotRelyOnBeingWokenByAJvmWithoutNativeAccess() throws Exception {
    int count = 200;
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), spec())) {
      Peer sleeper = bus.peer("subscribe", "q", "block", count, "receive").awaits("ready");
      bus.portablePeer("publish", "q", count).awaits("ready").ends();
      sleeper.awaits("received " + count + " lost 0 first 0").ends();
      Bus.verify(segment);
    }
  }

  // ---- deaths

  @Test
  void publishersInCThatAreKilledAtAnyMomentAreFollowedByOthersWithoutALossOrAnInventedMessage() throws Exception {
    killPublishers(6);
  }

  @Tag("stress")
  @Timeout(3_600)
  @Test
  void aHundredPublishersInCThatAreKilledAtAnyMomentAreFollowedWithoutALossOrAnInventedMessage() throws Exception {
    killPublishers(100);
  }

  private static void killPublishers(int rounds) throws Exception {
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), spec());
        Subscriber subscriber = subscriber(segment, "q", SubscriberOptions.block())) {
      Counter counter = new Counter();
      for (int round = 0; round < rounds; round++) {
        Peer peer = bus.fastPeer("publish", "q", counter.next, 1_000_000_000, round % 3 * 4, 0).awaits("ready");
        long end = counter.next + ThreadLocalRandom.current().nextInt(3_000);
        counter.readUpTo(subscriber, end);
        peer.kill();
        while (subscriber.poll(counter, 256) > 0) {
          // what it has published before it died
        }
        if (round % 2 == 1) { // the next publisher is one in Java
          try (Publisher publisher = publisher(segment, "q")) {
            assertEquals(counter.next, publisher.nextSequence());
            publish(publisher, 50);
          }
          counter.readUpTo(subscriber, counter.next + 50);
        }
      }
      segment.recover();
      Bus.verify(segment);
    }
  }

  @Test
  void aPublisherAndASubscriberInJavaThatAreKilledAreReplacedAndPassedByC() throws Exception {
    killJava(1);
  }

  @Tag("stress")
  @Timeout(3_600)
  @Test
  void aHundredPublishersAndSubscribersInJavaThatAreKilledAreReplacedAndPassedByC() throws Exception {
    killJava(100);
  }

  private static void killJava(int rounds) throws Exception {
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), spec());
        Subscriber subscriber = subscriber(segment, "q", SubscriberOptions.block())) {
      Counter counter = new Counter();
      for (int round = 0; round < rounds; round++) {
        Peer stands = bus.javaPeer("stand", "q");
        Peer publishes = bus.javaPeer("publish", "q", Long.MAX_VALUE);
        stands.awaits("ready");
        publishes.awaits("ready");
        counter.readUpTo(subscriber, counter.next + 1 + ThreadLocalRandom.current().nextInt(100));
        publishes.kill();
        stands.kill();
        while (subscriber.poll(counter, 256) > 0) {
          // what it has published before it died
        }
        int count = 2_000; // more than the ring holds: the dead subscriber is in the way
        Peer peer = bus.peer("publish", "q", counter.next, count, 0, 1).awaits("ready");
        counter.readUpTo(subscriber, counter.next + count);
        peer.awaits("published " + counter.next).ends();
      }
      assertEquals(List.of(), segment.participants().stream().filter(each -> !each.alive()
          && each.pid() == ProcessHandle.current().pid()).toList());
      segment.recover();
      Bus.verify(segment);
    }
  }

  // ---- taking turns

  @Test
  void aForkedChildUsesNothingOfItsParentHoldsNoLockAndMayTakeOverWhenTheParentIsKilled() throws Exception {
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), spec());
        Subscriber subscriber = subscriber(segment, "q", SubscriberOptions.block())) {
      Peer peer = bus.fastPeer("fork", "q").awaits("child -14 0 -11");
      peer.release(); // the participant is killed; its child lives on
      peer.awaits("taken over").ends();
      assertNull(subscriber.receive(Message::toBytes), "nothing was published");
    }
  }
}
