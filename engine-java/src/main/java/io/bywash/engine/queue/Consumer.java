package io.bywash.engine.queue;

import static io.bywash.engine.queue.QueueLayout.MODE_CONSUMER;

import io.bywash.engine.Entry;
import io.bywash.engine.Revocable;
import io.bywash.engine.TableFullException;
import io.bywash.engine.internal.layout.Numbers;
import io.bywash.engine.internal.role.Role;
import io.bywash.engine.internal.role.RoleHandle;
import io.bywash.engine.wait.WaitPolicy;
import io.bywash.engine.wait.Waitable;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import java.util.Objects;

/**
 * A consumer of a work queue. Consumers compete: each message goes to one of them. A consumer has one message in flight
 * at a time; a process opens one consumer for each of its workers.
 *
 * {@snippet :
 * try (Consumer consumer = Consumer.open(segment.directory().find("jobs", Kind.WORK_QUEUE))) {
 *   Consumer.Handler handler = message -> run(message.getLong(0)); // acknowledged when this returns
 *   while (consumer.poll(handler, 16, 1_000_000_000) > 0) { // waits for up to a second
 *     // one or more messages were handled
 *   }
 *   Delivery delivery = consumer.take(); // or takes one message, if there is one now
 *   if (delivery != null) {
 *     run(delivery.getLong(0));
 *     delivery.ack();
 *   }
 * }
 * }
 *
 * <p>Messages are first delivered in the order in which they were sent. A message that was held by a dead or closed
 * consumer comes again as soon as that is known. A message that was given back goes to the end of the queue. If a
 * process dies while it holds a message, another consumer gets the message within 200 ms, as long as one waits. A
 * process that is only paused keeps its message, however long the pause.
 *
 * <p>A consumer is used by one thread at a time; {@link Delivery} says what other threads may do. Where a second thread
 * is noticed, it gets an {@link IllegalStateException}. After {@link #close} or {@link #revoke}, or after the segment
 * was closed in this process, every method that uses the queue throws {@link io.bywash.engine.SegmentClosedException}.
 * A message that is in flight when the role is revoked or its segment closed can still be acknowledged; the role is
 * given back then. {@link #close} itself gives such a message back, and another consumer gets it. A consumer
 * {@linkplain #isReady is ready} when there is a message to take.
 */
@SuppressWarnings("exports") // Role has no public member but those of its interfaces
public final class Consumer extends Role implements Waitable, Revocable {
  private static final int POLLS_A_PROBE = 1024; // a power of two
  /** How many messages share one reading of the clock while they are handled fast. */
  private static final int CLOCK_EVERY = 64;
  private static final long FAST_NANOS = 10_000;
  private static final int NONE = -1;

  /** Receives the messages of a poll, in the thread that polls. */
  @FunctionalInterface
  public interface Handler {
    /**
     * Called with each message. The message is acknowledged when this method returns, unless it has already been
     * acknowledged or given back. If this method throws, the message is given back, and the exception propagates to the
     * caller of the poll.
     *
     * @param message valid only during this call
     */
    void onMessage(Delivery message);
  }

  private final Cells cells;
  private final RoleHandle handle;
  private final Exchanger ownExchanger;
  private final Leftovers leftovers;
  private final DeliveryView view;
  /** The adopted role whose message is in flight; null when there is none. */
  private Adopted adopted;
  /** The handle of {@link #adopted}, for whoever revokes this consumer. */
  private volatile RoleHandle adoptedHandle;
  private boolean polling;
  /**
   * The own slot while its message was handled but is not acknowledged yet, else {@value #NONE}. Any other message that
   * the own role holds is still to be delivered.
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
    this.handle = place.handle();
    this.ownExchanger = place.exchanger();
    this.leftovers = leftovers;
    this.view = new DeliveryView(this, cells);
  }

  /** A role that was left, held while its message is in flight; given back if its user forgets it. */
  private static final class Adopted extends Role {
    private final RoleHandle handle;
    private final Exchanger exchanger;

    /** Inside an operation until closed, so a thread that closes the segment leaves ending the role to its user. */
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
   * Takes a consumer role, and a role in the queue for dead letters if the {@link DeliveryPolicy} names one.
   *
   * @param waitPolicy how this consumer waits for messages
   * @throws TableFullException when all roles are taken by living producers and consumers
   * @throws io.bywash.engine.EntryNotFoundException when the queue for dead letters does not exist
   * @throws io.bywash.engine.SpecMismatchException when the entry is not a work queue, or when the entry for its dead
   *     letters cannot take them
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds something impossible
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
      return Place.take(cells, MODE_CONSUMER).opened(place -> new Consumer(cells, place, leftovers, waitPolicy));
    } catch (RuntimeException | Error failure) {
      leftovers.close();
      throw failure;
    }
  }

  /**
   * Labels this consumer for people who inspect the segment. The label may be changed at any time.
   *
   * @param label up to 32 bytes in UTF-8, without control characters; empty for none
   */
  public void label(String label) {
    setLabel(label);
  }

  // ---- one by one

  /**
   * Takes a message, which this consumer holds until it is acknowledged or given back. Returns null when the queue is
   * empty now. The result is the same object every time.
   *
   * @throws IllegalStateException when the last message was not acknowledged or given back
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds what no producer writes. If that is the
   *     next message of the queue, each further call fails: close this consumer. Another one, which is told once, takes
   *     the others
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
   * As {@link #take()}, but waits for a message for up to {@code timeoutNanos}. Returns null when none came in that
   * time.
   *
   * @param timeoutNanos 0 or less does not wait
   * @throws io.bywash.engine.InterruptedWaitException when {@code timeoutNanos} is greater than 0 and this thread is
   *     interrupted, before the call or while it waits
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
   * Hands the messages that are there to {@code handler}, one after the other, without waiting. Each is acknowledged
   * when the handler returns.
   *
   * @param limit the most messages to hand over, at least 1
   * @return how many messages were handed over; 0 when the queue is empty now
   * @throws IllegalArgumentException when {@code limit} is less than 1
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds what no producer writes. If that is the
   *     next message of the queue, each further call fails: close this consumer. Another one, which is told once, takes
   *     the others
   * @throws IllegalStateException when a message is in flight, so also when {@code handler} calls this
   */
  public int poll(Handler handler, int limit) {
    Numbers.checkPositive("limit", limit);
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
      } else { // acknowledged by the next exchange, or when the poll ends
        handledSlot = ownExchanger.slot();
        view.clear();
      }
    }
  }

  /** Acknowledges the last message, unless it was already acknowledged. */
  private void endPoll() {
    try {
      endHandled();
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      guard.exit();
    }
  }

  private void endHandled() {
    if (handledSlot != NONE && !ended) {
      ownExchanger.refresh();
      if (isHandled()) {
        ownExchanger.acknowledge();
      }
    }
    handledSlot = NONE;
  }

  private boolean isHandled() {
    return ownExchanger.isHeld() && ownExchanger.slot() == handledSlot;
  }

  /**
   * As {@link #poll(Handler, int)}, but waits for the first message for up to {@code timeoutNanos}. Returns 0 when none
   * came in that time.
   *
   * @param timeoutNanos 0 or less does not wait
   * @throws io.bywash.engine.InterruptedWaitException when {@code timeoutNanos} is greater than 0 and this thread is
   *     interrupted, before the call or while it waits; its documentation shows the loop to write
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
    boolean begun = false;
    try {
      ownExchanger.refresh();
      begun = true;
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      if (!begun) {
        guard.exit();
      }
    }
  }

  /** Takes a message and shows it. */
  private boolean next() {
    if (ownExchanger.isHeld() && !isHandled()) { // there was no room to give it back
      boolean deliver = leftovers.isToBeDelivered(ownExchanger);
      if (deliver || ownExchanger.isHeld()) {
        return deliver ? show(ownExchanger) : nothing(); // there is no room for a dead letter
      }
    }
    if (leftovers.hasChanged()) {
      endHandled();
      Place place = leftovers.adopt();
      if (place != null) {
        setAdopted(Adopted.of(cells, place));
        return showAdopted();
      }
    }
    if (!ownExchanger.take()) {
      return nothing();
    }
    show(ownExchanger);
    entry.waitingForSpace().signalOne();
    return true;
  }

  private void setAdopted(Adopted taken) {
    adopted = taken;
    adoptedHandle = taken.handle;
    VarHandle.fullFence(); // [revoked] either this sees that the own role was revoked, or who revokes it sees the other
    if (handle.isRevoked()) {
      taken.handle.withdraw();
      entry.core().settle();
    }
  }

  /** A message from a role that was left is in a role of its own, which must end its effect with this one. */
  @Override
  protected void revoked() {
    RoleHandle other = adoptedHandle;
    if (other != null) {
      other.withdraw();
    }
  }

  private boolean showAdopted() {
    try {
      return show(adopted.exchanger);
    } finally {
      if (!view.isOpen()) { // it was damaged since it was adopted: what is acknowledged next is in another role
        endAdopted();
      }
    }
  }

  private boolean show(Exchanger from) {
    handledSlot = NONE;
    view.open(from.slot());
    from.setHeldSince(now());
    if (ownExchanger.isNextThere() || leftovers.hasChanged()) { // the wake for that may have come to this consumer
      entry.waitingForData().signalOne();
    }
    return true;
  }

  private boolean nothing() {
    if (++emptyPolls % POLLS_A_PROBE == 0) { // a consumer that never waits also has to notice deaths
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

  /** The time; only approximate while messages follow each other fast. */
  private long now() {
    if (--untilClock <= 0) {
      long now = System.nanoTime();
      clockMessages = now - clockNanos < FAST_NANOS * clockMessages ? CLOCK_EVERY : 1;
      untilClock = clockMessages;
      clockNanos = now;
    }
    return clockNanos;
  }

  /** Ends the flight of the message, and returns the exchanger of the role that holds it. */
  private Exchanger endShow() {
    if (!view.tryEnd()) {
      throw new IllegalStateException("the message was acknowledged or given back before");
    }
    return adopted == null ? ownExchanger : adopted.exchanger;
  }

  private void endAdopted() {
    if (adopted != null) {
      Adopted over = adopted;
      adopted = null;
      adoptedHandle = null;
      over.close();
    }
  }

  /** Closes an adopted role, and ends the operation that lasts while a message is in flight, unless it is a poll. */
  private void endFlight() {
    try {
      endAdopted();
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
      } // else there may be no room for it, here or in the queue for dead letters: it stays where it is
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      endFlight();
    }
  }

  void returnUnseen() {
    int before = view.deliveries() - 1;
    Exchanger from = endShow();
    try {
      from.refresh();
      cells.setDeliveries(from.slot(), before);
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      endFlight();
    }
  }

  // ---- waiting, and the end

  @Override
  protected boolean hasWork() {
    if (ownExchanger.isHeld()) {
      return leftovers.canGoOn(ownExchanger.slot());
    }
    return cells.hasMessage(ownExchanger.nextTaken()) || leftovers.hasChanged() && leftovers.isAnyFree();
  }

  /** Who holds what only becomes a dead letter takes nothing else before that: other consumers need the wakes. */
  @Override
  protected boolean usesWakes() {
    return !ownExchanger.isHeld();
  }

  @Override
  protected long changeStamp() {
    return cells.tail() + leftovers.changeStamp();
  }

  @Override
  protected void finish() {
    ended = true;
    if (view != null) { // null when the role could not be taken
      view.clear();
      endAdopted();
      leftovers.close();
    }
  }
}
