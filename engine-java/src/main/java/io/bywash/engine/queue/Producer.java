package io.bywash.engine.queue;

import static io.bywash.engine.queue.QueueLayout.MODE_PRODUCER;

import io.bywash.engine.Entry;
import io.bywash.engine.Revocable;
import io.bywash.engine.TableFullException;
import io.bywash.engine.internal.role.Role;
import io.bywash.engine.record.RecordType;
import io.bywash.engine.record.Records;
import io.bywash.engine.wait.WaitPolicy;
import io.bywash.engine.wait.Waitable;
import java.lang.ref.Reference;
import java.util.Objects;

/**
 * A producer of a work queue. A queue has any number of producers in any number of processes, up to its number of
 * roles. A message that was sent is delivered, even if its producer is killed right afterwards. A message that was not
 * sent is never seen.
 *
 * {@snippet :
 * try (Producer producer = Producer.open(segment.directory().find("jobs", Kind.WORK_QUEUE))) {
 *   boolean offered = producer.offer(bytes); // copies a message, if there is room now
 *   try (QueueClaim claim = producer.claim(8, 0, 1_000_000_000)) { // waits for room for up to a second
 *     if (claim != null) {
 *       claim.putLong(0, job); // written in place: nothing is copied
 *       boolean sent = claim.tryCommit(1_000_000_000); // the last room may have been used meanwhile
 *     }
 *   } // a claim that was not committed is aborted here
 * }
 * }
 *
 * <p>A producer is used by one thread at a time. Where a second thread is noticed, it gets an
 * {@link IllegalStateException}. A method that finds the queue full says so by its result. That is exact: at that
 * moment the queue held as many messages as it has room for. After {@link #close} or {@link #revoke}, or after the
 * segment was closed in this process, every method that uses the queue throws
 * {@link io.bywash.engine.SegmentClosedException}. A producer {@linkplain #isReady is ready} when there is room for a
 * message.
 *
 * <p>{@link Exchanger} has the protocol. Related work: Nikolaev, "A Scalable, Portable, and Memory-Efficient Lock-Free
 * FIFO Queue" (DISC 2019), for slots that circulate; Attiya, Ben-Baruch, Hendler, "Nesting-Safe Recoverable
 * Linearizability" (PODC 2018), for announcing an operation before it takes effect.
 */
@SuppressWarnings("exports") // Role has no public member but those of its interfaces
public final class Producer extends Role implements Waitable, Revocable {
  private final Cells cells;
  private final MessageWriter writer;
  /** The records that this queue is known to carry; null before the first record. */
  private Records<?> checked;

  Producer(Cells cells, Place place, WaitPolicy waitPolicy) {
    super(place.handle(), waitPolicy, cells.entry.waitingForSpace());
    this.cells = cells;
    this.writer = new MessageWriter(this, cells, place.handle(), place.exchanger());
  }

  /** As {@link #open(Entry, WaitPolicy)} with {@link WaitPolicy#BACKOFF}. */
  public static Producer open(Entry entry) {
    return open(entry, WaitPolicy.BACKOFF);
  }

  /**
   * Takes a producer role.
   *
   * @param waitPolicy how this producer waits for room
   * @throws TableFullException when all roles are taken by living producers and consumers, or hold messages that dead
   *     ones left
   * @throws io.bywash.engine.SpecMismatchException when the entry is not a work queue
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds something impossible
   * @throws IllegalStateException when the segment is attached read-only
   */
  public static Producer open(Entry entry, WaitPolicy waitPolicy) {
    Cells cells = Cells.of(entry);
    Objects.requireNonNull(waitPolicy, "waitPolicy");
    return cells.entry.core().whileMapped(() -> {
      cells.touchPages();
      return Place.take(cells, MODE_PRODUCER).opened(place -> new Producer(cells, place, waitPolicy));
    });
  }

  /**
   * Labels this producer for people who inspect the segment. The label may be changed at any time.
   *
   * @param label up to 32 bytes in UTF-8, without control characters; empty for none
   */
  public void label(String label) {
    setLabel(label);
  }

  /** The size of the largest message in bytes. */
  public int maxMessageBytes() {
    return cells.maxMessageBytes;
  }

  /**
   * Sends a copy of {@code message} with type 0. Returns false, and sends nothing, when the queue is full now.
   *
   * @throws IllegalArgumentException when {@code message} is empty, or longer than {@link #maxMessageBytes}
   * @throws IllegalStateException when the last claim was not committed, staged or aborted
   */
  public boolean offer(byte[] message) {
    return offer(message, 0, message.length, 0, 0);
  }

  /**
   * Sends a copy of {@code length} bytes of {@code source}, from {@code index} on. Waits for room for up to
   * {@code timeoutNanos}, and returns false when there was none in that time. An exception or error that ends this
   * call, even a {@link StackOverflowError}, leaves the queue usable.
   *
   * @param length 1 to {@link #maxMessageBytes}
   * @param type the message's type, any number
   * @param timeoutNanos 0 or less does not wait
   * @throws IndexOutOfBoundsException when {@code source} has no such bytes
   * @throws IllegalArgumentException when {@code length} is out of range
   * @throws IllegalStateException when the last claim was not committed, staged or aborted
   * @throws io.bywash.engine.InterruptedWaitException when {@code timeoutNanos} is greater than 0 and this thread is
   *     interrupted, before the call or while it waits
   */
  public boolean offer(byte[] source, int index, int length, int type, long timeoutNanos) {
    Objects.checkFromIndexSize(index, length, source.length);
    beginWait(timeoutNanos);
    boolean offered;
    do {
      offered = writer.tryOffer(source, index, length, type);
    } while (!offered && awaitOnce(timeoutNanos));
    Reference.reachabilityFence(this); // or the cleaner could give the role back before the last store
    return offered;
  }

  /** As {@link #offer(Records, Object, long)}, but without waiting. */
  public <T> boolean offer(Records<T> records, T record) {
    return offer(records, record, 0);
  }

  /**
   * Sends a record. Waits for room for up to {@code timeoutNanos}, and returns false when there was none in that time.
   * If it throws, nothing was sent. Consumers read the record with {@link Records#read}.
   *
   * @param timeoutNanos 0 or less does not wait
   * @throws io.bywash.engine.SpecMismatchException when this queue is declared to carry other records
   * @throws IllegalArgumentException when the record is not one of {@code records}, when one of its components is null,
   *     when a string or array in it is longer than its {@link io.bywash.engine.record.Length}, or when it is longer
   *     than {@link #maxMessageBytes}
   * @throws IllegalStateException when the last claim was not committed, staged or aborted, or when the record's own
   *     code uses this producer
   * @throws io.bywash.engine.InterruptedWaitException when {@code timeoutNanos} is greater than 0 and this thread is
   *     interrupted, before the call or while it waits
   */
  public <T> boolean offer(Records<T> records, T record, long timeoutNanos) {
    if (records != checked) {
      records.check(entry);
      checked = records;
    }
    beginWait(timeoutNanos);
    RecordType<T> type = records.typeOf(record);
    boolean offered;
    do {
      offered = writer.tryOffer(type, record);
    } while (!offered && awaitOnce(timeoutNanos));
    Reference.reachabilityFence(this);
    return offered;
  }

  /** As {@link #tryClaim(int, int)}, with type 0. */
  public QueueClaim tryClaim(int length) {
    return tryClaim(length, 0);
  }

  /**
   * Claims a message of exactly {@code length} bytes, to be filled in place and then sent. Returns null when the queue
   * is full now. The result is the same object every time.
   *
   * @param length 1 to {@link #maxMessageBytes}
   * @param type the message's type, any number
   * @throws IllegalArgumentException when {@code length} is out of range
   * @throws IllegalStateException when the last claim was not committed, staged or aborted
   */
  public QueueClaim tryClaim(int length, int type) {
    return writer.tryClaim(length, type);
  }

  /**
   * As {@link #tryClaim(int, int)}, but waits for room for up to {@code timeoutNanos}. Returns null when there was none
   * in that time.
   *
   * @param timeoutNanos 0 or less does not wait
   * @throws io.bywash.engine.InterruptedWaitException when {@code timeoutNanos} is greater than 0 and this thread is
   *     interrupted, before the call or while it waits
   */
  public QueueClaim claim(int length, int type, long timeoutNanos) {
    beginWait(timeoutNanos);
    QueueClaim claim;
    do {
      claim = tryClaim(length, type);
    } while (claim == null && awaitOnce(timeoutNanos));
    return claim;
  }

  /** Wakes a consumer that waits for staged messages. Does nothing when there are none. */
  public void publish() {
    writer.publish();
  }

  /** Sends a message of another queue as a dead letter. Returns false when there is no room now. */
  boolean bury(Cells from, int slot, int length, int type, long sequence) {
    boolean sent = writer.tryBury(from, slot, length, type, sequence);
    Reference.reachabilityFence(this);
    return sent;
  }

  /** Whether there is room for a dead letter now, and this can still be used. */
  boolean hasRoom() {
    return isWaitOver() && guard.isUsable();
  }

  /** Sends the open claim, and waits for room. */
  boolean commit(long timeoutNanos) {
    beginWait(timeoutNanos);
    boolean sent;
    do {
      sent = writer.sendClaim();
    } while (!sent && awaitOnce(timeoutNanos));
    return sent;
  }

  @Override
  protected boolean hasWork() {
    return writer.hasRoom();
  }

  @Override
  protected long changeStamp() {
    return cells.head();
  }

  /** Gives the role back. An open claim is aborted, sent messages stay. Calling this again does nothing. */
  @Override
  public void close() {
    writer.abort();
    guard.close(writer.isWritingRecord());
  }

  @Override
  protected boolean isSending() {
    return writer != null && writer.isSending();
  }

  @Override
  protected void finish() {
    if (writer != null) { // null when the role could not be taken
      writer.finish();
    }
  }
}
