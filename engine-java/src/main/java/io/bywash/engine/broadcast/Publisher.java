package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.BroadcastLayout.FIRST_SUBSCRIBER_ROLE;
import static io.bywash.engine.broadcast.BroadcastLayout.PUBLISHER_ROLE;
import static io.bywash.engine.internal.layout.SegmentLayout.ROLE_ACTIVE;
import static io.bywash.engine.internal.layout.SegmentLayout.ROLE_REVOKED;

import io.bywash.engine.Claim;
import io.bywash.engine.Entry;
import io.bywash.engine.Revocable;
import io.bywash.engine.RoleTakenException;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.role.Role;
import io.bywash.engine.internal.role.RoleHandle;
import io.bywash.engine.record.RecordType;
import io.bywash.engine.record.Records;
import io.bywash.engine.wait.WaitPolicy;
import io.bywash.engine.wait.Waitable;
import java.lang.ref.Reference;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;

/**
 * The writer of a broadcast queue: one at a time, over all processes. It goes on where its predecessor stopped, also
 * when that one was killed in the middle of a message.
 *
 * <p>Used by one thread at a time. A method that cannot go on because a {@code block} subscriber is too far behind says
 * so by its result; a subscriber that is proven dead does not count. After {@link #close} or {@link #revoke}, or after
 * the segment was closed in this process, every method that uses the queue throws
 * {@link io.bywash.engine.SegmentClosedException}.
 *
 * <p>The protocol: positions count bytes ever written, and are never reused. {@link RecordWriter} has the writing,
 * {@link Gate} the looking at subscribers. Subscribers that read copies check after copying that nothing was
 * overwritten (Boehm 2012, "Can seqlocks get along with programming language memory models?").
 */
@SuppressWarnings("exports") // Role has no public member but those of Revocable
public final class Publisher extends Role implements Waitable, Revocable {
  private final Ring ring;
  private final Gate gate;
  private final RecordWriter writer;
  /** What the queue is known to carry. */
  private Records<?> checked;

  private Publisher(Ring ring, RoleHandle handle, WaitPolicy waitPolicy) {
    super(handle, waitPolicy, ring.entry.waitingForSpace());
    this.ring = ring;
    this.gate = new Gate(ring);
    this.writer = new RecordWriter(this, ring, handle, gate);
  }

  /** As {@link #open(Entry, WaitPolicy)} with {@link WaitPolicy#BACKOFF}. */
  public static Publisher open(Entry entry) {
    return open(entry, WaitPolicy.BACKOFF);
  }

  /**
   * Takes the writer role.
   *
   * @param waitPolicy how it waits for room and for subscribers
   * @throws RoleTakenException when a living participant holds it, or had it revoked while its user was inside; its
   *     pid is named
   * @throws io.bywash.engine.SpecMismatchException when the entry is no broadcast
   * @throws io.bywash.engine.DamagedSegmentException when what is in shared memory is impossible
   * @throws IllegalStateException when the segment is attached read-only
   */
  public static Publisher open(Entry entry, WaitPolicy waitPolicy) {
    Ring ring = Ring.of(entry);
    Objects.requireNonNull(waitPolicy, "waitPolicy");
    return ring.entry.core().whileMapped(() -> open(ring, waitPolicy));
  }

  private static Publisher open(Ring ring, WaitPolicy waitPolicy) {
    RoleHandle handle = ring.entry.tryTake(PUBLISHER_ROLE, 0);
    if (handle == null) {
      throw taken(ring, ring.entry.roleWord(PUBLISHER_ROLE));
    }
    try {
      ring.touchPages(true);
      Publisher publisher = new Publisher(ring, handle, waitPolicy);
      handle.activate();
      return publisher;
    } catch (RuntimeException | Error failure) {
      handle.close();
      throw failure;
    } finally {
      handle.exit();
    }
  }

  private static RoleTakenException taken(Ring ring, long word) {
    long pid = ring.entry.core().participants().pid(word);
    String queue = "Entry \"" + ring.entry.name() + "\" of segment " + ring.entry.core().path();
    return new RoleTakenException(Owner.state(word) == ROLE_REVOKED
        ? queue + " had its publisher revoked in process " + pid + ", but that one's user has not come out: it may"
            + " still write. Have it commit or abort its claim, or end that process."
        : queue + " has a publisher already, process " + pid + ". Only one can publish; end that one first.", pid);
  }

  /**
   * Says what this publisher is, for people who look at the segment. It may be changed at any time.
   *
   * @param label up to 32 bytes in UTF-8, without control characters; empty for none
   */
  public void label(String label) {
    setLabel(label);
  }

  /** The largest message in bytes. */
  public int maxMessageBytes() {
    return ring.maxMessageBytes;
  }

  /** The sequence that the next message gets; also the number of messages ever committed or staged. */
  public long nextSequence() {
    return writer.sequence();
  }

  /** Publishes a copy of {@code message} with type 0; false when there is no room now. */
  public boolean offer(byte[] message) {
    return offer(message, 0, message.length, 0, 0);
  }

  /**
   * Publishes a copy of {@code length} bytes from {@code index} on, waiting for room up to {@code timeoutNanos}; false
   * when there was none in that time. Whatever else ends it, a {@link StackOverflowError} included, leaves the queue
   * usable.
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
    checkInterrupt(timeoutNanos);
    boolean offered = writer.tryOffer(source, index, length, type);
    if (!offered && timeoutNanos > 0) {
      long start = System.nanoTime();
      while (!offered && awaitOnce(start, timeoutNanos)) {
        offered = writer.tryOffer(source, index, length, type);
      }
    }
    Reference.reachabilityFence(this); // or the cleaner could give the role back before the last store
    return offered;
  }

  /** As {@link #offer(Records, Object, long)} without waiting. */
  public <T> boolean offer(Records<T> records, T record) {
    return offer(records, record, 0);
  }

  /**
   * Publishes a record as it is, waiting for room up to {@code timeoutNanos}; false when there was none in that time.
   * This is the fastest way to publish a message. If it throws, nothing was published.
   *
   * @param timeoutNanos 0 or less does not wait
   * @throws io.bywash.engine.SpecMismatchException when this queue is declared to carry other records
   * @throws IllegalArgumentException when the record is none of {@code records}, when a string or an array in it is
   *     longer than its {@link io.bywash.engine.record.Length}, a component is null, or it is longer than
   *     {@link #maxMessageBytes}
   * @throws IllegalStateException when the last claim was neither committed, staged nor aborted, or the record's own
   *     code uses this publisher
   * @throws io.bywash.engine.InterruptedWaitException when {@code timeoutNanos} is greater than 0 and this thread is
   *     interrupted before it begins or while it waits
   */
  public <T> boolean offer(Records<T> records, T record, long timeoutNanos) {
    if (records != checked) {
      records.check(entry);
      checked = records;
    }
    checkInterrupt(timeoutNanos);
    RecordType<T> type = records.typeOf(record);
    boolean offered = writer.tryOffer(type, record);
    if (!offered && timeoutNanos > 0) {
      long start = System.nanoTime();
      while (!offered && awaitOnce(start, timeoutNanos)) {
        offered = writer.tryOffer(type, record);
      }
    }
    Reference.reachabilityFence(this);
    return offered;
  }

  /** As {@link #tryClaim(int, int)} with type 0. */
  public Claim tryClaim(int length) {
    return tryClaim(length, 0);
  }

  /**
   * Room for a message of exactly {@code length} bytes, to be filled in place; null when there is none now. The result
   * is the same object every time.
   *
   * @param length 1 to {@link #maxMessageBytes}
   * @param type of the message, any number
   * @throws IllegalStateException when the last claim was neither committed, staged nor aborted
   */
  public Claim tryClaim(int length, int type) {
    return writer.tryClaim(length, type);
  }

  /**
   * As {@link #tryClaim(int, int)}, waiting for room up to {@code timeoutNanos}; null when there was none in that time.
   *
   * @throws io.bywash.engine.InterruptedWaitException when {@code timeoutNanos} is greater than 0 and this thread is
   *     interrupted before it begins or while it waits
   */
  public Claim claim(int length, int type, long timeoutNanos) {
    checkInterrupt(timeoutNanos);
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

  /** Makes what was staged visible; nothing happens when nothing was. */
  public void publish() {
    writer.publish();
  }

  /**
   * Waits until at least {@code count} subscribers that live are attached for writing, up to {@code timeoutNanos};
   * false when there were fewer in that time.
   *
   * @throws io.bywash.engine.InterruptedWaitException when {@code timeoutNanos} is greater than 0 and this thread is
   *     interrupted before it begins or while it waits
   */
  public boolean awaitSubscribers(int count, long timeoutNanos) {
    checkSubscribers(count);
    checkInterrupt(timeoutNanos);
    long start = System.nanoTime();
    while (subscriberCount() < count) {
      long left = timeoutNanos - (System.nanoTime() - start);
      if (left <= 0) {
        return false;
      }
      checkInterrupt(left);
      LockSupport.parkNanos(Math.min(left, 1_000_000));
    }
    return true;
  }

  /**
   * What to wait for, with a {@link io.bywash.engine.wait.WaitHub}, until at least {@code count} subscribers that live
   * are attached for writing.
   *
   * @param count 0 up to the number of subscribers that the queue has room for
   */
  public Waitable subscribersPresent(int count) {
    checkSubscribers(count);
    return condition(() -> livingSubscribers() >= count);
  }

  private void checkSubscribers(int count) {
    if (count < 0 || count >= entry.roleCount()) {
      throw new IllegalArgumentException("count=" + count + " is not between 0 and " + (entry.roleCount() - 1)
          + ", the subscribers that entry \"" + entry.name() + "\" has room for");
    }
  }

  /** How many subscribers that live are attached for writing now. */
  public int subscriberCount() {
    guard.checkUsable();
    return entry.core().whileMapped(this::countSubscribers);
  }

  private int countSubscribers() {
    entry.probe();
    guard.checkUsable();
    return livingSubscribers();
  }

  private int livingSubscribers() {
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
   * Whether a claim that found no room is worth another try: there is room now, or the last try was 50 ms ago, and the
   * next one looks whether those who are in the way still live.
   */
  @Override
  public boolean isReady() {
    return isWaitOver();
  }

  @Override
  protected boolean hasWork() {
    return gate.isWorthAnotherTry();
  }

  @Override
  protected long changeStamp() {
    return System.nanoTime(); // it looks after its subscribers now and then
  }

  /**
   * Gives the role back; a claim that is open is aborted, what is staged is published. Committed messages stay. Once is
   * enough.
   */
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
