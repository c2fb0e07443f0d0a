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
 * Sends messages to a work queue; any number of them in any processes, up to the queue's number of roles. What was sent
 * is delivered, also when its producer is killed right afterwards; what was not sent is never seen.
 *
 * <p>Used by one thread at a time. A method that cannot go on because the queue is full says so by its result; that is
 * exact: at that moment it held as many messages as it has room for. After {@link #close} or {@link #revoke}, or after
 * the segment was closed in this process, every method that uses the queue throws
 * {@link io.bywash.engine.SegmentClosedException}.
 *
 * <p>The protocol is in {@link Exchanger}. Its relatives: Nikolaev, "A Scalable, Portable, and Memory-Efficient
 * Lock-Free FIFO Queue" (DISC 2019), for slots that go round; Attiya, Ben-Baruch, Hendler, "Nesting-Safe Recoverable
 * Linearizability" (PODC 2018), for announcing what one is about to do.
 */
@SuppressWarnings("exports") // Role has no public member but those of Revocable
public final class Producer extends Role implements Waitable, Revocable {
  private final Cells cells;
  private final MessageWriter writer;
  /** The records that this queue is known to carry; null while no record was sent. */
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
   * Takes a role.
   *
   * @param waitPolicy how it waits for room
   * @throws TableFullException when all roles are taken by living producers and consumers, or hold messages that the
   *     dead have left
   * @throws io.bywash.engine.SpecMismatchException when the entry is no work queue
   * @throws io.bywash.engine.DamagedSegmentException when what is in shared memory is impossible
   * @throws IllegalStateException when the segment is attached read-only
   */
  public static Producer open(Entry entry, WaitPolicy waitPolicy) {
    Cells cells = Cells.of(entry);
    Objects.requireNonNull(waitPolicy, "waitPolicy");
    return cells.entry.core().whileMapped(() -> {
      cells.touchPages();
      Place place = Place.take(cells, MODE_PRODUCER);
      return place.opened(new Producer(cells, place, waitPolicy));
    });
  }

  /**
   * Says what this producer is, for people who look at the segment. It may be changed at any time.
   *
   * @param label up to 32 bytes in UTF-8, without control characters; empty for none
   */
  public void label(String label) {
    setLabel(label);
  }

  /** The longest message in bytes. */
  public int maxMessageBytes() {
    return cells.maxMessageBytes;
  }

  /** Sends a copy of {@code message} with type 0; false when the queue is full now. */
  public boolean offer(byte[] message) {
    return offer(message, 0, message.length, 0, 0);
  }

  /**
   * Sends a copy of {@code length} bytes from {@code index} on, waiting for room up to {@code timeoutNanos}; false when
   * there was none in that time. Whatever else ends it, a {@link StackOverflowError} included, leaves the queue usable.
   *
   * @param length 1 to {@link #maxMessageBytes}
   * @param type of the message, any number
   * @param timeoutNanos 0 or less does not wait
   * @throws IllegalStateException when the last claim was neither committed, staged nor aborted
   * @throws io.bywash.engine.InterruptedWaitException when {@code timeoutNanos} is greater than 0 and this thread is
   *     interrupted before it begins or while it waits
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
   * Sends a record, waiting for room up to {@code timeoutNanos}; false when there was none in that time. If it throws,
   * nothing was sent. Consumers get the record with {@link Records#read}.
   *
   * @param timeoutNanos 0 or less does not wait
   * @throws io.bywash.engine.SpecMismatchException when this queue is declared to carry other records
   * @throws IllegalArgumentException when the record is not one of {@code records}, when one of its components is null,
   *     when a string or array in it is longer than its {@link io.bywash.engine.record.Length}, or when it is longer
   *     than {@link #maxMessageBytes}
   * @throws IllegalStateException when the last claim was neither committed, staged nor aborted, or when the record's
   *     own code uses this producer
   * @throws io.bywash.engine.InterruptedWaitException when {@code timeoutNanos} is greater than 0 and this thread is
   *     interrupted before it begins or while it waits
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

  /** As {@link #tryClaim(int, int)} with type 0. */
  public QueueClaim tryClaim(int length) {
    return tryClaim(length, 0);
  }

  /**
   * A message of exactly {@code length} bytes, to be filled in place and then sent; null when the queue is full now.
   * The result is the same object every time.
   *
   * @param length 1 to {@link #maxMessageBytes}
   * @param type of the message, any number
   * @throws IllegalStateException when the last claim was neither committed, staged nor aborted
   */
  public QueueClaim tryClaim(int length, int type) {
    return writer.tryClaim(length, type);
  }

  /**
   * As {@link #tryClaim(int, int)}, waiting for room up to {@code timeoutNanos}; null when there was none in that time.
   *
   * @throws io.bywash.engine.InterruptedWaitException when {@code timeoutNanos} is greater than 0 and this thread is
   *     interrupted before it begins or while it waits
   */
  public QueueClaim claim(int length, int type, long timeoutNanos) {
    beginWait(timeoutNanos);
    QueueClaim claim;
    do {
      claim = tryClaim(length, type);
    } while (claim == null && awaitOnce(timeoutNanos));
    return claim;
  }

  /** Wakes whoever waits for what was staged; nothing happens when nothing was. */
  public void publish() {
    writer.publish();
  }

  /** Sends a message of another queue as a dead letter; false when there is no room now. */
  boolean bury(Cells from, int slot, int length, int type, long sequence) {
    boolean sent = writer.tryBury(from, slot, length, type, sequence);
    Reference.reachabilityFence(this);
    return sent;
  }

  /** Sends a claim that is open, waiting for room. */
  boolean commit(long timeoutNanos) {
    beginWait(timeoutNanos);
    boolean sent;
    do {
      sent = writer.sendClaim();
    } while (!sent && awaitOnce(timeoutNanos));
    return sent;
  }

  /** Whether a message that is sent now finds room. */
  @Override
  public boolean isReady() {
    return isWaitOver();
  }

  @Override
  protected boolean hasWork() {
    return writer.hasRoom();
  }

  @Override
  protected long changeStamp() {
    return cells.head();
  }

  /** Gives the role back; a claim that is open is aborted. What was sent stays. Once is enough. */
  @Override
  public void close() {
    writer.abort();
    guard.close();
  }

  @Override
  protected void finish() {
    if (writer != null) { // else the role could not be taken
      writer.finish();
    }
  }
}
