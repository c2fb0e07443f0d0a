package io.bywash.engine.broadcast;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.bywash.engine.Claim;
import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Message;
import io.bywash.engine.MessageHandler;
import io.bywash.engine.OverrunException;
import io.bywash.engine.Payload;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** One attachment to a segment with one broadcast queue, as the tests of this package use it. */
final class TestQueue implements AutoCloseable {
  static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(100);

  final Segment segment;
  final Entry entry;

  private TestQueue(Segment segment) {
    this.segment = segment;
    this.entry = segment.directory().find("queue", Kind.BROADCAST);
  }

  static TestQueue create(Path file, long ringBytes) {
    return create(file, ringBytes, Broadcast.DEFAULT_SUBSCRIBERS);
  }

  static TestQueue create(Path file, long ringBytes, int subscribers) {
    return new TestQueue(Segment.create(file, SegmentSpec.of(Broadcast.spec("queue", ringBytes, subscribers))));
  }

  static TestQueue attach(Path file) {
    return new TestQueue(Segment.attach(file, 0));
  }

  static TestQueue observe(Path file) {
    return new TestQueue(Segment.observe(file));
  }

  Publisher publisher() {
    return Publisher.open(entry);
  }

  Subscriber subscriber(SubscriberOptions options) {
    return Subscriber.open(entry, options);
  }

  /** Publishes the next message; false when there is no room now. */
  static boolean offer(Publisher publisher, int length) {
    return commit(publisher.tryClaim(length), publisher);
  }

  /** Publishes the next message, waiting for room. */
  static void send(Publisher publisher, int length) {
    assertTrue(commit(publisher.claim(length, 0, PATIENCE_NANOS), publisher), "waited in vain for room");
  }

  /** Stages the next message; false when there is no room now. */
  static boolean stage(Publisher publisher, int length) {
    Claim claim = publisher.tryClaim(length);
    if (claim == null) {
      return false;
    }
    Payload.fill(claim, publisher.nextSequence()).stage();
    return true;
  }

  private static boolean commit(Claim claim, Publisher publisher) {
    if (claim == null) {
      return false;
    }
    Payload.fill(claim, publisher.nextSequence()).commit();
    return true;
  }

  /** A poll by a subscriber that may be overtaken and fail; what it lost then is told like any other loss. */
  static int pollOrFail(Subscriber subscriber, Receiver receiver, int limit) {
    long before = receiver.received;
    try {
      return subscriber.poll(receiver, limit);
    } catch (OverrunException overrun) {
      receiver.onLost(overrun.lostCount());
      assertEquals(receiver.next, overrun.nextSequence());
      return (int) (receiver.received - before);
    }
  }

  /** Everything that is there now. */
  static int drain(Subscriber subscriber, MessageHandler handler) {
    int total = 0;
    for (int count = subscriber.poll(handler, 64); count > 0; count = subscriber.poll(handler, 64)) {
      total += count;
    }
    return total;
  }

  @Override
  public void close() {
    segment.close();
  }

  /** Checks each message's bytes, and that sequences and losses follow each other without gap or repetition. */
  static final class Receiver implements MessageHandler {
    long next;
    long received;
    long lost;

    Receiver(Subscriber subscriber) {
      next = subscriber.nextSequence();
    }

    @Override
    public void onMessage(Message message) {
      if (message.sequence() != next) {
        fail("message " + message.sequence() + " came where " + next + " was due");
      }
      Payload.check(message);
      next++;
      received++;
    }

    @Override
    public void onLost(long messageCount) {
      assertTrue(messageCount >= 1, () -> "lost " + messageCount);
      next += messageCount;
      lost += messageCount;
    }

    /** All messages from {@code first} to before {@code end} were received or reported as lost. */
    void assertSawAll(long first, long end) {
      assertEquals(end, next, "the next sequence that is due");
      assertEquals(end - first, received + lost, "received " + received + " and lost " + lost);
    }
  }
}
