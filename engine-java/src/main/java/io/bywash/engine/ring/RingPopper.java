package io.bywash.engine.ring;

import io.bywash.engine.Entry;
import io.bywash.engine.Revocable;
import io.bywash.engine.internal.events.EngineEvents;
import io.bywash.engine.internal.layout.Numbers;
import io.bywash.engine.internal.role.Role;
import io.bywash.engine.internal.role.RoleHandle;
import io.bywash.engine.record.RecordFormatException;
import io.bywash.engine.record.RecordType;
import io.bywash.engine.record.Records;
import io.bywash.engine.wait.WaitPolicy;
import io.bywash.engine.wait.Waitable;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * The popper of a ring. A ring has one popper at a time, over all processes. It goes on where its predecessor stopped,
 * with the same counts, even if that was killed; so what is not popped when it is closed stays for the next one.
 *
 * {@snippet :
 * try (RingPopper popper = RingPopper.open(segment.directory().find("samples", Kind.RING))) {
 *   Sample sample = popper.pop(SAMPLES, 1_000_000_000); // waits for up to a second; null when there was none
 *   List<Sample> batch = popper.popBulk(SAMPLES, 100, 0); // as many as there are, up to 100
 *   int count = popper.popBulk(MemorySegment.ofArray(floats), 0, 100, 0); // elements as they lie in memory
 *   long lost = popper.lostCount(); // elements that were overwritten before they were popped
 * }
 * }
 *
 * <p>Elements are popped in order, each of them once, and whole. Elements that the writer dropped are counted as lost
 * when the popper comes to them: popped and lost together are what was pushed, once the ring is empty. An element
 * counts as popped when the method that popped it is about to return.
 *
 * <p>A popper is used by one thread at a time. Where a second thread is noticed, it gets an {@link
 * IllegalStateException}. After {@link #close} or {@link #revoke}, or after the segment was closed in this process,
 * every method that uses the ring throws {@link io.bywash.engine.SegmentClosedException}. A popper {@linkplain #isReady
 * is ready} when there is an element to pop.
 */
@SuppressWarnings("exports") // Role has no public member but those of its interfaces
public final class RingPopper extends Role implements Waitable, Revocable {
  private static final int POPS_A_PROBE = 1024; // a power of two

  private final Elements elements;
  private final RoleHandle handle;
  private final Decoder decoder;
  private Elements.Head head;
  private int emptyPops;
  /** Whether a record is being made, whose code might use this popper. */
  private boolean decoding;

  private RingPopper(Elements elements, RoleHandle handle, WaitPolicy waitPolicy) {
    super(handle, waitPolicy, elements.entry.waitingForData());
    this.elements = elements;
    this.handle = handle;
    this.decoder = new Decoder(elements);
    this.head = elements.readHead();
    elements.room(elements.tail());
  }

  /** As {@link #open(Entry, WaitPolicy)} with {@link WaitPolicy#BACKOFF}. */
  public static RingPopper open(Entry entry) {
    return open(entry, WaitPolicy.BACKOFF);
  }

  /**
   * Takes the popper role.
   *
   * @param waitPolicy how this popper waits for elements
   * @throws io.bywash.engine.RoleTakenException when a living participant holds the role; the exception has its pid
   * @throws io.bywash.engine.SpecMismatchException when the entry is not a ring
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds something impossible
   * @throws IllegalStateException when the segment is attached read-only
   */
  public static RingPopper open(Entry entry, WaitPolicy waitPolicy) {
    Elements elements = Elements.of(entry);
    Objects.requireNonNull(waitPolicy, "waitPolicy");
    return elements.open(RingLayout.POPPER_ROLE, "popper", handle -> new RingPopper(elements, handle, waitPolicy));
  }

  /**
   * Labels this popper for people who inspect the segment. The label may be changed at any time.
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

  /** How many elements were ever popped from the ring, by this popper and those before it. */
  public long poppedCount() {
    return head.position() - head.lost();
  }

  /** How many elements were ever lost: overwritten before this popper, or one before it, came to them. */
  public long lostCount() {
    return head.lost();
  }

  /**
   * Pops an element into an array of exactly {@link #elementBytes} bytes. Returns false when the ring is empty now.
   *
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds what no writer writes
   */
  public boolean pop(byte[] target) {
    return pop(target, 0);
  }

  /** As {@link #pop(byte[])}, but waits for an element for up to {@code timeoutNanos}. */
  public boolean pop(byte[] target, long timeoutNanos) {
    if (target.length != elements.elementBytes) {
      throw new IllegalArgumentException("target has " + target.length + " bytes, and the elements of entry \""
          + entry.name() + "\" have " + elements.elementBytes);
    }
    return popBulk(MemorySegment.ofArray(target), 0, 1, timeoutNanos) == 1;
  }

  /**
   * Pops the elements that are there, up to a limit, into a segment, one after the other, for example
   * {@code MemorySegment.ofArray(doubles)}. Waits for the first one for up to {@code timeoutNanos}. Returns how many
   * were popped; 0 when none came in that time.
   *
   * @param offset of the first one in the segment, in bytes
   * @param limit the most elements to pop, at least 1
   * @param timeoutNanos 0 or less does not wait
   * @throws IndexOutOfBoundsException when the segment does not have room for so many
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds what no writer writes
   * @throws io.bywash.engine.InterruptedWaitException when {@code timeoutNanos} is greater than 0 and this thread is
   *     interrupted, before the call or while it waits; its documentation shows the loop to write
   */
  public int popBulk(MemorySegment target, long offset, int limit, long timeoutNanos) {
    Numbers.checkPositive("limit", limit);
    elements.checkRange(target, offset, limit);
    beginWait(timeoutNanos);
    int count;
    do {
      count = popNow(target, offset, limit);
    } while (count == 0 && awaitOnce(timeoutNanos));
    return count;
  }

  /** As {@link #pop(Records, long)}, but without waiting. */
  public <T> T pop(Records<T> records) {
    return pop(records, 0);
  }

  /** Pops a record as {@link #popBulk(Records, int, long)} does. Returns null when none came in that time. */
  public <T> T pop(Records<T> records, long timeoutNanos) {
    List<T> popped = popBulk(records, 1, timeoutNanos);
    return popped.isEmpty() ? null : popped.getFirst();
  }

  /**
   * Pops the records that are there, up to a limit. Waits for the first one for up to {@code timeoutNanos}. Returns an
   * empty list when none came in that time.
   *
   * @param limit the most records to pop, at least 1
   * @param timeoutNanos 0 or less does not wait
   * @throws io.bywash.engine.SpecMismatchException when this ring is declared to hold other records
   * @throws IllegalArgumentException when {@code records} are not of one class of {@link #elementBytes}
   * @throws RecordFormatException when the first element does not hold such a record; it counts as popped, and the next
   *     call goes on behind it
   * @throws io.bywash.engine.InterruptedWaitException when {@code timeoutNanos} is greater than 0 and this thread is
   *     interrupted, before the call or while it waits
   */
  public <T> List<T> popBulk(Records<T> records, int limit, long timeoutNanos) {
    Numbers.checkPositive("limit", limit);
    RecordType<T> type = decoder.type(records);
    beginWait(timeoutNanos);
    List<T> popped;
    do {
      popped = popNow(type, limit);
    } while (popped.isEmpty() && awaitOnce(timeoutNanos));
    return popped;
  }

  // ---- popping

  private int popNow(MemorySegment target, long offset, int limit) {
    begin();
    try {
      Elements.Copied copied = elements.copy(head.position(), limit, false, target, offset);
      popped(copied.from(), copied.count());
      return copied.count();
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      end();
    }
  }

  private <T> List<T> popNow(RecordType<T> type, int limit) {
    begin();
    try {
      int most = Math.clamp(elements.tail() - head.position(), 0, Math.min(limit, elements.capacity));
      Elements.Copied copied = elements.copy(head.position(), most, false, decoder.room(most), 0);
      List<T> records = new ArrayList<>(copied.count());
      RecordFormatException impossible = decode(type, copied, records);
      guard.checkUsable(); // a record's own code may have closed this popper
      popped(copied.from(), records.isEmpty() && impossible != null ? 1 : records.size());
      if (records.isEmpty() && impossible != null) {
        throw impossible;
      }
      return records;
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      end();
    }
  }

  /** Decodes elements up to the first one that is no such record; why it is none. */
  private <T> RecordFormatException decode(RecordType<T> type, Elements.Copied copied, List<T> records) {
    decoding = true;
    try {
      decoder.decode(type, copied, records);
      return null;
    } catch (RecordFormatException impossible) {
      return impossible;
    } finally {
      decoding = false;
    }
  }

  private void begin() {
    guard.enter();
    if (decoding) {
      throw new IllegalStateException("the record that is being popped uses its own popper");
    }
    boolean begun = false;
    try {
      handle.checkOurs();
      begun = true;
    } finally {
      if (!begun) {
        guard.exit();
      }
    }
  }

  private void end() {
    guard.exit();
    Reference.reachabilityFence(this); // or the cleaner could give the role back before the last store
  }

  /** Elements from a position on were popped; those before it, which were not, are lost. */
  private void popped(long from, int count) {
    if (count > 0) {
      long lost = from - head.position();
      head = elements.moveHead(head, from + count, head.lost() + lost);
      if (lost > 0) {
        EngineEvents.overrun(entry.core().path(), entry.name(), handle.index(), lost);
      }
      entry.waitingForSpace().signal();
    } else if (++emptyPops % POPS_A_PROBE == 0) { // one that never waits must also learn
      entry.probe(); // that the entry was removed
      entry.core().probePeers(); // and that a peer died
    }
  }

  // ---- waiting, and the end

  @Override
  protected boolean hasWork() {
    return elements.tail() != elements.head();
  }

  @Override
  protected long changeStamp() {
    return elements.tail();
  }
}
