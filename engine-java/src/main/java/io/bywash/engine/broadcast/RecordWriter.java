package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.BroadcastLayout.*;

import io.bywash.engine.Claim;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.internal.record.ClaimView;
import io.bywash.engine.internal.role.RoleHandle;
import io.bywash.engine.internal.waiting.Waiters;
import io.bywash.engine.record.RecordType;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;

/**
 * The publisher's pen: where the next record goes, the claim on it, and what readers are told. All that a message needs
 * stands in this one object, and as few of its words as possible are stored for each message: while a line of the ring
 * is on its way from a reader's core, every store waits behind it.
 *
 * <p>Records are written behind {@code published} and become visible by one release store. Before bytes are
 * overwritten, {@code oldest} moves past them, a whole block of the ring at a time, and only as far as every gating
 * subscriber has read.
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
  /** The same between two looks at the segment's name. */
  private static final int PROBE_EVERY = 32;

  private final Publisher owner;
  private final RoleHandle handle;
  private final Ring ring;
  private final BlockIndex blocks;
  private final Gate gate;
  private final Waiters waitingForData;
  private final long publishedOffset;
  private final int maxMessageBytes;
  /** Where a message would stand whose record began at the ring's end. */
  private final long ringEnd;

  /** A record in each block of the ring, as in shared memory, for this publisher to trust. */
  private final long[] blockPositions = new long[NOTED_BLOCKS];
  /**
   * Where the next message, behind its record's header, begins in the region; always within the ring, or just behind
   * it.
   */
  private long next;
  /** The position of a place in the ring is its offset in the region and this; it changes when the ring turns. */
  private long positionShift;
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
  private int stretchesToProbe = PROBE_EVERY;
  private int clockStretches = 1;
  private long clockNanos = System.nanoTime();
  /** The first byte of the first block that has no noted record yet. */
  private long blockEnd;
  /** Whether the position is ahead of what readers are told. */
  private boolean staged;
  /** For a record that needs the slow path; null before {@link #prepare}. */
  private Region scratch;

  /** Goes on where the last publisher stopped, see {@link RingRepair}. */
  RecordWriter(Publisher owner, Ring ring, RoleHandle handle, Gate gate) {
    super(ring.region, ring.dataOffset);
    this.owner = owner;
    this.handle = handle;
    this.ring = ring;
    this.blocks = ring.blocks;
    this.gate = gate;
    this.waitingForData = ring.entry.waitingForData();
    this.publishedOffset = ring.publishedOffset;
    this.maxMessageBytes = ring.maxMessageBytes;
    this.ringEnd = ring.dataOffset + ring.capacityBytes + RECORD_HEADER_BYTES;
    Ring.Cursor start = RingRepair.takeOver(ring);
    this.oldest = ring.oldest();
    this.sequence = start.sequence();
    moveTo(start.position());
    readBlockIndex(start.position());
  }

  private void readBlockIndex(long position) {
    long block = blocks.blockOf(position);
    long known = position;
    for (long index = block; index > block - BLOCK_COUNT && index >= 0; index--) {
      long noted = blocks.position(index);
      if (noted >= Math.max(blocks.start(index), oldest) && noted <= known && noted % RECORD_ALIGNMENT == 0) {
        known = noted;
      }
      blockPositions[BlockIndex.entry(index)] = known; // a record at or behind the block's first byte is enough
    }
    blockEnd = blocks.start(block); // noted again by the first claim, which is right whether or not it was noted
    if (blocks.position(block) >= blockEnd && blocks.position(block) <= position) {
      blockEnd += blocks.blockBytes();
    }
    blocks.forgetBeyond(position); // staged by a predecessor that died: this one's records fall otherwise
  }

  /** The position of the record whose message stands at {@code message}. */
  private long positionOf(long message) {
    return message - RECORD_HEADER_BYTES + positionShift;
  }

  /** Where the next record begins. */
  private long position() {
    return positionOf(next);
  }

  private void moveTo(long position) {
    long record = ring.at(position);
    next = record + RECORD_HEADER_BYTES;
    positionShift = position - record;
    limit = 0;
  }

  long sequence() {
    return sequence;
  }

  /** Room for a message, or null when there is none now. The writer is inside from here to the end of the claim. */
  Claim tryClaim(int length, int type) {
    begin(length);
    try {
      long message = room(length, type);
      if (message != 0) {
        open(message, length); // within the ring, see room
        return this;
      }
    } catch (Throwable failure) {
      throw failed(failure);
    }
    handle.exit();
    return null;
  }

  /**
   * Publishes a copy; false when there is no room now. No claim is ever open, so that whatever ends this, the next one
   * can begin.
   */
  boolean tryOffer(byte[] source, int index, int length, int type) {
    begin(length);
    long message;
    try {
      message = room(length, type);
      if (message != 0) {
        region.copyFrom(message, source, index, length);
        publishRecord(message, length);
      }
    } catch (Throwable failure) {
      throw failed(failure);
    }
    handle.exit();
    return message != 0;
  }

  /**
   * Publishes a record of a class that {@link #prepare} was called for. If there is no room now, it returns false, and
   * {@link #tryOfferAgain} can try that record again.
   *
   * <p>It is the shortest way: the record is written to the ring if that needs no look at anything, and else to private
   * memory. Either way the same code writes it, before any call. So the JIT keeps a record that was just made in
   * registers; were a call in between, each component would have to be stored and loaded once more.
   *
   * <p>A claim is open while the record is asked for its components, so that it cannot use this publisher meanwhile;
   * whatever ends this, it is not any more.
   */
  <T> boolean tryOffer(RecordType<T> type, T record) {
    if (isOpen()) {
      throw refused(type.sizeBytes());
    }
    handle.enter();
    boolean offered = true;
    try {
      long bytes = recordBytes(type.sizeBytes());
      long message = next; // as in room
      boolean hasRoom = message + bytes <= limit;
      openEmpty();
      type.write(hasRoom ? region : scratch, hasRoom ? message : 0, record);
      if (!endEmpty()) {
        throw ended();
      }
      if (hasRoom) {
        writeHeader(message, type.sizeBytes(), type.number());
        publishUntil(message + bytes, bytes);
      } else {
        offered = offerScratch(type.sizeBytes(), type.number());
      }
    } catch (Throwable failure) {
      endEmpty();
      throw failed(failure);
    }
    handle.exit();
    return offered;
  }

  /** Publishes the record that {@link #tryOffer} last found no room for; false when there is none now either. */
  boolean tryOfferAgain(RecordType<?> type) {
    begin(type.sizeBytes());
    boolean offered;
    try {
      offered = offerScratch(type.sizeBytes(), type.number());
    } catch (Throwable failure) {
      throw failed(failure);
    }
    handle.exit();
    return offered;
  }

  private boolean offerScratch(int length, int type) {
    long message = room(length, type);
    if (message == 0) {
      return false;
    }
    scratch.copyTo(0, region, message, length); // a record's own code cannot have replaced it: a claim was open
    publishRecord(message, length);
    return true;
  }

  /** Makes ready to offer records of up to so many bytes. */
  void prepare(int maxRecordBytes) {
    if (isOpen()) {
      throw refused(maxRecordBytes);
    }
    long wholeWords = recordBytes(maxRecordBytes); // words are copied
    if (scratch == null || scratch.sizeBytes() < wholeWords) {
      scratch = Region.allocate(wholeWords);
    }
  }

  private RuntimeException ended() {
    handle.checkUsable();
    return new IllegalStateException("the record has used the publisher that was about to publish it");
  }

  private void begin(int length) {
    if (Integer.compareUnsigned(length - 1, maxMessageBytes) >= 0 || isOpen()) {
      throw refused(length);
    }
    handle.enter();
  }

  private RuntimeException refused(int length) {
    handle.checkUsable();
    if (length < 1 || length > maxMessageBytes) {
      return new IllegalArgumentException("length=" + length + " is not between 1 and " + maxMessageBytes
          + ", the largest message in a ring of " + ring.capacityBytes + " bytes");
    }
    return new IllegalStateException(handle.isCallerInside()
        ? "the last claim was neither committed, staged nor aborted"
        : "another thread has a claim of this publisher: use a publisher in one thread at a time");
  }

  /** Leaves an operation that failed; what to throw. */
  private RuntimeException failed(Throwable failure) {
    handle.exit();
    return switch (failure) {
      case InternalError fault -> ring.entry.core().truncated(fault);
      case Error error -> throw error;
      case RuntimeException exception -> exception;
      default -> throw new AssertionError(failure);
    };
  }

  /** Where the message goes, behind a header that is written; 0 when there is no room now. */
  private long room(int length, int type) {
    long message = next; // read once: it is in the ring, and up to a limit that is in the ring there is room behind it
    if (message + recordBytes(length) > limit) {
      message = makeRoom(length);
      if (message == 0) {
        publishStaged(); // or those in the way might wait for what is staged
        return 0;
      }
    }
    writeHeader(message, length, type);
    return message;
  }

  private void writeHeader(long message, int length, int type) {
    region.setLong(message - RECORD_HEADER_BYTES, 0, header(length, type));
    region.setLong(message - RECORD_HEADER_BYTES, RECORD_SEQUENCE, sequence);
  }

  private void checkOurs() {
    if (!handle.isStillOurs()) {
      throw handle.takenAway();
    }
  }

  @Override
  public void commit() {
    int length = endClaim();
    try {
      handle.checkUsable();
      publishRecord(next, length);
    } catch (Throwable failure) {
      throw failed(failure);
    }
    handle.exit();
    Reference.reachabilityFence(owner); // or the cleaner could give the role back before the last store
  }

  @Override
  public void stage() {
    int length = endClaim();
    if (handle.isUsable()) {
      staged = true;
      next += recordBytes(length);
      sequence++;
    }
    handle.exit();
    handle.checkUsable();
    Reference.reachabilityFence(owner);
  }

  private int endClaim() {
    if (length() == 0) { // also while a record is written
      throw new IllegalStateException("there is nothing to commit: the claim was committed, staged or aborted before");
    }
    return end();
  }

  /**
   * Makes the record visible, with all that was staged before it. The store comes first: what fails before it changes
   * nothing.
   */
  private void publishRecord(long message, int length) {
    long recordBytes = recordBytes(length);
    publishUntil(Math.min(message + recordBytes, ringEnd), recordBytes); // less only if two threads write
  }

  private void publishUntil(long end, long recordBytes) {
    region.setLongRelease(publishedOffset, positionOf(end)); // [published]
    next = end;
    sequence++;
    staged = false;
    waitingForData.signal();
    if (!streaming && recordBytes <= OWN_MAX_BYTES && end + recordBytes <= limit) {
      // or the next message would have to wait for its cache lines
      region.prefetchForWrite(end - RECORD_HEADER_BYTES, recordBytes);
    }
  }

  /** Makes what is staged visible; nothing happens when nothing is. A claim that is open stays so. */
  void publish() {
    if (isOpen()) {
      handle.checkUsable();
      publishStaged();
      return;
    }
    handle.enter();
    try {
      publishStaged();
    } catch (Throwable failure) {
      throw failed(failure);
    }
    handle.exit();
  }

  private void publishStaged() {
    if (staged) {
      checkOurs(); // or a successor's messages would be taken back
      showStaged();
    }
  }

  private void showStaged() {
    // the padding before an open claim waits for its message
    long end = position() == paddedTo ? paddedFrom : position();
    region.setLongRelease(publishedOffset, end); // [published]
    staged = false;
    waitingForData.signal();
    Reference.reachabilityFence(owner);
  }

  /** The end: what is staged is published, unless the role is a successor's by now. Nobody is inside. */
  void finish() {
    if (staged && handle.isHeld()) {
      showStaged();
    }
  }

  @Override
  public void abort() {
    if (isWritingRecord()) {
      spoilEmpty();
    } else if (end() > 0) {
      unpad();
      handle.exit();
    }
  }

  /** Takes the padding before a claim that was aborted back: a shorter message may still fit before the end. */
  private void unpad() {
    if (position() == paddedTo) {
      moveTo(paddedFrom);
      paddedTo = -1;
      granted = paddedFrom;
    }
  }

  /**
   * The slow path of a claim, once a stretch: brings the next one here. Once a block it also notes where blocks begin,
   * turns the ring, and gives up the oldest records if nobody needs them. Answers where the message goes, 0 when there
   * is no room.
   */
  private long makeRoom(int length) {
    checkOurs();
    long needed = recordBytes(length);
    if (--stretchesToProbe <= 0) {
      stretchesToProbe = streaming || needed > OWN_MAX_BYTES ? PROBE_EVERY : 1;
      ring.entry.probe();
    }
    if (position() + needed > granted && !extendGrant(needed)) {
      limit = 0; // the next claim that finds room, however short, ends the stall: see extendGrant
      return 0;
    }
    long message = next;
    long stretchEnd = Math.min(granted, positionOf(message) + Math.max(needed, STRETCH_BYTES));
    long end = Math.min(stretchEnd - positionShift + RECORD_HEADER_BYTES, ringEnd);
    if (message + needed > end) {
      throw new IllegalStateException("the publisher of entry \"" + ring.entry.name() + "\" is used by two threads at"
          + " once: use a publisher in one thread at a time");
    }
    if (needed <= OWN_MAX_BYTES && isStreaming()) {
      region.prefetchForWrite(message - RECORD_HEADER_BYTES, end - message);
    }
    limit = end;
    return message;
  }

  /**
   * Whether messages come so fast that it pays to bring many lines here at once; for single ones it would only take
   * time.
   */
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
    for (; blockEnd <= position; blockEnd += blocks.blockBytes()) {
      long block = blocks.blockOf(blockEnd);
      blockPositions[BlockIndex.entry(block)] = position;
      blocks.note(block, position, sequence);
    }
    long untilEnd = ring.untilEnd(position);
    long start = needed <= untilEnd ? position : position + untilEnd;
    long overwritten = start + needed - ring.capacityBytes;
    if (overwritten > oldest ? !giveUpBefore(overwritten) : !gate.isStillPassed(oldest)) {
      granted = position;
      return false;
    }
    gate.endStall();
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
    long newOldest = blockPositions[BlockIndex.entry(blocks.blockFrom(target))];
    if (staged && newOldest > region.getLongOpaque(publishedOffset)) {
      publishStaged(); // what was never published cannot be given up: a batch is no longer than the ring
    }
    if (!gate.isPassed(newOldest)) { // so that the boundary does not pass anybody who is established
      return false;
    }
    gate.lookAgain(); // should the second look below not come to pass, the next claim makes it
    region.setLongRelease(ring.oldestOffset, newOldest); // [oldest]
    oldest = newOldest;
    // [oldest] the boundary is visible before any byte behind it is overwritten; and [join] before the look at the
    // subscribers: one that joins now is either seen here, or sees the new boundary
    VarHandle.fullFence();
    return gate.isPassed(newOldest); // if somebody is in the way now, the next claim asks again
  }
}
