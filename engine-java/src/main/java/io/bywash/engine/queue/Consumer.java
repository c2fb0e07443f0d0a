package io.bywash.engine.queue;

import static io.bywash.engine.queue.QueueLayout.MODE_CONSUMER;

import io.bywash.engine.Entry;
import io.bywash.engine.Revocable;
import io.bywash.engine.TableFullException;
import io.bywash.engine.internal.role.Role;
import io.bywash.engine.internal.role.RoleHandle;
import io.bywash.engine.wait.WaitPolicy;
import io.bywash.engine.wait.Waitable;
import java.lang.ref.Reference;
import java.util.Objects;

/**
 * Takes messages from a work queue, in competition with other consumers: each message comes to one of them. One message
 * is in flight for each consumer; a process opens as many as it has workers.
 *
 * <p>First deliveries come in the order in which the messages were sent. Those that a dead consumer held, or one that
 * was closed, come as soon as that is known, and those that were given back come at the end. If a process dies while it
 * holds a message, another consumer gets that within 200 ms, as long as one waits; who was only paused keeps it,
 * however long that takes.
 *
 * <p>Used by one thread at a time; {@link Delivery} says what others may do. After {@link #close} or {@link #revoke},
 * or after the segment was closed in this process, every method that uses the queue throws
 * {@link io.bywash.engine.SegmentClosedException}, while a message that is in flight can still be acknowledged. The
 * role is given back then.
 */
@SuppressWarnings("exports") // Role has no public member but those of Revocable
public final class Consumer extends Role implements Waitable, Revocable {
  private static final int POLLS_A_PROBE = 1024; // a power of two
  /** Messages between two looks at the clock while they are handled fast. */
  private static final int CLOCK_EVERY = 64;
  private static final long FAST_NANOS = 10_000;
  private static final int NONE = -1;

  /** Handles messages of a poll, in the polling thread. */
  @FunctionalInterface
  public interface Handler {
    /**
     * One message. It is acknowledged when this method returns, unless it was given back or acknowledged before. If
     * this method throws, it is given back, and the exception reaches the caller of the poll.
     *
     * @param message valid during this call
     */
    void onMessage(Delivery message);
  }

  private final Cells cells;
  private final Exchanger own;
  private final Leftovers leftovers;
  private final DeliveryView view;
  /** The role of a dead one, whose message is in flight; null when there is none. */
  private Adopted adopted;
  private boolean polling;
  /**
   * The own slot while its message was handled and is not acknowledged yet, else {@value #NONE}. Any other message that
   * the own role holds is to be delivered.
   */
  private int handledSlot = NONE;
  /** Whether the role was given back. */
  private boolean ended;
  private int emptyPolls;
  private long clockNanos = System.nanoTime();
  private int clockMessages = 1;
  private int untilClock;

  private Consumer(Cells cells, Place place, Leftovers leftovers, WaitPolicy waitPolicy) {
    super(place.handle(), waitPolicy, cells.entry.waitingForData());
    this.cells = cells;
    this.own = place.exchanger();
    this.leftovers = leftovers;
    this.view = new DeliveryView(this, cells);
  }

  /** Holds the role of a dead one while its message is in flight; given back if its user forgets it. */
  private static final class Adopted extends Role {
    private final RoleHandle handle;
    private final Exchanger exchanger;

    /** In an operation until it is closed, so that whoever closes the segment leaves it to that. */
    static Adopted of(Cells cells, Place place) {
      try {
        Adopted adopted = new Adopted(cells, place);
        place.handle().activate();
        return adopted;
      } catch (RuntimeException | Error failure) {
        place.giveBack();
        throw failure;
      }
    }

    private Adopted(Cells cells, Place place) {
      super(place.handle(), WaitPolicy.PARK, cells.entry.waitingForData());
      this.handle = place.handle();
      this.exchanger = place.exchanger();
    }

    @Override
    public boolean isReady() {
      return isWaitOver();
    }

    @Override
    protected boolean hasWork() {
      return false;
    }

    @Override
    protected long changeStamp() {
      return 0;
    }

    @Override
    public void close() {
      handle.exit();
      handle.close();
    }
  }

  /** As {@link #open(Entry, WaitPolicy)} with {@link WaitPolicy#BACKOFF}. */
  public static Consumer open(Entry entry) {
    return open(entry, WaitPolicy.BACKOFF);
  }

  /**
   * Takes a role; and one in the queue of dead letters, if the queue's {@link DeliveryPolicy} has one.
   *
   * @param waitPolicy how it waits for messages
   * @throws TableFullException when all roles are taken by living producers and consumers
   * @throws io.bywash.engine.EntryNotFoundException when there is no queue for the dead letters
   * @throws io.bywash.engine.SpecMismatchException when the entry is no work queue, or that for its dead letters is not
   *     fit for them
   * @throws io.bywash.engine.DamagedSegmentException when what is in shared memory is impossible
   * @throws IllegalStateException when the segment is attached read-only
   */
  public static Consumer open(Entry entry, WaitPolicy waitPolicy) {
    Cells cells = Cells.of(entry);
    Objects.requireNonNull(waitPolicy, "waitPolicy");
    return cells.entry.core().whileMapped(() -> open(cells, waitPolicy));
  }

  static Consumer open(Cells cells, WaitPolicy waitPolicy) {
    cells.entry.core().requireParticipant();
    cells.touchPages();
    Leftovers leftovers = new Leftovers(cells);
    try {
      Place place = Place.take(cells, MODE_CONSUMER);
      return place.opened(new Consumer(cells, place, leftovers, waitPolicy));
    } catch (RuntimeException | Error failure) {
      leftovers.close();
      throw failure;
    }
  }

  /**
   * Says what this consumer is, for people who look at the segment. It may be changed at any time.
   *
   * @param label up to 32 bytes in UTF-8, without control characters; empty for none
   */
  public void label(String label) {
    setLabel(label);
  }

  // ---- one by one

  /**
   * Takes a message, which is this consumer's until it is acknowledged or given back; null when the queue is empty now.
   * The result is the same object every time.
   *
   * @throws IllegalStateException when the last message was neither acknowledged nor given back
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds what no producer writes
   */
  public Delivery take() {
    begin();
    boolean found = false;
    try {
      found = next();
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      if (!found) {
        guard.exit();
      }
      Reference.reachabilityFence(this);
    }
    return found ? view : null;
  }

  /**
   * As {@link #take()}, waiting for a message up to {@code timeoutNanos}; null when none came in that time.
   *
   * @param timeoutNanos 0 or less does not wait
   * @throws io.bywash.engine.InterruptedWaitException when {@code timeoutNanos} is greater than 0 and this thread is
   *     interrupted before it begins or while it waits
   */
  public Delivery take(long timeoutNanos) {
    beginWait(timeoutNanos);
    Delivery taken;
    do {
      taken = take();
    } while (taken == null && awaitNext(timeoutNanos));
    return taken;
  }

  // ---- by a handler

  /**
   * Hands messages that are there to {@code handler}, one after the other, without waiting. Each is acknowledged when
   * the handler returns.
   *
   * @param limit the most messages, at least 1
   * @return how many were handed over; 0 when the queue is empty now
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds what no producer writes
   * @throws IllegalStateException when a message is in flight, also when it is called by {@code handler}
   */
  public int poll(Handler handler, int limit) {
    if (limit < 1) {
      throw new IllegalArgumentException("limit=" + limit + " must be at least 1");
    }
    begin();
    polling = true;
    int count = 0;
    try {
      while (count < limit && guard.isUsable() && next()) {
        count++;
        handle(handler);
      }
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      polling = false;
      endPoll();
      Reference.reachabilityFence(this); // or the cleaner could give the role back while its messages are read
    }
    return count;
  }

  private void handle(Handler handler) {
    boolean handled = false;
    try {
      handler.onMessage(view);
      handled = true;
    } finally {
      if (!handled && view.isOpen()) {
        giveBack();
      }
    }
    if (view.isOpen()) {
      if (adopted != null) {
        acknowledge();
      } else { // acknowledged with the next exchange, or at the end
        handledSlot = own.slot();
        view.clear();
      }
    }
  }

  /** Acknowledges the last message, unless that was done. */
  private void endPoll() {
    try {
      endHandled();
    } finally {
      guard.exit();
    }
  }

  private void endHandled() {
    if (handledSlot != NONE && !ended) {
      own.refresh();
      if (isHandled()) {
        own.acknowledge();
      }
    }
    handledSlot = NONE;
  }

  private boolean isHandled() {
    return own.isHeld() && own.slot() == handledSlot;
  }

  /**
   * As {@link #poll(Handler, int)}, waiting up to {@code timeoutNanos} for the first message; 0 when none came in that
   * time.
   *
   * @param timeoutNanos 0 or less does not wait
   * @throws io.bywash.engine.InterruptedWaitException when {@code timeoutNanos} is greater than 0 and this thread is
   *     interrupted before it begins or while it waits; that page has the loop to write
   */
  public int poll(Handler handler, int limit, long timeoutNanos) {
    beginWait(timeoutNanos);
    int count;
    do {
      count = poll(handler, limit);
    } while (count == 0 && awaitNext(timeoutNanos));
    return count;
  }

  // ---- taking and giving back

  private void begin() {
    if (view.isOpen()) {
      guard.checkUsable();
      throw new IllegalStateException(polling ? "this consumer is used by its own handler; return from that first"
          : "the last message was neither acknowledged nor given back");
    }
    guard.enter();
    try {
      own.refresh();
    } catch (RuntimeException | Error failure) {
      guard.exit();
      throw failure;
    }
  }

  /** Takes a message, and shows it. */
  private boolean next() {
    if (own.isHeld() && !isHandled()) { // it could not be given back
      boolean deliver = leftovers.isToBeDelivered(own);
      if (deliver || own.isHeld()) {
        return deliver ? show(own) : nothing(); // there is no room for a dead letter
      }
    }
    if (leftovers.hasChanged()) {
      endHandled();
      Place place = leftovers.adopt();
      if (place != null) {
        adopted = Adopted.of(cells, place);
        return show(adopted.exchanger);
      }
    }
    if (!own.take()) {
      return nothing();
    }
    show(own);
    entry.waitingForSpace().signalOne();
    return true;
  }

  private boolean show(Exchanger from) {
    handledSlot = NONE;
    view.open(from.slot());
    from.setHeldSince(now());
    if (own.isNextThere() || leftovers.hasChanged()) { // whoever was woken for that may be this one
      entry.waitingForData().signalOne();
    }
    return true;
  }

  private boolean nothing() {
    if (++emptyPolls % POLLS_A_PROBE == 0) { // who never waits has to learn as well what has become of others
      entry.probe();
      leftovers.lookNowAndThen();
    }
    return false;
  }

  private boolean awaitNext(long timeoutNanos) {
    boolean isTime = awaitOnce(timeoutNanos);
    if (timeoutNanos > 0) {
      leftovers.lookNowAndThen();
    }
    return isTime;
  }

  /** The time, not exactly while messages follow each other fast. */
  private long now() {
    if (--untilClock <= 0) {
      long now = System.nanoTime();
      clockMessages = now - clockNanos < FAST_NANOS * clockMessages ? CLOCK_EVERY : 1;
      untilClock = clockMessages;
      clockNanos = now;
    }
    return clockNanos;
  }

  /** Whose message is in flight; from now on none is. */
  private Exchanger endShow() {
    if (!view.isOpen()) {
      throw new IllegalStateException("the message was acknowledged or given back before");
    }
    view.clear();
    return adopted == null ? own : adopted.exchanger;
  }

  /** Leaves the operation that the message in flight was, unless that is a poll. */
  private void endFlight() {
    try {
      if (adopted != null) {
        Adopted over = adopted;
        adopted = null;
        over.close();
      }
    } finally {
      if (!polling) {
        guard.exit();
      }
      Reference.reachabilityFence(this);
    }
  }

  void acknowledge() {
    Exchanger from = endShow();
    try {
      from.refresh();
      from.acknowledge();
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      endFlight();
    }
  }

  void giveBack() {
    Exchanger from = endShow();
    try {
      from.refresh();
      if (leftovers.isToBeDelivered(from) && from.send(false)) {
        entry.waitingForData().signalOne();
      } // else there may be no room for it, here or among the dead letters: it stays where it is
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      endFlight();
    }
  }

  // ---- waiting, and the end

  /** Whether there is something to take; also true when it may not be used any more. */
  @Override
  public boolean isReady() {
    return isWaitOver();
  }

  @Override
  protected boolean hasWork() {
    return own.isHeld() ? leftovers.canGoOn(own.slot()) : leftovers.hasChanged() || cells.hasMessage(own.nextTaken());
  }

  @Override
  protected long changeStamp() {
    return cells.tail() + entry.leftCount();
  }

  /** Gives the role back, and a message that is in flight: another consumer gets it. Once is enough. */
  @Override
  public void close() {
    guard.close();
  }

  @Override
  protected void finish() {
    ended = true;
    if (view != null) { // else the role could not be taken
      view.clear();
      if (adopted != null) {
        adopted.close();
        adopted = null;
      }
      leftovers.close();
    }
  }
}
