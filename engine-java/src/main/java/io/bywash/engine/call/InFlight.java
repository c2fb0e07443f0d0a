package io.bywash.engine.call;

import static io.bywash.engine.call.CallLayout.*;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.call.CallFailedException.Reason;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.internal.record.MessageView;
import io.bywash.engine.internal.role.RoleHandle;
import io.bywash.engine.internal.waiting.WaitRoom;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.stream.Stream;

/**
 * The slots of one caller, and the calls that occupy them: the caller's side of the protocol of {@link Slots}. Used
 * inside the caller's operations, by its thread.
 */
final class InFlight {
  private static final int CALLS_A_SAMPLE = 64; // a power of two
  private static final int UPDATES_A_LOOK = 64; // a power of two
  /** Stands for the slot of a call that was never sent. */
  static final long NONE = -1;

  private final CallerRole owner;
  private final Slots slots;
  private final SegmentEntry entry;
  private final Region region;
  private final RoleHandle handle;
  private final int caller;
  private final Counters counters;
  /** The calls that occupy slots, by slot. */
  private final Call[] calls;
  /** Slots that are known to be free. */
  private final boolean[] free;
  /** Those that are done and still {@linkplain Call#isToBePolled to be polled}. */
  private final Queue<Call> done = new ArrayDeque<>();
  /** The number that is used next. */
  private long next;
  /** How many calls were never sent. */
  private long unsent;
  /** The calls that are not done, in the order in which they were sent; the first {@link #pending} count. */
  private final Call[] active;
  private int pending;
  private volatile boolean failsFast;
  private long seenLeft;
  private int updates;
  /** When the responders of pending calls were looked at last. */
  private long lookedNanos = System.nanoTime();

  /** For a role that was just taken and is not active yet. Drops what an earlier holder left. */
  InFlight(CallerRole owner, Slots slots, RoleHandle handle) {
    this.owner = owner;
    this.slots = slots;
    this.entry = slots.entry;
    this.region = slots.region;
    this.handle = handle;
    this.caller = slots.caller(handle.index());
    this.counters = new Counters(region, handle.offset(), false);
    this.calls = new Call[slots.slotCount];
    this.free = new boolean[slots.slotCount];
    this.next = slots.nextNumber(caller);
    this.active = new Call[slots.slotCount];
    slots.drop(caller, false, () -> true); // of an earlier holder that forgot to close its role
    for (int index = 0; index < free.length; index++) {
      free[index] = slots.isFree(slots.slot(caller, index));
    }
  }

  void failFast(boolean newFailsFast) {
    failsFast = newFailsFast;
  }

  int count() {
    return pending;
  }

  /** Where the slot of the next request is, after {@link #reserve}. */
  long nextSlot() {
    return slots.slot(caller, slots.index(next));
  }

  /** Makes {@link #next} a number whose slot is free, and skips those before it; false when there is none. */
  boolean reserve() {
    if (free[slots.index(next)]) {
      return true;
    }
    long number = nextFree();
    for (; next < number; next++) {
      slots.setRequest(nextSlot(), next >>> slots.turnShift, SKIPPED);
    }
    if (number != NONE) {
      free[slots.index(number)] = true;
    }
    return number != NONE;
  }

  /**
   * The next number whose slot is free; {@link #NONE} when there is none. Numbers of slots that others still use are
   * passed over, but not one whose request nobody has taken yet: responders would not find that any more.
   */
  private long nextFree() {
    for (long number = next; number < next + free.length; number++) {
      int index = slots.index(number);
      long slot = slots.slot(caller, index);
      if (free[index] || calls[index] == null && slots.isFree(slot)) {
        return number;
      }
      long request = slots.request(slot);
      if (Slots.state(request) != SKIPPED && !Slots.isOfTurn(slots.claim(slot), Slots.turn(request))) {
        return NONE;
      }
    }
    return NONE;
  }

  /** Sends what was written to the slot of {@link #next}. */
  Call send(int start, int length, int type, long timeoutNanos) {
    handle.checkUsable(); // from here on the role stays until this operation has ended
    long number = next;
    long now = System.nanoTime();
    long deadline = now + Math.min(timeoutNanos, Long.MAX_VALUE / 2); // so that deadlines can be compared
    if (failsFast && !slots.isAnyActive()) {
      Call call = new Call(owner, -++unsent, NONE, 0, now, deadline);
      call.fail(new CallFailedException(Reason.NO_RESPONDER, "Nobody answers for endpoint \"" + entry.name()
          + "\" of segment " + entry.core().path() + ", and this caller does not wait for a responder"));
      return call;
    }
    int index = slots.index(number);
    long slot = slots.slot(caller, index);
    long before = slots.replyWord(slot);
    if (Slots.turn(before) >= number >>> slots.turnShift) {
      throw entry.damaged("caller " + caller + " is about to send request " + number + ", and the reply in its slot is"
          + " of turn " + Slots.turn(before));
    }
    Call call = new Call(owner, number, slot, before, now, deadline);
    publish(number, slot, start, length, type, deadline, CALL);
    calls[index] = call; // only now, or the end of the role would abandon a turn that nobody asked for
    active[pending++] = call;
    counters.requests(entry.waitingForData().signalOne());
    return call;
  }

  void sendOneWay(int start, int length, int type) {
    handle.checkUsable();
    publish(next, nextSlot(), start, length, type, 0, ONE_WAY);
    counters.requests(entry.waitingForData().signalOne());
  }

  private void publish(long number, long slot, int start, int length, int type, long deadline, int kind) {
    region.setLong(slot + AREA_START, Integer.toUnsignedLong(start) | (long) length << Integer.SIZE);
    region.setInt(slot + AREA_TYPE, type);
    region.setLong(slot + REQUEST_DEADLINE, deadline);
    free[slots.index(number)] = false;
    next = number + 1;
    slots.setRequest(slot, number >>> slots.turnShift, kind);
  }

  /** Has {@link #nextDone} return the call when it is done. */
  Call toBePolled(Call call) {
    call.isToBePolled = true;
    if (!call.isPending()) {
      done.add(call);
    }
    return call;
  }

  /** A call that is done, was not returned before, and was not closed; null when there is none. */
  Call nextDone() {
    Call first = done.poll();
    if (first != null) {
      first.isToBePolled = false;
    }
    return first;
  }

  /** The soonest deadline of a pending call; {@code otherwise} when there is none. */
  long nextDeadline(long otherwise) {
    long soonest = pending > 0 ? active[0].deadlineNanos : otherwise;
    for (int i = 1; i < pending; i++) {
      soonest = active[i].deadlineNanos - soonest < 0 ? active[i].deadlineNanos : soonest;
    }
    return soonest;
  }

  /**
   * Looks at all pending calls: replies, deadlines, and responders that are gone.
   *
   * @param thoroughly whether to look at the responders although nothing points to it
   */
  void update(boolean thoroughly) {
    boolean found = false;
    for (int i = 0; i < pending; ) {
      if (receive(active[i])) { // which takes it out
        found = true;
      } else {
        i++;
      }
    }
    // calls that are answered all the time must not keep another from its deadline
    if (pending > 0 && (!found || (++updates & UPDATES_A_LOOK - 1) == 0)) {
      long left = entry.leftCount();
      long now = System.nanoTime();
      boolean mayBeLost = thoroughly || mayBeLost() || now - lookedNanos >= WaitRoom.PROBE_NANOS;
      lookedNanos = mayBeLost ? now : lookedNanos;
      for (int i = 0; i < pending; ) {
        i += judge(active[i], now, mayBeLost) ? 0 : 1;
      }
      seenLeft = left;
    }
  }

  /** Looks at one call, and at all when one may be lost. Else leaves the claim alone, for which responders fight. */
  void update(Call call) {
    if (!call.isPending() || receive(call)) {
      return;
    }
    long now = System.nanoTime();
    if (mayBeLost() || now - lookedNanos >= WaitRoom.PROBE_NANOS) {
      update(true);
    }
    if (call.isPending()) {
      judge(call, now, mayBeLost());
    }
  }

  /** Takes the reply of a pending call, which ends it alone, even if it is damaged; false when there is none yet. */
  private boolean receive(Call call) {
    long word = slots.replyWord(call.slot);
    if (word == call.before) {
      return false;
    }
    if (word != Slots.word(turn(call), REPLIED) && !handle.isHeld()) {
      throw handle.takenAway();
    }
    try {
      take(call, word);
    } catch (DamagedSegmentException damage) {
      call.fail(damage);
      ended(call);
      return true;
    }
    ended(call);
    if ((call.number - slots.slotCount & CALLS_A_SAMPLE - 1) == 0) { // the first one, too
      counters.latency(System.nanoTime() - call.sentNanos);
    }
    counters.answered();
    return true;
  }

  private void take(Call call, long word) {
    if (word != Slots.word(turn(call), REPLIED)) {
      throw entry.damaged("the reply to request " + call.number + " of caller " + caller + " is said to be of turn "
          + Slots.turn(word) + ", in state " + Slots.state(word));
    }
    long area = slots.reply(call.slot);
    int status = region.getInt(area + REPLY_STATUS);
    long extent = slots.checkedExtent(area, status == STATUS_OK ? slots.maxReplyBytes : slots.replyRoom(), "reply");
    int start = (int) extent;
    int length = (int) (extent >>> Integer.SIZE);
    if (status == STATUS_OK) {
      int shift = start & 15;
      MessageView view = new MessageView(region, slots.dataOffset + shift, slots.dataBytes - shift);
      view.set(area + AREA_PAYLOAD + start - shift - slots.dataOffset, length, region.getInt(area + AREA_TYPE),
          call.number);
      call.succeed(view);
    } else {
      byte[] text = new byte[length];
      region.copyTo(area + AREA_PAYLOAD + start, text, 0, length);
      String[] parts = new String(text, StandardCharsets.UTF_8).split("\n", 2);
      String said = parts.length > 1 ? parts[1] : "";
      call.fail(new CallFailedException(Reason.HANDLER_FAILED, "The handler of endpoint \"" + entry.name()
          + "\" failed request " + call.number + ": " + (parts[0].isEmpty() ? said : parts[0] + ": " + said),
          parts[0], said));
    }
  }

  private long turn(Call call) {
    return call.number >>> slots.turnShift;
  }

  private void ended(Call call) {
    int index = 0;
    while (active[index] != call) {
      index++;
    }
    System.arraycopy(active, index + 1, active, index, --pending - index);
    active[pending] = null;
    if (call.isToBePolled) {
      done.add(call);
    }
  }

  /** Gives a pending call up if its time is over, or if nobody will answer it; whether it is done now. */
  private boolean judge(Call call, long now, boolean mayBeLost) {
    Reason reason = now - call.deadlineNanos >= 0 ? Reason.TIMED_OUT : mayBeLost ? loss(call) : null;
    if (reason != null) {
      fail(call, reason);
    }
    return reason != null;
  }

  private Reason loss(Call call) {
    long claim = slots.claim(call.slot);
    boolean isTaken = Slots.isOfTurn(claim, turn(call)) && Slots.isClaimed(claim);
    if (isTaken && !slots.isLost(claim)) {
      return null;
    }
    if (isTaken && !slots.redelivers) {
      return Reason.RESPONDER_GONE;
    }
    return failsFast && !slots.isAnyActive() ? Reason.NO_RESPONDER : null;
  }

  /** Gives a pending call up; false when it was answered meanwhile, and so has ended by that. */
  boolean fail(Call call, Reason reason) {
    if (!slots.abandon(call.slot, turn(call), call.before)) {
      receive(call);
      return false;
    }
    call.fail(new CallFailedException(reason, explanation(call, reason)));
    ended(call);
    if (reason == Reason.TIMED_OUT) {
      counters.missed();
    }
    return true;
  }

  private String explanation(Call call, Reason reason) {
    String request = "Request " + call.number + " to endpoint \"" + entry.name() + "\" of segment "
        + entry.core().path();
    return switch (reason) {
      case TIMED_OUT -> request + " got no reply within " + (call.deadlineNanos - call.sentNanos) + " ns"
          + (slots.isAnyActive() ? "" : ": nobody answers for the endpoint");
      case CANCELLED -> request + " was cancelled";
      case NO_RESPONDER -> request + " is not answered: nobody answers for the endpoint any more";
      default -> request + " is not answered: the responder that had taken it died, or gave its role back";
    };
  }

  /** Gives up the slot of a call that is done, and its place among those to be polled. */
  void release(Call call) {
    if (call.isToBePolled) {
      done.remove(call);
    }
    int index = slots.index(call.number);
    if (call.slot != NONE && calls[index] == call) {
      calls[index] = null;
      free[index] = handle.isUsable() && slots.replyWord(call.slot) == Slots.word(turn(call), REPLIED);
    }
  }

  // ---- for waiting

  /** Whether a pending call has a reply. */
  boolean hasReply() {
    for (int i = 0; i < pending; i++) {
      Call call = active[i];
      if (call != null && slots.replyWord(call.slot) != call.before) {
        return true;
      }
    }
    return false;
  }

  /** Whether {@link #reserve} would find a slot. */
  boolean hasFreeSlot() {
    return nextFree() != NONE;
  }

  /** Whether a responder may be gone that has taken a request, or nobody is there to take one. */
  boolean mayBeLost() {
    return pending > 0 && (entry.leftCount() != seenLeft || failsFast && !slots.isAnyActive());
  }

  /** The calls that are not closed, but for those that never had a slot and are not to be polled any more. */
  List<Call> all() {
    return Stream.concat(Arrays.stream(calls).filter(Objects::nonNull), done.stream().filter(call -> call.slot == NONE))
        .toList();
  }

  boolean hasDone() {
    return !done.isEmpty();
  }

  /** Called when the role ends, and nobody is inside an operation. */
  void abandonAll() {
    for (int i = 0; i < pending; i++) {
      slots.abandon(active[i].slot, turn(active[i]), active[i].before);
      active[i].fail(new CallFailedException(Reason.CANCELLED, explanation(active[i], Reason.CANCELLED)));
    }
    pending = 0;
  }
}
