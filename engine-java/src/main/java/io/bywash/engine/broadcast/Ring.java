package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.BroadcastLayout.*;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Entry;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.memory.Region;
import java.lang.invoke.VarHandle;

/**
 * The ring of one queue: where its words and records are, and finding a sequence for a position. Geometry is validated
 * once here; what changes is validated whenever it is read.
 */
final class Ring {
  /**
   * So long a search is repeated that the publisher overtakes. A ring of 4 KiB turns in half a microsecond, and a
   * reader whose code is not compiled yet needs ten for a look; it is compiled after some milliseconds.
   */
  private static final String OTHERWISE = "is no broadcast";
  private static final long SEARCH_NANOS = 2_000_000_000;
  private static final int MIN_TRIES = 200;
  /** Years of full speed away; beyond it sums of positions and lengths could overflow. */
  private static final long MAX_POSITION = 1L << 62;

  final SegmentEntry entry;
  final Region region;
  final long capacityBytes;
  final int maxMessageBytes;
  final long publishedOffset;
  final long oldestOffset;
  final long blockedOffset;
  final long evictedOffset;
  final long dataOffset;
  final BlockIndex blocks;
  private final long mask;

  private Ring(SegmentEntry entry) {
    this.entry = entry;
    this.region = entry.region();
    this.capacityBytes = entry.capacity();
    this.maxMessageBytes = (int) entry.elementSizeBytes();
    this.mask = capacityBytes - 1;
    this.publishedOffset = entry.offset() + PUBLISHED;
    this.oldestOffset = entry.offset() + OLDEST;
    this.blockedOffset = entry.offset() + BLOCKED_COUNT;
    this.evictedOffset = entry.offset() + EVICTED_COUNT;
    this.dataOffset = entry.offset() + SegmentLayout.structureDataOffset(entry.roleCount());
    this.blocks = new BlockIndex(region, entry.offset() + BLOCK_INDEX, capacityBytes);
  }

  /** The ring of an entry, which must be a sound broadcast. */
  static Ring of(Entry entry) {
    return new Ring(BroadcastType.INSTANCE.requireSound(entry, OTHERWISE));
  }

  /** The entry, which must be a broadcast, in a segment that is open. */
  static SegmentEntry broadcast(Entry entry) {
    return BroadcastType.INSTANCE.require(entry, OTHERWISE);
  }

  /** Takes the ring's page faults now, so that no message has to. */
  void touchPages(boolean forWriting) {
    entry.core().touchPages(dataOffset, capacityBytes, forWriting);
  }

  /** The region's offset of the record at a position. */
  long at(long position) {
    return dataOffset + (position & mask);
  }

  /** The bytes from a position to the end of the ring. */
  long untilEnd(long position) {
    return capacityBytes - (position & mask);
  }

  /** The position up to which everything is committed and readable. */
  long published() {
    return region.getLongAcquire(publishedOffset); // [published] makes the records before it visible
  }

  /** A number that changes whenever something is published, or a subscriber was cut off. */
  long changeStamp() {
    return published() + region.getLongOpaque(evictedOffset) + entry.roleWord(PUBLISHER_ROLE);
  }

  /** The position from which on nothing was given up for overwriting. */
  long oldest() {
    return region.getLongAcquire(oldestOffset); // [oldest]
  }

  /** The bytes of the padding whose negative length was read at {@code position}; 0 when impossible there. */
  long paddingBytes(long position, int length) {
    long bytes = -(long) length;
    return bytes == untilEnd(position) && bytes < recordBytes(maxMessageBytes) ? bytes : 0;
  }

  /** Whether a record with a message of that length can stand at that position. */
  boolean isPossible(long position, int length) {
    return length >= 1 && length <= maxMessageBytes && recordBytes(length) <= untilEnd(position);
  }

  /**
   * The sequence of the record at {@code position}, or of the next one if nothing was published there yet; -1 when the
   * position, or what leads to it, was given up for overwriting meanwhile.
   */
  private long trySequenceAt(long position) {
    long oldest = oldest();
    if (position < oldest) {
      return -1;
    }
    validate(position, oldest); // also bounds the search, which ends at the latest at the oldest record's block
    Cursor start = findNoted(position, oldest, Long.MAX_VALUE);
    Cursor end = start == null ? null : walk(start, position, Long.MAX_VALUE);
    // If oldest moved, what leads there was overwritten meanwhile, even if the position was not.
    if (end == null && oldest() == oldest) {
      throw entry.damaged("no block leads to position " + position);
    }
    return end == null ? -1 : end.sequence();
  }

  /**
   * The last noted record that lies neither behind {@code position} nor behind {@code sequence}; null when none is
   * valid.
   */
  private Cursor findNoted(long position, long oldest, long sequence) {
    long newest = blocks.blockOf(position);
    long last = Math.max(blocks.blockOf(oldest), newest - NOTED_BLOCKS + 1); // older ones have no note any more
    for (long block = newest; block >= last; block--) {
      Cursor noted = blocks.noted(block);
      if (noted != null && noted.position() <= position && noted.position() >= oldest
          && noted.position() % RECORD_ALIGNMENT == 0 && noted.sequence() <= sequence) {
        return noted;
      }
    }
    return null;
  }

  /** Counts records until a position or a sequence is reached; null when it was overtaken. */
  private Cursor walk(Cursor start, long targetPosition, long targetSequence) {
    long position = start.position();
    long sequence = start.sequence();
    while (position < targetPosition && sequence < targetSequence) {
      int length = region.getInt(at(position) + RECORD_LENGTH);
      long recordSequence = region.getLong(at(position) + RECORD_SEQUENCE);
      if (isOverwritten(position)) {
        return null;
      }
      long padding = paddingBytes(position, length);
      if (padding > 0) {
        position += padding;
      } else if (isPossible(position, length) && recordSequence == sequence) {
        position += recordBytes(length);
        sequence++;
      } else {
        break;
      }
    }
    if (position > targetPosition || position < targetPosition && sequence < targetSequence) {
      throw entry.damaged("its records do not lead from position " + start.position() + " to position "
          + targetPosition);
    }
    return new Cursor(position, sequence);
  }

  /** Whether what was just read at {@code position} may have been overwritten while it was read. */
  boolean isOverwritten(long position) {
    VarHandle.acquireFence(); // [oldest] the reads of the record come before the look at the boundary
    return oldest() > position;
  }

  /** The sequence that belongs to a position which cannot be overwritten now. */
  long sequenceAt(long position) {
    long sequence = trySequenceAt(position);
    if (sequence < 0) {
      throw entry.damaged("position " + position + " is not protected from being overwritten");
    }
    return sequence;
  }

  /** A published position and its sequence, consistent with each other: the newest, or the oldest that is there. */
  Cursor cursor(boolean newest) {
    return cursor(newest, new Search());
  }

  private Cursor cursor(boolean newest, Search search) {
    do {
      long oldest = oldest();
      long position = newest ? published() : oldest;
      long sequence = trySequenceAt(position);
      if (sequence >= 0) {
        return new Cursor(position, sequence);
      }
      if (oldest() == oldest) { // else the position was overwritten meanwhile
        throw damagedPositions(position, oldest);
      }
    } while (search.mayGoOn());
    throw restless();
  }

  /**
   * Where the message of that sequence begins; the oldest that is there if it was overwritten, the newest if it is not
   * there yet.
   */
  Cursor cursorAt(long sequence) {
    Search search = new Search();
    do {
      Cursor oldest = cursor(false, search);
      Cursor newest = cursor(true, search);
      if (isImpossible(newest.position(), oldest.position())) {
        continue; // the ring has turned between the two looks
      }
      if (sequence <= oldest.sequence()) {
        return oldest;
      }
      if (sequence >= newest.sequence()) {
        return newest;
      }
      Cursor start = findNoted(newest.position(), oldest.position(), sequence);
      Cursor found = start == null ? null : walk(start, newest.position(), sequence);
      if (found != null) {
        return found;
      }
      if (oldest() == oldest.position()) { // else what leads there was overwritten meanwhile
        throw entry.damaged("no block leads to sequence " + sequence);
      }
    } while (search.mayGoOn());
    throw restless();
  }

  /**
   * A search that others may disturb: nobody, not even a hostile participant, prolongs it beyond some seconds. A
   * process that was paused meanwhile has its tries all the same.
   */
  static final class Search {
    private final long startNanos = System.nanoTime();
    private int tries;

    /** Whether it may be repeated. */
    boolean mayGoOn() {
      return ++tries < MIN_TRIES || System.nanoTime() - startNanos < SEARCH_NANOS;
    }
  }

  DamagedSegmentException restless() {
    return entry.damaged("no record stood still for long enough to be found within "
        + SEARCH_NANOS / 1_000_000_000 + " s");
  }

  record Cursor(long position, long sequence) {}

  /** Throws unless the publisher's words fit together. */
  void validate(long published, long oldest) {
    if (isImpossible(published, oldest)) {
      throw damagedPositions(published, oldest);
    }
  }

  /** Whether the publisher's words, of one moment, do not fit together. */
  boolean isImpossible(long published, long oldest) {
    return oldest < 0 || published < oldest || published - oldest > capacityBytes || published > MAX_POSITION
        || published % RECORD_ALIGNMENT != 0 || oldest % RECORD_ALIGNMENT != 0;
  }

  DamagedSegmentException damagedPositions(long published, long oldest) {
    return entry.damaged("published position " + published + " and oldest position " + oldest + " are impossible in a"
        + " ring of " + capacityBytes + " bytes");
  }
}
