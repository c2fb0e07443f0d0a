package io.bywash.engine.queue;

import static io.bywash.engine.queue.QueueLayout.*;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Entry;
import io.bywash.engine.EntryNotFoundException;
import io.bywash.engine.EntryRemovedException;
import io.bywash.engine.Kind;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.internal.events.EngineEvents;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.waiting.WaitRoom;
import io.bywash.engine.wait.WaitPolicy;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Messages that were taken and not acknowledged: finds those in roles that nobody holds, and applies the queue's policy
 * to them. Used by one consumer.
 */
final class Leftovers {
  private static final long NOT_SEEN = -1;
  private static final long NOT_TOLD = -1;
  /** Far from all counts that it is added to. */
  private static final long ROOM = 1L << 62;

  private final Cells cells;
  private final DeliveryPolicy policy;
  /** Sends to the queue for dead letters; null when there is none. */
  private final Producer deadLetters;
  /** The entry's left count when the last search found nothing. */
  private long seen = NOT_SEEN;
  private long lookedNanos = System.nanoTime();
  /** Whether the last search skipped a role because there was no room for its dead letter. */
  private boolean kept;
  /** By role, what it held when it was found to be damaged: it is passed by until it holds something else. */
  private final long[] told;
  /** How often {@link #changeStamp} found what nobody had announced. */
  private int finds;

  Leftovers(Cells cells) {
    this.cells = cells;
    this.policy = cells.policy;
    this.told = new long[cells.roleCount];
    Arrays.fill(told, NOT_TOLD);
    this.deadLetters = policy.deadLetters().isEmpty() ? null : Producer.open(checkedQueue(cells), WaitPolicy.PARK);
  }

  /** The queue for dead letters, which must exist, take the largest message, and not lead back to this queue. */
  private static SegmentEntry checkedQueue(Cells cells) {
    String where = "Entry \"" + cells.entry.name() + "\" of segment " + cells.entry.core().path()
        + " cannot send its dead letters to entry \"" + cells.policy.deadLetters() + "\": ";
    List<String> names = new ArrayList<>(List.of(cells.entry.name()));
    SegmentEntry first = null;
    for (String name = cells.policy.deadLetters(); !name.isEmpty(); ) {
      if (names.contains(name)) {
        throw new SpecMismatchException(where, List.of("its own dead letters lead back to \"" + name + "\""));
      }
      names.add(name);
      Entry found = cells.entry.directory().find(name).orElse(null);
      if (found == null && first == null) {
        throw new EntryNotFoundException(where + "there is no such entry. Add it before the first consumer is opened.");
      }
      if (!(found instanceof SegmentEntry entry) || entry.kind() != Kind.WORK_QUEUE) {
        break;
      }
      first = first == null ? entry : first;
      name = Cells.of(entry).policy.deadLetters();
    }
    if (first == null) {
      throw new SpecMismatchException(where, List.of("it is no work queue"));
    }
    if (first.elementSizeBytes() < cells.maxMessageBytes) {
      throw new SpecMismatchException(where, List.of("its messages have up to " + first.elementSizeBytes()
          + " bytes, those of this queue up to " + cells.maxMessageBytes));
    }
    return first;
  }

  /** Whether a message may have been left since the last search. */
  boolean hasChanged() {
    return cells.entry.leftCount() != seen || kept && deadLetters.hasRoom();
  }

  /** Makes the next search complete now and then, since nobody announces a death. */
  void lookNowAndThen() {
    long now = System.nanoTime();
    if (now - lookedNanos >= WaitRoom.PROBE_NANOS) {
      lookedNanos = now;
      seen = NOT_SEEN;
    }
  }

  /**
   * A number that changes with what {@link #hasChanged} depends on. The hub asks one of those who wait for it. Now and
   * then that one also looks for roles that became free unannounced, since who frees one may die in the middle.
   */
  long changeStamp() {
    long now = System.nanoTime();
    if (now - lookedNanos >= WaitRoom.PROBE_NANOS) {
      lookedNanos = now;
      if (seen != NOT_SEEN && isAnyFree()) {
        seen = NOT_SEEN;
        finds++;
      }
    }
    return cells.entry.leftCount() + finds + (deadLetters != null && deadLetters.hasRoom() ? ROOM : 0);
  }

  /** Whether there is something to adopt now, or damage to be told. The dead count only when they are buried. */
  boolean isAnyFree() {
    try {
      for (int index = 0; index < cells.entry.rolesUsed(); index++) {
        if (isFree(cells.entry.roleWord(index)) && cells.mayHold(index) && told[index] != held(index)
            && canGoOn(slotOf(index))) {
          return true;
        }
      }
      return false;
    } catch (DamagedSegmentException damage) { // which the search tells
      return true;
    }
  }

  private static boolean isFree(long word) {
    return Owner.state(word) == SegmentLayout.ROLE_FREE;
  }

  private int slotOf(int index) {
    return cells.checkSlot(Cells.slotOf(cells.mine(index)));
  }

  /** What a role holds, whoever takes the role meanwhile: its slot, the slot's state, and the slot's moves. */
  private long held(int index) {
    long mine = cells.mine(index);
    int slot = Cells.slotOf(mine);
    long moves = slot < cells.slotCount ? cells.region.getLongOpaque(cells.slot(slot) + SLOT_MOVES) : 0;
    return moves << MINE_GENERATION_SHIFT | mine & 0xFFFF_FFFFL;
  }

  /**
   * Adopts a role with a message that is to be delivered; null when there is none.
   *
   * @throws DamagedSegmentException when there is none but damaged ones, which stay as they are. It is thrown once for
   *     what a role holds; the next search passes that by.
   */
  Place adopt() {
    long before = cells.entry.leftCount();
    DamagedSegmentException damage = null;
    kept = false;
    for (int index = 0; index < cells.entry.rolesUsed(); index++) {
      long held = cells.mayHold(index) ? held(index) : NOT_TOLD;
      if (held == told[index]) { // nothing, or what is damaged
        continue;
      }
      try {
        Place place = isWorthIt(index) ? adopt(index) : null;
        if (place != null) {
          return place;
        }
      } catch (DamagedSegmentException found) {
        told[index] = held;
        damage = found;
      }
    }
    if (damage != null) { // the next search is complete, too
      throw damage;
    }
    seen = before;
    return null;
  }

  private Place adopt(int index) {
    Place place = Place.tryTake(cells, index, MODE_CONSUMER);
    boolean adopted = false;
    try {
      if (place != null && place.exchanger().isHeld() && isToBeDelivered(place.exchanger())) {
        checkLength(place.exchanger().slot());
        place.exchanger().count(ROLE_REDELIVERED);
        EngineEvents.redelivery(cells.entry.core().path(), cells.entry.name(), index);
        adopted = true;
      }
    } finally { // whatever fails, a role that is taken and not used would keep the segment open
      if (place != null && !adopted) {
        place.giveBack();
      }
    }
    return adopted ? place : null;
  }

  /**
   * Whether nobody holds that role, and its message can be dealt with. Whether its holder is dead is checked at the
   * first search and now and then; between these, its burial shows it.
   */
  private boolean isWorthIt(int index) {
    long word = cells.entry.roleWord(index);
    if (!cells.mayHold(index)
        || !isFree(word) && (seen != NOT_SEEN || cells.entry.core().participants().isAlive(word))) {
      return false;
    }
    int slot = slotOf(index);
    checkUntaken(index, word, slot);
    boolean canGoOn = canGoOn(slot);
    kept |= !canGoOn;
    return canGoOn;
  }

  /** Checks a message before its role is taken: giving that back has all consumers search, and wakes one. */
  private void checkUntaken(int index, long word, int slot) {
    if (cells.at(index) != 0 || !Cells.isHeld(cells.mine(index))) { // to be repaired
      return;
    }
    try {
      checkLength(slot);
    } catch (DamagedSegmentException damage) {
      VarHandle.acquireFence(); // before checking whether the role was taken meanwhile, and the slot used again
      if (cells.entry.roleWord(index) == word) {
        throw damage;
      }
    }
  }

  private void checkLength(int slot) {
    cells.checkLength(cells.region.getInt(cells.slot(slot) + SLOT_LENGTH), slot);
  }

  /** Whether a message can be delivered or dropped, or there is room for it in the queue for dead letters. */
  boolean canGoOn(int slot) {
    return !policy.keepsDeadLetters() || !policy.isOver(Cells.deliveries(cells.deliveriesWord(slot)))
        || deadLetters.hasRoom();
  }

  /**
   * Applies the policy to a message that is held and was not acknowledged. Returns whether it is to be delivered again.
   * If not, it has become a dead letter or was dropped, and is no longer held; or it is still held because the queue
   * for dead letters has no room.
   */
  boolean isToBeDelivered(Exchanger exchanger) {
    int slot = exchanger.slot();
    if (policy.redelivers() && !policy.isOver(Cells.deliveries(cells.deliveriesWord(slot)))) {
      return true;
    }
    if (deadLetters != null && bury(slot)) {
      exchanger.count(ROLE_DEAD_LETTERS);
      exchanger.acknowledge();
    } else if (!policy.keepsDeadLetters()) {
      exchanger.count(ROLE_DROPPED);
      exchanger.acknowledge();
    }
    return false;
  }

  private boolean bury(int slot) {
    long at = cells.slot(slot);
    long header = cells.region.getLong(at + SLOT_LENGTH);
    try {
      return deadLetters.bury(cells, slot, cells.checkLength((int) header, slot), (int) (header >>> Integer.SIZE),
          cells.region.getLong(at + SLOT_SEQUENCE));
    } catch (EntryRemovedException | SegmentClosedException removed) { // then it counts as full
      if (!cells.entry.core().isOpen()) {
        throw removed;
      }
      return false;
    }
  }

  void close() {
    if (deadLetters != null) {
      deadLetters.close();
    }
  }
}
