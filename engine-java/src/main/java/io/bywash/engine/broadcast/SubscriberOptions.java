package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.BroadcastLayout.*;

import io.bywash.engine.internal.layout.Numbers;
import io.bywash.engine.wait.WaitPolicy;
import java.util.Objects;

/**
 * How a subscriber behaves: what happens when the publisher is faster, where it starts, and how it waits. An immutable
 * value.
 *
 * <table>
 * <caption>Policies</caption>
 * <tr><th>policy</th><th>when the subscriber is too slow</th><th>how it reads</th></tr>
 * <tr><td>{@link #block}</td><td>the publisher waits</td><td>in place</td></tr>
 * <tr><td>{@link #evictAfter}</td><td>the publisher waits up to a time limit, then evicts the subscriber</td>
 * <td>validated copies</td></tr>
 * <tr><td>{@link #skip}</td><td>it loses messages, and learns how many</td><td>validated copies</td></tr>
 * <tr><td>{@link #fail}</td><td>its poll throws an exception</td><td>validated copies</td></tr>
 * </table>
 */
public final class SubscriberOptions {
  /** Where to start. */
  enum Start { NEXT, OLDEST, LAST, SEQUENCE }

  final int mode;
  final long evictAfterNanos;
  final boolean resumingAtNewest;
  final Start start;
  final long startNumber;
  /** The id of the segment that the start belongs to; 0 for any segment. */
  final long startSegmentId;
  final WaitPolicy waitPolicy;

  private SubscriberOptions(int mode, long evictAfterNanos, boolean resumingAtNewest, Start start, long startNumber,
      long startSegmentId, WaitPolicy waitPolicy) {
    this.mode = mode;
    this.evictAfterNanos = evictAfterNanos;
    this.resumingAtNewest = resumingAtNewest;
    this.start = start;
    this.startNumber = startNumber;
    this.startSegmentId = startSegmentId;
    this.waitPolicy = waitPolicy;
  }

  private static SubscriberOptions of(int mode, long evictAfterNanos) {
    return new SubscriberOptions(mode, evictAfterNanos, false, Start.NEXT, 0, 0, WaitPolicy.BACKOFF);
  }

  /**
   * Loses nothing: the publisher waits instead of overwriting a message that this subscriber has not read. Reads in
   * place.
   */
  public static SubscriberOptions block() {
    return of(MODE_BLOCK, 0);
  }

  /**
   * Holds nobody back and accepts losses. When the publisher overwrites messages that this subscriber has not read, the
   * handler learns exactly how many were lost ({@link io.bywash.engine.MessageHandler#onLost}), and the subscriber
   * continues at the oldest message that is there. Reads validated copies.
   */
  public static SubscriberOptions skip() {
    return of(MODE_SKIP, 0);
  }

  /**
   * Holds nobody back and does not accept losses. When the publisher overwrites messages that this subscriber has not
   * read, its poll throws an {@link io.bywash.engine.OverrunException}. Reads validated copies.
   */
  public static SubscriberOptions fail() {
    return of(MODE_FAIL, 0);
  }

  /**
   * Loses nothing, but holds the publisher back for no longer than {@code timeoutNanos} at a stretch. Then it is
   * evicted: the publisher goes on, and the subscriber's next operation throws an
   * {@link io.bywash.engine.EvictedException}. Only time in which the publisher tries and finds no room counts, and of
   * each pause between two of its tries at most 50 ms. Reads validated copies, so that it never acts on a message that
   * was overwritten after the eviction.
   *
   * @param timeoutNanos at least 1; the eviction may come up to 50 ms late
   */
  public static SubscriberOptions evictAfter(long timeoutNanos) {
    Numbers.checkPositive("timeoutNanos", timeoutNanos);
    return of(MODE_EVICT, timeoutNanos);
  }

  /**
   * A copy that continues at the newest message after a loss, instead of at the oldest. Only for {@link #skip}.
   *
   * @throws IllegalStateException when these options are not those of {@link #skip}
   */
  public SubscriberOptions resumingAtNewest() {
    if (mode != MODE_SKIP) {
      throw new IllegalStateException("resumingAtNewest is for skip(); the others do not go on after a loss");
    }
    return new SubscriberOptions(mode, evictAfterNanos, true, start, startNumber, startSegmentId, waitPolicy);
  }

  private SubscriberOptions starting(Start newStart, long number, long segmentId) {
    return new SubscriberOptions(mode, evictAfterNanos, resumingAtNewest, newStart, number, segmentId, waitPolicy);
  }

  /** A copy that starts at the oldest message that is still there, instead of at the next one that is published. */
  public SubscriberOptions startingAtOldest() {
    return starting(Start.OLDEST, 0, 0);
  }

  /**
   * A copy that starts this many messages before the next one that is published, or at the oldest if there are fewer.
   *
   * @param messageCount 0 or more
   */
  public SubscriberOptions startingAtLast(long messageCount) {
    return starting(Start.LAST, notNegative("messageCount", messageCount), 0);
  }

  /**
   * A copy that starts at the message with this sequence, for example to continue where another subscriber stopped. If
   * that message was overwritten, a {@link #skip} subscriber reports the loss at its first poll, and for the other
   * policies joining throws an {@link io.bywash.engine.OverrunException}. If the sequence lies beyond the next message,
   * joining throws an {@link IllegalArgumentException}.
   *
   * <p>Use this for a sequence that was noted in the segment that is attached now. For one that may come from an
   * earlier life of the segment, use {@link #startingAt(long, long)}.
   *
   * @param sequence 0 or more
   */
  public SubscriberOptions startingAt(long sequence) {
    return starting(Start.SEQUENCE, notNegative("sequence", sequence), 0);
  }

  /**
   * As {@link #startingAt(long)}, but only in the segment with this id. When a segment is removed and created again,
   * its sequences start at 0 again, and an old sequence alone would lead to an unrelated message. If the attached
   * segment has another id, joining throws a {@link io.bywash.engine.SegmentReplacedException}.
   *
   * @param segmentId the {@link io.bywash.engine.Segment#id} at the time when the sequence was noted; not 0
   * @param sequence 0 or more
   */
  public SubscriberOptions startingAt(long segmentId, long sequence) {
    if (segmentId == 0) {
      throw new IllegalArgumentException("segmentId=0 is the id of no segment");
    }
    return starting(Start.SEQUENCE, notNegative("sequence", sequence), segmentId);
  }

  private static long notNegative(String name, long value) {
    if (value < 0) {
      throw new IllegalArgumentException(name + "=" + value + " must not be negative");
    }
    return value;
  }

  /** A copy with this wait policy; the default is {@link WaitPolicy#BACKOFF}. */
  public SubscriberOptions waiting(WaitPolicy policy) {
    return new SubscriberOptions(mode, evictAfterNanos, resumingAtNewest, start, startNumber,
        startSegmentId, Objects.requireNonNull(policy, "policy"));
  }

  boolean isGating() {
    return mode == MODE_BLOCK || mode == MODE_EVICT;
  }
}
