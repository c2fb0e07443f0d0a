package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.BroadcastLayout.*;
import static io.bywash.engine.internal.SegmentLayout.WAITING_FOR_DATA;

import io.bywash.engine.Claim;
import io.bywash.engine.internal.ClaimView;
import io.bywash.engine.internal.RoleHandle;
import io.bywash.engine.internal.WaitRoom;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;

/**
 * The publisher's pen: where the next record goes, the claim on it, and what readers are told. All that a message needs
 * stands in this one object, and as few of its words as possible are stored for each message: while a line of the ring is on
 * its way from a reader's core, every store waits behind it.
 *
 * <p>Records are written behind {@code published} and become visible by one release store. Before bytes are overwritten,
 * {@code oldest} moves past them, a whole block of the ring at a time, and only as far as every gating subscriber has read.
 */
final class RecordWriter extends ClaimView {
  /** While messages stream, so many bytes of the ring are brought to this core at once. */
  private static final int STRETCH_BYTES = 2048;
  /** Longer records are written by bulk copies or in loops, whose stores bring many lines at a time by themselves. */
  private static final int OWN_MAX_BYTES = 128;
  /** A stream: a stretch is full in less than this. */
  private static final long STREAM_NANOS = 1_500;
  /** Stretches between two looks at the clock while messages stream. */
  private static final int CLOCK_EVERY = 8;

  private final Publisher owner;
  private final RoleHandle handle;
  private final Ring ring;
  private final Gate gate;
  private final WaitRoom waitRoom;
  private final long waitingForData;
  private final long publishedOffset;
  private final int maxMessageBytes;

  /** A record in each block of the ring, as in shared memory, for this publisher to trust. */
  private final long[] blockPositions = new long[NOTED_BLOCKS];
  /** The position of a place in the ring is its offset in the region and this; it changes when the ring turns. */
  private long turn;
  /** Up to this offset a claim needs no look at anything: the end of a stretch, or of the granted room. */
  private long limit;
  /** Up to this position there is room, and the block index is in order. */
  private long granted;
  private long sequence;
  private long oldest;
  /** The last padding: where it begins, and where the message stands that needed it. */
  private long paddedFrom;
  private long paddedTo = -1;
  private boolean streaming;
  private int stretchesLeft;
  private int clockStretches = 1;
  private long clockNanos = System.nanoTime();
  /** The first byte of the first block that has no noted record yet. */
  private long blockEnd;
  /** Whether the position is ahead of what readers are told. */
  private boolean staged;

  /** Goes on where the last publisher stopped. */
  RecordWriter(Publisher owner, Ring ring, RoleHandle handle, Gate gate) {
    super(ring.region);
    this.owner = owner;
    this.handle = handle;
    this.ring = ring;
    this.gate = gate;
    this.waitRoom = ring.entry.core().waitRoom();
    this.waitingForData = ring.entry.offset() + WAITING_FOR_DATA;
    this.publishedOffset = ring.publishedOffset;
    this.maxMessageBytes = ring.maxMessageBytes;
    long position = ring.published();
    this.oldest = ring.oldest();
    ring.validate(position, oldest);
    this.sequence = ring.sequenceAt(position);
    moveTo(position);
    readBlockIndex(position);
  }

  private void readBlockIndex(long position) {
    long block = position >>> ring.blockShift;
    long known = position;
    for (long index = block; index > block - BLOCK_COUNT && index >= 0; index--) {
      long noted = ring.blockPosition(index);
      if (noted >= Math.max(index << ring.blockShift, oldest) && noted <= known && noted % RECORD_ALIGNMENT == 0) {
        known = noted;
      }
      blockPositions[(int) (index & NOTED_BLOCKS - 1)] = known; // a record at or behind the block's first byte is enough
    }
    blockEnd = block << ring.blockShift; // noted again by the first claim, which is right whether or not it was noted
    if (ring.blockPosition(block) >= blockEnd && ring.blockPosition(block) <= position) {
      blockEnd += 1L << ring.blockShift;
    }
    ring.forgetBlocksBeyond(position); // staged by a predecessor that died: this one's records fall otherwise
  }

  /** Where the next record begins. {@link #offset} is that of its message, whether it is claimed yet or not. */
  private long position() {
    return offset - RECORD_HEADER_BYTES + turn;
  }

  private void moveTo(long position) {
    offset = ring.at(position) + RECORD_HEADER_BYTES;
    turn = position - ring.at(position);
    limit = 0;
  }

  long sequence() {
    return sequence;
  }

  boolean isPending() {
    return isOpen();
  }

  /** Room for a message, or null when there is none now. */
  Claim tryClaim(int newLength, int type) {
    handle.checkUsable();
    if (newLength < 1 || newLength > maxMessageBytes || isOpen()) {
      throw refused(newLength);
    }
    if (offset + recordBytes(newLength) > limit && !makeRoom(newLength)) {
      publish(); // or those in the way might wait for what is staged
      return null;
    }
    region.setLong(offset - RECORD_HEADER_BYTES, header(newLength, type));
    region.setLong(offset - RECORD_HEADER_BYTES + RECORD_SEQUENCE, sequence);
    length = newLength;
    return this;
  }

  private void checkOurs() {
    if (!handle.isStillOurs()) {
      throw handle.takenAway();
    }
  }

  private RuntimeException refused(int newLength) {
    if (isOpen()) {
      return new IllegalStateException("the last claim was neither committed, staged nor aborted");
    }
    return new IllegalArgumentException("length=" + newLength + " is not between 1 and " + maxMessageBytes
        + ", the largest message in a ring of " + ring.capacityBytes + " bytes");
  }

  @Override
  public void commit() {
    long recordBytes = endRecord();
    publish(position());
    if (!streaming && recordBytes <= OWN_MAX_BYTES && offset + recordBytes <= limit) {
      region.own(offset - RECORD_HEADER_BYTES, recordBytes); // or the next message would have to wait for its lines
    }
    Reference.reachabilityFence(owner); // or the cleaner could give the role back before the last store
  }

  @Override
  public void stage() {
    endRecord();
    staged = true;
  }

  /** Answers the bytes of the record. */
  private long endRecord() {
    if (!isOpen()) {
      throw new IllegalStateException("there is nothing to commit: the claim was committed, staged or aborted before");
    }
    handle.checkUsable();
    long recordBytes = recordBytes(length);
    offset += recordBytes;
    length = -1;
    sequence++;
    return recordBytes;
  }

  private void publish(long end) {
    region.setLongRelease(publishedOffset, end); // [published]
    waitRoom.signal(waitingForData);
  }

  /** Makes what is staged visible; nothing happens when nothing is. */
  void publish() {
    if (staged) {
      checkOurs(); // or a successor's messages would be taken back
      staged = false;
      publish(position() == paddedTo ? paddedFrom : position()); // the padding before an open claim waits for its message
      Reference.reachabilityFence(owner);
    }
  }

  /** The end: what is staged is published, unless the role is a successor's by now. */
  void finish() {
    abort();
    if (handle.isStillOurs()) {
      publish();
    }
  }

  @Override
  public void abort() {
    length = -1;
    if (position() == paddedTo) { // a shorter message may still fit before the end
      moveTo(paddedFrom);
      paddedTo = -1;
      granted = paddedFrom;
    }
  }

  /**
   * The slow path of a claim, once a stretch: brings the next one here. Once a block it also notes where blocks begin, turns the
   * ring, and gives up the oldest records if nobody needs them.
   */
  private boolean makeRoom(int newLength) {
    checkOurs();
    long needed = recordBytes(newLength);
    if (position() + needed > granted && !extendGrant(needed)) {
      return false;
    }
    long stretchEnd = Math.min(granted, position() + Math.max(needed, STRETCH_BYTES));
    limit = stretchEnd - turn + RECORD_HEADER_BYTES;
    if (needed <= OWN_MAX_BYTES && isStreaming()) {
      region.own(offset - RECORD_HEADER_BYTES, stretchEnd - position());
    }
    return true;
  }

  /** Whether messages come so fast that it pays to bring many lines here at once; for single ones it would only take time. */
  private boolean isStreaming() {
    if (--stretchesLeft <= 0) {
      long now = System.nanoTime();
      streaming = now - clockNanos < STREAM_NANOS * clockStretches;
      clockNanos = now;
      clockStretches = streaming ? CLOCK_EVERY : 1;
      stretchesLeft = clockStretches;
    }
    return streaming;
  }

  private boolean extendGrant(long needed) {
    long position = position();
    for (; blockEnd <= position; blockEnd += 1L << ring.blockShift) {
      long block = blockEnd >>> ring.blockShift;
      blockPositions[(int) (block & NOTED_BLOCKS - 1)] = position;
      ring.noteBlock(block, position, sequence);
    }
    long untilEnd = ring.untilEnd(position);
    long start = needed <= untilEnd ? position : position + untilEnd;
    long overwritten = start + needed - ring.capacityBytes;
    if (overwritten > oldest ? !giveUpBefore(overwritten) : !gate.isStillPassed(oldest)) {
      granted = position;
      return false;
    }
    if (start != position) { // padding, published together with the message
      long padding = ring.at(position);
      region.setLong(padding, header((int) -untilEnd, 0));
      region.setLong(padding + RECORD_SEQUENCE, sequence);
      paddedFrom = position;
      paddedTo = start;
    }
    moveTo(start); // to the ring's first byte, if it was at its end
    granted = Math.min(oldest + ring.capacityBytes, Math.max(blockEnd, start + needed));
    return true;
  }

  /** Moves {@code oldest} to the first block boundary from {@code target} on, if no subscriber holds it back. */
  private boolean giveUpBefore(long target) {
    long block = target + (1L << ring.blockShift) - 1 >>> ring.blockShift;
    long newOldest = blockPositions[(int) (block & NOTED_BLOCKS - 1)];
    if (staged && newOldest > region.getLongOpaque(publishedOffset)) {
      publish(); // what was never published cannot be given up: a batch is no longer than the ring
    }
    if (!gate.isPassed(newOldest)) { // so that the boundary does not pass anybody who is established
      return false;
    }
    oldest = newOldest;
    region.setLongRelease(ring.oldestOffset, newOldest); // [oldest]
    // [oldest] the boundary is visible before any byte behind it is overwritten; and [join] before the look at the
    // subscribers: one that joins now is either seen here, or sees the new boundary
    VarHandle.fullFence();
    return gate.isPassed(newOldest); // if somebody is in the way now, the next claim asks again
  }
}
