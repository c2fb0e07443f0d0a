package io.bywash.engine.internal.waiting;

import static io.bywash.engine.internal.layout.SegmentLayout.ROLE_FREE;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.internal.attachment.Row;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.linux.Futex;
import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.internal.segment.Participants;
import java.lang.invoke.VarHandle;
import java.util.Optional;

/**
 * The roles of one structure that wait for one reason: a bit for each role, and a summary word with a bit for each word
 * of role bits. A waker that finds nobody has read just one word.
 *
 * <p>No wake-up is lost, because at least one of sleeper and waker sees the other's step [waiting]:
 * <pre>
 *   sleeper: remember doorbell; set own bit, then summary bit; FENCE; check structure again; sleep while the doorbell
 *            is unchanged; clear own bit
 *   waker:   change the structure; fence; check the summary; take bits; change the holders' doorbells; wake them
 * </pre>
 * Where every process is registered for it, the sleeper's FENCE is a membarrier that makes all running wakers pass a
 * full fence, and the waker's own fence is left out. That costs a sleeper about a microsecond, and a publisher only a
 * load. A sleeper also checks again every 50 ms, since a waker may die between its steps.
 *
 * <p>A waker that finds a summary bit whose word is zero clears it, and reads the word again [summary]: another waker
 * may have missed a role that announced itself meanwhile, so that role is woken.
 *
 * <p>Any thread may call any method.
 */
public final class Waiters {
  private final Row row;
  private final WaitRoom room;
  private final Region region;
  private final long bitmap;
  private final long summary;
  private final int words;
  /** Where {@link #signalOne} starts its search, so that roles are woken in turn; a hint. */
  private int searchStart;

  public Waiters(Row row, WaitRoom room, int bitmap, int summary) {
    this.row = row;
    this.room = room;
    this.region = row.region();
    this.bitmap = row.offset() + bitmap;
    this.summary = row.offset() + summary;
    this.words = (row.roleCount() + 63) >>> 6;
  }

  /** The structure whose roles these are. */
  public Row row() {
    return row;
  }

  /** Where threads wait in the segment. */
  public WaitRoom room() {
    return room;
  }

  /** Where the bits are in the region. */
  long bitmap() {
    return bitmap;
  }

  // ---- the waker's side

  /** Wakes all roles that wait; called after each change of the structure that they may wait for. */
  public void signal() {
    if (hasAny()) {
      ringAll();
    }
  }

  /**
   * Wakes one of the roles that wait, if there are any, and sometimes more. It is not always the same one. Whoever is
   * woken but does not check the structure then must call this again. Returns whether one was woken.
   */
  public boolean signalOne() {
    return hasAny() && ringOne(searchStart);
  }

  /** Wakes the holder of a role, if it waits. Returns whether it was woken. */
  public boolean signalRole(int role) {
    return hasAny() && withdraw(role) && ring(role);
  }

  private boolean hasAny() {
    if (!NativeAccess.ENABLED) {
      return false; // sleepers know that this process cannot wake them, and park with a time limit
    }
    if (!Futex.ASYMMETRIC) {
      VarHandle.fullFence(); // [waiting]
    }
    return region.getLongOpaque(summary) != 0; // [waiting]
  }

  private boolean isInSummary(int index) {
    return (region.getLongOpaque(summary) & 1L << index) != 0; // [waiting]
  }

  private void ringAll() {
    for (int index = 0; index < words; index++) {
      if (isInSummary(index)) {
        if (word(index) == 0) {
          clearSummary(index);
        } else {
          ring(index, takeAll(index));
        }
      }
    }
  }

  private long takeAll(int index) {
    return region.getAndBitwiseAndLong(bitmap + index * 8L, 0);
  }

  /** Clears a summary bit whose word was zero. Returns whether a role was announced after all, and was woken. */
  private boolean clearSummary(int index) {
    region.getAndBitwiseAndLong(summary, ~(1L << index)); // [summary] whoever set this bit set its own bit before
    if (word(index) == 0) { // [summary] so its own bit is seen here
      return false;
    }
    restoreSummary(index);
    ring(index, takeAll(index));
    return true;
  }

  private boolean ringOne(int first) {
    for (int i = 0; i <= words; i++) { // the first word twice: its upper part first, its lower part last
      int index = ((first >>> 6) + i) % words;
      if (isInSummary(index)) {
        long bits = word(index);
        if (bits == 0 && clearSummary(index)) {
          return true;
        }
        bits &= i == 0 ? -1L << first : i == words ? ~(-1L << first) : -1L;
        for (; bits != 0; bits &= bits - 1) {
          int role = (index << 6) + Long.numberOfTrailingZeros(bits);
          if (withdraw(role) && ring(role)) {
            searchStart = (role + 1) % (words << 6);
            return true;
          }
        }
      }
    }
    return false;
  }

  /** Wakes the holders of roles in one word of bits, each participant once. */
  private void ring(int index, long taken) {
    for (long bits = taken; bits != 0; ) {
      int first = (index << 6) + Long.numberOfTrailingZeros(bits);
      bits &= bits - 1;
      int id = holder(first);
      if (id >= 0) {
        int doorbellBits = Participants.doorbellBit(first);
        for (long others = bits; others != 0; others &= others - 1) {
          int other = (index << 6) + Long.numberOfTrailingZeros(others);
          if (holder(other) == id) {
            doorbellBits |= Participants.doorbellBit(other);
            bits &= ~(others & -others);
          }
        }
        row.core().participants().wake(id, doorbellBits);
      }
    }
  }

  /** Wakes the holder of a role whose bit was taken; false when nobody holds the role. */
  public boolean ring(int role) {
    int id = holder(role);
    if (id >= 0) {
      row.core().participants().wake(id, Participants.doorbellBit(role));
    }
    return id >= 0;
  }

  /** The slot of a role's holder. It is read after the bit was taken, so the holder set the bit, or is a later one. */
  private int holder(int role) {
    if (role >= row.roleCount()) {
      return -1; // damage
    }
    long word = row.roleWord(role);
    int id = Owner.slotId(word);
    return Owner.state(word) == ROLE_FREE || id >= row.core().geometry().slotCount() ? -1 : id;
  }

  // ---- the sleeper's side

  /**
   * Announces that a role waits, unless this participant has left. {@link WaitRoom#fence} and another check of the
   * structure must follow.
   */
  public void announce(int role) {
    synchronized (row.core().presence()) {
      if (!row.core().hasLeft()) {
        region.getAndBitwiseOrLong(bitmap + (role >>> 6) * 8L, 1L << (role & 63)); // [summary] seen if the next one is
        region.getAndBitwiseOrLong(summary, 1L << (role >>> 6)); // [waiting] [summary]
      }
    }
  }

  /**
   * Ends what {@link #announce} began; false when a waker, which had changed the structure before, took the bit. The
   * wake must be used or passed on then.
   */
  boolean endAnnouncement(int role) {
    synchronized (row.core().presence()) {
      return row.core().hasLeft() || withdraw(role);
    }
  }

  /** Wakes another role, if the entry is still there: the role that was woken does not check the structure. */
  void passOn() {
    if (NativeAccess.ENABLED && !row.core().isReadOnly() && row.tryBeginWait()) { // else nobody sleeps
      try {
        signalOne();
      } finally {
        row.endWait();
      }
    }
  }

  /** Takes a role's bit, for its holder or for a waker inside an operation; false when another one took it. */
  public boolean withdraw(int role) {
    long word = bitmap + (role >>> 6) * 8L;
    long bit = 1L << (role & 63);
    return isAnnounced(role) && (region.getAndBitwiseAndLong(word, ~bit) & bit) != 0;
  }

  /** Whether a role is announced and was not woken yet. */
  public boolean isAnnounced(int role) {
    return (word(role >>> 6) & 1L << (role & 63)) != 0;
  }

  /** How many words of bits there are. */
  int words() {
    return words;
  }

  /** The bits of 64 roles. */
  long word(int index) {
    return region.getLongAcquire(bitmap + index * 8L); // [waiting] what the waker did before is visible after this
  }

  /** Sets a summary bit again that a waker has cleared, perhaps before it died. */
  void restoreSummary(int index) {
    if (!isInSummary(index)) {
      region.getAndBitwiseOrLong(summary, 1L << index);
    }
  }

  // ---- inspection

  /** What is impossible here: that roles wait which do not exist. */
  public Optional<String> problem() {
    int roles = row.roleCount();
    for (int role = roles; role < EntrySpec.MAX_ROLES; role++) {
      if ((word(role >>> 6) & 1L << (role & 63)) != 0) {
        return Optional.of("role " + role + " waits, but there are only " + roles);
      }
    }
    long bits = region.getLongOpaque(summary);
    return bits >>> words == 0 ? Optional.empty()
        : Optional.of(String.format("the summary 0x%x of those that wait goes beyond the last of %d", bits, roles));
  }
}
