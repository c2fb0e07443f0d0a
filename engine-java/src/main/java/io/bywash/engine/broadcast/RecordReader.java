package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.BroadcastLayout.*;
import static io.bywash.engine.internal.layout.SegmentLayout.*;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.EvictedException;
import io.bywash.engine.MessageHandler;
import io.bywash.engine.OverrunException;
import io.bywash.engine.internal.attachment.UsageGuard;
import io.bywash.engine.internal.events.EngineEvents;
import io.bywash.engine.internal.record.MessageView;
import io.bywash.engine.internal.role.RoleHandle;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.memory.Region;
import java.lang.invoke.VarHandle;

/**
 * The subscriber's eye: where it stands, and the two ways to read on. In place, while nobody may overwrite; or from
 * private copies of a stretch of the ring, which are looked into only after it is certain that nothing was overwritten
 * meanwhile.
 */
final class RecordReader {
  /** The most bytes that are copied at once, but for a longer record. */
  private static final int COPY_BYTES = 4096;
  /** How often one poll goes on behind what was overwritten while it read. */
  private static final int MAX_RESUMES = 4;

  private final Ring ring;
  private final SegmentEntry entry;
  private final Region region;
  private final UsageGuard guard;
  /** Null for an observer. */
  private final RoleHandle handle;
  private final SubscriberOptions options;
  private final boolean inPlace;
  private final long dataOffset;
  private final long mask;
  private final int maxMessageBytes;
  /** How far to read, in a long poll, before the publisher is told. */
  private final long shareBytes;
  /** Of the ring, or of {@link #copy}. */
  private MessageView message;
  private boolean reading;

  /** Where the next record to read begins. */
  private long position;
  private long nextSequence;
  /** What was published when last looked at. */
  private long readable;
  private long sharedPosition;
  private long lostCount;
  /** Lost before the first poll. */
  private long untoldCount;

  /** The bytes of the ring from {@code copyStart} to {@code copyEnd}, known to be true. */
  private Region copy;
  private long copyStart;
  private long copyEnd;

  RecordReader(Ring ring, UsageGuard guard, SubscriberOptions options) {
    this.ring = ring;
    this.entry = ring.entry;
    this.region = ring.region;
    this.guard = guard;
    this.handle = guard instanceof RoleHandle roleHandle ? roleHandle : null;
    this.options = options;
    this.inPlace = options.mode == MODE_BLOCK;
    this.dataOffset = ring.dataOffset;
    this.mask = ring.capacityBytes - 1;
    this.maxMessageBytes = ring.maxMessageBytes;
    this.shareBytes = ring.capacityBytes >> 3;
    if (inPlace) {
      message = new MessageView(region, dataOffset, ring.capacityBytes);
    } else {
      copyInto(Region.allocate(COPY_BYTES));
    }
  }

  private void copyInto(Region newCopy) {
    message = new MessageView(newCopy, 0, newCopy.sizeBytes());
    copy = newCopy;
  }

  void moveTo(Ring.Cursor cursor) {
    position = cursor.position();
    nextSequence = cursor.sequence();
    readable = position;
    copyEnd = position;
  }

  long position() {
    return position;
  }

  long nextSequence() {
    return nextSequence;
  }

  long lostCount() {
    return lostCount;
  }

  /** Messages are missing before the place where reading begins; the first poll tells. */
  void startBehindGap(long missingCount) {
    untoldCount = missingCount;
    countLost(missingCount);
  }

  /** Whether all that was found by the last look has been read, so that the next poll has to look. */
  boolean isDry() {
    return position == readable;
  }

  /** How much has been found and not been read. */
  long unreadBytes() {
    return readable - position;
  }

  /** Whether a poll would find something. Any thread may ask while the reader waits. */
  boolean hasWork() {
    return position != readable || ring.published() != position || untoldCount > 0
        || (handle == null ? entry.isGone() : !handle.isStillOurs());
  }

  /** Whether the handler of a poll is being called. */
  boolean isReading() {
    return reading;
  }

  /** Whether there is something to read, or a gap to tell; looks if nothing is left of what was found before. */
  boolean look() {
    if (handle != null && !handle.isStillOurs()) {
      throw cutOff();
    }
    boolean found = position != readable || lookForMore() || untoldCount > 0;
    checkStillThere();
    return found;
  }

  /** Hands over what {@link #look} found. */
  int read(MessageHandler handler, int limit) {
    tellGap(handler);
    reading = true;
    try {
      return inPlace ? readInPlace(handler, limit) : readCopies(handler, limit);
    } finally {
      reading = false;
      message.clear();
      if (handle != null && guard.isUsable() && handle.isStillOurs()) { // a handler may have closed this subscriber
        share();
      }
    }
  }

  private boolean lookForMore() {
    long published = ring.published(); // [published]
    // a copying reader may be behind what was given up, evicted or not; what is published is never a ring ahead of that
    long oldest = inPlace ? position : Math.clamp(ring.oldest(), position, Math.max(published, position));
    if (ring.isImpossible(published, oldest)) {
      throw cutOffOr(ring.damagedPositions(published, oldest));
    }
    readable = published;
    return published != position;
  }

  /**
   * Hands over messages a stretch at a time: up to the end of the ring, or those that begin in its next eighth. Place
   * and end of a stretch are read once: what ends before that end lies in the ring.
   *
   * <p>It is one method of more than 325 bytes of code on purpose. The JIT does not inline such a method, so it
   * compiles this loop by itself, and the handler in it down to the single load. Inlined into whoever polls, the loads
   * of a record would be more calls deep than it inlines, and take four times as long.
   */
  private int readInPlace(MessageHandler handler, int limit) {
    int count = 0;
    while (count < limit && position < readable && guard.isUsable()) {
      int lastLength = 0;
      long recordBytes = 0;
      long start = position;
      long end = Math.min(readable, start + ring.untilEnd(start));
      long stretchEnd = Math.min(end, start + shareBytes);
      while (start < stretchEnd && count < limit && guard.isUsable()) {
        long place = start & mask;
        long record = dataOffset + place;
        long header = region.getLong(record);
        int length = (int) header;
        if (length != lastLength) { // a guess, so that the processor can go on before the length has come from afar
          lastLength = length;
          recordBytes = recordBytes(length);
        }
        long next = start + recordBytes;
        long sequence = nextSequence;
        if (length < 1 || length > maxMessageBytes || next > end
            || region.getLong(record + RECORD_SEQUENCE) != sequence) {
          skipPadding(length, region.getLong(record + RECORD_SEQUENCE));
          break;
        }
        message.setWithin(place + RECORD_HEADER_BYTES, length, (int) (header >>> 32), sequence);
        start = next;
        position = next; // only this process sees it; others after the handler has returned
        nextSequence = sequence + 1;
        count++;
        handler.onMessage(message);
      }
      if (position - sharedPosition >= shareBytes && options.isGating() && guard.isUsable()
          && handle.isStillOurs()) { // as in shareInBetween
        share();
      }
    }
    return count;
  }

  private int readCopies(MessageHandler handler, int limit) {
    int count = 0;
    int resumed = 0;
    while (count < limit && position < readable && guard.isUsable()) {
      if (position >= copyEnd && !copyFrom(RECORD_HEADER_BYTES)) {
        overrun(handler);
        if (++resumed == MAX_RESUMES) {
          break; // the publisher is faster than this, and the caller's turn has to end
        }
        continue;
      }
      Region copied = copy;
      long start = position;
      long record = start - copyStart;
      if (record < 0 || record > copied.sizeBytes() - RECORD_HEADER_BYTES) {
        throw usedByTwoThreads();
      }
      long header = copied.getLong(record);
      long sequence = copied.getLong(record + RECORD_SEQUENCE);
      int length = (int) header;
      long next = start + recordBytes(length);
      if (!ring.isPossible(start, length) || next > readable || sequence != nextSequence) {
        skipPadding(length, sequence);
        continue;
      }
      if (next > copyEnd) {
        copyEnd = position; // the rest of it is missing: copy it whole
        if (!copyFrom(recordBytes(length))) {
          continue;
        }
        record = 0;
      }
      message.set(record + RECORD_HEADER_BYTES, length, (int) (header >>> 32), sequence);
      position = next;
      nextSequence = sequence + 1;
      count++;
      handler.onMessage(message);
      shareInBetween();
    }
    return count;
  }

  private IllegalStateException usedByTwoThreads() {
    return new IllegalStateException("this subscriber of entry \"" + entry.name() + "\" in segment "
        + entry.core().path() + " is used by two threads at once. Take a subscriber for each thread.");
  }

  /**
   * Copies at least {@code neededBytes}, which are readable, from the own position on; false when they were
   * overwritten.
   */
  private boolean copyFrom(long neededBytes) {
    long start = position;
    long untilEnd = Math.min(readable - start, ring.untilEnd(start));
    int bytes = (int) Math.min(untilEnd, Math.max(neededBytes, COPY_BYTES));
    if (copy.sizeBytes() < bytes) {
      copyInto(Region.allocate(Math.min(2L * bytes, recordBytes(ring.maxMessageBytes))));
    }
    Region target = copy;
    if (bytes < RECORD_HEADER_BYTES || bytes > target.sizeBytes()) {
      throw usedByTwoThreads();
    }
    region.copyTo(ring.at(start), target, 0, bytes);
    // [oldest] only now is anything that was read above known to be true. One that is waited for may have joined while
    // the boundary moved past it; nothing is overwritten then before it was evicted [revoked]
    boolean overwritten = ring.isOverwritten(start) && !(options.isGating() && handle.isStillOurs());
    checkStillThere();
    copyStart = start;
    copyEnd = overwritten ? start : start + bytes;
    return !overwritten;
  }

  private void skipPadding(int length, long sequence) {
    long padding = ring.paddingBytes(position, length);
    if (padding == 0 || position + padding > readable) {
      copyEnd = position; // the next poll reads it anew
      throw cutOffOr(entry.damaged("the record at position " + position + " has length " + length + " and sequence "
          + sequence + " where sequence " + nextSequence + " was due"));
    }
    position += padding;
  }

  /** Goes on behind what was overwritten, and tells how many messages that cost. */
  private void overrun(MessageHandler handler) {
    if (options.isGating()) {
      throw cutOff();
    }
    Ring.Cursor cursor = whereToResume();
    long lost = cursor.sequence() - nextSequence;
    moveTo(cursor);
    lookForMore(); // what was readable before may lie behind now
    countLost(lost);
    if (lost > 0 && options.mode == MODE_FAIL) {
      throw overrunException(lost);
    }
    untoldCount = lost;
    tellGap(handler);
  }

  private Ring.Cursor whereToResume() {
    Ring.Cursor cursor;
    try {
      cursor = ring.cursor(options.resumingAtNewest);
      if (cursor.sequence() < nextSequence || cursor.position() < position) {
        throw entry.damaged("sequence " + cursor.sequence() + " stands where at least " + nextSequence + " was due");
      }
    } catch (DamagedSegmentException damage) {
      throw cutOffOr(damage);
    }
    checkStillThere();
    return cursor;
  }

  OverrunException overrunException(long lost) {
    return new OverrunException("This subscriber of entry \"" + entry.name() + "\" in segment " + entry.core().path()
        + " was overtaken: " + lost + " messages from sequence " + (nextSequence - lost) + " on were overwritten before"
        + " it read them. Read faster, make the ring larger, or subscribe with block() or skip().", lost, nextSequence);
  }

  /**
   * An observer holds no row. What it has read counts only if the bytes were this entry's to the end.
   *
   * @throws io.bywash.engine.EntryRemovedException when they were not
   */
  private void checkStillThere() {
    if (handle == null) {
      entry.checkPresent();
    }
  }

  /**
   * Damage is what a reader in place sees, too, when its role was revoked and the publisher has overtaken it, and an
   * observer whose entry was removed.
   */
  private RuntimeException cutOffOr(DamagedSegmentException damage) {
    checkStillThere();
    VarHandle.acquireFence(); // [revoked] its word changed before what it read was overwritten
    return handle == null || handle.isStillOurs() ? damage : cutOff();
  }

  private RuntimeException cutOff() {
    if (handle.isRevoked() && guard.isUsable()) { // by the publisher, see Gate
      return new EvictedException("This subscriber of entry \"" + entry.name() + "\" in segment " + entry.core().path()
          + " was cut off before sequence " + nextSequence + ": it held the publisher back for more than "
          + options.evictAfterNanos / 1_000_000.0 + " ms. Close it and join again; read faster, or allow more time.",
          nextSequence);
    }
    return handle.takenAway();
  }

  private void countLost(long lost) {
    lostCount += lost;
    if (handle != null) {
      region.setLongOpaque(handle.offset() + ROLE_LOST, lostCount);
    }
    if (lost > 0) {
      EngineEvents.overrun(entry.core().path(), entry.name(), handle == null ? -1 : handle.index(), lost);
    }
  }

  private void tellGap(MessageHandler handler) {
    long count = untoldCount;
    if (count > 0) {
      untoldCount = 0;
      handler.onLost(count);
    }
  }

  /**
   * A poll may take long: whoever is waited for tells an eighth of the ring at a time what the publisher may overwrite.
   */
  private void shareInBetween() {
    if (position - sharedPosition >= shareBytes && options.isGating() && guard.isUsable()
        && handle.isStillOurs()) {
      share();
    }
  }

  /** Tells the publisher how far this subscriber is. */
  void share() {
    sharedPosition = position;
    region.setLongOpaque(handle.offset() + ROLE_SEQUENCE, nextSequence);
    region.setLongRelease(handle.offset() + ROLE_POSITION, position); // [position]
    entry.waitingForSpace().signal();
  }
}
