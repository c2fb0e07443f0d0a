package io.bywash.engine.broadcast;

import io.bywash.engine.Claim;
import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Kind;
import io.bywash.engine.Message;
import io.bywash.engine.MessageHandler;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.litmus.LitmusBus;

/**
 * A queue with its publisher in one attachment and its readers in another, and messages that show whether they are
 * torn: each word is made of the message's sequence.
 */
final class LitmusQueue implements MessageHandler {
  static final int RING_BYTES = 4096;
  /** The largest message, and how many of them fill the ring. */
  static final int LARGE = RING_BYTES / 8 - BroadcastLayout.RECORD_HEADER_BYTES;
  static final int LARGE_COUNT = 8;
  /** A message whose record is one line, and how many of them fill the ring. */
  static final int SMALL = 64 - BroadcastLayout.RECORD_HEADER_BYTES;
  static final int SMALL_COUNT = RING_BYTES / 64;

  /** What {@link #read} saw. */
  static final int NOTHING = 0;
  static final int WHOLE = 1;
  static final int TORN = 2;

  private static final long MIX = 0x9E37_79B9_7F4A_7C15L;

  /** As the publisher's process sees the queue. */
  final SegmentEntry writing;
  /** As the readers' process sees it. */
  final SegmentEntry reading;
  final Ring ring;
  Publisher publisher;
  Subscriber subscriber;
  private SubscriberOptions options;
  private boolean damaged;

  /** How many messages the last {@link #read} was told to have lost. */
  int lost;
  private int seen;
  private long next;

  LitmusQueue() {
    LitmusBus.Pair pair = LitmusBus.create(SegmentSpec.of(Broadcast.spec("queue", RING_BYTES, 2)).withEntryCapacity(1));
    writing = (SegmentEntry) pair.first().directory().find("queue", Kind.BROADCAST);
    reading = (SegmentEntry) pair.second().directory().find("queue", Kind.BROADCAST);
    ring = Ring.of(reading);
    publisher = Publisher.open(writing);
  }

  LitmusQueue(SubscriberOptions options) {
    this();
    join(options);
  }

  void join(SubscriberOptions newOptions) {
    options = newOptions;
    subscriber = Subscriber.open(reading, newOptions);
    next = subscriber.nextSequence();
  }

  /** Publishes a message in place; false when there is no room. */
  boolean publish(int length) {
    Claim claim = publisher.tryClaim(length, (int) publisher.nextSequence());
    if (claim == null) {
      return false;
    }
    fill(claim, publisher.nextSequence());
    claim.commit();
    return true;
  }

  /** Stages a message in place, for which there is room. */
  void stage(int length) {
    Claim claim = publisher.tryClaim(length, (int) publisher.nextSequence());
    fill(claim, publisher.nextSequence());
    claim.stage();
  }

  private static void fill(Claim claim, long sequence) {
    for (int i = 0; i < claim.length(); i += Long.BYTES) {
      claim.putLong(i, (sequence + i) * MIX);
    }
  }

  private static boolean isWhole(Message message) {
    boolean whole = message.type() == (int) message.sequence();
    for (int i = 0; i < message.length(); i += Long.BYTES) {
      whole &= message.getLong(i) == (message.sequence() + i) * MIX;
    }
    return whole;
  }

  /**
   * Polls one message: {@link #NOTHING}, {@link #WHOLE}, or {@link #TORN}, which is also said of one out of order,
   * and when the subscriber itself noticed.
   */
  int read() {
    poll(1);
    return seen;
  }

  /** Polls up to two messages: how many there were, or -1 when one was torn. */
  int readTwo() {
    int count = poll(2);
    return seen == TORN ? -1 : count;
  }

  private int poll(int limit) {
    seen = NOTHING;
    lost = 0;
    try {
      return subscriber.poll(this, limit);
    } catch (DamagedSegmentException torn) {
      damaged = true;
      seen = TORN;
      return 0;
    }
  }

  @Override
  public void onMessage(Message message) {
    seen = isWhole(message) && message.sequence() == next && seen != TORN ? WHOLE : TORN;
    next = message.sequence() + 1;
  }

  @Override
  public void onLost(long messageCount) {
    lost += (int) messageCount;
    next += messageCount;
  }

  /** Whether something was published behind a position; looked up without an ordering. */
  boolean hasPublished(long position) {
    return reading.region().getLongOpaque(ring.publishedOffset) != position;
  }

  /** How far the subscriber tells the publisher that it is, read without an ordering. */
  long sharedPosition() {
    return writing.region().getLongOpaque(
        writing.role(BroadcastLayout.FIRST_SUBSCRIBER_ROLE) + BroadcastLayout.ROLE_POSITION);
  }

  /** The state of a role, read without an ordering. */
  int roleState(int index) {
    return Owner.state(writing.region().getLongOpaque(writing.role(index) + SegmentLayout.ROLE_WORD));
  }

  void leave() {
    damaged = false;
    subscriber.close();
  }

  /** The subscriber reads what is there; one that stumbled over a torn message begins anew. */
  void drain() {
    if (damaged) {
      leave();
      join(options);
    }
    int count;
    do {
      count = subscriber.poll(this, Integer.MAX_VALUE);
    } while (count > 0);
  }

  /** Publishes as many messages as given; all of them find room. */
  void fillRing(int count, int length) {
    for (int i = 0; i < count; i++) {
      if (!publish(length)) {
        throw new IllegalStateException("no room for message " + i + " of " + count);
      }
    }
  }
}
