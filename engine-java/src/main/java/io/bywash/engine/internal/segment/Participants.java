package io.bywash.engine.internal.segment;

import static io.bywash.engine.internal.layout.SegmentLayout.*;

import io.bywash.engine.Participant;
import io.bywash.engine.TableFullException;
import io.bywash.engine.internal.layout.Label;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.linux.Futex;
import io.bywash.engine.internal.linux.LockHolders;
import io.bywash.engine.internal.linux.ProcessIdentity;
import io.bywash.engine.internal.linux.SegmentFile;
import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.internal.memory.Region;
import java.io.IOException;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The participant table: who is attached, who is alive, and how slots are taken and given back.
 *
 * <p>A slot belongs to the holder of its kernel lock, and only the holder writes its first line. It raises the epoch
 * under the lock, so an epoch in any shared word names one life. That life is over if the slot shows another epoch, or
 * if nobody holds the lock.
 */
public final class Participants {
  /** How long a joiner waits for slots that are being buried, taken or given back, if there is no other. */
  private static final long SETTLE_NANOS = 500_000_000;
  private static final long RETRY_NANOS = 1_000_000;
  /**
   * The last epoch, unsigned, of a life: one more is needed to bury it. A slot that reaches it is retired, since an
   * epoch that started again at 0 would bring words of the dead back to life.
   */
  static final int LAST_EPOCH = 0xFFFF_FFFE;

  private static final int NOBODY = -1;

  private final SegmentFile file;
  private final Region region;
  private final Geometry geometry;
  private final Sweeper sweeper;
  /** Held by the thread of this process that buries, since there is only one {@link #burying}. */
  private final ReentrantLock burials = new ReentrantLock();
  private long self;
  /** The slot whose dead holder this participant is burying. */
  private volatile int burying = NOBODY;

  /** Frees everything that a dead participant holds. */
  @FunctionalInterface
  public interface Sweeper {
    /**
     * Frees what a slot, whose lock the caller holds, has in all structures. Returns how many roles it freed. For each
     * structure it announces with {@link #holdFor} that the slot holds the row.
     */
    int sweep(int slotId);
  }

  public Participants(SegmentFile file, Region region, Geometry geometry, Sweeper sweeper) {
    this.file = file;
    this.region = region;
    this.geometry = geometry;
    this.sweeper = sweeper;
  }

  /** The part of every word owned by this participant that names it; 0 for an observer. */
  public long self() {
    return self;
  }

  /** Takes slot 0 of a segment that nobody else sees yet. The creator holds the slot's lock. */
  public void joinFirst() {
    activate(0, 1);
  }

  /** Takes a free slot, burying its dead holder first. */
  public void join(String segmentName) throws IOException {
    long start = System.nanoTime();
    SegmentFile.Patience patience = null; // first try only the slots that can be had at once
    boolean first;
    do {
      for (int id = 0; id < geometry.slotCount(); id++) {
        if (!isRetired(slotWord(id)) && tryLockUnlessVetoed(id, patience)) {
          if (Owner.state(slotWord(id)) != SLOT_FREE) {
            bury(id);
          }
          int epoch = Owner.epoch(slotWord(id));
          if (Integer.compareUnsigned(epoch, LAST_EPOCH) < 0) {
            activate(id, epoch + 1);
            return;
          }
          free(id, epoch);
          file.unlock(SLOT_LOCKS + id);
        }
      }
      first = patience == null;
      patience = first ? new SegmentFile.Patience() : patience;
    } while (first || isAnySlotChanging() && System.nanoTime() - start < SETTLE_NANOS);
    throw tableFull(segmentName);
  }

  private TableFullException tableFull(String segmentName) {
    List<Long> pids = list().stream().map(Participant::pid).toList();
    long locked = IntStream.range(0, geometry.slotCount()).mapToLong(this::slotWord)
        .filter(word -> Owner.state(word) == SLOT_FREE && !isRetired(word)).count();
    long retired = IntStream.range(0, geometry.slotCount()).filter(id -> isRetired(slotWord(id))).count();
    return new TableFullException("Segment " + segmentName + " has all its " + geometry.slotCount()
        + " participant slots taken, by the processes " + join(pids)
        + (retired == 0 ? "" : "; " + retired + " were used so often that they cannot be used again")
        + (locked == 0 ? "" : "; " + locked + " free ones are locked by processes that are no participants"
            + strangers(Path.of(segmentName), pids))
        + ". Close one, or create the segment with a larger participantCapacity.");
  }

  private static String join(List<Long> pids) {
    return pids.stream().map(String::valueOf).collect(Collectors.joining(", "));
  }

  /** The processes that hold locks on the file and are not participants, as far as this process can tell. */
  private static String strangers(Path file, List<Long> participants) {
    List<Long> strangers = LockHolders.of(file).stream().filter(pid -> !participants.contains(pid)).toList();
    return strangers.isEmpty() ? ", of other users (as root: fuser " + file + ")" : ", " + join(strangers);
  }

  /** Whether a word is that of a slot that is never taken again, because its epoch cannot be raised. */
  public static boolean isRetired(long slotWord) {
    return Owner.state(slotWord) == SLOT_FREE && Integer.compareUnsigned(Owner.epoch(slotWord), LAST_EPOCH) >= 0;
  }

  /** Whether a slot is being buried, taken or given back, so that it may soon be free. If so, pauses first. */
  private boolean isAnySlotChanging() {
    for (int id = 0; id < geometry.slotCount(); id++) {
      long word = slotWord(id);
      if (Owner.state(word) != SLOT_ACTIVE && !isRetired(word)) {
        LockSupport.parkNanos(RETRY_NANOS);
        return true;
      }
    }
    return false;
  }

  /**
   * Takes a slot's lock, unless somebody holds it, or the slot's holder certainly runs although its lock is free:
   * nothing is ever taken from a running process. Holding the lock makes the dead holder look alive, so nothing slow is
   * done after taking it.
   */
  private boolean tryLockUnlessVetoed(int id, SegmentFile.Patience patience) throws IOException {
    long word = slotWord(id);
    if (Owner.state(word) != SLOT_FREE && (file.isLockedByOther(SLOT_LOCKS + id) || certainlyRuns(id))
        || !file.tryLock(SLOT_LOCKS + id, patience)) {
      return false;
    }
    if (slotWord(id) == word) {
      return true;
    }
    file.unlock(SLOT_LOCKS + id); // the slot has another holder or another epoch by now
    return false;
  }

  private void activate(int id, int epoch) {
    long slot = geometry.slot(id);
    ProcessIdentity me = ProcessIdentity.self();
    // A process that dies before it stores its own pid is not taken for the slot's last holder.
    region.setLongOpaque(slot + SLOT_PID, 0);
    region.setLongVolatile(slot + SLOT_WORD, Owner.word(Owner.participant(id, epoch), 0, 0, SLOT_JOINING));
    region.setLongOpaque(slot + SLOT_PID, me.pid());
    region.setLongOpaque(slot + SLOT_START_TICKS, me.startTicks());
    region.setLongOpaque(slot + SLOT_PID_NAMESPACE, me.pidNamespace());
    region.setLongOpaque(slot + SLOT_BOOT_HIGH, me.bootHigh());
    region.setLongOpaque(slot + SLOT_BOOT_LOW, me.bootLow());
    region.setLongOpaque(slot + SLOT_HEARTBEAT, System.nanoTime());
    region.setLongOpaque(slot + SLOT_CAPABILITIES, (NativeAccess.ENABLED ? CAN_WAKE : 0)
        | (file.locksByDescription() ? LOCKS_BY_DESCRIPTION : 0) | (Futex.ASYMMETRIC ? ASYMMETRIC : 0));
    Label.write(region, slot + SLOT_LABEL, "");
    region.setInt(slot + SLOT_IMPLEMENTATION, JAVA_ENGINE);
    region.setInt(slot + SLOT_IMPLEMENTATION_VERSION, JAVA_ENGINE_VERSION);
    for (int word = 0; word < MAX_ROWS / 64; word++) {
      region.setLongOpaque(slot + SLOT_HELD_ROWS + word * 8L, 0);
    }
    self = Owner.participant(id, epoch);
    // [slot-active] makes identity and capabilities visible to whoever sees the slot active; a full fence, because the
    // joiner reads the segment's state next, and a remover reads the slots after it has changed that state
    region.setLongVolatile(slot + SLOT_WORD, Owner.word(self, 0, 0, SLOT_ACTIVE));
    VarHandle.fullFence(); // [closing]
  }

  /**
   * Shows that the segment was closed here, and that a role's user is still inside: who keeps it should be seen. One
   * that already shows that it is leaving keeps nothing, and stays so.
   */
  public void showClosed() {
    region.compareAndSetLong(geometry.slot(Owner.slotId(self)) + SLOT_WORD, Owner.word(self, 0, 0, SLOT_ACTIVE),
        Owner.word(self, 0, 0, SLOT_CLOSED));
  }

  /**
   * Shows that this participant no longer keeps the segment in use, so that the last one to leave sees only leavers. A
   * full fence follows, because this participant reads the other slots next, as the others read this one.
   */
  public void beginLeaving() {
    region.setLongVolatile(geometry.slot(Owner.slotId(self)) + SLOT_WORD, Owner.word(self, 0, 0, SLOT_LEAVING));
    VarHandle.fullFence(); // [closing]
  }

  /**
   * Shows whether this participant holds a row. Others must not reuse the row's bytes while it does. Does nothing when
   * it was taken for dead, since the slot may be another one's.
   */
  public void setHeld(int row, boolean isHeld) {
    if (!hasSlot()) {
      return;
    }
    long word = heldWord(Owner.slotId(self), row);
    long bit = 1L << (row & 63);
    if (isHeld) {
      region.getAndBitwiseOrLong(word, bit);
      VarHandle.fullFence(); // [row-held] the holder checks next whether the row is still live
    } else {
      VarHandle.releaseFence(); // [row-held] what the holder did to the structure comes before this
      region.getAndBitwiseAndLong(word, ~bit);
    }
  }

  private long heldWord(int id, int row) {
    return geometry.slot(id) + SLOT_HELD_ROWS + (row >>> 6) * 8L;
  }

  /** Whether a living participant holds a row, or a burial holds it for a dead one. */
  public boolean isHeld(int row) {
    for (int id = 0; id < geometry.slotCount(); id++) {
      long word = slotWord(id);
      long held = region.getLongAcquire(heldWord(id, row)); // [row-held]
      if ((held & 1L << (row & 63)) != 0 && Owner.state(word) != SLOT_FREE && (id == burying || isAlive(word))) {
        return true;
      }
    }
    return false;
  }

  /** Stores this participant's label, for people who inspect the segment. */
  public void label(String text) {
    Label.write(region, geometry.slot(Owner.slotId(self)) + SLOT_LABEL, text);
  }

  /** Gives the slot back, after all roles were given back. */
  public void leave() throws IOException {
    int id = Owner.slotId(self);
    if (hasSlot()) {
      // This process lives on, and must not veto the death of a later holder.
      region.setLongOpaque(geometry.slot(id) + SLOT_START_TICKS, 0);
      free(id, Owner.epoch(self));
    }
    file.unlock(SLOT_LOCKS + id);
  }

  /**
   * Whether this participant still has its slot. It does not if it lost its lock while the process lived (somebody
   * closed the descriptor) and was buried. The slot may have another holder then, and must not be touched.
   */
  public boolean hasSlot() {
    long word = slotWord(Owner.slotId(self));
    return Owner.participant(word) == self && Owner.state(word) != SLOT_FREE;
  }

  /**
   * Buries all dead participants, and frees their slots. Waits for nothing: a slot whose lock is held has a living
   * holder, or is being buried by another participant.
   *
   * @param dead gets the buried participants, as they were
   * @return how many roles they held
   */
  public int buryAll(List<Participant> dead) throws IOException {
    burials.lock();
    try {
      int rolesFreed = 0;
      SegmentFile.Patience patience = new SegmentFile.Patience();
      for (int id = 0; id < geometry.slotCount(); id++) {
        rolesFreed += buryIfDead(id, patience, dead);
      }
      return rolesFreed;
    } finally {
      burials.unlock();
    }
  }

  /** Buries the dead in {@code count} slots from {@code first} on, wrapping around, unless another thread buries. */
  void tryBury(int first, int count) throws IOException {
    if (hasSlot() && burials.tryLock()) {
      try {
        List<Participant> dead = new ArrayList<>();
        for (int i = 0; i < count; i++) {
          buryIfDead((first + i) % geometry.slotCount(), null, dead); // a busy lock is tried again soon
        }
      } finally {
        burials.unlock();
      }
    }
  }

  private int buryIfDead(int id, SegmentFile.Patience patience, List<Participant> dead) throws IOException {
    boolean mayBeDead = id != Owner.slotId(self) && Owner.state(slotWord(id)) != SLOT_FREE;
    if (!mayBeDead || !tryLockUnlessVetoed(id, patience)) {
      return 0;
    }
    try {
      if (Owner.state(slotWord(id)) == SLOT_FREE) {
        return 0;
      }
      dead.add(participant(id, Owner.epoch(slotWord(id)), false));
      int rolesFreed = bury(id);
      free(id, Owner.epoch(slotWord(id)));
      return rolesFreed;
    } finally {
      file.unlock(SLOT_LOCKS + id);
    }
  }

  /**
   * Ends the life of slot {@code id}, whose dead holder's lock this participant holds, and voids all that it has in
   * every structure. If this is cut short anywhere, the next holder of the lock repeats it. Returns how many roles it
   * freed.
   */
  private int bury(int id) {
    // The epoch comes first, so that nobody takes the dead participant for alive while this one, perhaps paused, holds
    // the lock.
    int epoch = Owner.epoch(slotWord(id));
    if (Owner.state(slotWord(id)) == SLOT_LEAVING) {
      region.setLongOpaque(geometry.slot(id) + SLOT_START_TICKS, 0); // it left, and others shall see that
    }
    int next = epoch == -1 ? epoch : epoch + 1; // no participant has an epoch beyond LAST_EPOCH, so -1 stays
    region.setLongVolatile(geometry.slot(id) + SLOT_WORD, Owner.word(Owner.participant(id, next), 0, 0, SLOT_JOINING));
    burying = id;
    try {
      return sweeper.sweep(id);
    } finally {
      burying = NOBODY;
    }
  }

  /** Shows that a slot, whose lock the caller holds, holds a row. The slot's next taker begins without holds. */
  public void holdFor(int id, int row) {
    region.getAndBitwiseOrLong(heldWord(id, row), 1L << (row & 63));
    VarHandle.fullFence(); // [row-held] the holder checks next whether the row is still live
  }

  private void free(int id, int epoch) {
    long word = Owner.word(Owner.participant(id, epoch), 0, 0, SLOT_FREE);
    region.setLongRelease(geometry.slot(id) + SLOT_WORD, word); // [slot-free] roles are clear
  }

  private long slotWord(int id) {
    return region.getLongAcquire(geometry.slot(id) + SLOT_WORD); // [slot-active] [slot-free]
  }

  /**
   * Whether the participant part of {@code ownerWord} names a participant that is still alive. False is proof of death:
   * the kernel released its lock, or the slot has been taken again.
   */
  public boolean isAlive(long ownerWord) {
    int id = Owner.slotId(ownerWord);
    if (id >= geometry.slotCount()) {
      return false; // no such slot: damage, and certainly nobody's
    }
    if (self != 0 && Owner.participant(ownerWord) == self) {
      return true;
    }
    long slotWord = slotWord(id);
    if (Owner.epoch(slotWord) != Owner.epoch(ownerWord) || Owner.state(slotWord) == SLOT_FREE) {
      return false;
    }
    try {
      return file.isLockedByOther(SLOT_LOCKS + id) || certainlyRuns(id) && sameEpoch(id, ownerWord);
    } catch (IOException unknown) {
      return true; // no proof of death
    }
  }

  private boolean sameEpoch(int id, long ownerWord) {
    return Owner.epoch(slotWord(id)) == Owner.epoch(ownerWord);
  }

  /** Whether another participant is attached, alive, and not about to leave. */
  public boolean anyOtherStays() {
    for (int id = 0; id < geometry.slotCount(); id++) {
      long word = region.getLongVolatile(geometry.slot(id) + SLOT_WORD);
      int state = Owner.state(word);
      if (state != SLOT_FREE && state != SLOT_LEAVING && Owner.participant(word) != self && isAlive(word)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Whether every participant that could publish wakes sleepers in a way that this process can rely on. Sleepers ask
   * this before they block in the kernel, and at least every 50 ms.
   */
  public boolean everybodyCanWake() {
    for (int id = 0; id < geometry.slotCount(); id++) {
      long word = slotWord(id);
      if (Owner.state(word) != SLOT_FREE) {
        long capabilities = region.getLongOpaque(geometry.slot(id) + SLOT_CAPABILITIES);
        boolean wakes = (capabilities & CAN_WAKE) != 0 && ((capabilities & ASYMMETRIC) == 0 || Futex.ASYMMETRIC);
        if (!wakes && isAlive(word)) {
          return false;
        }
      }
    }
    return true;
  }

  /** The participant that a word names, if its slot has not been taken again. */
  public Optional<Participant> describe(long ownerWord) {
    int id = Owner.slotId(ownerWord);
    if (Owner.participant(ownerWord) == 0 || id >= geometry.slotCount() || !sameEpoch(id, ownerWord)) {
      return Optional.empty();
    }
    return Optional.of(participant(id, Owner.epoch(ownerWord), isAlive(ownerWord)));
  }

  private Participant participant(int id, int epoch, boolean alive) {
    long slot = geometry.slot(id);
    return new Participant(id, epoch, region.getLongOpaque(slot + SLOT_PID), alive,
        (region.getLongOpaque(slot + SLOT_CAPABILITIES) & CAN_WAKE) != 0, region.getLongOpaque(slot + SLOT_HEARTBEAT),
        Owner.state(slotWord(id)) == SLOT_LEAVING, Label.read(region, slot + SLOT_LABEL),
        identity(id).isSelf());
  }

  /** The process id of the participant that a word names; 0 when unknown. */
  public long pid(long ownerWord) {
    return describe(ownerWord).map(Participant::pid).orElse(0L);
  }

  /** All participants whose slot is taken, dead or alive. */
  public List<Participant> list() {
    List<Participant> found = new ArrayList<>();
    for (int id = 0; id < geometry.slotCount(); id++) {
      long word = slotWord(id);
      if (Owner.state(word) != SLOT_FREE) {
        describe(Owner.word(Owner.participant(id, Owner.epoch(word)), 0, 0, 0)).ifPresent(found::add);
      }
    }
    return found;
  }

  /** Those who were killed and buried, and whose slots nobody has taken since: who leaves clears its start time. */
  public List<Participant> buried() {
    List<Participant> found = new ArrayList<>();
    for (int id = 0; id < geometry.slotCount(); id++) {
      long word = slotWord(id);
      if (Owner.state(word) == SLOT_FREE && region.getLongOpaque(geometry.slot(id) + SLOT_START_TICKS) != 0) {
        Participant dead = participant(id, Owner.epoch(word) - 1, false); // burying has raised the epoch
        VarHandle.acquireFence();
        if (slotWord(id) == word && dead.pid() != 0) { // who has begun to join has cleared the process id
          found.add(dead);
        }
      }
    }
    return List.copyOf(found);
  }

  /** Whether the holder of a slot is known to run. In a copy of a segment's file, the slot proves nothing. */
  private boolean certainlyRuns(int id) {
    long inode = region.getLong(INODE_OFFSET);
    return identity(id).certainlyRuns() && (inode == 0 || inode == file.inode());
  }

  private ProcessIdentity identity(int id) {
    long slot = geometry.slot(id);
    return new ProcessIdentity(region.getLongOpaque(slot + SLOT_PID), region.getLongOpaque(slot + SLOT_START_TICKS),
        region.getLongOpaque(slot + SLOT_PID_NAMESPACE), region.getLongOpaque(slot + SLOT_BOOT_HIGH),
        region.getLongOpaque(slot + SLOT_BOOT_LOW));
  }

  // ---- doorbells

  public long doorbell(int id) {
    return geometry.slot(id) + SLOT_DOORBELL;
  }

  /** The futex bit that a role sleeps with. */
  public static int doorbellBit(int role) {
    return 1 << (role & 31);
  }

  /** Changes the doorbell of a slot, and wakes all that sleep on it with one of those bits. */
  public void wake(int id, int bits) {
    region.getAndAddInt(doorbell(id), 1); // the word changes before the wake: whoever compares it later does not sleep
    try {
      Futex.wakeAll(region, doorbell(id), bits);
    } catch (OutOfMemoryError | StackOverflowError shortage) {
      // what the sleeper waits for has happened, and must not look failed to the caller; the sleeper checks again by
      // itself
    }
  }

  /** Wakes all threads of this process that sleep in this segment, because roles were revoked. */
  public void wakeSelf() {
    wakeSelf(Futex.ALL_BITS);
  }

  /** Wakes the thread of this process that sleeps in a role, because the role was revoked. */
  public void wakeSelfIn(int role) {
    wakeSelf(doorbellBit(role));
  }

  private void wakeSelf(int bits) {
    if (NativeAccess.ENABLED && self != 0) {
      wake(Owner.slotId(self), bits);
    }
  }

  public void heartbeat() {
    if (hasSlot()) {
      region.setLongOpaque(geometry.slot(Owner.slotId(self)) + SLOT_HEARTBEAT, System.nanoTime());
    }
  }
}
