package io.bywash.engine.cell;

import static io.bywash.engine.cell.LatestLayout.*;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Entry;
import io.bywash.engine.Revocable;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.internal.role.Role;
import io.bywash.engine.internal.role.RoleHandle;
import io.bywash.engine.record.RecordType;
import io.bywash.engine.record.Records;
import io.bywash.engine.wait.WaitPolicy;
import io.bywash.engine.wait.Waitable;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import java.util.Objects;

/**
 * A writer of a latest value. What it sets replaces the value before as a whole: readers see one or the other. If
 * several writers set the value at the same time, one of them is the last, and readers see that one. A writer never
 * waits, for readers or for other writers, and one that dies holds nobody up.
 *
 * {@snippet :
 * try (LatestWriter writer = LatestWriter.open(segment.directory().find("price", Kind.LATEST))) {
 *   writer.set(PRICES, new Price(units, time));
 * }
 * }
 *
 * <p>A writer is used by one thread at a time. Where a second thread is noticed, it gets an {@link
 * IllegalStateException}. After {@link #close} or {@link #revoke}, or after the segment was closed in this process,
 * every method throws {@link io.bywash.engine.SegmentClosedException}. A writer {@linkplain #isReady is ready} at any
 * time, since it never waits.
 *
 * <p>Each writer fills its four buffers in turn, so that a reader which has found the value has time to read it while
 * three more are set. A stamp in each buffer tells the reader whether that was enough.
 */
@SuppressWarnings("exports") // Role has no public member but those of its interfaces
public final class LatestWriter extends Role implements Waitable, Revocable {
  private static final int SETS_A_PROBE = 1024; // a power of two
  private static final long PATIENCE_NANOS = 2_000_000_000;

  private final LatestBuffers buffers;
  private final Region region;
  private final RoleHandle handle;
  private final int role;
  /** The buffer that is filled next. */
  private int next;
  /** Whether a record is being written, whose own code might use this writer. */
  private boolean writing;
  private int sets;
  private Records<?> checked;

  private LatestWriter(LatestBuffers buffers, RoleHandle handle) {
    super(handle, WaitPolicy.BACKOFF, buffers.entry.waitingForSpace());
    this.buffers = buffers;
    this.region = buffers.region;
    this.handle = handle;
    this.role = handle.index();
    long latest = buffers.latest();
    boolean mine = LatestBuffers.version(latest) != 0 && buffers.roleIn(latest) == role;
    this.next = mine ? LatestBuffers.bufferIn(latest) + 1 & BUFFERS_A_WRITER - 1 : 0;
  }

  /**
   * Takes a writer's role.
   *
   * @throws io.bywash.engine.TableFullException when living writers have all places
   * @throws io.bywash.engine.SpecMismatchException when the entry is no latest value
   * @throws DamagedSegmentException when shared memory holds something impossible
   * @throws IllegalStateException when the segment is attached read-only
   */
  public static LatestWriter open(Entry entry) {
    LatestBuffers buffers = LatestBuffers.of(entry);
    return buffers.entry.core().whileMapped(() -> {
      buffers.entry.core().touchPages(buffers.dataOffset, buffers.dataBytes, true);
      return RoleHandle.openFirst(buffers.entry, 0, buffers.writers, MODE_WRITER, "writers",
          handle -> new LatestWriter(buffers, handle));
    });
  }

  /**
   * Labels this writer for people who inspect the segment. The label may be changed at any time.
   *
   * @param label up to 32 bytes in UTF-8, without control characters; empty for none
   */
  public void label(String label) {
    setLabel(label);
  }

  /** The size of the longest value in bytes. */
  public int maxValueBytes() {
    return buffers.maxValueBytes;
  }

  /** Sets the value to a copy of {@code value}, with type 0. */
  public void set(byte[] value) {
    set(value, 0, value.length, 0);
  }

  /**
   * Sets the value to a copy of {@code length} bytes of {@code source}, from {@code index} on.
   *
   * @param length 1 to {@link #maxValueBytes}
   * @param type the value's type, any number
   */
  public void set(byte[] source, int index, int length, int type) {
    Objects.checkFromIndexSize(index, length, source.length);
    if (length < 1 || length > buffers.maxValueBytes) {
      throw new IllegalArgumentException("length=" + length + " is not between 1 and " + buffers.maxValueBytes
          + ", the longest value of entry \"" + entry.name() + "\"");
    }
    begin();
    try {
      long buffer = buffers.buffer(role, next);
      stampBusy(buffer);
      region.copyFrom(buffer + BUFFER_HEADER_BYTES, source, index, length);
      publish(buffer, length, type);
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      end();
    }
  }

  /**
   * Sets the value to a record. If it throws, nothing was set.
   *
   * @throws io.bywash.engine.SpecMismatchException when the value is declared to be other records
   * @throws IllegalArgumentException when the record is not one of {@code records}, when one of its components is null,
   *     when a string or array in it is longer than its {@link io.bywash.engine.record.Length}, or when it is longer
   *     than {@link #maxValueBytes}
   * @throws IllegalStateException when the record's own code uses this writer
   */
  public <T> void set(Records<T> records, T record) {
    if (records != checked) {
      records.check(entry);
      checked = records;
    }
    RecordType<T> type = records.typeOf(record);
    begin();
    try {
      long buffer = buffers.buffer(role, next);
      stampBusy(buffer);
      writing = true;
      type.write(region, buffer + BUFFER_HEADER_BYTES, record);
      writing = false;
      handle.checkUsable(); // the record's own code may have closed this writer
      publish(buffer, type.sizeBytes(), type.number());
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      end();
    }
  }

  private void begin() {
    if (writing && handle.isCallerInside()) {
      handle.checkUsable();
      throw new IllegalStateException("the record uses the writer that is about to set it");
    }
    handle.enter();
    boolean begun = false;
    try {
      handle.checkOurs();
      if ((++sets & SETS_A_PROBE - 1) == 0) {
        entry.probe(); // one that never waits must also learn that the entry was removed, but before it has set
        handle.checkUsable();
      }
      begun = true;
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      if (!begun) {
        end();
      }
    }
  }

  private void stampBusy(long buffer) {
    region.setLongOpaque(buffer + BUFFER_STAMP, 0);
    VarHandle.releaseFence(); // [stamp] who sees what is written now sees that the buffer is no longer what it was
  }

  /** Makes what was written the latest value. */
  private void publish(long buffer, int length, int type) {
    region.setLong(buffer + BUFFER_LENGTH, Integer.toUnsignedLong(length) | (long) type << Integer.SIZE);
    long start = 0;
    for (int tries = 0; ; tries++) {
      long found = buffers.latest();
      long version = LatestBuffers.version(found) + 1;
      region.setLongOpaque(buffer + BUFFER_STAMP, version);
      if (buffers.change(found, version, role, next)) { // [latest]
        break;
      }
      if (tries == Owner.MAX_TRIES) {
        start = System.nanoTime();
      } else if (tries > Owner.MAX_TRIES && System.nanoTime() - start > PATIENCE_NANOS) {
        throw entry.damaged("the word of the latest value does not stand still for long enough to be changed");
      }
    }
    next = next + 1 & BUFFERS_A_WRITER - 1;
    entry.waitingForData().signal();
  }

  private void end() {
    writing = false;
    handle.exit();
    Reference.reachabilityFence(this); // or the cleaner could give the role back before the last store
  }

  /** Gives the role back. The value stays. Calling this again does nothing. */
  @Override
  public void close() {
    guard.close(writing);
  }
}
