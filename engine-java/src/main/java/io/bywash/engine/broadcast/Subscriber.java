package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.BroadcastLayout.*;
import static io.bywash.engine.internal.SegmentLayout.*;

import io.bywash.engine.Entry;
import io.bywash.engine.MessageHandler;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.TableFullException;
import io.bywash.engine.internal.MessageView;
import io.bywash.engine.internal.Role;
import io.bywash.engine.internal.RoleHandle;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.wait.Waitable;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import java.util.Objects;

/**
 * A reader of a broadcast queue, with a position of its own. Any number may join and leave at any time.
 *
 * <p>Used by one thread at a time. After {@link #close}, or after the segment was closed in this process, every method that
 * uses the queue throws {@link SegmentClosedException}. On a segment that was attached read-only, only {@code skip} subscribers are
 * possible; they park instead of blocking, and nobody sees them.
 */
@SuppressWarnings("exports") // Role has no public member
public final class Subscriber extends Role implements Waitable, AutoCloseable {
  private static final int FIRST_COPY_BYTES = 1024;
  /** How often one poll goes on behind what was overwritten while it read. */
  private static final int MAX_RESUMES = 4;

  private final Ring ring;
  private final Region region;
  private final SubscriberOptions options;
  private final MessageView message = new MessageView();
  private final boolean observer;
  private volatile boolean observerClosed;

  /** Where the next record to read begins. */
  private long position;
  private long nextSequence;
  /** What was published when last looked at. */
  private long readable;
  private long sharedPosition;
  private long lostCount;
  /** Where messages are copied to before anybody sees them; unused when gating. */
  private Region copy;

  private Subscriber(Ring ring, RoleHandle handle, SubscriberOptions options) {
    super(ring.entry, handle, options.waitPolicy(), WAITING_FOR_DATA);
    this.ring = ring;
    this.region = ring.region;
    this.options = options;
    this.observer = handle == null;
    if (!options.isGating()) {
      copy = Region.allocate(RECORD_HEADER_BYTES + FIRST_COPY_BYTES);
    }
  }

  /** Joins with {@link SubscriberOptions#block}: nothing published from now on is lost. */
  public static Subscriber open(Entry entry) {
    return open(entry, SubscriberOptions.block());
  }

  /**
   * Joins the queue.
   *
   * @throws TableFullException when all places are taken by living subscribers
   * @throws io.bywash.engine.SpecMismatchException when the entry is no broadcast
   * @throws io.bywash.engine.DamagedSegmentException when what is in shared memory is impossible
   * @throws IllegalStateException when the segment is attached read-only and {@code options} are not {@code skip}
   */
  public static Subscriber open(Entry entry, SubscriberOptions options) {
    Ring ring = Ring.of(entry);
    Objects.requireNonNull(options, "options");
    if (ring.entry.core().isReadOnly()) {
      if (options.isGating()) {
        ring.entry.core().requireParticipant();
      }
      Subscriber subscriber = new Subscriber(ring, null, options);
      subscriber.moveTo(ring.cursor(!options.isStartingAtOldest()));
      return subscriber;
    }
    RoleHandle handle = takePlace(ring, options.isGating() ? MODE_BLOCK : MODE_SKIP);
    try {
      Subscriber subscriber = new Subscriber(ring, handle, options);
      subscriber.join();
      return subscriber;
    } catch (RuntimeException failure) {
      handle.close();
      throw failure;
    }
  }

  private static RoleHandle takePlace(Ring ring, int mode) {
    for (int index = FIRST_SUBSCRIBER_ROLE; index < ring.entry.roleCount(); index++) {
      RoleHandle handle = ring.entry.tryTake(index, mode);
      if (handle != null) {
        return handle;
      }
    }
    throw new TableFullException("Entry \"" + ring.entry.name() + "\" of segment " + ring.entry.core().path() + " has all its "
        + (ring.entry.roleCount() - 1) + " places taken by living subscribers. Close one, or create the queue with more.");
  }

  private void join() {
    Ring.Cursor cursor = ring.cursor(!options.isStartingAtOldest());
    moveTo(cursor);
    sharePosition(position);
    region.setLongOpaque(handle.offset() + ROLE_LOST, 0);
    handle.activate(); // [role-active] [join]
    // [join] the publisher either sees this role before it gives up more, or this sees what it gave up
    while (options.isGating() && ring.oldest() > position) {
      moveTo(ring.cursor(!options.isStartingAtOldest()));
      sharePosition(position);
      VarHandle.fullFence(); // [join]
    }
  }

  private void moveTo(Ring.Cursor cursor) {
    position = cursor.position();
    nextSequence = cursor.sequence();
    readable = position;
  }

  /**
   * Hands messages that are there to {@code handler}, in order, without waiting.
   *
   * @param limit the most messages, at least 1
   * @return how many were handed over; 0 when none was there, or all that were there had been overwritten
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds what no publisher writes
   */
  public int poll(MessageHandler handler, int limit) {
    try {
      return pollNow(handler, limit);
    } finally {
      Reference.reachabilityFence(this); // or the cleaner could give the role back while its messages are read
    }
  }

  private int pollNow(MessageHandler handler, int limit) {
    checkUsable();
    if (limit < 1) {
      throw new IllegalArgumentException("limit=" + limit + " must be at least 1");
    }
    if (position == readable && !lookForMore()) {
      return 0;
    }
    int count;
    try {
      count = options.isGating() ? readInPlace(handler, limit) : readCopies(handler, limit);
    } finally {
      message.clear();
      if (!observer && handle.isUsable() && handle.isStillOurs()) { // a handler may have closed this subscriber
        sharePosition(position);
        ring.entry.core().waitRoom().signal(entry.offset() + WAITING_FOR_SPACE);
      }
    }
    return count;
  }

  /**
   * As {@link #poll(MessageHandler, int)}, waiting up to {@code timeoutNanos} for the first message; 0 when none came in
   * that time, or this thread was interrupted, which stays set.
   */
  public int poll(MessageHandler handler, int limit, long timeoutNanos) {
    int count = poll(handler, limit);
    if (count > 0 || timeoutNanos <= 0) {
      return count;
    }
    long start = System.nanoTime();
    while (awaitOnce(start, timeoutNanos)) {
      count = poll(handler, limit);
      if (count > 0) {
        return count;
      }
    }
    return 0;
  }

  private boolean lookForMore() {
    if (!observer && !handle.isStillOurs()) {
      throw new SegmentClosedException("This subscriber of entry \"" + entry.name() + "\" in segment " + entry.core().path()
          + " was removed, because its process was taken for dead. Join again.");
    }
    long published = ring.published(); // [published]
    // a copying reader may be behind what was given up; what is published is never a ring ahead of that
    ring.validate(published, options.isGating() ? position : Math.clamp(ring.oldest(), position, Math.max(published, position)));
    readable = published;
    return published != position;
  }

  private int readInPlace(MessageHandler handler, int limit) {
    int count = 0;
    long shareAt = sharedPosition + (ring.capacityBytes >> 3);
    while (count < limit && position < readable && isUsable()) {
      long record = ring.at(position);
      int length = region.getInt(record + RECORD_LENGTH);
      if (length < 0) {
        skipPadding(length);
        continue;
      }
      long sequence = region.getLong(record + RECORD_SEQUENCE);
      long next = position + recordBytes(length);
      if (!ring.isPossible(position, length) || sequence != nextSequence || next > readable) {
        throw damagedRecord(length, sequence);
      }
      message.set(region, record + RECORD_HEADER_BYTES, length, region.getInt(record + RECORD_TYPE), sequence);
      nextSequence = sequence + 1;
      count++;
      try {
        handler.onMessage(message);
      } finally {
        position = next;
      }
      if (position >= shareAt && isUsable()) {
        sharePosition(position);
        ring.entry.core().waitRoom().signal(entry.offset() + WAITING_FOR_SPACE);
        shareAt = position + (ring.capacityBytes >> 3);
      }
    }
    return count;
  }

  private int readCopies(MessageHandler handler, int limit) {
    int count = 0;
    int resumed = 0;
    while (count < limit && position < readable && isUsable()) {
      long record = ring.at(position);
      int length = region.getInt(record + RECORD_LENGTH);
      boolean possible = ring.isPossible(position, length);
      if (possible && hasCopyFor(length)) {
        region.copyTo(record, copy, 0, RECORD_HEADER_BYTES + length);
      }
      if (ring.isOverwritten(position)) { // [oldest] only now is anything that was read above known to be true
        resume(handler);
        if (++resumed == MAX_RESUMES) {
          return count; // the publisher is faster than this, and the caller's turn has to end
        }
        continue;
      }
      if (possible && !hasCopyFor(length)) {
        copy = Region.allocate(Math.min(recordBytes(2L * length), recordBytes(ring.maxMessageBytes)));
        continue;
      }
      if (length < 0) {
        skipPadding(length);
        continue;
      }
      long sequence = possible ? copy.getLong(RECORD_SEQUENCE) : -1;
      if (sequence != nextSequence) {
        throw damagedRecord(length, sequence);
      }
      message.set(copy, RECORD_HEADER_BYTES, length, copy.getInt(RECORD_TYPE), sequence);
      position += recordBytes(length);
      nextSequence = sequence + 1;
      count++;
      handler.onMessage(message);
    }
    return count;
  }

  private boolean hasCopyFor(int length) {
    return copy.sizeBytes() >= recordBytes(length);
  }

  private void skipPadding(int length) {
    long padding = ring.paddingBytes(position, length);
    if (padding == 0 || position + padding > readable) {
      throw damagedRecord(length, nextSequence);
    }
    position += padding;
  }

  private RuntimeException damagedRecord(int length, long sequence) {
    return entry.damaged("the record at position " + position + " has length " + length + " and sequence " + sequence
        + " where sequence " + nextSequence + " was due");
  }

  /** Goes on behind what was overwritten, and tells how many messages that cost. */
  private void resume(MessageHandler handler) {
    Ring.Cursor cursor = ring.cursor(options.isResumingAtNewest());
    long lost = cursor.sequence() - nextSequence;
    if (lost < 0 || cursor.position() < position) {
      throw entry.damaged("sequence " + cursor.sequence() + " stands where at least " + nextSequence + " was due");
    }
    position = cursor.position();
    nextSequence = cursor.sequence();
    lookForMore(); // what was readable before may lie behind now
    lostCount += lost;
    if (!observer) {
      region.setLongOpaque(handle.offset() + ROLE_LOST, lostCount);
    }
    if (lost > 0) {
      handler.onLost(lost);
    }
  }

  private void sharePosition(long newPosition) {
    sharedPosition = newPosition;
    region.setLongOpaque(handle.offset() + ROLE_SEQUENCE, nextSequence);
    region.setLongRelease(handle.offset() + ROLE_POSITION, newPosition); // [position]
  }

  /** The sequence of the next message that this subscriber will see, unless it loses some. */
  public long nextSequence() {
    return nextSequence;
  }

  /** How many messages this subscriber lost since it joined; always 0 for {@code block}. */
  public long lostCount() {
    return lostCount;
  }

  /** Whether a message is there. */
  @Override
  public boolean isReady() {
    return isWaitOver();
  }

  @Override
  protected boolean hasWork() {
    return position != readable || ring.published() != position;
  }

  @Override
  protected boolean isUsable() {
    return observer ? !observerClosed && entry.core().isOpen() : super.isUsable();
  }

  @Override
  protected void checkUsable() {
    if (observer) {
      entry.core().checkOpen();
      if (observerClosed) {
        throw new SegmentClosedException("This subscriber of entry \"" + entry.name() + "\" is closed. Join again.");
      }
    } else {
      super.checkUsable();
    }
  }

  /** Leaves the queue; the publisher is not held back any more. Once is enough. */
  @Override
  public void close() {
    if (observer) {
      observerClosed = true;
    } else {
      handle.close();
      ring.entry.core().waitRoom().signal(entry.offset() + WAITING_FOR_SPACE);
    }
  }
}
