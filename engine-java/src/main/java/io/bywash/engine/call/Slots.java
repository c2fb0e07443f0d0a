package io.bywash.engine.call;

import static io.bywash.engine.call.CallLayout.*;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Entry;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.internal.role.RoleHandle;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/**
 * The slots of one endpoint: where they are, and what their words say. Geometry is validated once, here; words that
 * change are validated whenever they are read. Any thread may use it.
 *
 * <p>A caller numbers its requests. Number n has slot n % K and turn n / K, where K is the number of the caller's
 * slots. Zeros mean turn 0, which is never used. Each word of a slot names the turn that it belongs to, so nothing that
 * is late can be taken for part of another call:
 * <pre>
 *   call:      write request; request word = (turn, CALL)                            release [request]
 *   serve:     read claim word, then request word; compare-and-set
 *              claim word: as read -&gt; (turn, responder, CLAIMED or CLAIMED_ONE_WAY)            [claim]
 *              read reply word; handle; write reply; compare-and-set
 *              reply word: as read -&gt; (turn, REPLIED)                                          [reply]
 *              if that failed, it is too late:
 *              claim word: (turn, responder, ...) -&gt; DONE                                      [claim]
 *   timeout or cancellation:
 *              reply word: as read -&gt; (turn, ABANDONED)                                        [reply]
 *              if it was not claimed: claim word: as read -&gt; (turn, WITHDRAWN)                 [claim]
 * </pre>
 *
 * <p>A slot is free when the turn was replied to, done or withdrawn, or when its claimer is gone and nobody else may
 * take the request from it. A responder's last
 * access of a turn is one of these two compare-and-sets. A slot that is not free when its next number comes up is left
 * in peace: the number is {@link CallLayout#SKIPPED}.
 */
final class Slots {
  /** Years away at full speed. */
  static final long MAX_TURN = 1L << 50;
  private static final long CLAIM_TURN_MASK = (1L << Long.SIZE - CLAIM_TURN_SHIFT) - 1;

  final SegmentEntry entry;
  final Region region;
  final int responders;
  final int callers;
  /** How many slots a caller has, a power of two. */
  final int slotCount;
  final int maxRequestBytes;
  final int maxReplyBytes;
  final boolean redelivers;
  /** Where the slots begin, and the size of them all. */
  final long dataOffset;
  final long dataBytes;
  final int turnShift;
  private final long slotBytes;
  private final long replyOffset;
  private final long claimOffset;

  /** The slots of an entry that is a sound endpoint; its segment may be closing. */
  Slots(SegmentEntry entry) {
    long[] parameters = entry.parameters();
    this.entry = entry;
    this.region = entry.region();
    this.callers = (int) parameters[PARAMETER_CALLERS];
    this.responders = entry.roleCount() - callers;
    this.slotCount = (int) parameters[PARAMETER_SLOTS];
    this.maxRequestBytes = (int) parameters[PARAMETER_MAX_REQUEST];
    this.maxReplyBytes = (int) parameters[PARAMETER_MAX_REPLY];
    this.redelivers = parameters[PARAMETER_POLICY] == REDELIVER;
    this.dataOffset = entry.offset() + SegmentLayout.structureDataOffset(entry.roleCount());
    this.slotBytes = slotBytes(maxRequestBytes, maxReplyBytes);
    this.dataBytes = callers * slotCount * slotBytes;
    this.replyOffset = areaBytes(maxRequestBytes);
    this.claimOffset = replyOffset + areaBytes(maxReplyBytes);
    this.turnShift = Integer.numberOfTrailingZeros(slotCount);
  }

  /** The slots of an entry, which must be a sound endpoint. */
  static Slots of(Entry entry) {
    return new Slots(EndpointType.INSTANCE.requireSound(entry, "is no endpoint"));
  }

  /** Takes the first free role from {@code first} on, before {@code end}, that can be opened, and activates it. */
  <R> R take(int first, int end, int mode, String plural, Function<RoleHandle, R> opener) {
    DamagedSegmentException damaged = null;
    for (int index = first; index < end; index++) {
      RoleHandle handle = RoleHandle.tryTake(entry, index, mode);
      if (handle != null) {
        try {
          return handle.opened(handle, opener);
        } catch (DamagedSegmentException damage) {
          damaged = damaged == null ? damage : damaged;
        }
      }
    }
    if (damaged != null) {
      throw damaged;
    }
    throw RoleHandle.allTaken(entry, end - first, plural);
  }

  /** The caller, from 0 on, that has a role. */
  int caller(int role) {
    return role - responders;
  }

  /** How many callers there may be, from the first one on: the others never were. */
  int callersUsed() {
    return Math.max(entry.rolesUsed() - responders, 0);
  }

  /** How many responders there may be, from the first one on: the others never were. */
  int respondersUsed() {
    return Math.min(entry.rolesUsed(), responders);
  }

  // ---- places

  /** Where a slot is, which is where its request is. */
  long slot(int caller, int index) {
    return dataOffset + ((long) caller * slotCount + index) * slotBytes;
  }

  /** The index of a caller's slot. */
  int indexOf(int caller, long slot) {
    return (int) ((slot - slot(caller, 0)) / slotBytes);
  }

  long reply(long slot) {
    return slot + replyOffset;
  }

  int index(long number) {
    return (int) number & slotCount - 1;
  }

  /** How many bytes a reply's area has for its payload, which is at least enough for a short message of a failure. */
  int replyRoom() {
    return (int) (claimOffset - replyOffset) - AREA_PAYLOAD;
  }

  // ---- request and reply words

  long request(long slot) {
    return region.getLongAcquire(slot + AREA_WORD); // [request] makes the request visible
  }

  void setRequest(long slot, long turn, int kind) {
    region.setLongRelease(slot + AREA_WORD, word(turn, kind)); // [request]
  }

  long replyWord(long slot) {
    return region.getLongAcquire(slot + replyOffset + AREA_WORD); // [reply] makes the reply visible
  }

  /** Changes the reply word from what was read; false when the other side was faster. */
  boolean changeReply(long slot, long found, long turn, int state) {
    return region.compareAndSetLong(slot + replyOffset + AREA_WORD, found, word(turn, state)); // [reply]
  }

  static long word(long turn, int state) {
    return turn << TURN_SHIFT | state;
  }

  static long turn(long word) {
    return word >>> TURN_SHIFT;
  }

  static int state(long word) {
    return (int) word & (1 << TURN_SHIFT) - 1;
  }

  // ---- claim words

  long claim(long slot) {
    return region.getLongAcquire(slot + claimOffset); // [claim] what an earlier claimer did comes before this
  }

  /** Changes the claim word from what was read; false when another participant was faster. */
  boolean changeClaim(long slot, long found, long next) {
    return region.compareAndSetLong(slot + claimOffset, found, next); // [claim]
  }

  static long claim(long turn, int generation, int role, int state) {
    return turn << CLAIM_TURN_SHIFT | (long) generation << CLAIM_GENERATION_SHIFT | (long) role << CLAIM_ROLE_SHIFT
        | state;
  }

  static int claimState(long claim) {
    return (int) claim & (1 << CLAIM_ROLE_SHIFT) - 1;
  }

  static boolean isClaimed(long claim) {
    return claimState(claim) == CLAIMED || claimState(claim) == CLAIMED_ONE_WAY;
  }

  /** Whether a claim word belongs to a turn. */
  static boolean isOfTurn(long claim, long turn) {
    return claim >>> CLAIM_TURN_SHIFT == (turn & CLAIM_TURN_MASK);
  }

  /** Whether a claim word belongs to a turn, or to one of the 2^35 before it. */
  static boolean isNotNewer(long claim, long turn) {
    return (turn - (claim >>> CLAIM_TURN_SHIFT) & CLAIM_TURN_MASK) <= CLAIM_TURN_MASK >>> 1;
  }

  static int claimRole(long claim) {
    return (int) (claim >>> CLAIM_ROLE_SHIFT) & 0x3FF;
  }

  static int claimGeneration(long claim) {
    return (int) (claim >>> CLAIM_GENERATION_SHIFT) & 0xFFFF;
  }

  /** Whether the responder that claimed a turn has given its role back, or died and was buried. */
  boolean isGone(long claim) {
    long word = claimRole(claim) < responders ? entry.roleWord(claimRole(claim)) : 0;
    return Owner.state(word) == SegmentLayout.ROLE_FREE || Owner.generation(word) != claimGeneration(claim);
  }

  /** Whether the responder that claimed a turn will not answer: it is gone, or its role was revoked. */
  boolean isLost(long claim) {
    return isGone(claim) || Owner.state(entry.roleWord(claimRole(claim))) == SegmentLayout.ROLE_REVOKED;
  }

  // ---- whether somebody answers

  /** Whether there is a responder, dead or alive; the dead are buried soon. */
  boolean isAnyActive() {
    for (int role = 0; role < respondersUsed(); role++) {
      if (isActive(entry.roleWord(role))) {
        return true;
      }
    }
    return false;
  }

  /** Whether a living responder is there. */
  boolean isAnyAlive() {
    for (int role = 0; role < respondersUsed(); role++) {
      long word = entry.roleWord(role);
      if (isActive(word) && entry.core().participants().isAlive(word)) {
        return true;
      }
    }
    return false;
  }

  /** A number that changes with each answer, and when a responder leaves something. */
  long answersStamp() {
    long stamp = entry.leftCount();
    for (int role = 0; role < respondersUsed(); role++) {
      stamp += region.getLongOpaque(entry.role(role) + ROLE_ANSWERED);
    }
    return stamp;
  }

  private static boolean isActive(long roleWord) {
    return Owner.state(roleWord) == SegmentLayout.ROLE_ACTIVE;
  }

  // ---- what a slot is used for

  /** Whether a claim is for a turn that was neither answered nor abandoned; one-way requests are never answered. */
  boolean isOpen(long slot, long claim) {
    return isClaimed(claim) && !isOfTurn(claim, turn(replyWord(slot)));
  }

  /** Whether nobody uses a slot any more: its last request has an end, or its claimer is gone. */
  boolean isFree(long slot) {
    long claim = claim(slot);
    long request = request(slot);
    boolean announced = state(request) == CALL || state(request) == ONE_WAY;
    if (announced && !isOfTurn(claim, turn(request))) {
      return false; // a responder may still take it
    }
    return !isClaimed(claim) || isGone(claim) && !(redelivers && isOpen(slot, claim)) // or another one may take it
        || isOfTurn(claim, turn(replyWord(slot))) && state(replyWord(slot)) == REPLIED;
  }

  /**
   * Gives a call up, unless it was answered: its reply will be too late. If no responder has claimed it, none will.
   *
   * @param found the reply word before the call
   * @return whether it was not answered
   */
  boolean abandon(long slot, long turn, long found) {
    boolean abandoned = changeReply(slot, found, turn, ABANDONED);
    if (abandoned || replyWord(slot) == word(turn, ABANDONED)) {
      long claim = claim(slot);
      if (!isOfTurn(claim, turn)) {
        changeClaim(slot, claim, claim(turn, 0, 0, WITHDRAWN)); // fails if a responder claims it now
      }
    }
    return abandoned;
  }

  /**
   * Drops what a caller left behind: calls that were not answered, and if {@code oneWayToo}, one-way requests that
   * nobody has claimed. What a responder has claimed stays as it is until the responder has finished with it.
   *
   * @param stillTheirs whether the slots still belong to that caller, asked after their words were read
   */
  void drop(int caller, boolean oneWayToo, BooleanSupplier stillTheirs) {
    for (int index = 0; index < slotCount; index++) {
      long slot = slot(caller, index);
      long claim = claim(slot);
      long found = replyWord(slot);
      long request = request(slot);
      long turn = state(request) == SKIPPED ? turnOf(claim, request) : turn(request);
      boolean isCall = state(request) == CALL || state(request) == SKIPPED && claimState(claim) == CLAIMED;
      if (!stillTheirs.getAsBoolean()) {
        return;
      }
      if (isCall && turn(found) < turn) {
        changeReply(slot, found, turn, ABANDONED);
      }
      if ((isCall || oneWayToo && state(request) == ONE_WAY) && !isOfTurn(claim, turn)) {
        changeClaim(slot, claim, claim(turn, 0, 0, WITHDRAWN));
      }
    }
  }

  /** The whole turn of a claim that is not newer than a request word. */
  static long turnOf(long claim, long request) {
    return turn(request) - (turn(request) - (claim >>> CLAIM_TURN_SHIFT) & CLAIM_TURN_MASK);
  }

  /**
   * The number that a caller uses next. Each of its slots has one of its last numbers.
   *
   * @throws io.bywash.engine.DamagedSegmentException when they are not those
   */
  long nextNumber(int caller) {
    long first = checkedTurn(request(slot(caller, 0)), caller);
    long next = first + 1 << turnShift;
    boolean isBehind = false;
    for (int index = 1; index < slotCount; index++) {
      long turn = checkedTurn(request(slot(caller, index)), caller);
      if (!isBehind && turn == first - 1) {
        isBehind = true;
        next = (first << turnShift) + index;
      } else if (turn != (isBehind ? first - 1 : first)) {
        throw entry.damaged("the slots of caller " + caller + " are in turns " + first + " and " + turn
            + ", which does not fit together");
      }
    }
    return next;
  }

  /**
   * The lowest number of a caller that may not have an end yet, or the first one. The caller may go on meanwhile.
   *
   * @param request what its first slot's word was
   */
  long firstDue(long request, int caller) {
    long turn = checkedTurn(request, caller);
    return Math.max((turn - 1 << turnShift) + 1, slotCount);
  }

  /** The turn of a request word, if it is possible. */
  long checkedTurn(long request, int caller) {
    long turn = turn(request);
    if (turn > MAX_TURN || turn == 0 && state(request) != NOTHING || turn != 0 && state(request) == NOTHING) {
      throw entry.damaged("a slot of caller " + caller + " is in turn " + turn + " and state " + state(request));
    }
    return turn;
  }

  /** The place of a payload in its area, if that is possible: its start, and above that its length. */
  long checkedExtent(long area, int maxBytes, String what) {
    long extent = region.getLong(area + AREA_START);
    int start = (int) extent;
    int length = (int) (extent >>> Integer.SIZE);
    if ((start | length | maxBytes - length | maxBytes - start - length) < 0) {
      throw entry.damaged("a " + what + " has " + length + " bytes from byte " + start + " on, and " + maxBytes
          + " are the most");
    }
    return extent;
  }
}
