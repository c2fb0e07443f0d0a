package io.bywash.engine.cell;

import static io.bywash.engine.cell.LatestLayout.*;

import io.bywash.engine.Entry;
import io.bywash.engine.Message;
import io.bywash.engine.MessageHandler;
import io.bywash.engine.Revocable;
import io.bywash.engine.internal.attachment.UsageGuard;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.internal.record.MessageView;
import io.bywash.engine.internal.role.Role;
import io.bywash.engine.internal.role.RoleHandle;
import io.bywash.engine.record.Records;
import io.bywash.engine.wait.WaitPolicy;
import io.bywash.engine.wait.Waitable;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import java.util.Objects;

/**
 * A reader of a latest value. It sees whole values only, and holds no writer up.
 *
 * {@snippet :
 * try (LatestReader reader = LatestReader.open(segment.directory().find("price", Kind.LATEST))) {
 *   while (reader.awaitNewer(1_000_000_000)) { // waits for up to a second
 *     Price price = reader.get(PRICES); // the latest one; those between are not seen
 *   }
 * }
 * }
 *
 * <p>Each method that reads says by its result when it has nothing: nothing was ever set, or writers have set the value
 * so often meanwhile that it was replaced each time within sixteen tries. {@link #wasBusy} tells which.
 *
 * <p>A reader is used by one thread at a time. Where a second thread is noticed, it gets an {@link
 * IllegalStateException}. After {@link #close} or {@link #revoke}, or after the segment was closed in this process,
 * every method that reads throws {@link io.bywash.engine.SegmentClosedException}. In a segment that is attached
 * read-only, readers park instead of blocking, and nobody sees them. A reader {@linkplain #isReady is ready} when there
 * is a newer value than the one that was read last.
 */
@SuppressWarnings("exports") // Role has no public member but those of its interfaces
public final class LatestReader extends Role implements Waitable, Revocable {
  /** How often a read begins anew before it gives up. */
  private static final int MAX_READS = 16;
  private static final int READS_A_PROBE = 1024; // a power of two

  /** What there is instead of a length. */
  private static final int NONE = 0;
  private static final int TORN = -1;

  private final LatestBuffers buffers;
  private final Region region;
  private final boolean isObserver;
  /** The value in its buffer. */
  private final MessageView inPlace;
  /** Copies, for {@link #get()} and for records; made when first needed. */
  private MessageView copied;
  private MessageView decoded;
  /** The value that is being read: its version and its buffer. */
  private long version;
  private long buffer;
  /** The version of the value that was read last. */
  private long seen;
  private boolean busy;
  private boolean handling;
  private int reads;
  private Records<?> checked;

  private LatestReader(LatestBuffers buffers, UsageGuard guard, WaitPolicy waitPolicy) {
    super(guard, waitPolicy, buffers.entry.waitingForData());
    this.buffers = buffers;
    this.region = buffers.region;
    this.isObserver = entry.core().isReadOnly();
    this.inPlace = new MessageView(region, buffers.dataOffset, buffers.dataBytes);
  }

  /** As {@link #open(Entry, WaitPolicy)} with {@link WaitPolicy#BACKOFF}. */
  public static LatestReader open(Entry entry) {
    return open(entry, WaitPolicy.BACKOFF);
  }

  /**
   * Takes a reader's role; none is taken in a segment that is attached read-only.
   *
   * @param waitPolicy how this reader waits for a newer value
   * @throws io.bywash.engine.TableFullException when living readers have all places
   * @throws io.bywash.engine.SpecMismatchException when the entry is no latest value
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds something impossible
   */
  public static LatestReader open(Entry entry, WaitPolicy waitPolicy) {
    LatestBuffers buffers = LatestBuffers.of(entry);
    Objects.requireNonNull(waitPolicy, "waitPolicy");
    return buffers.entry.core().whileMapped(() -> {
      buffers.entry.core().touchPages(buffers.dataOffset, buffers.dataBytes, false);
      if (buffers.entry.core().isReadOnly()) {
        return new LatestReader(buffers, UsageGuard.ofObserver(buffers.entry), waitPolicy);
      }
      return RoleHandle.openFirst(buffers.entry, buffers.writers, buffers.entry.roleCount(), MODE_READER, "readers",
          handle -> new LatestReader(buffers, handle, waitPolicy));
    });
  }

  /**
   * Labels this reader for people who inspect the segment. The label may be changed at any time.
   *
   * @param label up to 32 bytes in UTF-8, without control characters; empty for none
   * @throws IllegalStateException when the segment is attached read-only
   */
  public void label(String label) {
    setLabel(label);
  }

  // ---- reading

  /**
   * A copy of the latest value, which is valid until the next call of this method; its
   * {@linkplain Message#sequence sequence} is the value's version. Null when there is none, or when {@link #wasBusy}.
   *
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds what no writer writes
   */
  public Message get() {
    begin();
    try {
      if (copied == null) {
        copied = newCopy();
      }
      return copyLatest(copied);
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      end();
    }
  }

  private MessageView newCopy() {
    long bytes = buffers.maxValueBytes + Long.BYTES;
    return new MessageView(Region.allocate(bytes), 0, bytes);
  }

  /** Copies the latest value; null when there is none, or when it was replaced each time. */
  private MessageView copyLatest(MessageView target) {
    target.clear();
    for (int tries = 0; tries < MAX_READS; tries++) {
      int length = find();
      if (length == NONE) {
        return null;
      }
      if (length > 0) {
        region.copyTo(buffer + BUFFER_HEADER_BYTES, target.region(), 0, length);
        int type = inPlace.type();
        if (isWhole()) {
          target.setWithin(0, length, type, version);
          return target;
        }
      }
    }
    busy = true;
    return null;
  }

  /**
   * The record that is the latest value. Null when there is none, or when {@link #wasBusy}.
   *
   * @throws io.bywash.engine.SpecMismatchException when the value is declared to be other records
   * @throws io.bywash.engine.record.RecordFormatException when the value is no such record
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds what no writer writes
   * @throws IllegalStateException when the record's constructor calls a method of this reader that reads
   */
  public <T> T get(Records<T> records) {
    if (records != checked) {
      records.check(entry);
      checked = records;
    }
    begin();
    try {
      if (decoded == null) {
        decoded = newCopy();
      }
      MessageView whole = copyLatest(decoded); // a record's own code must not see parts of two values
      handling = true;
      return whole == null ? null : records.read(whole);
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      handling = false;
      end();
    }
  }

  /**
   * Hands the latest value to {@code handler} in place, without copying it. Returns whether there was one and it was
   * whole. When this returns false, what the handler has seen may have been parts of several values, and must not be
   * used; it is not called when there is no value. The bytes that it sees are within the value's bounds in any case.
   *
   * @throws IllegalStateException when {@code handler} calls a method of this reader that reads
   */
  public boolean read(MessageHandler handler) {
    begin();
    try {
      int length = find();
      for (int tries = 1; length == TORN && tries < MAX_READS; tries++) {
        length = find();
      }
      if (length > 0) {
        handling = true;
        try {
          handler.onMessage(inPlace);
        } finally {
          handling = false;
        }
      }
      boolean whole = length > 0 && isWhole();
      busy = length != NONE && !whole;
      return whole;
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      end();
    }
  }

  private void begin() {
    if (handling && guard.isCallerInside()) {
      guard.checkUsable();
      throw new IllegalStateException("this reader is used by its own handler, or by the record that it reads; return"
          + " from there first");
    }
    guard.enter();
    busy = false;
  }

  /** Finds the latest value: its length, NONE when there is none, TORN when it was replaced meanwhile. */
  private int find() {
    long latest = buffers.latest(); // [latest]
    version = LatestBuffers.version(latest);
    if (version == 0) {
      return NONE;
    }
    buffer = buffers.bufferOf(latest);
    long header = region.getLong(buffer + BUFFER_LENGTH);
    int length = (int) header;
    if (length < 1 || length > buffers.maxValueBytes) {
      if (isStamped() && buffers.latest() == latest) {
        throw entry.damaged("the latest value has " + length + " bytes, and " + buffers.maxValueBytes
            + " are the most");
      }
      return TORN;
    }
    inPlace.setWithin(buffer + BUFFER_HEADER_BYTES - buffers.dataOffset, length, (int) (header >>> Integer.SIZE),
        version);
    return length;
  }

  private boolean isStamped() {
    VarHandle.acquireFence(); // [stamp] the loads before come before that of the stamp
    return buffers.isStill(buffer, version);
  }

  /** Whether what was read is all of one value; notes that it was seen. */
  private boolean isWhole() {
    boolean whole = isStamped();
    if (whole) {
      seen = version;
    }
    return whole;
  }

  private void end() {
    inPlace.clear();
    try {
      if (isObserver) {
        entry.checkPresent();
      } else if ((++reads & READS_A_PROBE - 1) == 0) {
        entry.probe(); // one that never waits must also learn that the entry was removed
      }
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      guard.exit();
      Reference.reachabilityFence(this); // or the cleaner could give the role back while the value is read
    }
  }

  /** The version of the value that was read last, counted from 1; 0 before the first one. */
  public long version() {
    return seen;
  }

  /** Whether the last call that read gave up because the value was replaced again and again. */
  public boolean wasBusy() {
    return busy;
  }

  // ---- waiting

  /**
   * Waits until there is a newer value than the one that was read last, for up to {@code timeoutNanos}. Returns whether
   * there is one now.
   *
   * @param timeoutNanos 0 or less does not wait
   * @throws io.bywash.engine.InterruptedWaitException when {@code timeoutNanos} is greater than 0 and this thread is
   *     interrupted, before the call or while it waits
   */
  public boolean awaitNewer(long timeoutNanos) {
    beginWait(timeoutNanos);
    boolean newer;
    do {
      newer = isNewer();
    } while (!newer && awaitOnce(timeoutNanos));
    return newer;
  }

  private boolean isNewer() {
    begin();
    try {
      return hasWork();
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      end();
    }
  }

  @Override
  protected boolean hasWork() {
    return LatestBuffers.version(buffers.latest()) != seen || isObserver && entry.isGone();
  }

  @Override
  protected long changeStamp() {
    return buffers.latest();
  }
}
