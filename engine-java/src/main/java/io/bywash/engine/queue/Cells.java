package io.bywash.engine.queue;

import static io.bywash.engine.queue.QueueLayout.*;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Entry;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.memory.Region;

/**
 * The cells and slots of one queue: where they are, and what they hold. Geometry is validated once, here; words that
 * change are validated whenever they are read. Any thread may use it.
 *
 * <p>A cell goes through <em>steps</em>: at step 2t it is empty in turn t, at step 2t + 1 it is full. The message at
 * position p is turn p / C of cell p % C. It is sent by changing the step from 2t to 2t + 1, and taken by changing that
 * to 2t + 2.
 */
final class Cells {
  /** How long a walk goes on while others are faster. Hostile words are not followed for longer. */
  private static final long WALK_NANOS = 2_000_000_000;
  private static final int WALK_STEPS = 1 << 22;
  /** How often all cells are looked at again because messages move, before they are taken to hold one. */
  private static final int COUNT_TRIES = 1_000;
  /** Years away at full speed; beyond it, sums of positions could overflow. */
  static final long MAX_POSITION = 1L << 60;

  final SegmentEntry entry;
  final Region region;
  final int capacity;
  final int roleCount;
  final int slotCount;
  final int maxMessageBytes;
  final DeliveryPolicy policy;
  /** Where the slots begin, and the size of them all. */
  final long slotsOffset;
  final long slotsBytes;
  final int turnShift;
  final int slotBits;
  private final long slotBytes;
  private final long cellsOffset;
  private final long tailOffset;
  private final long headOffset;
  private final long slotMask;

  /** The cells of an entry that is a sound work queue; its segment may be closing. */
  Cells(SegmentEntry entry) {
    this(entry, QueueType.policy(entry));
  }

  /** As {@link #Cells(SegmentEntry)}, with another policy. */
  Cells(SegmentEntry entry, DeliveryPolicy policy) {
    this.entry = entry;
    this.region = entry.region();
    this.capacity = (int) entry.capacity();
    this.roleCount = entry.roleCount();
    this.slotCount = capacity + roleCount;
    this.maxMessageBytes = (int) entry.elementSizeBytes();
    this.policy = policy;
    this.slotBytes = slotBytes(maxMessageBytes);
    this.cellsOffset = entry.offset() + SegmentLayout.structureDataOffset(roleCount);
    this.slotsOffset = cellsOffset + slotsOffset(capacity);
    this.slotsBytes = slotCount * slotBytes;
    this.tailOffset = entry.offset() + TAIL;
    this.headOffset = entry.offset() + HEAD;
    this.turnShift = Integer.numberOfTrailingZeros(capacity);
    this.slotBits = Integer.SIZE - Integer.numberOfLeadingZeros(slotCount - 1);
    this.slotMask = (1L << slotBits) - 1;
  }

  /** The cells of an entry, which must be a sound work queue. */
  static Cells of(Entry entry) {
    return new Cells(QueueType.INSTANCE.requireSound(entry, "is no work queue"));
  }

  /** Takes the page faults of cells and slots now, so that no message has to take them. */
  void touchPages() {
    entry.core().touchPages(cellsOffset, slotsOffset + slotsBytes - cellsOffset, true);
  }

  // ---- cells

  int index(long position) {
    return (int) position & capacity - 1;
  }

  /** The turn of a position's cell. */
  long turn(long position) {
    return position >>> turnShift;
  }

  /** The word of a cell: its step, and the slot that it owns. */
  long cell(int index) {
    return region.getLongAcquire(cellsOffset + index * 8L) ^ index; // [cell] makes the slot's message visible
  }

  long step(long cell) {
    return cell >>> slotBits;
  }

  int slotIn(long cell) {
    return checkSlot((int) (cell & slotMask));
  }

  /** Changes a cell from the word that was found to another step and slot; false when it has changed meanwhile. */
  boolean change(int index, long found, long step, int slot) {
    long next = step << slotBits | slot;
    return region.compareAndSetLong(cellsOffset + index * 8L, found ^ index, next ^ index); // [cell]
  }

  /** The lowest position that can be sent at next: the step in this cell shows that all before it were. */
  long sentBy(int index, long step) {
    return checkPosition(((step + 1 >>> 1) - 1 << turnShift) + index + 1);
  }

  /** As {@link #sentBy}, for taking. */
  long takenBy(int index, long step) {
    return checkPosition(((step >>> 1) - 1 << turnShift) + index + 1);
  }

  private long checkPosition(long position) {
    if (position > MAX_POSITION) {
      throw entry.damaged("a cell claims position " + position);
    }
    return position;
  }

  // ---- hints

  long tailHint() {
    return hint(tailOffset);
  }

  long headHint() {
    return hint(headOffset);
  }

  private long hint(long offset) {
    long hint = region.getLongOpaque(offset);
    if (hint < 0 || hint > MAX_POSITION) {
      throw entry.damaged("a position of " + hint + " is impossible");
    }
    return hint;
  }

  /** Stores now and then how far sending has come. */
  void setTailHint(long position) {
    setHint(tailOffset, position);
  }

  void setHeadHint(long position) {
    setHint(headOffset, position);
  }

  private void setHint(long offset, long position) {
    if ((position & HINT_EVERY - 1) == 0 && region.getLongOpaque(offset) < position) {
      region.setLongOpaque(offset, position); // two threads at once may set it back, so others walk a little further
    }
  }

  /** The position that is sent at next: all before it were sent. */
  long tail() {
    return walk(tailHint(), 0);
  }

  /** The position that is taken at next: all before it were taken. */
  long head() {
    return walk(headHint(), 1);
  }

  private long walk(long from, int kind) {
    long position = from;
    Walk walk = null;
    for (int steps = 0; ; steps++) {
      int index = index(position);
      long step = step(cell(index));
      long wanted = 2 * turn(position) + kind;
      if (step <= wanted) {
        checkNotTooHigh(position, step, wanted);
        return position;
      }
      position = kind == 0 ? sentBy(index, step) : takenBy(index, step);
      if (steps >= capacity) {
        walk = walk == null ? new Walk() : walk;
        walk.step();
      }
    }
  }

  /** Fails when a cell is more than one step behind: nobody has come as far as that position yet. */
  void checkNotTooHigh(long position, long step, long wanted) {
    if (step < wanted - 1) {
      throw entry.damaged("position " + position + " is beyond the last one: its cell is at step " + step);
    }
  }

  /** Whether a message can be taken at {@code from} or later; it may have been taken since. */
  boolean hasMessage(long from) {
    long position = walk(Math.max(from, headHint()), 1);
    return step(cell(index(position))) > 2 * turn(position);
  }

  /** Whether there is room for a message at {@code from} or later; it may have been used since. */
  boolean hasRoom(long from) {
    long position = walk(Math.max(from, tailHint()), 0);
    return step(cell(index(position))) >= 2 * turn(position);
  }

  /** A walk along the cells that does not end, because others are faster or words are hostile. */
  final class Walk {
    private final long startNanos = System.nanoTime();
    private int steps;

    void step() {
      if (++steps > WALK_STEPS && System.nanoTime() - startNanos > WALK_NANOS) {
        throw entry.damaged("no cell stands still for long enough to be used within " + WALK_NANOS / 1_000_000_000
            + " s");
      }
    }
  }

  // ---- slots

  /** Where a slot is in the region. */
  long slot(int number) {
    return slotsOffset + number * slotBytes;
  }

  int checkSlot(int number) {
    if (number < 0 || number >= slotCount) {
      throw entry.damaged("slot " + number + " of " + slotCount + " is in use");
    }
    return number;
  }

  /** The word with the deliveries of a slot's message, and the reason why it is a dead letter. */
  long deliveriesWord(int slot) {
    return region.getLongOpaque(slot(slot) + SLOT_DELIVERIES);
  }

  void setDeliveries(int slot, int deliveries) {
    region.setLongOpaque(slot(slot) + SLOT_DELIVERIES,
        deliveriesWord(slot) & -1L << Integer.SIZE | Integer.toUnsignedLong(deliveries));
  }

  static int deliveries(long word) {
    return (int) word;
  }

  static int reason(long word) {
    return (int) (word >>> Integer.SIZE);
  }

  /** Returns {@code length} if the message in a slot can have that many bytes. */
  int checkLength(int length, int slot) {
    if (length < 1 || length > maxMessageBytes) {
      throw entry.damaged("slot " + slot + " has a message of " + length + " bytes, and " + maxMessageBytes
          + " are the most");
    }
    return length;
  }

  // ---- roles

  /** What a role owns: its slot, and whether a message is held in it, as in {@link QueueLayout}. */
  long mine(int role) {
    return region.getLongAcquire(entry.role(role) + ROLE_MINE) ^ ownSlot(role); // [mine]
  }

  /** The value that a role's "mine" is stored as its exclusive or with. */
  long ownSlot(int role) {
    return (long) (capacity + role) << MINE_SLOT_SHIFT;
  }

  /** The slot in a role's "mine", which may be impossible. */
  static int slotOf(long mine) {
    return (int) (mine >>> MINE_SLOT_SHIFT) & 0xFF_FFFF;
  }

  static boolean isHeld(long mine) {
    return (mine & 0xFF) != SPARE;
  }

  /** The exchange that a role is in: 0 for none, else twice the position plus 1, plus another 1 for taking. */
  long at(int role) {
    return region.getLongAcquire(entry.role(role) + ROLE_AT); // [at]
  }

  /** Whether a role holds a message, or its last holder may have been about to take one. */
  boolean mayHold(int role) {
    long at = at(role);
    return at != 0 && isTaking(at - 1) || isHeld(mine(role));
  }

  static boolean isTaking(long phase) {
    return (phase & 1) != 0;
  }

  /**
   * How many messages there are, in cells and in roles; only approximate while they move. It is 0 only if there was
   * none at some instant: no step was made between two looks at the cells, which were all empty, and no role held one.
   */
  long messageCount() {
    for (int tries = 0; tries < COUNT_TRIES; tries++) {
      long before = stepSum();
      long count = heldCount();
      long after = 0;
      for (int index = 0; index < capacity; index++) {
        long step = step(cell(index)); // [cell] steps only rise, so an equal sum means that each is the same
        after += step;
        count += step & 1;
      }
      if (count > 0 || before == after) {
        return count;
      }
    }
    return 1; // they move all the time
  }

  private long stepSum() {
    long sum = 0;
    for (int index = 0; index < capacity; index++) {
      sum += step(cell(index));
    }
    return sum;
  }

  private long heldCount() {
    long count = 0;
    for (int role = 0; role < entry.rolesUsed(); role++) {
      count += mayHold(role) ? 1 : 0;
    }
    return count;
  }

  DamagedSegmentException impossible(String what, int role) {
    return entry.damaged("role " + role + " " + what);
  }
}
