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
 * The publisher of a broadcast queue. A queue has one publisher at a time, over all processes. It continues where its
 * predecessor stopped, even if that was killed in the middle of a message.
 *
 * {@snippet :
 * try (Publisher publisher = Publisher.open(segment.directory().find("prices", Kind.BROADCAST))) {
 *   Claim claim = publisher.claim(8, 0, 1_000_000_000); // waits for room for up to a second
 *   if (claim != null) {
 *     claim.putLong(0, price).commit(); // written in place: nothing is copied
 *   }
 *   publisher.offer(bytes); // or copies a message, if there is room now
 * }
 * }
 *
 * <p>A publisher is used by one thread at a time. Where a second thread is noticed, it gets an
 * {@link IllegalStateException}. A method that finds no room, because a subscriber that holds the publisher back is too
 * far behind, says so by its result. A subscriber that is proven dead holds nobody back. After {@link #close} or
 * {@link #revoke}, or after the segment was closed in this process, every method that uses the queue throws
 * {@link io.bywash.engine.SegmentClosedException}.
 *
 * <p>A publisher {@linkplain #isReady is ready} when it is worth repeating a claim that found no room. That is so when
 * there is room now, and also 50 ms after the last try, because the next one checks whether the subscribers that are in
 * the way are still alive.
 *
 * <p>Subscribers that read copies check, after copying, that nothing was overwritten meanwhile (Boehm 2012, "Can
 * seqlocks get along with programming language memory models?").
 */
@SuppressWarnings("exports") // Role has no public member but those of its interfaces
public final class Publisher extends Role implements Waitable, Revocable {
  private final Ring ring;
  private final Gate gate;
  private final RecordWriter writer;
  /** The records that the queue is known to carry. */
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
   * Takes the publisher role.
   *
   * @param waitPolicy how this publisher waits for room
   * @throws RoleTakenException when a living participant holds the role, or had it revoked and its user is still inside
   *     an operation; the exception has its pid
   * @throws io.bywash.engine.SpecMismatchException when the entry is not a broadcast
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds something impossible
   * @throws IllegalStateException when the segment is attached read-only
   */
  public static Publisher open(Entry entry, WaitPolicy waitPolicy) {
    Ring ring = Ring.of(entry);
    Objects.requireNonNull(waitPolicy, "waitPolicy");
    return ring.entry.core().whileMapped(() -> open(ring, waitPolicy));
  }

  private static Publisher open(Ring ring, WaitPolicy waitPolicy) {
    Publisher publisher = RoleHandle.tryOpen(ring.entry, PUBLISHER_ROLE, 0, handle -> {
      ring.touchPages(true);
      return new Publisher(ring, handle, waitPolicy);
    });
    if (publisher == null) {
      throw taken(ring, ring.entry.roleWord(PUBLISHER_ROLE));
    }
    return publisher;
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
   * Labels this publisher for people who inspect the segment. The label may be changed at any time.
   *
   * @param label up to 32 bytes in UTF-8, without control characters; empty for none
   */
  public void label(String label) {
    setLabel(label);
  }

  /** The size of the largest message in bytes. */
  public int maxMessageBytes() {
    return ring.maxMessageBytes;
  }

  /**
   * The sequence of the next message, which is also the number of messages that this and earlier publishers ever
   * committed or staged.
   */
  public long nextSequence() {
    return writer.sequence();
  }

  /**
   * Publishes a copy of {@code message} with type 0. Returns false, and publishes nothing, when there is no room now.
   *
   * @throws IllegalArgumentException when {@code message} is empty, or longer than {@link #maxMessageBytes}
   * @throws IllegalStateException when the last claim was not committed, staged or aborted
   */
  public boolean offer(byte[] message) {
    return offer(message, 0, message.length, 0, 0);
  }

  /**
   * Publishes a copy of {@code length} bytes of {@code source}, from {@code index} on. Waits for room for up to
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
   * Publishes a record. Waits for room for up to {@code timeoutNanos}, and returns false when there was none in that
   * time. If it throws, nothing was published. A record that was made just for this call, and that is passed to nothing
   * else that the JIT does not inline, is never made on the heap: so wait for room here, not in a method of your own.
   *
   * @param timeoutNanos 0 or less does not wait
   * @throws io.bywash.engine.SpecMismatchException when this queue is declared to carry other records
   * @throws IllegalArgumentException when the record is not one of {@code records}, when one of its components is null,
   *     when a string or array in it is longer than its {@link io.bywash.engine.record.Length}, or when it is longer
   *     than {@link #maxMessageBytes}
   * @throws IllegalStateException when the last claim was not committed, staged or aborted, or when the record's own
   *     code uses this publisher
   * @throws io.bywash.engine.InterruptedWaitException when {@code timeoutNanos} is greater than 0 and this thread is
   *     interrupted, before the call or while it waits
   */
  public <T> boolean offer(Records<T> records, T record, long timeoutNanos) {
    if (records != checked) {
      records.check(entry);
      for (int i = 0; i < records.types().size(); i++) { // an iterator would be allocated
        writer.prepare(records.types().get(i).sizeBytes());
      }
      checked = records;
    }
    beginWait(timeoutNanos);
    RecordType<T> type = records.typeOf(record);
    boolean offered = writer.tryOffer(type, record);
    while (!offered && awaitOnce(timeoutNanos)) {
      offered = writer.tryOfferAgain(type);
    }
    Reference.reachabilityFence(this);
    return offered;
  }

  /** As {@link #tryClaim(int, int)}, with type 0. */
  public Claim tryClaim(int length) {
    return tryClaim(length, 0);
  }

  /**
   * Claims room for a message of exactly {@code length} bytes, to be filled in place. Returns null when there is no
   * room now. The result is the same object every time.
   *
   * @param length 1 to {@link #maxMessageBytes}
   * @param type the message's type, any number
   * @throws IllegalArgumentException when {@code length} is out of range
   * @throws IllegalStateException when the last claim was not committed, staged or aborted
   */
  public Claim tryClaim(int length, int type) {
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
  public Claim claim(int length, int type, long timeoutNanos) {
    beginWait(timeoutNanos);
    Claim room;
    do {
      room = tryClaim(length, type);
    } while (room == null && awaitOnce(timeoutNanos));
    return room;
  }

  /** Publishes all staged messages. Does nothing when there are none. An open claim stays open. */
  public void publish() {
    writer.publish();
  }

  /**
   * Waits for up to {@code timeoutNanos} until at least {@code count} living subscribers have joined. Returns false
   * when there were fewer in that time. Subscribers of read-only attachments do not count.
   *
   * @param count 0 to the number of subscribers that the queue has room for
   * @param timeoutNanos 0 or less does not wait
   * @throws io.bywash.engine.InterruptedWaitException when {@code timeoutNanos} is greater than 0 and this thread is
   *     interrupted, before the call or while it waits
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
   * A condition for a {@link io.bywash.engine.wait.WaitHub}: at least {@code count} living subscribers have joined.
   * Subscribers of read-only attachments do not count.
   *
   * @param count 0 to the number of subscribers that the queue has room for
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

  /** How many living subscribers the queue has now, not counting those of read-only attachments. */
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

  @Override
  protected boolean hasWork() {
    return gate.isWorthAnotherTry();
  }

  @Override
  protected boolean isWakeDue() {
    return guard.isUsable() && gate.hasRoom();
  }

  @Override
  protected long changeStamp() {
    return System.nanoTime(); // it has to check its subscribers from time to time
  }

  /**
   * Gives the role back. An open claim is aborted, staged messages are published, committed messages stay. Calling this
   * again does nothing.
   */
  @Override
  public void close() {
    writer.abort();
    guard.close(writer.isWritingRecord());
  }

  @Override
  protected void finish() {
    if (writer != null) { // null when the role could not be taken
      writer.finish();
    }
  }
}
