package io.bywash.engine.call;

import static io.bywash.engine.call.CallLayout.*;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Entry;
import io.bywash.engine.Revocable;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.internal.events.EngineEvents;
import io.bywash.engine.internal.layout.Numbers;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.internal.role.Role;
import io.bywash.engine.internal.role.RoleHandle;
import io.bywash.engine.internal.waiting.WaitRoom;
import io.bywash.engine.record.Records;
import io.bywash.engine.wait.WaitPolicy;
import io.bywash.engine.wait.Waitable;
import java.lang.ref.Reference;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * A responder of an endpoint. Several share the work: each request goes to one of them. Requests of one caller are
 * taken in the order in which they were sent; they may be answered in any order.
 *
 * {@snippet :
 * try (Responder responder = Responder.open(segment.directory().find("prices", Kind.ENDPOINT))) {
 *   Responder.Handler handler = request -> request.reply(answer(request.getLong(0)));
 *   while (responder.poll(handler, 16, 1_000_000_000) > 0) { // waits for up to a second
 *     // one or more requests were handled
 *   }
 *   Request request = responder.receive(1_000_000_000); // or takes one, to be answered later
 *   if (request != null) {
 *     executor.execute(() -> request.reply(answer(request.getLong(0)))); // in any thread
 *   }
 * }
 * }
 *
 * <p>A responder is used by one thread at a time; {@link Request} says what other threads may do, and
 * {@link CallServer} has threads of its own. Where a second thread is noticed, it gets an
 * {@link IllegalStateException}. After {@link #close} or {@link #revoke}, or after the segment was closed in this
 * process, every method that uses the endpoint throws {@link SegmentClosedException}. Requests that were taken and not
 * answered by then fail with {@link CallFailedException.Reason#RESPONDER_GONE}, or another responder gets them. While a
 * reply is being written in place, the role is not given back. A responder {@linkplain #isReady is ready} when there
 * is a request to take. {@link Slots} has the protocol.
 */
@SuppressWarnings("exports") // Role has no public member but those of its interfaces
public final class Responder extends Role implements Waitable, Revocable {
  private static final int POLLS_A_PROBE = 1024; // a power of two
  /** How often a search goes round a caller's slots while others are faster. */
  private static final int TURNS_A_SEARCH = 4;
  private static final int NEW = -1;
  /** The damage of the caller's first slot, and below that of its others. */
  private static final int DAMAGED = -2;
  private static final long NOT_SEEN = -1;

  /**
   * Answers the requests of a poll, in the thread that polls. A request that it leaves without an answer fails; if the
   * role was revoked meanwhile, it is that of a responder which is gone.
   */
  @FunctionalInterface
  public interface Handler {
    /**
     * Called with each request, which it answers. If it throws an exception, or returns without an answer, the call
     * fails with {@link CallFailedException.Reason#HANDLER_FAILED} and that exception's class and message. What it
     * throws for a one-way request propagates to the caller of the poll, and so does an {@link Error}.
     *
     * @param request valid only during this call
     */
    void onRequest(Request request) throws Exception;
  }

  private final Slots slots;
  private final Region region;
  private final RoleHandle handle;
  private final int generation;
  private final Counters counters;
  /**
   * The number that is due next, by caller; {@value #NEW} when nothing is known of it, and from {@value #DAMAGED} down
   * while a slot's request word is one that no caller writes.
   */
  private final long[] due;
  /** The word of that slot, by caller. */
  private final long[] damaged;
  private final RequestView view;
  /** Whose turn it is, so that no caller has to wait for another one for ever. */
  private int firstCaller;
  private long seenLeft = NOT_SEEN;
  private long lookedNanos = System.nanoTime();
  /** Whether this waited since it last took a request: it may have got a wake that was meant for another one. */
  private boolean mayBeWoken;
  private boolean polling;
  private int emptyPolls;
  private Records<?> checked;

  private Responder(Slots slots, RoleHandle handle, WaitPolicy waitPolicy) {
    super(handle, waitPolicy, slots.entry.waitingForData());
    this.slots = slots;
    this.region = slots.region;
    this.handle = handle;
    this.generation = Owner.generation(slots.entry.roleWord(handle.index()));
    this.counters = new Counters(region, handle.offset(), true);
    this.due = new long[slots.callers];
    this.damaged = new long[slots.callers];
    Arrays.fill(due, NEW);
    this.view = new RequestView(this, slots, 0);
  }

  /** As {@link #open(Entry, WaitPolicy)} with {@link WaitPolicy#BACKOFF}. */
  public static Responder open(Entry entry) {
    return open(entry, WaitPolicy.BACKOFF);
  }

  /**
   * Takes a responder's role.
   *
   * @param waitPolicy how this responder waits for requests
   * @throws io.bywash.engine.TableFullException when living responders have all places
   * @throws io.bywash.engine.SpecMismatchException when the entry is no endpoint
   * @throws DamagedSegmentException when shared memory holds something impossible
   * @throws IllegalStateException when the segment is attached read-only
   */
  public static Responder open(Entry entry, WaitPolicy waitPolicy) {
    Slots slots = Slots.of(entry);
    Objects.requireNonNull(waitPolicy, "waitPolicy");
    return slots.entry.core().whileMapped(() -> {
      slots.entry.core().touchPages(slots.dataOffset, slots.dataBytes, true);
      return slots.take(0, slots.responders, MODE_RESPONDER, "responders",
          handle -> new Responder(slots, handle, waitPolicy));
    });
  }

  /**
   * Labels this responder for people who inspect the segment. The label may be changed at any time.
   *
   * @param label up to 32 bytes in UTF-8, without control characters; empty for none
   */
  public void label(String label) {
    setLabel(label);
  }

  /** The size of the largest request in bytes. */
  public int maxRequestBytes() {
    return slots.maxRequestBytes;
  }

  /** The size of the largest reply in bytes. */
  public int maxReplyBytes() {
    return slots.maxReplyBytes;
  }

  // ---- one by one

  /**
   * Takes a request, which is to be answered, now or later, in this thread or another. Several may be taken before the
   * first is answered. Returns null when there is none now.
   *
   * @throws DamagedRequestException when a caller has written what no caller writes; it is passed by, see there
   * @throws DamagedSegmentException when all of shared memory is damaged
   */
  public Request receive() {
    begin();
    try {
      return next(false);
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      guard.exit();
      Reference.reachabilityFence(this);
    }
  }

  /**
   * As {@link #receive()}, but waits for a request for up to {@code timeoutNanos}. Returns null when none came in that
   * time.
   *
   * @param timeoutNanos 0 or less does not wait
   * @throws io.bywash.engine.InterruptedWaitException when {@code timeoutNanos} is greater than 0 and this thread is
   *     interrupted, before the call or while it waits
   */
  public Request receive(long timeoutNanos) {
    beginWait(timeoutNanos);
    Request request;
    do {
      request = receive();
    } while (request == null && awaitNext(timeoutNanos));
    return request;
  }

  // ---- by a handler

  /**
   * Hands the requests that are there to {@code handler}, one after the other, without waiting.
   *
   * @param limit the most requests to hand over, at least 1
   * @return how many requests were handed over; 0 when there is none now
   * @throws IllegalArgumentException when {@code limit} is less than 1
   * @throws DamagedRequestException when a caller has written what no caller writes; it is passed by, see there
   * @throws DamagedSegmentException when all of shared memory is damaged
   * @throws IllegalStateException when {@code handler} calls this
   */
  public int poll(Handler handler, int limit) {
    Numbers.checkPositive("limit", limit);
    begin();
    polling = true;
    int count = 0;
    try {
      boolean isOurs = true;
      for (RequestView next; isOurs && count < limit && guard.isUsable() && (next = next(true)) != null; count++) {
        isOurs = handle(handler, next);
      }
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      polling = false;
      guard.exit();
      Reference.reachabilityFence(this); // or the cleaner could give the role back while its requests are read
    }
    return count;
  }

  /**
   * As {@link #poll(Handler, int)}, but waits for the first request for up to {@code timeoutNanos}. Returns 0 when none
   * came in that time.
   *
   * @param timeoutNanos 0 or less does not wait
   * @throws io.bywash.engine.InterruptedWaitException when {@code timeoutNanos} is greater than 0 and this thread is
   *     interrupted, before the call or while it waits
   */
  public int poll(Handler handler, int limit, long timeoutNanos) {
    beginWait(timeoutNanos);
    int count;
    do {
      count = poll(handler, limit);
    } while (count == 0 && awaitNext(timeoutNanos));
    return count;
  }

  /** False when the role was revoked meanwhile: its request is then that of a responder which is gone. */
  private boolean handle(Handler handler, RequestView request) {
    try {
      handler.onRequest(request);
    } catch (Exception failure) {
      failUnanswered(request, failure);
      if (request.isOneWay()) {
        throw failure instanceof RuntimeException unchecked ? unchecked : new IllegalStateException(failure);
      }
    } catch (Error failure) {
      failUnanswered(request, failure);
      throw failure;
    }
    if (handle.isRevoked()) {
      return false;
    }
    failUnanswered(request, null);
    return true;
  }

  private void failUnanswered(RequestView request, Throwable failure) {
    if (!request.isOver()) {
      request.abortClaim();
      if (failure != null) {
        request.fail(failure);
      } else {
        request.fail("the handler returned without an answer");
      }
    }
  }

  private void begin() {
    if (polling && handle.isCallerInside()) {
      guard.checkUsable();
      throw new IllegalStateException("this responder is used by its own handler; return from that first");
    }
    guard.enter();
    boolean begun = false;
    try {
      begun = handle.isStillOurs();
      if (!begun) {
        throw handle.takenAway();
      }
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      if (!begun) {
        guard.exit();
      }
    }
  }

  // ---- taking

  /** Claims the next request and shows it; null when there is none now. */
  private RequestView next(boolean isPolled) {
    RequestView found = null;
    try {
      if (slots.redelivers && entry.leftCount() != seenLeft) {
        found = takeLeft(isPolled);
      }
      int used = Math.min(slots.callersUsed(), slots.callers);
      int start = firstCaller < used ? firstCaller : 0;
      for (int i = 0; found == null && i < used; i++) {
        int caller = start + i < used ? start + i : start + i - used;
        firstCaller = caller + 1; // also behind one that is damaged
        found = takeDue(caller, isPolled);
      }
    } catch (DamagedSegmentException damage) { // which the next search passes by
      throw new DamagedRequestException(damage);
    }
    if (found == null) {
      if ((++emptyPolls & POLLS_A_PROBE - 1) == 0) { // a responder that never waits also has to notice deaths
        entry.probe();
        entry.core().probePeers();
        lookNowAndThen();
      }
    } else if (mayBeWoken) {
      mayBeWoken = false;
      if (hasWork()) { // the wake for that may have come to this responder
        entry.waitingForData().signalOne();
      }
    }
    return found;
  }

  /** Takes the next request of a caller; null when it has none. */
  private RequestView takeDue(int caller, boolean isPolled) {
    for (int tries = 0; tries < TURNS_A_SEARCH * slots.slotCount + TURNS_A_SEARCH; tries++) {
      long number = due[caller];
      if (number < 0) {
        if (isStillDamaged(caller)) {
          return null;
        }
        catchUp(caller, 0, slots.request(slots.slot(caller, 0)));
        continue;
      }
      long slot = slots.slot(caller, slots.index(number));
      long turn = number >>> slots.turnShift;
      long request = slots.request(slot);
      if (Slots.turn(request) < turn) {
        return null;
      }
      if (Slots.turn(request) > turn) { // others have served this caller
        catchUp(caller, slots.index(number), request);
        continue;
      }
      RequestView view = null;
      if (Slots.state(request) != SKIPPED) {
        long found = slots.claim(slot);
        if (slots.request(slot) != request) {
          continue; // only if the request is still this one, the claim word that was read is not of a later one
        }
        if (!Slots.isOfTurn(found, turn)) {
          int state = Slots.state(request) == ONE_WAY ? CLAIMED_ONE_WAY : CLAIMED;
          view = claim(caller, slot, turn, found, state, isPolled);
          if (view == null && !Slots.isOfTurn(slots.claim(slot), turn)) {
            continue; // somebody has taken what was left of an earlier turn
          }
        }
      }
      due[caller] = number + 1;
      if (view != null) {
        return view;
      }
    }
    return null; // others take them all
  }

  /** Finds out what is due from what is in a slot. If that is impossible, this caller is left alone while it is. */
  private void catchUp(int caller, int index, long request) {
    try {
      due[caller] = due[caller] < 0 ? slots.firstDue(request, caller)
          : after(caller, slots.checkedTurn(request, caller) - 1 << slots.turnShift | index);
    } catch (DamagedSegmentException damage) {
      due[caller] = DAMAGED - index;
      damaged[caller] = request;
      throw damage;
    }
  }

  private boolean isStillDamaged(int caller) {
    long number = due[caller];
    return number <= DAMAGED && slots.request(slots.slot(caller, (int) (DAMAGED - number))) == damaged[caller];
  }

  /** The number behind one that has an end, which must be in the ring. */
  private long after(int caller, long number) {
    long next = number + 1;
    long there = Slots.turn(slots.request(slots.slot(caller, slots.index(next))));
    if (there < next >>> slots.turnShift) {
      throw entry.damaged("request " + number + " of caller " + caller + " has an end, but a slot is in turn " + there);
    }
    return next;
  }

  /** Takes a request whose responder is gone; null when there is none. */
  private RequestView takeLeft(boolean isPolled) {
    long before = entry.leftCount();
    for (int caller = 0; caller < Math.min(slots.callersUsed(), slots.callers); caller++) {
      for (int index = 0; index < slots.slotCount; index++) {
        long slot = slots.slot(caller, index);
        long found = slots.claim(slot);
        if (Slots.isClaimed(found) && slots.isGone(found)) {
          long request = slots.request(slot);
          long turn = Slots.state(request) == SKIPPED ? Slots.turnOf(found, request) : Slots.turn(request);
          if (Slots.isOfTurn(found, turn) && !Slots.isOfTurn(found, Slots.turn(slots.replyWord(slot)))) {
            RequestView view = claim(caller, slot, turn, found, Slots.claimState(found), isPolled);
            if (view != null) {
              EngineEvents.redelivery(entry.core().path(), entry.name(), handle.index());
              return view;
            }
          }
        }
      }
    }
    seenLeft = before;
    return null;
  }

  /** Claims a turn; null when another participant was faster, or the caller has given it up. */
  private RequestView claim(int caller, long slot, long turn, long found, int state, boolean isPolled) {
    long mine = Slots.claim(turn, generation, handle.index(), state);
    if (!slots.changeClaim(slot, found, mine)) {
      return null;
    }
    boolean shown = false;
    try {
      long before = slots.replyWord(slot);
      if (Slots.turn(before) < turn) {
        long extent = slots.checkedExtent(slot, slots.maxRequestBytes, "request");
        int shift = (int) extent & 15;
        RequestView target = isPolled && shift == 0 ? view : new RequestView(this, slots, shift);
        target.open(caller, slot, turn, mine, before, state == CLAIMED_ONE_WAY, extent);
        counters.requests();
        shown = true;
        return target;
      }
      return null; // the caller has given it up
    } finally {
      if (!shown) {
        finish(caller, slot, mine);
      }
    }
  }

  /** Ends a claim without a reply: this responder does not touch the slot any more. */
  private void finish(int caller, long slot, long claim) {
    slots.changeClaim(slot, claim, claim & -1L << CLAIM_ROLE_SHIFT | DONE);
    entry.waitingForSpace().signalRole(slots.responders + caller);
  }

  /** Throws when this process was taken for dead: it must not answer any more. */
  void checkOurs() {
    if (!handle.isHeld()) {
      throw handle.takenAway();
    }
  }

  /** Does what follows an answer: the caller learns of it, and a slot that has no reply is given back. */
  void answered(int caller, long slot, long claim, boolean oneWay, boolean isInTime) {
    if (isInTime && !oneWay) {
      counters.answered();
      counters.wake(entry.waitingForSpace().signalRole(slots.responders + caller));
      return;
    }
    if (!oneWay) {
      counters.missed();
      EngineEvents.lateReply(entry.core().path(), entry.name(), handle.index());
    }
    finish(caller, slot, claim);
  }

  <T> Records<T> checked(Records<T> records) {
    if (records != checked) {
      records.check(entry);
      checked = records;
    }
    return records;
  }

  // ---- uses by other threads

  /** Holds the role, unless the calling thread is in an operation of it, which does so; returns whether it did. */
  boolean holdFromOutside() {
    boolean outside = !guard.isCallerInside();
    if (outside) {
      guard.hold();
    }
    return outside;
  }

  void letGo() {
    guard.letGo();
  }

  boolean whileHeld(BooleanSupplier use) {
    return whileHeld(() -> use.getAsBoolean() ? 1L : 0L) != 0;
  }

  long whileHeld(LongSupplier use) {
    boolean held = holdFromOutside();
    try {
      return use.getAsLong();
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      if (held) {
        guard.letGo();
      }
    }
  }

  // ---- waiting, and the end

  private boolean awaitNext(long timeoutNanos) {
    mayBeWoken = true;
    boolean isTime = awaitOnce(timeoutNanos);
    if (timeoutNanos > 0) {
      lookNowAndThen();
    }
    return isTime;
  }

  /** Makes the next search complete now and then, since nobody announces a death. */
  private void lookNowAndThen() {
    long now = System.nanoTime();
    if (now - lookedNanos >= WaitRoom.PROBE_NANOS) {
      lookedNanos = now;
      seenLeft = NOT_SEEN;
    }
  }

  @Override
  protected boolean hasWork() {
    if (slots.redelivers && entry.leftCount() != seenLeft) {
      return true;
    }
    int used = Math.min(slots.callersUsed(), slots.callers);
    for (int caller = 0; caller < used; caller++) {
      long number = due[caller];
      if (number < 0 ? !isStillDamaged(caller)
          : Slots.turn(slots.request(slots.slot(caller, slots.index(number)))) >= number >>> slots.turnShift) {
        return true;
      }
    }
    return false;
  }

  @Override
  protected long changeStamp() {
    long stamp = entry.leftCount();
    for (int role = slots.responders; role < entry.rolesUsed(); role++) {
      stamp += region.getLongOpaque(entry.role(role) + ROLE_REQUESTS) + 1;
    }
    return stamp;
  }

  /** The callers of the requests in its hands look at that now. */
  @Override
  protected void revoked() {
    entry.raiseLeft();
  }

  /** Gives the role back. Calling this again does nothing. */
  @Override
  public void close() {
    if (polling && handle.isCallerInside()) { // its handler has a request in its hands
      guard.retire();
    } else {
      guard.close();
    }
  }
}
