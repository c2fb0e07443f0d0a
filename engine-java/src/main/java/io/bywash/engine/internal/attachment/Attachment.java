package io.bywash.engine.internal.attachment;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.SegmentGoneException;
import io.bywash.engine.internal.events.EngineEvents;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.linux.Pages;
import io.bywash.engine.internal.linux.SegmentFile;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.internal.segment.Geometry;
import io.bywash.engine.internal.segment.Participants;
import io.bywash.engine.internal.segment.PeerProbe;
import io.bywash.engine.internal.segment.SegmentState;
import io.bywash.engine.internal.segment.TruncatedFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * One attachment of this process to one segment, apart from the segment's contents: its memory, its participant, and
 * the roles and operations that have to end before both are given up.
 */
public abstract class Attachment {
  private static final long NAME_PROBE_NANOS = 1_000_000_000;

  protected final Path path;
  protected final SegmentFile file;
  protected final Region region;
  protected final Geometry geometry;
  protected final Participants participants;
  private final SegmentState state;
  private final boolean readOnly;
  private final PeerProbe peerProbe;
  private final OpenRoles open;
  private final Closing closing;
  private final AtomicInteger revocations = new AtomicInteger();
  private final Set<Long> touched = ConcurrentHashMap.newKeySet();
  private volatile boolean nameLost;
  private volatile long nameProbedNanos = System.nanoTime();

  protected Attachment(Path path, SegmentFile file, Region region, Geometry geometry, boolean readOnly) {
    this.path = path;
    this.file = file;
    this.region = region;
    this.geometry = geometry;
    this.readOnly = readOnly;
    this.participants = new Participants(file, region, geometry, this::bury);
    this.state = new SegmentState(path, file, region, participants);
    this.peerProbe = new PeerProbe(participants, geometry.slotCount());
    this.open = new OpenRoles(participants, geometry.rowCount());
    this.closing = new Closing(this, open);
  }

  /** Frees what the slot of a dead participant holds in all structures, see {@link Participants.Sweeper}. */
  protected abstract int sweep(int slotId);

  private int bury(int slotId) {
    int rolesFreed = sweep(slotId);
    EngineEvents.death(path, slotId, region.getLongOpaque(geometry.slot(slotId) + SegmentLayout.SLOT_PID), rolesFreed);
    return rolesFreed;
  }

  /**
   * Says that this participant is leaving, and removes the segment if nobody else stays. It may be called again. Not
   * called for an observer, or for a participant that was taken for dead.
   */
  protected abstract void leaveName();

  /** Gives the slot back. Not called for an observer. */
  protected abstract void leave() throws IOException;

  public final Path path() {
    return path;
  }

  public final SegmentFile file() {
    return file;
  }

  public final Region region() {
    return region;
  }

  public final Geometry geometry() {
    return geometry;
  }

  public final Participants participants() {
    return participants;
  }

  public final SegmentState state() {
    return state;
  }

  public final boolean isReadOnly() {
    return readOnly;
  }

  /** Takes the page faults of a range that begins at a page boundary, once for each attachment. */
  public final void touchPages(long offset, long lengthBytes, boolean forWriting) {
    if (touched.add(offset + (forWriting ? 1 : 0))) {
      Pages.touch(region, offset, lengthBytes, forWriting);
    }
  }

  // ---- checks

  public final void requireParticipant() {
    if (readOnly) {
      throw new IllegalStateException("Segment " + path + " is attached read-only; attach it for writing to take"
          + " roles, to add entries, or to recover it.");
    }
    if (!participants.hasSlot()) {
      throw new SegmentClosedException("This process was taken for dead in segment " + path
          + ", since it lost its lock on the file. Close the segment, and attach it again.");
    }
  }

  public final boolean isOpen() {
    return !open.isClosing();
  }

  public final void checkOpen() {
    if (open.isClosing()) {
      throw new SegmentClosedException("Segment " + path + " is closed in this process. Attach it again.");
    }
  }

  /** Throws the exception for the user of a role that ended because the segment lost its name. */
  public final void checkName() {
    if (nameLost) {
      throw new SegmentGoneException("Segment " + path + " no longer has its name: its file was removed or replaced"
          + " while it was in use, so that nobody else can find it. Close it, and open it again.");
    }
  }

  /**
   * Probes the name, at most once a second, and ends all roles if it no longer leads to this segment. Called by
   * participants that wait, and now and then by those that publish.
   */
  public final void probeName() {
    long now = System.nanoTime();
    if (now - nameProbedNanos < NAME_PROBE_NANOS || readOnly || nameLost) {
      return;
    }
    nameProbedNanos = now;
    if (!file.isAt(path) && isLostNow()) {
      nameLost = true;
      endRoles(null);
    }
  }

  private boolean isLostNow() {
    if (!file.tryBeginLook()) {
      return false;
    }
    try {
      return state.isOpen() && !file.isAt(path);
    } finally {
      file.endLook();
    }
  }

  /** As {@link PeerProbe#buryDead}, for callers outside any operation; does nothing while the segment is closing. */
  public final void probePeers() {
    if (!readOnly && tryBeginOperation()) {
      try {
        peerProbe.buryDead();
      } finally {
        endOperation();
      }
    }
  }

  // ---- rows

  /** Announces that this participant holds a row, until {@link #letGo} was called as often as this. */
  public final void hold(int row) {
    open.hold(row);
  }

  /** As {@link #hold}; false, and the row is not held, when the segment is being closed. */
  public final boolean tryHold(int row) {
    return open.tryHold(row);
  }

  public final void letGo(int row) {
    open.letGo(row);
  }

  /**
   * Whoever holds this object's lock, and finds that this participant has not {@linkplain #hasLeft left}, may change
   * the bytes of a row that it holds: they are not another entry's before the lock is released.
   */
  public final Object presence() {
    return open;
  }

  /** Whether this participant has given up its slot, and with it all the rows that it held. */
  public final boolean hasLeft() {
    return open.hasLeft();
  }

  // ---- operations

  /**
   * Begins an operation. Slot, locks and memory stay until {@link #endOperation}, even if the segment is closed
   * meanwhile.
   */
  public final void beginOperation() {
    if (!open.tryBegin()) {
      checkOpen();
    }
  }

  /** As {@link #beginOperation}; false, and none was begun, when the segment is being closed. */
  public final boolean tryBeginOperation() {
    return open.tryBegin();
  }

  /** Begins an operation, even while the segment is being closed; false when this participant has left. */
  protected final boolean tryBeginLastOperation() {
    return open.tryBeginLast();
  }

  public final void endOperation() {
    closing.endOperation();
  }

  /** Uses the segment's memory, which stays until {@code use} returns, even if the segment is closed meanwhile. */
  public final <T> T whileMapped(Supplier<T> use) {
    beginOperation();
    try {
      T result = use.get();
      // Calls into the virtual machine; on return that throws an error that compiled code has held back.
      Thread.holdsLock(this);
      return result;
    } catch (InternalError fault) {
      throw truncated(fault);
    } finally {
      endOperation();
    }
  }

  /** The exception to throw when memory is gone; throws {@code fault} itself if the file was not truncated. */
  public final DamagedSegmentException truncated(InternalError fault) {
    return TruncatedFile.damage(path, file, geometry.sizeBytes(), fault);
  }

  // ---- roles

  /** Adds a role that was taken; it must be {@linkplain #release released} later. */
  public final <G extends UsageGuard> G add(G role) {
    if (open.add(role)) {
      return role;
    }
    role.close();
    checkOpen();
    throw new AssertionError("a closing segment is not open");
  }

  /** Whether the role has not been given back yet. */
  public final boolean hasTaken(UsageGuard role) {
    return open.isOpen(role);
  }

  /** Removes a role that was given back. */
  final void release(UsageGuard role) {
    closing.release(role);
  }

  /** Counts a role that became unusable: as soon as it wakes, the hub checks whether somebody waits in it. */
  final void noteRevocation() {
    revocations.incrementAndGet();
  }

  /** How often roles of this segment became unusable in this process. */
  public final int revocations() {
    return revocations.get();
  }

  /** Ends the roles in a row, or in all rows if it is null; a role in use ends when its operation does. */
  final void endRoles(Row row) {
    closing.endRoles(row);
  }

  /** Ends one role, now or at the end of the operation that its user is inside. */
  final void retire(UsageGuard role) {
    closing.retire(role);
  }

  /**
   * Ends one role, even if its user is inside an operation: others then see the role as taken, and nothing more. Memory
   * and slot stay until this is done, whoever else closes the role or the segment meanwhile.
   */
  final void revoke(UsageGuard role) {
    closing.revoke(role);
  }

  /**
   * Ends all roles, those in use when their operations end, and wakes whoever waits in them. The end of the last one,
   * here or at the end of its operation, gives up slot, lock, descriptor and memory. Until then a role's operation
   * keeps the segment in use: what it sends must not go with the segment. Whoever was refused the heap to end them may
   * call this again.
   */
  public final void close() {
    closing.close();
  }

  /**
   * Leaves the segment, if it was closed and nothing can be sent in it any more. To be called when a role can no longer
   * send, by somebody who is inside an operation.
   */
  public final void settle() {
    closing.settle();
  }
}
