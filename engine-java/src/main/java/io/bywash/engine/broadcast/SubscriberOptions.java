package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.BroadcastLayout.*;

import io.bywash.engine.wait.WaitPolicy;
import java.util.Objects;

/**
 * What a subscriber does when the publisher is faster, where it begins, and how it waits. An immutable value.
 *
 * <table>
 * <caption>Policies</caption>
 * <tr><th>policy</th><th>when it is too slow</th><th>how it reads</th></tr>
 * <tr><td>{@link #block}</td><td>the publisher waits</td><td>in place</td></tr>
 * <tr><td>{@link #evictAfter}</td><td>the publisher waits for so long, then cuts it off</td>
 *     <td>validated copies</td></tr>
 * <tr><td>{@link #skip}</td><td>it loses messages, and is told how many</td><td>validated copies</td></tr>
 * <tr><td>{@link #fail}</td><td>its poll throws</td><td>validated copies</td></tr>
 * </table>
 */
public final class SubscriberOptions {
  /** Where to begin. */
  enum Start { NEXT, OLDEST, LAST, SEQUENCE }

  private final int mode;
  private final long evictAfterNanos;
  private final boolean resumingAtNewest;
  private final Start start;
  private final long startNumber;
  /** The id of the segment that the start belongs to; 0 for any. */
  private final long startSegmentId;
  private final WaitPolicy waitPolicy;

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
   * Loses nothing: the publisher is held back when it would overwrite what this subscriber has not read. Reads in
   * place.
   */
  public static SubscriberOptions block() {
    return of(MODE_BLOCK, 0);
  }

  /**
   * Holds nobody back: when the publisher overwrites what this subscriber has not read, it is told exactly how many
   * messages it lost ({@link io.bywash.engine.MessageHandler#onLost}), and goes on at the oldest that is there. Reads
   * validated copies.
   */
  public static SubscriberOptions skip() {
    return of(MODE_SKIP, 0);
  }

  /**
   * Holds nobody back, and does not tolerate a loss: when the publisher overwrites what this subscriber has not read,
   * its poll throws an {@link io.bywash.engine.OverrunException}. Reads validated copies.
   */
  public static SubscriberOptions fail() {
    return of(MODE_FAIL, 0);
  }

  /**
   * Loses nothing, but does not hold the publisher back for longer than {@code timeoutNanos} at a stretch: then it is
   * cut off, its next operation throws an {@link io.bywash.engine.EvictedException}, and the publisher goes on. Only
   * time counts in which the publisher tried and found no room, and of each pause between two of its tries 50 ms at the
   * most. Reads validated copies, so that it never acts on a message that was overwritten after it was cut off.
   *
   * @param timeoutNanos at least 1; kept up to 50 ms too long
   */
  public static SubscriberOptions evictAfter(long timeoutNanos) {
    if (timeoutNanos < 1) {
      throw new IllegalArgumentException("timeoutNanos=" + timeoutNanos + " must be at least 1");
    }
    return of(MODE_EVICT, timeoutNanos);
  }

  /** The same, going on at the newest message after a loss. Only for {@link #skip}. */
  public SubscriberOptions resumingAtNewest() {
    if (mode != MODE_SKIP) {
      throw new IllegalStateException("resumingAtNewest is for skip(); the others do not go on after a loss");
    }
    return new SubscriberOptions(mode, evictAfterNanos, true, start, startNumber, startSegmentId, waitPolicy);
  }

  private SubscriberOptions starting(Start newStart, long number, long segmentId) {
    return new SubscriberOptions(mode, evictAfterNanos, resumingAtNewest, newStart, number, segmentId, waitPolicy);
  }

  /** The same, beginning with the oldest message that is still there instead of with the next one published. */
  public SubscriberOptions startingAtOldest() {
    return starting(Start.OLDEST, 0, 0);
  }

  /**
   * The same, beginning so many messages before the next one published, or with the oldest if fewer are there.
   *
   * @param messageCount 0 or more
   */
  public SubscriberOptions startingAtLast(long messageCount) {
    return starting(Start.LAST, notNegative("messageCount", messageCount), 0);
  }

  /**
   * The same, beginning with the message of that sequence: one to go on where another subscriber stopped. If it was
   * overwritten, {@link #skip} tells the loss at its first poll, and for the others joining throws an
   * {@link io.bywash.engine.OverrunException}. Joining throws an {@link IllegalArgumentException} if it lies beyond the
   * next message.
   *
   * <p>This is for a sequence of the segment that is attached now. For one that was noted earlier, perhaps in an
   * earlier life of the segment, use {@link #startingAt(long, long)}.
   *
   * @param sequence 0 or more
   */
  public SubscriberOptions startingAt(long sequence) {
    return starting(Start.SEQUENCE, notNegative("sequence", sequence), 0);
  }

  /**
   * As {@link #startingAt(long)}, in that life of the segment only. After a segment was removed and created anew its
   * sequences begin at 0 again, and the sequence alone would lead into the middle of other messages. Joining throws a
   * {@link io.bywash.engine.SegmentReplacedException} if the segment is another one.
   *
   * @param segmentId as {@link io.bywash.engine.Segment#id} said when the sequence was noted; not 0
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

  /** The same with another way to wait than {@link WaitPolicy#BACKOFF}. */
  public SubscriberOptions waiting(WaitPolicy policy) {
    return new SubscriberOptions(mode, evictAfterNanos, resumingAtNewest, start, startNumber,
        startSegmentId, Objects.requireNonNull(policy, "policy"));
  }

  int mode() {
    return mode;
  }

  boolean isGating() {
    return mode == MODE_BLOCK || mode == MODE_EVICT;
  }

  long evictAfterNanos() {
    return evictAfterNanos;
  }

  boolean isResumingAtNewest() {
    return resumingAtNewest;
  }

  Start start() {
    return start;
  }

  long startNumber() {
    return startNumber;
  }

  long startSegmentId() {
    return startSegmentId;
  }

  WaitPolicy waitPolicy() {
    return waitPolicy;
  }
}
