package io.bywash.engine.broadcast;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Claim;
import io.bywash.engine.Entry;
import io.bywash.engine.Message;
import io.bywash.engine.MessageHandler;
import io.bywash.engine.broadcast.BroadcastScene.Marks;
import io.bywash.engine.process.ChildProgram;
import io.bywash.engine.subject.DeathSubject;
import java.util.List;

/** The living look at a broadcast in which somebody died. */
final class BroadcastAutopsy implements DeathSubject.Examination {
  /** A round of the ring, and a bit. */
  private static final int NEW_MESSAGES = 32;
  /**
   * Of a ring that has turned, at least so much is there: all but two blocks, the longest record, and as much padding.
   */
  private static final long RETAINED_BYTES = Letters.RING_BYTES - 2 * 64 - 2 * (16 + Letters.MAX_BYTES);

  private final Marks marks;
  private long published;

  BroadcastAutopsy(Marks marks) {
    this.marks = marks;
  }

  @Override
  public void observe(Entry queue) {
    BroadcastStatus status = BroadcastStatus.of(queue);
    published = status.messageCount();
    assertTrue(published == marks.promised() || published == marks.begun()
        || marks.several() && published > marks.promised() && published < marks.begun(),
        published + " messages are published, and " + marks.promised() + " or " + marks.begun() + " should be");
    assertEquals(Letters.positionBehind(published), status.publishedBytes(), "position behind message " + published);
    long unpublished = Letters.positionBehind(marks.written()) - Letters.positionBehind(published);
    assertTrue(status.retainedBytes() >= Math.min(status.publishedBytes(), RETAINED_BYTES - unpublished),
        "no more than " + status.retainedBytes() + " bytes were kept");
    assertNothingUnreadIsGivenUp(status);
    try (Subscriber subscriber = Subscriber.open(queue, SubscriberOptions.skip().startingAtOldest())) {
      new Reader(subscriber).readUntil(published);
    }
  }

  private void assertNothingUnreadIsGivenUp(BroadcastStatus status) {
    long oldest = status.publishedBytes() - status.retainedBytes();
    for (BroadcastStatus.SubscriberStatus subscriber : status.subscribers()) {
      if (subscriber.gating()) {
        assertTrue(oldest <= subscriber.positionBytes(), "given up to " + oldest + " before " + subscriber);
        assertTrue(marks.handled() == Long.MAX_VALUE
            || subscriber.positionBytes() <= Letters.positionOf(marks.handled()),
            "only " + marks.handled() + " messages were handled by " + subscriber);
      }
    }
  }

  @Override
  public void use(Entry queue) {
    try (Publisher publisher = Publisher.open(queue);
        Subscriber block = Subscriber.open(queue, SubscriberOptions.block().startingAtOldest());
        Subscriber skip = Subscriber.open(queue, SubscriberOptions.skip().startingAtOldest())) {
      assertEquals(published, publisher.nextSequence(), "the successor's first message");
      Reader blocked = new Reader(block);
      Reader skipping = new Reader(skip);
      blocked.readUntil(published);
      skipping.readUntil(published);
      for (long sequence = published; sequence < published + NEW_MESSAGES; sequence++) {
        publish(publisher);
        if (sequence % 3 == 0) {
          blocked.readUntil(sequence + 1);
          skipping.readUntil(sequence + 1);
        }
      }
      blocked.readUntil(published + NEW_MESSAGES);
      skipping.readUntil(published + NEW_MESSAGES);
    }
  }

  @Override
  public void useAdded(Entry added) {
    try (Publisher publisher = Publisher.open(added); Subscriber subscriber = Subscriber.open(added)) {
      publish(publisher);
      new Reader(subscriber).readUntil(1);
    }
  }

  /** A publisher, which the subscribers of the dead do not hold back. */
  static void useWhileOthersAreBuried(Entry queue) {
    try (Publisher publisher = Publisher.open(queue)) {
      for (int i = 0; i < NEW_MESSAGES; i++) {
        Claim claim = publisher.claim(Letters.MAX_BYTES, 0, ChildProgram.PATIENCE_NANOS);
        assertNotNull(claim, "the dead one's subscribers hold the publisher back");
        claim.commit();
      }
    }
  }

  private static void publish(Publisher publisher) {
    long sequence = publisher.nextSequence();
    Claim claim = publisher.tryClaim(Letters.length(sequence), Letters.type(sequence));
    assertTrue(claim != null, "there is no room, though nobody is in the way");
    Letters.write(claim, sequence).commit();
  }

  /** A living subscriber, which holds the publisher back that dies. */
  static final class Companion implements DeathSubject.Companion {
    private final Entry queue;
    private final Subscriber subscriber;
    private final Reader reader;

    Companion(Entry queue) {
      this.queue = queue;
      this.subscriber = Subscriber.open(queue);
      this.reader = new Reader(subscriber);
    }

    @Override
    public void live() {
      subscriber.poll(reader, 1_000, 1_000_000);
    }

    @Override
    public void takeOver(List<Long> left) {
      Marks marks = Marks.of(left);
      try (Publisher publisher = Publisher.open(queue);
          Subscriber second = Subscriber.open(queue, SubscriberOptions.skip())) {
        long published = publisher.nextSequence();
        assertTrue(published >= marks.promised() && published <= Math.max(marks.begun(), marks.written()),
            published + " messages are published, which is impossible after " + marks);
        reader.readUntil(published);
        Reader late = new Reader(second);
        for (long sequence = published; sequence < published + NEW_MESSAGES; sequence++) {
          publish(publisher);
          reader.readUntil(sequence + 1);
          late.readUntil(sequence + 1);
        }
        assertEquals(published + NEW_MESSAGES, subscriber.nextSequence());
      }
    }

    @Override
    public void close() {
      subscriber.close();
    }
  }

  /** Reads without any loss. */
  private static final class Reader implements MessageHandler {
    private final Subscriber subscriber;
    private long due;

    Reader(Subscriber subscriber) {
      this.subscriber = subscriber;
      this.due = subscriber.nextSequence();
    }

    @Override
    public void onMessage(Message message) {
      assertNull(Letters.fault(message, due));
      due++;
    }

    @Override
    public void onLost(long messageCount) {
      throw new AssertionError("lost " + messageCount + " messages from " + due + " on");
    }

    /** Everything up to that message, and nothing more. */
    void readUntil(long sequence) {
      while (subscriber.poll(this, 1_000) > 0) {
        // there may be more
      }
      assertEquals(sequence, due, "the next message that is due");
    }
  }
}
