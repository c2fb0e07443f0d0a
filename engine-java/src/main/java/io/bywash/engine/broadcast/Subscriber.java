package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.BroadcastLayout.*;
import static io.bywash.engine.internal.layout.SegmentLayout.*;

import io.bywash.engine.Entry;
import io.bywash.engine.Message;
import io.bywash.engine.MessageHandler;
import io.bywash.engine.Revocable;
import io.bywash.engine.SegmentReplacedException;
import io.bywash.engine.TableFullException;
import io.bywash.engine.internal.layout.Numbers;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.role.Role;
import io.bywash.engine.internal.role.RoleHandle;
import io.bywash.engine.internal.attachment.UsageGuard;
import io.bywash.engine.record.RecordHandler;
import io.bywash.engine.record.Records;
import io.bywash.engine.wait.WaitPolicy;
import io.bywash.engine.wait.Waitable;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import java.util.Objects;
import java.util.function.Function;

/**
 * A subscriber of a broadcast queue, with a position of its own. Any number may join and leave at any time.
 * {@link SubscriberOptions} say what happens when the publisher is faster.
 *
 * {@snippet :
 * SubscriberOptions options = SubscriberOptions.skip().startingAtOldest();
 * try (Subscriber subscriber = Subscriber.open(segment.directory().find("prices", Kind.BROADCAST), options)) {
 *   MessageHandler handler = message -> System.out.println(message.sequence() + ": " + message.getLong(0));
 *   while (subscriber.poll(handler, 256, 1_000_000_000) > 0) { // waits for up to a second
 *     // one or more messages were handled
 *   }
 * }
 * }
 *
 * <p>A subscriber is used by one thread at a time. Where a second thread is noticed, it gets an
 * {@link IllegalStateException}. After {@link #close} or {@link #revoke}, or after the segment was closed in this
 * process, every method that uses the queue throws {@link io.bywash.engine.SegmentClosedException}, and this subscriber
 * no longer holds the publisher back. A segment that is attached read-only allows only {@code skip} subscribers; these
 * park instead of blocking, and nobody sees them. A subscriber {@linkplain #isReady is ready} when there is a message
 * to read.
 */
@SuppressWarnings("exports") // Role has no public member but those of its interfaces
public final class Subscriber extends Role implements Waitable, Revocable {
  private static final int POLLS_A_PROBE = 1024; // a power of two

  private final Ring ring;
  private final SubscriberOptions options;
  private final RecordReader reader;
  /** Null for a policy that never pauses while there may be something to read. */
  private final Pace pace;
  /** The publisher's role word when this subscriber joined, and the sequence at which it started. */
  private final long firstPublisher;
  private long firstSequence;
  private int emptyPolls;
  private final Taking taking = new Taking();
  private final Taken taken = new Taken();
  /** The last handler of records, what it was made of, and for which records. */
  private MessageHandler typed;
  private RecordHandler<?> typedHandler;
  private Records<?> typedRecords;

  private Subscriber(Ring ring, UsageGuard guard, SubscriberOptions options) {
    super(guard, options.waitPolicy, ring.entry.waitingForData());
    this.ring = ring;
    this.options = options;
    this.reader = new RecordReader(ring, guard, options);
    this.firstPublisher = ring.entry.roleWord(PUBLISHER_ROLE);
    this.pace = options.waitPolicy == WaitPolicy.BACKOFF ? new Pace() : null;
  }

  /** Joins the queue with {@link SubscriberOptions#block}: nothing that is published from now on is lost. */
  public static Subscriber open(Entry entry) {
    return open(entry, SubscriberOptions.block());
  }

  /**
   * Joins the queue.
   *
   * @throws TableFullException when living subscribers have taken all places
   * @throws io.bywash.engine.OverrunException when {@code options} ask for a sequence that was overwritten, and are not
   *     {@code skip}
   * @throws IllegalArgumentException when {@code options} ask for a sequence beyond the next message
   * @throws SegmentReplacedException when {@code options} ask for a sequence of another segment
   * @throws io.bywash.engine.SpecMismatchException when the entry is not a broadcast
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds something impossible
   * @throws IllegalStateException when the segment is attached read-only and {@code options} are not {@code skip}
   */
  public static Subscriber open(Entry entry, SubscriberOptions options) {
    Ring ring = Ring.of(entry);
    Objects.requireNonNull(options, "options");
    return ring.entry.core().whileMapped(() -> open(ring, options));
  }

  private static Subscriber open(Ring ring, SubscriberOptions options) {
    long segmentId = ring.entry.core().geometry().segmentId();
    if (options.startSegmentId != 0 && options.startSegmentId != segmentId) {
      throw new SegmentReplacedException(String.format("Sequence %d of entry \"%s\" was asked for in segment %s of id"
          + " %016x, but its id is %016x: it was removed and created anew since. Begin anew, for example with"
          + " startingAtOldest().",
          options.startNumber, ring.entry.name(), ring.entry.core().path(), options.startSegmentId, segmentId));
    }
    ring.touchPages(false);
    if (ring.entry.core().isReadOnly()) {
      if (options.mode != MODE_SKIP) {
        ring.entry.core().requireParticipant();
      }
      Subscriber subscriber = new Subscriber(ring, UsageGuard.ofObserver(ring.entry), options);
      subscriber.reader.moveTo(ring.entry.look(subscriber::start));
      subscriber.tellStart();
      return subscriber;
    }
    RoleHandle handle = takePlace(ring, options.mode);
    try {
      Subscriber subscriber = new Subscriber(ring, handle, options);
      subscriber.join(handle);
      ring.entry.waitingForSpace().signal(); // the publisher may wait for subscribers
      subscriber.tellStart();
      return subscriber;
    } catch (RuntimeException | Error failure) {
      handle.close();
      throw failure;
    } finally {
      handle.exit();
    }
  }

  private static RoleHandle takePlace(Ring ring, int mode) {
    for (int index = FIRST_SUBSCRIBER_ROLE; index < ring.entry.roleCount(); index++) {
      RoleHandle handle = RoleHandle.tryTake(ring.entry, index, mode);
      if (handle != null) {
        return handle;
      }
    }
    throw new TableFullException("Entry \"" + ring.entry.name() + "\" of segment " + ring.entry.core().path() + " has"
        + " all its " + (ring.entry.roleCount() - 1) + " places taken by living subscribers. Close one, or create the"
        + " queue with more.");
  }

  private void join(RoleHandle handle) {
    reader.moveTo(start());
    reader.share();
    ring.region.setLongOpaque(handle.offset() + ROLE_LOST, 0);
    ring.region.setLongOpaque(handle.offset() + ROLE_EVICT_AFTER, options.evictAfterNanos);
    handle.activate(); // [role-active] [join]
    // [join] the publisher either sees this role before it gives up more, or this sees what it gave up
    Ring.Search search = new Ring.Search();
    while (options.isGating() && ring.oldest() > reader.position()) {
      if (!search.mayGoOn()) {
        throw ring.restless();
      }
      reader.moveTo(start());
      reader.share();
      VarHandle.fullFence(); // [join]
    }
  }

  private Ring.Cursor start() {
    return switch (options.start) {
      case NEXT -> ring.cursor(true);
      case OLDEST -> ring.cursor(false);
      case LAST -> ring.cursorAt(Math.max(ring.cursor(true).sequence() - options.startNumber, 0));
      case SEQUENCE -> ring.cursorAt(options.startNumber);
    };
  }

  /** Reports that the requested sequence is not there. */
  private void tellStart() {
    firstSequence = reader.nextSequence();
    if (options.start != SubscriberOptions.Start.SEQUENCE) {
      return;
    }
    long missing = reader.nextSequence() - options.startNumber;
    if (missing < 0) {
      throw new IllegalArgumentException("sequence=" + options.startNumber + " lies beyond the next message of"
          + " entry \"" + entry.name() + "\" in segment " + entry.core().path() + ", which gets sequence "
          + reader.nextSequence());
    }
    if (missing > 0 && options.mode != MODE_SKIP) {
      throw reader.overrunException(missing);
    }
    if (missing > 0) {
      reader.startBehindGap(missing);
    }
  }

  /**
   * Hands the messages that are there to {@code handler}, in order, without waiting.
   *
   * @param limit the largest number of messages to hand over, at least 1
   * @return how many messages were handed over; 0 when there were none, or when all of them had been overwritten
   * @throws io.bywash.engine.OverrunException when messages were overwritten before they were read, with
   *     {@link SubscriberOptions#fail}
   * @throws io.bywash.engine.EvictedException when this subscriber was evicted, with
   *     {@link SubscriberOptions#evictAfter}
   * @throws io.bywash.engine.EntryRemovedException when the entry was removed; an observer learns of it at once, others
   *     as {@link io.bywash.engine.Directory#remove} says
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds what no publisher writes
   * @throws IllegalArgumentException when {@code limit} is less than 1
   * @throws IllegalStateException when {@code handler} calls this
   */
  public int poll(MessageHandler handler, int limit) {
    return poll(handler, limit, false);
  }

  private int poll(MessageHandler handler, int limit, boolean paced) {
    Numbers.checkPositive("limit", limit);
    if (reader.isReading() && guard.isCallerInside()) {
      guard.checkUsable();
      throw new IllegalStateException("this subscriber is polled by its own handler; return from the handler first");
    }
    guard.enter();
    try {
      if (paced) {
        pace.beforeLook();
      }
      boolean found = reader.look();
      if (paced) {
        pace.afterLook(reader.unreadBytes());
      }
      if (!found && ++emptyPolls % POLLS_A_PROBE == 0) {
        entry.probe(); // one that never waits must also learn that the entry was removed
        entry.core().probePeers(); // and that a peer died
      }
      return found ? reader.read(handler, limit) : 0;
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      guard.exit();
      Reference.reachabilityFence(this); // or the cleaner could give the role back while its messages are read
    }
  }

  /**
   * As {@link #poll(MessageHandler, int)}, but waits for the first message for up to {@code timeoutNanos}. Returns 0
   * when none came in that time.
   *
   * @param timeoutNanos 0 or less does not wait
   * @throws io.bywash.engine.InterruptedWaitException when {@code timeoutNanos} is greater than 0 and this thread is
   *     interrupted, before the call or while it waits; its documentation shows the loop to write
   */
  public int poll(MessageHandler handler, int limit, long timeoutNanos) {
    beginWait(timeoutNanos);
    int count;
    do {
      count = pollPaced(handler, limit);
    } while (count == 0 && awaitOnce(timeoutNanos));
    return count;
  }

  private int pollPaced(MessageHandler handler, int limit) {
    return poll(handler, limit, pace != null && reader.isDry());
  }

  /** As {@link #receive(Function, long)}, but without waiting. */
  public <T> T receive(Function<? super Message, ? extends T> reader) {
    return receive(reader, 0);
  }

  /**
   * Reads the next message with {@code reader}, in place, and returns what that returned. Waits for it for up to
   * {@code timeoutNanos}, and returns null when none came in that time. {@link #lostCount} says whether messages were
   * lost before it. All else is as in the polls.
   *
   * @param reader gets the message, which is valid during that call only, and returns anything but null
   */
  @SuppressWarnings("unchecked") // it is what this reader returned
  public <T> T receive(Function<? super Message, ? extends T> reader, long timeoutNanos) {
    taking.reader = Objects.requireNonNull(reader, "reader");
    try {
      poll(taking, 1, timeoutNanos);
      return (T) taking.result;
    } finally {
      taking.reader = null;
      taking.result = null;
    }
  }

  private static final class Taking implements MessageHandler {
    private Function<? super Message, ?> reader;
    private Object result;

    @Override
    public void onMessage(Message message) {
      result = Objects.requireNonNull(reader.apply(message), "the result of the reader");
    }
  }

  /** As {@link #poll(Records, RecordHandler, int, long)}, but without waiting. */
  public <T> int poll(Records<T> records, RecordHandler<? super T> handler, int limit) {
    return poll(handler(records, handler), limit);
  }

  /**
   * As {@link #poll(MessageHandler, int, long)}, but hands over the record in each message.
   *
   * @throws io.bywash.engine.SpecMismatchException when this queue is declared to carry other records
   * @throws io.bywash.engine.record.RecordFormatException when a message does not hold such a record; the next poll
   *     continues after it
   */
  public <T> int poll(Records<T> records, RecordHandler<? super T> handler, int limit, long timeoutNanos) {
    return poll(handler(records, handler), limit, timeoutNanos);
  }

  /** As {@link #poll(Records, long)}, but without waiting. */
  public <T> T poll(Records<T> records) {
    return poll(records, 0);
  }

  /**
   * Reads the record in the next message. Waits for it for up to {@code timeoutNanos}, and returns null when none came
   * in that time. {@link #lostCount} says whether messages were lost before it. All else is as in the other polls.
   */
  @SuppressWarnings("unchecked") // it is one of these records
  public <T> T poll(Records<T> records, long timeoutNanos) {
    poll(records, taken, 1, timeoutNanos);
    T record = (T) taken.record;
    taken.record = null;
    return record;
  }

  private static final class Taken implements RecordHandler<Object> {
    private Object record;

    @Override
    public void onRecord(Object next) {
      record = next;
    }
  }

  /** The handler of the last poll, if that was for the same records and handler. */
  private <T> MessageHandler handler(Records<T> records, RecordHandler<? super T> handler) {
    if (records != typedRecords || handler != typedHandler) {
      records.check(entry);
      typed = records.handler(handler);
      typedRecords = records;
      typedHandler = handler;
    }
    return typed;
  }

  /**
   * Labels this subscriber for people who inspect the segment. The label may be changed at any time.
   *
   * @param label up to 32 bytes in UTF-8, without control characters; empty for none
   * @throws IllegalStateException when the segment is attached read-only
   */
  public void label(String label) {
    setLabel(label);
  }

  /** The sequence of the next message that this subscriber reads, unless messages are lost before that. */
  public long nextSequence() {
    return reader.nextSequence();
  }

  /**
   * How many messages this subscriber has lost since it joined; always 0 for {@link SubscriberOptions#block} and
   * {@link SubscriberOptions#evictAfter}.
   */
  public long lostCount() {
    return reader.lostCount();
  }

  /**
   * A condition for a {@link io.bywash.engine.wait.WaitHub}: the publisher has gone. That is so when there was one
   * (when this subscriber joined or later, or this subscriber has read a message), and now no living participant holds
   * the role: the publisher gave it back, or is proven dead. All messages that it committed can be read by then.
   * Another publisher may come at any time.
   */
  public Waitable publisherGone() {
    return condition(this::isPublisherGone);
  }

  private boolean isPublisherGone() {
    long word = entry.roleWord(PUBLISHER_ROLE); // [role-free] what was committed before is seen by the next poll
    boolean seen = Owner.state(firstPublisher) != ROLE_FREE || reader.nextSequence() != firstSequence
        || Owner.generation(word) != Owner.generation(firstPublisher);
    return seen && (Owner.state(word) == ROLE_FREE || !entry.core().participants().isAlive(word));
  }

  @Override
  protected boolean hasWork() {
    return reader.hasWork();
  }

  @Override
  protected long changeStamp() {
    return ring.changeStamp();
  }
}
