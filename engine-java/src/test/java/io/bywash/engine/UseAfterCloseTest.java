package io.bywash.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;

@Timeout(value = 120, unit = TimeUnit.SECONDS)
class UseAfterCloseTest {
  @RegisterExtension final TempBus bus = new TempBus();

  private Segment segment;
  private Entry queue;

  @BeforeEach
  void open() {
    segment = Segment.create(bus.path("closed"), SegmentSpec.of(Broadcast.spec("queue", 4096)));
    queue = segment.directory().find("queue", Kind.BROADCAST);
  }

  private static void assertClosed(Map<String, Executable> uses) {
    uses.forEach((name, use) -> {
      SegmentClosedException closed = assertThrows(SegmentClosedException.class, use, name);
      assertTrue(closed.getMessage().contains("closed"), closed.getMessage());
    });
  }

  private static Map<String, Executable> uses(Publisher publisher) {
    return Map.of("offer", () -> publisher.offer(new byte[1]),
        "offer with timeout", () -> publisher.offer(new byte[1], 0, 1, 0, 1_000_000),
        "tryClaim", () -> publisher.tryClaim(1),
        "tryClaim with type", () -> publisher.tryClaim(1, 1),
        "claim", () -> publisher.claim(1, 0, 1_000_000),
        "awaitSubscribers", () -> publisher.awaitSubscribers(1, 1_000_000),
        "subscriberCount", publisher::subscriberCount);
  }

  private static Map<String, Executable> uses(Subscriber subscriber) {
    return Map.of("poll", () -> subscriber.poll(message -> {}, 1),
        "poll with timeout", () -> subscriber.poll(message -> {}, 1, 1_000_000));
  }

  @Test
  void everyUseOfAClosedRoleIsRefused() {
    Publisher publisher = Publisher.open(queue);
    Subscriber block = Subscriber.open(queue);
    Subscriber skip = Subscriber.open(queue, SubscriberOptions.skip());
    assertTrue(publisher.offer(new byte[1]));
    for (AutoCloseable role : List.of(publisher, block, skip)) {
      closeTwice(role);
    }
    assertClosed(uses(publisher));
    assertClosed(uses(block));
    assertClosed(uses(skip));
    assertTrue(publisher.isReady() && block.isReady() && skip.isReady(), "so that whoever waits finds out");
    assertTrue(segment.participants().getFirst().alive(), "the segment is still open");
    segment.close();
  }

  private static void closeTwice(AutoCloseable role) {
    try {
      role.close();
      role.close();
    } catch (Exception unexpected) {
      throw new AssertionError(unexpected);
    }
  }

  @Test
  void everyUseOfARoleOfAClosedSegmentIsRefusedAndTheRoleCanStillBeClosed() {
    Publisher publisher = Publisher.open(queue);
    Subscriber block = Subscriber.open(queue);
    Subscriber skip = Subscriber.open(queue, SubscriberOptions.skip());
    assertTrue(publisher.offer(new byte[1]));
    segment.close();
    assertClosed(uses(publisher));
    assertClosed(uses(block));
    assertClosed(uses(skip));
    assertTrue(publisher.isReady() && block.isReady() && skip.isReady());
    assertEquals(List.of(), bus.files(), "the close of the segment has closed its roles");
    publisher.close();
    block.close();
    skip.close();
    assertClosed(uses(publisher));
  }

  @Test
  void aClaimThatWasPendingWhenTheSegmentWasClosedCannotBeCommitted() {
    try (Segment other = Segment.attach(bus.path("closed"), 0);
        Subscriber subscriber = Subscriber.open(other.directory().find("queue", Kind.BROADCAST))) {
      Publisher publisher = Publisher.open(queue);
      Claim claim = publisher.tryClaim(8);
      segment.close();
      claim.putLong(0, 1);
      assertThrows(SegmentClosedException.class, claim::commit);
      claim.abort();
      publisher.close();
      assertFalse(subscriber.isReady());
      assertEquals(0, subscriber.poll(message -> {}, 1));
    }
  }

  @Test
  void everyUseOfAClosedSegmentIsRefused() {
    Directory directory = segment.directory();
    segment.close();
    segment.close();
    assertClosed(Map.of("directory", segment::directory,
        "participants", segment::participants,
        "find", () -> directory.find("queue"),
        "find with kind", () -> directory.find("queue", Kind.BROADCAST),
        "find what is not there", () -> directory.find("nothing"),
        "entries", directory::entries,
        "findOrAdd", () -> directory.findOrAdd(Broadcast.spec("queue", 4096)),
        "owner", queue::owner));
    assertClosed(Map.of("publisher", () -> Publisher.open(queue),
        "subscriber", () -> Subscriber.open(queue),
        "skipping subscriber", () -> Subscriber.open(queue, SubscriberOptions.skip()),
        "status", () -> BroadcastStatus.of(queue)));
    assertEquals("closed", segment.name());
    assertEquals(bus.path("closed"), segment.path());
    assertTrue(segment.sizeBytes() > 0 && segment.lifetime() == Lifetime.WHILE_USED);
    assertTrue(segment.toString().contains("closed"));
    assertEquals("queue", queue.name());
  }

  @Test
  void theCloseOfOneAttachmentDoesNotConcernTheOthers() {
    Segment other = Segment.attach(bus.path("closed"), 0);
    Entry othersQueue = other.directory().find("queue", Kind.BROADCAST);
    Publisher publisher = Publisher.open(othersQueue);
    segment.close();
    try (Subscriber subscriber = Subscriber.open(othersQueue)) {
      assertTrue(publisher.offer(new byte[1]));
      assertEquals(1, subscriber.poll(message -> {}, 1));
    }
    publisher.close();
    other.close();
  }
}
