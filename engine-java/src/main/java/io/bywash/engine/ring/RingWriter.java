package io.bywash.engine.ring;

import io.bywash.engine.Entry;
import io.bywash.engine.InterruptedWaitException;
import io.bywash.engine.Revocable;
import io.bywash.engine.internal.events.EngineEvents;
import io.bywash.engine.internal.role.Role;
import io.bywash.engine.internal.role.RoleHandle;
import io.bywash.engine.record.RecordType;
import io.bywash.engine.record.Records;
import io.bywash.engine.wait.WaitPolicy;
import io.bywash.engine.wait.Waitable;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.List;
import java.util.Objects;

/**
 * The writer of a ring. A ring has one writer at a time, over all processes. It goes on where its predecessor stopped,
 * even if that was killed in the middle of an element.
 *
 * {@snippet :
 * try (RingWriter writer = RingWriter.open(segment.directory().find("samples", Kind.RING))) {
 *   boolean pushed = writer.push(SAMPLES, sample, 1_000_000_000); // waits for room for up to a second
 *   int count = writer.pushBulk(SAMPLES, batch, 0); // as many as there is room for now
 *   writer.pushOverwrite(SAMPLES, sample); // drops the oldest element if there is no room
 *   writer.pushBulkOverwrite(MemorySegment.ofArray(floats), 0, 1_000); // elements as they lie in memory
 * }
 * }
 *
 * <p>{@code push} and {@code pushBulk} are gated: they write no element over one that is still to be popped, and say by
 * their result that there is no room. {@code pushOverwrite} and {@code pushBulkOverwrite} always succeed. All four may
 * be mixed. Elements become visible one after the other: whoever dies in a bulk operation has pushed the first of them,
 * and no part of an element.
 *
 * <p>A writer is used by one thread at a time. Where a second thread is noticed, it gets an {@link
 * IllegalStateException}. After {@link #close} or {@link #revoke}, or after the segment was closed in this process,
 * every method that uses the ring throws {@link io.bywash.engine.SegmentClosedException}. A writer {@linkplain #isReady
 * is ready} when there is room for an element.
 */
@SuppressWarnings("exports") // Role has no public member but those of its interfaces
public final class RingWriter extends Role implements Waitable, Revocable {
  private final Elements elements;
  private final RoleHandle handle;
  private long tail;
  private long intent;
  private Records<?> checked;
  /** Whether a user's record, list or segment is being read, whose code might use this writer. */
  private boolean reading;

  /** Writes elements of what was given to the writer into their places. */
  private interface Source {
    void write(long position, int index, int count);
  }

  private RingWriter(Elements elements, RoleHandle handle, WaitPolicy waitPolicy) {
    super(handle, waitPolicy, elements.entry.waitingForSpace());
    this.elements = elements;
    this.handle = handle;
    this.tail = elements.tail();
    elements.room(tail);
    elements.checkIntent(tail);
    this.intent = elements.intent();
  }

  /** As {@link #open(Entry, WaitPolicy)} with {@link WaitPolicy#BACKOFF}. */
  public static RingWriter open(Entry entry) {
    return open(entry, WaitPolicy.BACKOFF);
  }

  /**
   * Takes the writer role.
   *
   * @param waitPolicy how this writer waits for room
   * @throws io.bywash.engine.RoleTakenException when a living participant holds the role; the exception has its pid
   * @throws io.bywash.engine.SpecMismatchException when the entry is not a ring
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds something impossible
   * @throws IllegalStateException when the segment is attached read-only
   */
  public static RingWriter open(Entry entry, WaitPolicy waitPolicy) {
    Elements elements = Elements.of(entry);
    Objects.requireNonNull(waitPolicy, "waitPolicy");
    return elements.open(RingLayout.WRITER_ROLE, "writer", handle -> new RingWriter(elements, handle, waitPolicy));
  }

  /**
   * Labels this writer for people who inspect the segment. The label may be changed at any time.
   *
   * @param label up to 32 bytes in UTF-8, without control characters; empty for none
   */
  public void label(String label) {
    setLabel(label);
  }

  /** The size of each element in bytes. */
  public int elementBytes() {
    return elements.elementBytes;
  }

  /** How many elements were ever pushed into the ring, by this writer and those before it. */
  public long pushedCount() {
    return tail;
  }

  // ---- gated

  /** Pushes an element of exactly {@link #elementBytes} bytes. Returns false, and pushes nothing, when it is full. */
  public boolean push(byte[] element) {
    return push(element, 0);
  }

  /** As {@link #push(byte[])}, but waits for room for up to {@code timeoutNanos}. */
  public boolean push(byte[] element, long timeoutNanos) {
    return push(bytes(element), 1, timeoutNanos) == 1;
  }

  /** As {@link #push(Records, Object, long)}, but without waiting. */
  public <T> boolean push(Records<T> records, T record) {
    return push(records, record, 0);
  }

  /**
   * Pushes a record. Waits for room for up to {@code timeoutNanos}, and returns false when there was none in that time.
   * If it throws, nothing was pushed.
   *
   * @param timeoutNanos 0 or less does not wait
   * @throws io.bywash.engine.SpecMismatchException when this ring is declared to hold other records
   * @throws IllegalArgumentException when {@code records} are not of one class of {@link #elementBytes}, when the
   *     record is none of them, when one of its components is null, or when a string or array in it is longer than its
   *     {@link io.bywash.engine.record.Length}
   * @throws IllegalStateException when the record's own code uses this writer
   * @throws InterruptedWaitException when {@code timeoutNanos} is greater than 0 and this thread is interrupted, before
   *     the call or while it waits
   */
  public <T> boolean push(Records<T> records, T record, long timeoutNanos) {
    return push(record(records, record), 1, timeoutNanos) == 1;
  }

  /**
   * Pushes elements that lie one after the other in a segment, for example {@code MemorySegment.ofArray(doubles)}.
   * Pushes as many as there is room for, and waits for room for the others for up to {@code timeoutNanos}. Returns how
   * many were pushed: all of them, unless the time was over.
   *
   * @param offset of the first one, in bytes
   * @param count how many elements, from 0 on; more than the capacity are possible if somebody pops meanwhile
   * @param timeoutNanos 0 or less does not wait
   * @throws IndexOutOfBoundsException when the segment does not have so many bytes
   * @throws InterruptedWaitException when {@code timeoutNanos} is greater than 0 and this thread is interrupted before
   *     anything was pushed; an interrupt afterwards ends the wait, and stays set
   */
  public int pushBulk(MemorySegment source, long offset, int count, long timeoutNanos) {
    return push(bytes(source, offset, count), count, timeoutNanos);
  }

  /**
   * As {@link #pushBulk(MemorySegment, long, int, long)}, for records. When it throws, {@link #pushedCount} says how
   * many were pushed before.
   */
  public <T> int pushBulk(Records<T> records, List<? extends T> elementList, long timeoutNanos) {
    return push(records(records, elementList), elementList.size(), timeoutNanos);
  }

  private int push(Source source, int count, long timeoutNanos) {
    beginWait(timeoutNanos);
    int pushed = 0;
    do {
      pushed += pushNow(source, pushed, count, false);
    } while (pushed < count && awaitRoom(timeoutNanos, pushed));
    Reference.reachabilityFence(this); // or the cleaner could give the role back before the last store
    return pushed;
  }

  private boolean awaitRoom(long timeoutNanos, int pushed) {
    try {
      return awaitOnce(timeoutNanos);
    } catch (InterruptedWaitException interrupted) {
      if (pushed > 0) {
        return false;
      }
      throw interrupted;
    }
  }

  // ---- overwriting

  /** Pushes an element of exactly {@link #elementBytes} bytes; if the ring is full, its oldest element is dropped. */
  public void pushOverwrite(byte[] element) {
    pushOverwrite(bytes(element), 1);
  }

  /** Pushes a record as {@link #push(Records, Object)} does; if the ring is full, its oldest element is dropped. */
  public <T> void pushOverwrite(Records<T> records, T record) {
    pushOverwrite(record(records, record), 1);
  }

  /**
   * Pushes elements as {@link #pushBulk(MemorySegment, long, int, long)} does, but all of them: if the ring is full,
   * its oldest elements are dropped.
   */
  public void pushBulkOverwrite(MemorySegment source, long offset, int count) {
    pushOverwrite(bytes(source, offset, count), count);
  }

  /** As {@link #pushBulkOverwrite(MemorySegment, long, int)}, for records. */
  public <T> void pushBulkOverwrite(Records<T> records, List<? extends T> elementList) {
    pushOverwrite(records(records, elementList), elementList.size());
  }

  private void pushOverwrite(Source source, int count) {
    pushNow(source, 0, count, true);
    Reference.reachabilityFence(this);
  }

  // ---- sources

  private Source bytes(byte[] element) {
    if (element.length != elements.elementBytes) {
      throw new IllegalArgumentException("element has " + element.length + " bytes, and those of entry \""
          + entry.name() + "\" have " + elements.elementBytes);
    }
    return bytes(MemorySegment.ofArray(element), 0, 1);
  }

  private Source bytes(MemorySegment source, long offset, int count) {
    Elements.checkCount(count);
    elements.checkRange(source, offset, count);
    return (position, index, n) ->
        elements.write(position, n, source, offset + (long) index * elements.elementBytes);
  }

  private <T> Source record(Records<T> records, T record) {
    RecordType<T> recordType = typeOf(records, record);
    return (position, index, n) -> recordType.write(elements.region, elements.at(position), record);
  }

  private <T> Source records(Records<T> records, List<? extends T> list) {
    return (position, index, n) -> {
      for (int i = 0; i < n; i++) {
        T record = list.get(index + i);
        typeOf(records, record).write(elements.region, elements.at(position + i), record);
      }
    };
  }

  private <T> RecordType<T> typeOf(Records<T> records, T record) {
    if (records != checked) {
      elements.checkRecords(records);
      checked = records;
    }
    return records.typeOf(record);
  }

  // ---- pushing

  /** Pushes elements from an index on, up to {@code count}, or as many as there is room for now; how many. */
  private int pushNow(Source source, int index, int count, boolean overwriting) {
    if (reading && guard.isCallerInside()) {
      guard.checkUsable();
      throw new IllegalStateException("the records that are being pushed use their own writer");
    }
    guard.enter();
    try {
      int wanted = count - index;
      int room = overwriting ? wanted : Math.clamp(elements.room(tail), 0, wanted);
      for (int done = 0; done < room; ) {
        int piece = Math.min(room - done, elements.block);
        announce(tail + piece);
        reading = true;
        source.write(tail, index + done, piece);
        reading = false;
        guard.checkUsable(); // a record's own code may have closed this writer
        elements.publish(tail + piece); // what fails before this changes nothing
        tail += piece;
        done += piece;
        entry.waitingForData().signal();
      }
      if (room < wanted) {
        EngineEvents.writerBlocked(entry.core().path(), entry.name(), handle.index());
        entry.probe(); // one that never waits must also learn that the entry was removed
      }
      return room;
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      reading = false;
      guard.exit();
    }
  }

  /** Announces that the elements before a position, at most a block ahead, are about to be written. */
  private void announce(long end) {
    if (end > intent) {
      if (!handle.isStillOurs()) {
        throw handle.takenAway();
      }
      entry.probe();
      elements.announce(tail + elements.block);
      intent = tail + elements.block;
    }
  }

  // ---- waiting, and the end

  @Override
  protected boolean hasWork() {
    return elements.room(elements.tail()) > 0;
  }

  @Override
  protected long changeStamp() {
    return elements.head();
  }

  /** Gives the role back; what was pushed stays. Calling this again does nothing. */
  @Override
  public void close() {
    guard.close(reading);
  }
}
