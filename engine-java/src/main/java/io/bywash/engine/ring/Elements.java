package io.bywash.engine.ring;

import static io.bywash.engine.internal.layout.SegmentLayout.ROLE_REVOKED;
import static io.bywash.engine.ring.RingLayout.*;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Entry;
import io.bywash.engine.RoleTakenException;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.internal.role.RoleHandle;
import io.bywash.engine.record.Records;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.Objects;
import java.util.function.Function;

/**
 * The elements of one ring: where they are, the words that say which of them can be read, and copying them. Geometry is
 * validated once, here; words that change are validated whenever they are read. Any thread may use it.
 *
 * <p>The element of position p is in place p % places. Those from {@code tail - capacity} on can be read, as long as
 * they are not overwritten meanwhile: the writer announces by {@code intent} up to which position it may be writing,
 * before it writes there, and the element of position p is overwritten by that of position p + places. There are more
 * places than the capacity by as much as the intent can be ahead of the tail, so all of the capacity can be read at any
 * moment. Who has copied elements checks the intent afterwards (Boehm 2012, "Can seqlocks get along with programming
 * language memory models?").
 */
final class Elements {
  /** Years away at full speed. */
  private static final long MAX_POSITION = 1L << 60;
  /** How often the newest elements are copied again so that none is missing, and how often in all. */
  private static final int PATIENT_TRIES = 8;
  private static final int MAX_TRIES = 64;

  final SegmentEntry entry;
  final Region region;
  final int capacity;
  final int block;
  final int places;
  final int elementBytes;
  private final long tailOffset;
  private final long intentOffset;
  private final long headOffset;
  private final long dataOffset;

  /** The elements of an entry that is a sound ring; its segment may be closing. */
  Elements(SegmentEntry entry) {
    this.entry = entry;
    this.region = entry.region();
    this.capacity = (int) entry.capacity();
    this.block = block(capacity);
    this.places = places(capacity);
    this.elementBytes = (int) entry.elementSizeBytes();
    this.tailOffset = entry.offset() + TAIL;
    this.intentOffset = entry.offset() + INTENT;
    this.headOffset = entry.offset() + HEAD;
    this.dataOffset = entry.offset() + SegmentLayout.structureDataOffset(entry.roleCount());
  }

  /** The elements of an entry, which must be a sound ring. */
  static Elements of(Entry entry) {
    return new Elements(RingType.INSTANCE.requireSound(entry, "is no ring"));
  }

  // ---- roles

  /**
   * Takes a role, and returns its user.
   *
   * @throws RoleTakenException when a living participant holds it
   */
  <R> R open(int role, String task, Function<RoleHandle, R> user) {
    return entry.core().whileMapped(() -> {
      R opened = RoleHandle.tryOpen(entry, role, 0, handle -> {
        entry.core().touchPages(dataOffset, dataBytes(capacity, elementBytes), role == WRITER_ROLE);
        return user.apply(handle);
      });
      if (opened == null) {
        throw taken(entry.roleWord(role), task);
      }
      return opened;
    });
  }

  private RoleTakenException taken(long word, String task) {
    long pid = entry.core().participants().pid(word);
    String ring = "Entry \"" + entry.name() + "\" of segment " + entry.core().path();
    return new RoleTakenException(Owner.state(word) == ROLE_REVOKED
        ? ring + " had its " + task + " revoked in process " + pid + ", but that one's user has not come out. Wait for"
            + " it, or end that process."
        : ring + " has a " + task + " already, process " + pid + ". There can be only one; end that one first.", pid);
  }

  /** Checks that the elements may be these records, which must be of one class and of the elements' size. */
  void checkRecords(Records<?> records) {
    records.check(entry);
    if (records.types().size() != 1 || records.types().getFirst().sizeBytes() != elementBytes) {
      throw new IllegalArgumentException("records=" + records + " are not of one class of " + elementBytes + " bytes,"
          + " the elements of entry \"" + entry.name() + "\"");
    }
  }

  /** Checks that so many elements fit into a segment from an offset on. */
  void checkRange(MemorySegment bytes, long offset, int count) {
    Objects.checkFromIndexSize(offset, (long) count * elementBytes, bytes.byteSize());
  }

  static void checkCount(int count) {
    if (count < 0) {
      throw new IllegalArgumentException("count=" + count + " is negative");
    }
  }

  // ---- words

  /** How many elements were pushed. */
  long tail() {
    return checked(region.getLongAcquire(tailOffset), "pushed"); // [tail] makes the elements visible
  }

  /** Makes the elements before a position visible; called by the writer. */
  void publish(long tail) {
    region.setLongRelease(tailOffset, tail); // [tail]
  }

  /** Up to which position the writer may be writing. */
  long intent() {
    return region.getLongAcquire(intentOffset); // [intent]
  }

  /** Announces that the elements before a position may be written now; called by the writer. */
  void announce(long intent) {
    region.setLongRelease(intentOffset, intent); // [intent]
    VarHandle.storeStoreFence(); // [intent] who copies anything that is written from now on sees the intent afterwards
  }

  /** How many elements were popped or lost. */
  long head() {
    return checked(headWord() >>> 1, "popped");
  }

  /** The head, and in its lowest bit which count of lost elements is valid. */
  private long headWord() {
    return region.getLongAcquire(headOffset); // [head] the popper has read all before it
  }

  private long checked(long position, String what) {
    if (position < 0 || position > MAX_POSITION) {
      throw entry.damaged("position " + position + " is said to be " + what);
    }
    return position;
  }

  /**
   * The popper's words, which belong together: the position up to which elements were popped or lost, and how many of
   * them were lost. A popper that dies leaves either the old ones or the new ones.
   */
  record Head(long position, long lost) {}

  /** The popper's words, read while the popper may be changing them. */
  Head readHead() {
    for (int tries = 0; tries < Owner.MAX_TRIES; tries++) {
      long word = headWord();
      long lost = region.getLongAcquire(lostOffset(word)); // [lost]
      if (headWord() == word) { // [lost] else it may be the next count but one
        long position = checked(word >>> 1, "popped");
        if (lost < 0 || lost > position) {
          throw entry.damaged("of " + position + " elements that were popped or lost, " + lost + " were lost");
        }
        return new Head(position, lost);
      }
    }
    throw entry.damaged("the position up to which elements were popped does not stand still");
  }

  private long lostOffset(long headWord) {
    return headOffset + LOST - HEAD + (headWord & 1) * Long.BYTES;
  }

  /** Moves the head to a position, and counts elements as lost, both by one store; called by the popper. */
  Head moveHead(Head from, long position, long lost) {
    long which = region.getLongOpaque(headOffset) & 1;
    if (lost != from.lost) {
      which ^= 1;
      region.setLongRelease(lostOffset(which), lost); // [lost] who sees it also sees that it was not the valid one
    }
    region.setLongRelease(headOffset, position << 1 | which); // [head]
    return new Head(position, lost);
  }

  /** The position of the oldest element that can be read, where the head and the tail are so. */
  long oldest(long head, long tail) {
    return Math.max(head, tail - capacity);
  }

  /** How many elements a gated push has room for, at that tail; negative after elements were dropped. */
  long room(long tail) {
    long head = head();
    if (head > tail) {
      throw beyond(head, tail);
    }
    return capacity - (tail - head);
  }

  /** Throws when more was popped than pushed; the head was read before the tail. */
  void checkPopped(Head head, long tail) {
    if (head.position > tail) {
      throw beyond(head.position, tail);
    }
  }

  private DamagedSegmentException beyond(long head, long tail) {
    return entry.damaged("elements are said to be popped up to position " + head + ", and only " + tail
        + " were pushed");
  }

  /** Throws when the intent is impossible; called after the tail was read. */
  void checkIntent(long tail) {
    long intent = intent();
    if (intent < tail || intent - block > tail()) { // the later tail: the writer may have gone on
      throw entry.damaged("the writer is said to write up to position " + intent + ", and " + tail
          + " elements were pushed");
    }
  }

  // ---- copies

  /** Where the element of a position is in the region. */
  long at(long position) {
    return dataOffset + position % places * elementBytes;
  }

  /** How many elements from a position on are in one piece, up to so many. */
  private int piece(long position, int count) {
    return (int) Math.min(count, places - position % places);
  }

  /** Writes elements of a segment. */
  void write(long position, int count, MemorySegment source, long offset) {
    int first = piece(position, count);
    region.copyFrom(at(position), source, offset, (long) first * elementBytes);
    if (first < count) {
      region.copyFrom(dataOffset, source, offset + (long) first * elementBytes, (long) (count - first) * elementBytes);
    }
  }

  /**
   * Copies elements to a segment, and returns the first position whose copy is valid: those before it were being
   * overwritten. It may be the one behind the last, or a later one.
   */
  long read(long position, int count, MemorySegment target, long offset) {
    int first = piece(position, count);
    region.copyTo(at(position), target, offset, (long) first * elementBytes);
    if (first < count) {
      region.copyTo(dataOffset, target, offset + (long) first * elementBytes, (long) (count - first) * elementBytes);
    }
    VarHandle.acquireFence(); // [intent] if anything of that was written since, the new intent is seen
    return Math.max(position, intent() - places);
  }

  /**
   * Copies up to so many elements from the oldest one on, or the newest ones, and moves them together if those in front
   * were overwritten meanwhile. Tries again if that leaves none.
   *
   * @param head the position before which nothing is wanted
   */
  Copied copy(long head, int count, boolean newest, MemorySegment target, long offset) {
    for (int tries = 0; tries < MAX_TRIES; tries++) {
      long tail = tail();
      if (head > tail) {
        throw beyond(head, tail);
      }
      long oldest = oldest(head, tail);
      long from = newest ? Math.max(oldest, tail - count) : oldest;
      int found = (int) Math.min(count, tail - from);
      long valid = found == 0 ? from : read(from, found, target, offset);
      if (valid == from) {
        return new Copied(from, found);
      }
      checkIntent(tail);
      if (valid < from + found && (!newest || tries >= PATIENT_TRIES)) {
        int left = (int) (from + found - valid);
        long skipped = (found - left) * (long) elementBytes;
        MemorySegment.copy(target, offset + skipped, target, offset, (long) left * elementBytes); // may overlap
        return new Copied(valid, left);
      }
    }
    return new Copied(head, 0);
  }

  /** Elements that were copied: the position of the first one, and how many. */
  record Copied(long from, int count) {
    long end() {
      return from + count;
    }
  }
}
