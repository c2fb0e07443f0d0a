package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.BroadcastLayout.*;
import static io.bywash.engine.internal.SegmentLayout.ROLE_ACTIVE;
import static io.bywash.engine.internal.SegmentLayout.ROLE_POSITION;
import static io.bywash.engine.internal.SegmentLayout.WAITING_FOR_DATA;
import static io.bywash.engine.internal.SegmentLayout.WAITING_FOR_SPACE;

import io.bywash.engine.Claim;
import io.bywash.engine.Entry;
import io.bywash.engine.RoleTakenException;
import io.bywash.engine.internal.ClaimView;
import io.bywash.engine.internal.Owner;
import io.bywash.engine.internal.Role;
import io.bywash.engine.internal.RoleHandle;
import io.bywash.engine.internal.WaitRoom;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.wait.WaitPolicy;
import io.bywash.engine.wait.Waitable;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;

/**
 * The writer of a broadcast queue: one at a time, over all processes. It goes on where its predecessor stopped, also when
 * that one was killed in the middle of a message.
 *
 * <p>Used by one thread at a time. A method that cannot go on because a {@code block} subscriber is too far behind says so
 * by its result; a subscriber that is proven dead does not count. After {@link #close}, or after the segment was closed in
 * this process, every method that uses the queue throws
 * {@link io.bywash.engine.SegmentClosedException}.
 *
 * <p>The protocol: positions count bytes ever written, and are never reused. A record is written behind {@code published}
 * and becomes visible by one release store. Before bytes are overwritten, {@code oldest} moves past them, a whole block of
 * the ring at a time, and only as far as every gating subscriber has read; subscribers that read copies check it after
 * copying (Boehm 2012, "Can seqlocks get along with programming language memory models?").
 */
@SuppressWarnings("exports") // Role has no public member
public final class Publisher extends Role implements Waitable, AutoCloseable {
  private final Ring ring;
  private final Region region;
  private final WaitRoom waitRoom;
  private final long waitingForData;
  private final InPlaceClaim claim;

  /** A record in each block of the ring, as in shared memory, for this publisher to trust. */
  private final long[] blockPositions = new long[NOTED_BLOCKS];
  /** Where the next record begins; equal to {@code published}. */
  private long position;
  private long sequence;
  private long oldest;
  /** Up to here a claim needs no look at anything: the end of the current block, or of the granted room. */
  private long limit;
  /** The first byte of the first block that has no noted record yet. */
  private long blockEnd;
  /** The lowest position of all gating subscribers when last looked at. */
  private long gate = -1;
  /** What {@link #oldest} has to become for the claim that found no room. */
  private volatile long wantedOldest;
  /** When a claim last found no room. */
  private volatile long blockedNanos;
  private long lastProbeNanos;
  private long blockedCount;

  private long claimStart;
  private long claimEnd;
  private int claimType;

  private Publisher(Ring ring, RoleHandle handle, WaitPolicy waitPolicy) {
    super(ring.entry, handle, waitPolicy, WAITING_FOR_SPACE);
    this.ring = ring;
    this.region = ring.region;
    this.waitRoom = ring.entry.core().waitRoom();
    this.waitingForData = ring.entry.offset() + WAITING_FOR_DATA;
    this.claim = new InPlaceClaim();
    this.position = ring.published();
    this.oldest = ring.oldest();
    ring.validate(position, oldest);
    this.sequence = ring.sequenceAt(position);
    this.blockedCount = region.getLongOpaque(ring.blockedOffset);
    readBlockIndex();
  }

  /** As {@link #open(Entry, WaitPolicy)} with {@link WaitPolicy#BACKOFF}. */
  public static Publisher open(Entry entry) {
    return open(entry, WaitPolicy.BACKOFF);
  }

  /**
   * Takes the writer role.
   *
   * @param waitPolicy how it waits for room and for subscribers
   * @throws RoleTakenException when a living participant holds it; its pid is named
   * @throws io.bywash.engine.SpecMismatchException when the entry is no broadcast
   * @throws io.bywash.engine.DamagedSegmentException when what is in shared memory is impossible
   * @throws IllegalStateException when the segment is attached read-only
   */
  public static Publisher open(Entry entry, WaitPolicy waitPolicy) {
    Ring ring = Ring.of(entry);
    Objects.requireNonNull(waitPolicy, "waitPolicy");
    RoleHandle handle = ring.entry.tryTake(PUBLISHER_ROLE, 0);
    if (handle == null) {
      long pid = ring.entry.core().participants().pid(ring.entry.roleWord(PUBLISHER_ROLE));
      throw new RoleTakenException("Entry \"" + entry.name() + "\" of segment " + ring.entry.core().path()
          + " has a publisher already, process " + pid + ". Only one can publish; end that one first.", pid);
    }
    try {
      Publisher publisher = new Publisher(ring, handle, waitPolicy);
      handle.activate();
      return publisher;
    } catch (RuntimeException failure) {
      handle.close();
      throw failure;
    }
  }

  private void readBlockIndex() {
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
  }

  /** The largest message in bytes. */
  public int maxMessageBytes() {
    return ring.maxMessageBytes;
  }

  /** The sequence that the next committed message gets; also the number of messages ever committed. */
  public long nextSequence() {
    return sequence;
  }

  /** Publishes a copy of {@code message} with type 0; false when there is no room now. */
  public boolean offer(byte[] message) {
    return offer(message, 0, message.length, 0, 0);
  }

  /**
   * Publishes a copy of {@code length} bytes from {@code index} on, waiting for room up to {@code timeoutNanos}; false when
   * there was none in that time, or this thread was interrupted, which stays set.
   *
   * @param length 1 to {@link #maxMessageBytes}
   * @param type of the message, any number
   * @param timeoutNanos 0 or less does not wait
   */
  public boolean offer(byte[] source, int index, int length, int type, long timeoutNanos) {
    Objects.checkFromIndexSize(index, length, source.length);
    Claim room = claim(length, type, timeoutNanos);
    if (room == null) {
      return false;
    }
    region.copyFrom(ring.at(claimStart) + RECORD_HEADER_BYTES, source, index, length);
    room.commit();
    return true;
  }

  /** As {@link #tryClaim(int, int)} with type 0. */
  public Claim tryClaim(int length) {
    return tryClaim(length, 0);
  }

  /**
   * Room for a message of exactly {@code length} bytes, to be filled in place; null when there is none now. The result is
   * the same object every time.
   *
   * @param length 1 to {@link #maxMessageBytes}
   * @param type of the message, any number
   * @throws IllegalStateException when the last claim was neither committed nor aborted
   */
  public Claim tryClaim(int length, int type) {
    checkUsable();
    if (length < 1 || length > ring.maxMessageBytes) {
      throw new IllegalArgumentException("length=" + length + " is not between 1 and " + ring.maxMessageBytes
          + ", the largest message in a ring of " + ring.capacityBytes + " bytes");
    }
    if (claim.isPending()) {
      throw new IllegalStateException("the last claim was neither committed nor aborted");
    }
    long start = position;
    long end = start + recordBytes(length);
    if (end > limit) {
      start = makeRoom(length);
      if (start < 0) {
        return null;
      }
      end = start + recordBytes(length);
    }
    claimStart = start;
    claimEnd = end;
    claimType = type;
    claim.start(ring.at(start) + RECORD_HEADER_BYTES, length);
    return claim;
  }

  /**
   * As {@link #tryClaim(int, int)}, waiting for room up to {@code timeoutNanos}; null when there was none in that time, or
   * this thread was interrupted, which stays set.
   */
  public Claim claim(int length, int type, long timeoutNanos) {
    Claim room = tryClaim(length, type);
    if (room != null || timeoutNanos <= 0) {
      return room;
    }
    long start = System.nanoTime();
    while (awaitOnce(start, timeoutNanos)) {
      room = tryClaim(length, type);
      if (room != null) {
        return room;
      }
    }
    return null;
  }

  /**
   * The slow path of a claim, once a block: notes where blocks begin, wraps, and gives up the oldest records if nobody
   * needs them.
   *
   * @return the position of the record, or -1 when there is no room
   */
  private long makeRoom(int length) {
    for (; blockEnd <= position; blockEnd += 1L << ring.blockShift) {
      long block = blockEnd >>> ring.blockShift;
      blockPositions[(int) (block & NOTED_BLOCKS - 1)] = position;
      ring.noteBlock(block, position, sequence);
    }
    long needed = recordBytes(length);
    long untilEnd = ring.untilEnd(position);
    long start = needed <= untilEnd ? position : position + untilEnd;
    long overwritten = start + needed - ring.capacityBytes;
    if (overwritten > oldest ? !giveUpBefore(overwritten) : !isGivenUp()) {
      return -1;
    }
    limit = Math.min(oldest + ring.capacityBytes, blockEnd);
    if (start != position) { // padding, committed together with the message
      long padding = ring.at(position);
      region.setInt(padding + RECORD_LENGTH, (int) -untilEnd);
      region.setInt(padding + RECORD_TYPE, 0);
      region.setLong(padding + RECORD_SEQUENCE, sequence);
    }
    return start;
  }

  /** Moves {@code oldest} to the first block boundary from {@code target} on, if no subscriber holds it back. */
  private boolean giveUpBefore(long target) {
    long block = target + (1L << ring.blockShift) - 1 >>> ring.blockShift;
    long newOldest = blockPositions[(int) (block & NOTED_BLOCKS - 1)];
    if (!isPassed(newOldest)) { // so that the boundary does not pass anybody who is established
      return blocked(newOldest);
    }
    oldest = newOldest;
    region.setLongRelease(ring.oldestOffset, newOldest); // [oldest]
    // [oldest] the boundary is visible before any byte behind it is overwritten; and [join] before the look at the
    // subscribers: one that joins now is either seen here, or sees the new boundary
    VarHandle.fullFence();
    return isPassed(newOldest) || blocked(newOldest); // if blocked, the next claim asks again
  }

  /** Whether what lies before {@code oldest} may be overwritten: one that joined while it moved may still read there. */
  private boolean isGivenUp() {
    return gate >= oldest || isPassed(oldest) || blocked(oldest);
  }

  private boolean blocked(long newOldest) {
    blockedNanos = System.nanoTime();
    wantedOldest = newOldest;
    region.setLongOpaque(ring.blockedOffset, ++blockedCount);
    limit = position;
    return false;
  }

  /** Whether every gating subscriber has read up to {@code boundary}; the dead are removed now and then. */
  private boolean isPassed(long boundary) {
    gate = gatingPosition();
    if (gate >= boundary) {
      return true;
    }
    long now = System.nanoTime();
    if (now - lastProbeNanos < WaitRoom.PROBE_NANOS && lastProbeNanos != 0) {
      return false;
    }
    lastProbeNanos = now;
    for (int index = FIRST_SUBSCRIBER_ROLE; index < entry.rolesUsed(); index++) {
      long word = entry.roleWord(index);
      if (isGating(word) && positionOf(index) < boundary && !entry.core().participants().isAlive(word)) {
        entry.freeRole(index, word);
      }
    }
    gate = gatingPosition();
    return gate >= boundary;
  }

  private static boolean isGating(long word) {
    return Owner.state(word) == ROLE_ACTIVE && Owner.mode(word) == MODE_BLOCK;
  }

  private long positionOf(int index) {
    return region.getLongAcquire(entry.role(index) + ROLE_POSITION); // [position] its reads up to there are finished
  }

  private long gatingPosition() {
    long lowest = Long.MAX_VALUE;
    int used = entry.rolesUsed();
    for (int index = FIRST_SUBSCRIBER_ROLE; index < used; index++) {
      if (isGating(entry.roleWord(index))) { // [role-active]
        lowest = Math.min(lowest, positionOf(index));
      }
    }
    return lowest;
  }

  private final class InPlaceClaim extends ClaimView {
    InPlaceClaim() {
      super(Publisher.this.region);
    }

    boolean isPending() {
      return isOpen();
    }

    void start(long offset, int length) {
      begin(offset, length);
    }

    @Override
    public void commit() {
      if (!isOpen()) {
        throw new IllegalStateException("there is nothing to commit: the claim was committed or aborted before");
      }
      checkUsable();
      long record = ring.at(claimStart);
      region.setInt(record + RECORD_LENGTH, length());
      region.setInt(record + RECORD_TYPE, claimType);
      region.setLong(record + RECORD_SEQUENCE, sequence);
      end();
      sequence++;
      position = claimEnd;
      region.setLongRelease(ring.publishedOffset, claimEnd); // [published]
      waitRoom.signal(waitingForData);
      Reference.reachabilityFence(Publisher.this); // or the cleaner could give the role back before the publish
    }

    @Override
    public void abort() {
      end();
    }
  }

  /**
   * Waits until at least {@code count} subscribers that live are attached for writing, up to {@code timeoutNanos}; false
   * when there were fewer in that time, or this thread was interrupted, which stays set.
   */
  public boolean awaitSubscribers(int count, long timeoutNanos) {
    if (count < 0 || count >= entry.roleCount()) {
      throw new IllegalArgumentException("count=" + count + " is not between 0 and " + (entry.roleCount() - 1)
          + ", the subscribers that entry \"" + entry.name() + "\" has room for");
    }
    long start = System.nanoTime();
    while (subscriberCount() < count) {
      checkUsable();
      long left = timeoutNanos - (System.nanoTime() - start);
      if (left <= 0 || Thread.currentThread().isInterrupted()) {
        return false;
      }
      LockSupport.parkNanos(Math.min(left, 1_000_000));
    }
    return true;
  }

  /** How many subscribers that live are attached for writing now. */
  public int subscriberCount() {
    checkUsable();
    int count = 0;
    for (int index = FIRST_SUBSCRIBER_ROLE; index < entry.rolesUsed(); index++) {
      long word = entry.roleWord(index);
      if (Owner.state(word) == ROLE_ACTIVE && entry.core().participants().isAlive(word)) {
        count++;
      }
    }
    return count;
  }

  /**
   * Whether a claim that found no room is worth another try: there is room now, or the last try was 50 ms ago, and the next
   * one looks whether those who are in the way still live.
   */
  @Override
  public boolean isReady() {
    return isWaitOver();
  }

  @Override
  protected boolean hasWork() {
    return gatingPosition() >= wantedOldest || System.nanoTime() - blockedNanos > WaitRoom.PROBE_NANOS;
  }

  /** Gives the role back; a claim that is open is aborted. Committed messages stay. Once is enough. */
  @Override
  public void close() {
    claim.abort();
    handle.close();
  }
}
