package io.bywash.engine.internal;

import static io.bywash.engine.internal.layout.SegmentLayout.*;

import io.bywash.engine.BusException;
import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Lifetime;
import io.bywash.engine.Participant;
import io.bywash.engine.Recovery;
import io.bywash.engine.Removal;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.SegmentGoneException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.internal.directory.DirectoryChanges;
import io.bywash.engine.internal.directory.DirectoryTable;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.directory.StructureType;
import io.bywash.engine.internal.files.BusFailures;
import io.bywash.engine.internal.files.HiddenFiles;
import io.bywash.engine.internal.files.NamesLock;
import io.bywash.engine.internal.files.TruncatedFile;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.linux.EngineLog;
import io.bywash.engine.internal.linux.OpenDirectory;
import io.bywash.engine.internal.linux.Pages;
import io.bywash.engine.internal.linux.SegmentFile;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.internal.role.AllThreads;
import io.bywash.engine.internal.role.Failures;
import io.bywash.engine.internal.role.RoleHandle;
import io.bywash.engine.internal.role.UsageGuard;
import io.bywash.engine.internal.segment.Geometry;
import io.bywash.engine.internal.segment.Participants;
import io.bywash.engine.internal.segment.PeerProbe;
import io.bywash.engine.internal.waiting.WaitRoom;
import java.io.IOException;
import java.lang.invoke.VarHandle;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * One attachment of this process to one segment: mapping, participant, roles, and the way out of it.
 * Everything public is
 * a thin face on this.
 */
public final class SegmentCore {
  private static final long NAME_PROBE_NANOS = 1_000_000_000;

  private final Path path;
  private final SegmentFile file;
  private final Region region;
  private final Geometry geometry;
  private final boolean readOnly;
  private final List<StructureType> types;
  private final DirectoryTable directory;
  private final DirectoryChanges directoryChanges;
  private final Participants participants;
  private final PeerProbe peerProbe;
  private final WaitRoom waitRoom;

  private final Set<Long> touched = ConcurrentHashMap.newKeySet();
  private final Set<UsageGuard> roles = new HashSet<>(); // guarded by itself, as are the next five
  private final int[] holdsOfRow;
  private final Set<UsageGuard> observers = Collections.newSetFromMap(new WeakHashMap<>()); // they need not be closed
  private volatile boolean nameLost;
  private volatile long nameProbedNanos = System.nanoTime();
  private int operations;
  private volatile boolean closing; // written under the same lock
  private volatile boolean removing;
  private boolean detached;

  private SegmentCore(List<StructureType> types, Path path, SegmentFile file, Region region, Geometry geometry,
      boolean readOnly) {
    this.types = types;
    this.path = path;
    this.file = file;
    this.region = region;
    this.geometry = geometry;
    this.readOnly = readOnly;
    this.directory = new DirectoryTable(this);
    this.directoryChanges = new DirectoryChanges(this, directory);
    this.participants = new Participants(file, region, geometry, directory);
    this.peerProbe = new PeerProbe(participants, geometry.slotCount());
    this.waitRoom = new WaitRoom(this);
    this.holdsOfRow = new int[geometry.rowCount()];
  }

  /** Takes the page faults of a stretch that begins at a page, once for each attachment. */
  public void touchPages(long offset, long lengthBytes, boolean forWriting) {
    if (touched.add(offset + (forWriting ? 1 : 0))) {
      Pages.touch(region, offset, lengthBytes, forWriting);
    }
  }

  /**
   * Formats a new file that nobody else sees yet and whose first slot is locked; this process is its first participant.
   */
  static SegmentCore format(List<StructureType> types, Path path, SegmentFile file, SegmentSpec spec, long segmentId)
      throws IOException {
    Geometry geometry = Geometry.of(spec, segmentId);
    Region region = file.map(geometry.sizeBytes());
    geometry.write(region, file.inode());
    if (geometry.hugePages()) {
      Pages.askForHuge(region, path.toString());
    }
    SegmentCore core = new SegmentCore(types, path, file, region, geometry, false);
    core.participants.joinFirst();
    core.directoryChanges.format(spec);
    region.setIntRelease(READY_OFFSET, 1); // [ready]
    return core;
  }

  /** Maps an existing file read-only. */
  static SegmentCore observe(List<StructureType> types, Path path, SegmentFile file) throws IOException {
    Region region = map(path, file);
    try {
      return new SegmentCore(types, path, file, region, Geometry.read(region, path), true);
    } catch (InternalError fault) {
      throw TruncatedFile.damage(path, file, region.sizeBytes(), fault);
    }
  }

  private static Region map(Path path, SegmentFile file) throws IOException {
    long sizeBytes = file.sizeBytes();
    if (sizeBytes < HEADER_BYTES) {
      throw Geometry.tooSmall(path, sizeBytes);
    }
    return file.map(sizeBytes);
  }

  /**
   * Maps an existing file, which must match {@code spec} unless that is null, and joins it;
   * null when it is being removed or was
   * replaced, and one has to look again. Whoever is refused never joined: nobody has relied on it to remove the file.
   */
  static SegmentCore join(List<StructureType> types, Path path, SegmentFile file, SegmentSpec spec)
      throws IOException {
    Region region = map(path, file);
    try {
      SegmentCore core = new SegmentCore(types, path, file, region, Geometry.read(region, path), false);
      List<String> differences = spec == null ? List.of() : core.differences(spec);
      if (differences.isEmpty()) {
        return join(core);
      }
      if (core.isLeaving()) {
        return null; // soon it is not in the way any more
      }
      throw new SpecMismatchException("Segment " + path + " differs from what was asked for. Use the same"
          + " specification in"
          + " all processes, attach without one, or remove the segment when nobody uses it. ", differences);
    } catch (InternalError fault) {
      throw TruncatedFile.damage(path, file, region.sizeBytes(), fault);
    }
  }

  private static SegmentCore join(SegmentCore core) throws IOException {
    core.participants.join(core.path.toString());
    boolean joined = false;
    try {
      // [closing] joined with a full fence, then looks: a remover changes the state with a full fence,
      // then looks at slots
      joined = core.revertDeadRemoval() && core.file.isAt(core.path);
      return joined ? core : null;
    } finally {
      if (!joined) {
        core.leave(); // not just the slot: a remover that saw this participant has left the removal to it
      }
    }
  }

  /** Whether the segment is open; a removal whose remover died is taken back first. */
  private boolean revertDeadRemoval() {
    for (int tries = 0; tries < SegmentEntry.MAX_TRIES; tries++) {
      long state = region.getLongVolatile(STATE_OFFSET);
      switch (Owner.state(state)) {
        case OPEN -> {
          return true;
        }
        case CLOSING -> {
          if (!isAbandoned(state)) {
            return false;
          }
          region.compareAndSetLong(STATE_OFFSET, state, OPEN);
        }
        case REMOVED -> {
          if (file.isAt(path)) {
            throw Geometry.damaged(path, "it is marked as removed, but it is still there");
          }
          return false;
        }
        default -> throw Geometry.damaged(path, "its state is " + Owner.state(state));
      }
    }
    throw Geometry.damaged(path, "its state does not stand still: it changed " + SegmentEntry.MAX_TRIES + " times at"
        + " one look");
  }

  /** Whether a living participant is about to remove the segment, or has. */
  private boolean isLeaving() {
    long state = region.getLongVolatile(STATE_OFFSET);
    return Owner.state(state) == REMOVED && !file.isAt(path) || Owner.state(state) == CLOSING && !isAbandoned(state);
  }

  /** Whether that is the state of a removal by somebody who died, or of one of this participant that failed. */
  private boolean isAbandoned(long state) {
    return Owner.state(state) == CLOSING
        && (!participants.isAlive(state) || Owner.participant(state) == participants.self() && !removing);
  }

  /** Opens the segment again if its remover died. */
  private boolean revertIfAbandoned() {
    long state = region.getLongVolatile(STATE_OFFSET);
    return isAbandoned(state) && region.compareAndSetLong(STATE_OFFSET, state, OPEN);
  }

  /** Does everything at once that is otherwise done by whoever comes across it. */
  public Recovery recover() {
    requireParticipant();
    beginOperation();
    try {
      List<Participant> dead = new ArrayList<>();
      int rolesFreed = participants.buryAll(dead);
      boolean intentVoided = directoryChanges.recover();
      boolean removalReverted = revertIfAbandoned();
      int filesRemoved = HiddenFiles.deleteLeft(path.toAbsolutePath().getParent(), 0).size();
      return new Recovery(dead, rolesFreed, intentVoided, removalReverted, filesRemoved);
    } catch (IOException failure) {
      throw BusFailures.of(path, failure);
    } finally {
      endOperation();
    }
  }

  /** What differs from what {@code spec} describes, one sentence each. */
  private List<String> differences(SegmentSpec spec) {
    List<String> differences = new ArrayList<>();
    SegmentEntry.compare(differences, "participantCapacity", geometry.slotCount(), spec.participantCapacity());
    SegmentEntry.compare(differences, "entryCapacity", geometry.rowCount(), spec.entryCapacity());
    if (geometry.lifetime() != spec.lifetime()) {
      differences.add("lifetime is " + geometry.lifetime() + ", wanted " + spec.lifetime());
    }
    spec.givenSizeBytes().ifPresent(wanted ->
        SegmentEntry.compare(differences, "sizeBytes", geometry.sizeBytes(), wanted));
    differences.addAll(directory.differences(spec.entries()));
    return differences;
  }

  /** The kind of structure with that number; null when this version has none. */
  public StructureType type(int kindCode) {
    for (StructureType type : types) {
      if (type.kind().code() == kindCode) {
        return type;
      }
    }
    return null;
  }

  /** Whether the segment stays when nobody uses it: its lifetime says so, or what is in one of its structures. */
  boolean isKept() {
    return geometry.lifetime() == Lifetime.KEPT || retained().isPresent();
  }

  /** What the segment has to stay for though nobody uses it, in words: the first entry that still holds something. */
  public Optional<String> retained() {
    return directory.live().stream().filter(entry -> entry.retained() != null)
        .map(entry -> "entry \"" + entry.name() + "\" " + entry.retained()).findFirst();
  }

  public Path path() {
    return path;
  }

  public SegmentFile file() {
    return file;
  }

  /**
   * The size of the file now; that of the mapping when the name does not lead to the file any more,
   * and nobody can know.
   */
  public long currentSizeBytes() throws IOException {
    return file.isAt(path) ? Files.size(path) : geometry.sizeBytes();
  }

  public Region region() {
    return region;
  }

  public Geometry geometry() {
    return geometry;
  }

  public DirectoryTable directory() {
    return directory;
  }

  /** The entry that {@code spec} describes, added if there was none of that name. */
  public Entry findOrAdd(EntrySpec spec) {
    return directoryChanges.findOrAdd(spec);
  }

  /** Removes the entry of that name, unless another participant that lives owns it. */
  public Removal remove(String name) {
    return directoryChanges.remove(name);
  }

  public Participants participants() {
    return participants;
  }

  public WaitRoom waitRoom() {
    return waitRoom;
  }

  public boolean isReadOnly() {
    return readOnly;
  }

  public void requireParticipant() {
    if (readOnly) {
      throw new IllegalStateException("Segment " + path + " is attached read-only; attach it for writing to take"
          + " roles, to"
          + " add entries, or to recover it.");
    }
    if (!participants.hasSlot()) {
      throw new SegmentClosedException("This process was taken for dead in segment " + path
          + ", since it lost its lock on the file. Close the segment, and attach it again.");
    }
  }

  public boolean isOpen() {
    return !closing;
  }

  public void checkOpen() {
    if (closing) {
      throw new SegmentClosedException("Segment " + path + " is closed in this process. Attach it again.");
    }
  }

  /** Throws what the user of a role has to know when that ended though nobody closed it. */
  public void checkName() {
    if (nameLost) {
      throw new SegmentGoneException("Segment " + path + " no longer has its name: its file was removed or replaced"
          + " while it was in"
          + " use, so that nobody else can find it. Close it, and open it again.");
    }
  }

  /**
   * Looks at the name, at most once a second, and ends all roles if it leads to this segment no longer. Called by
   * participants that wait, and now and then by those that publish.
   */
  public void probeName() {
    long now = System.nanoTime();
    if (now - nameProbedNanos < NAME_PROBE_NANOS || readOnly || nameLost) {
      return;
    }
    nameProbedNanos = now;
    if (!file.isAt(path) && Owner.state(region.getLongVolatile(STATE_OFFSET)) == OPEN && !file.isAt(path)) {
      nameLost = true;
      endRoles();
    }
  }

  /** As {@link PeerProbe#buryDead}, from outside of any operation; nothing if the segment is being closed. */
  public void probePeers() {
    if (!readOnly && tryBeginOperation()) {
      try {
        peerProbe.buryDead();
      } finally {
        endOperation();
      }
    }
  }

  /** Says to others that this participant holds a row, until it was let go as often. */
  public void hold(int row) {
    synchronized (roles) {
      if (holdsOfRow[row]++ == 0) {
        participants.setHeld(row, true);
      }
    }
  }

  /** As {@link #hold}; false when the segment is being closed, and nothing was held. */
  public boolean tryHold(int row) {
    synchronized (roles) {
      if (!closing) {
        hold(row);
      }
      return !closing;
    }
  }

  public void letGo(int row) {
    synchronized (roles) {
      if (--holdsOfRow[row] == 0 && !detached) {
        try {
          participants.setHeld(row, false);
        } catch (InternalError cut) {
          // the file is gone, and who held what in it with it
        }
      }
    }
  }

  public RoleHandle adopt(RoleHandle role) {
    hold(role.entry().row());
    synchronized (roles) {
      if (!closing) {
        roles.add(role);
        return role;
      }
    }
    role.close();
    checkOpen();
    throw new AssertionError("a closing segment is not open");
  }

  public void adopt(UsageGuard observer) {
    synchronized (roles) {
      checkOpen();
      observers.add(observer);
    }
  }

  /**
   * Begins what must not lose its slot, its locks and its memory before {@link #endOperation}, even if the segment is
   * closed meanwhile.
   */
  public void beginOperation() {
    synchronized (roles) {
      checkOpen();
      operations++;
    }
  }

  /** As {@link #beginOperation}; false when the segment is being closed, and nothing was begun. */
  public boolean tryBeginOperation() {
    synchronized (roles) {
      if (!closing) {
        operations++;
      }
      return !closing;
    }
  }

  public void endOperation() {
    boolean last;
    synchronized (roles) {
      operations--;
      last = closing && isIdle();
    }
    detachAfterClose(last);
  }

  /** Uses the segment's memory, which stays until that has ended, even if the segment is closed meanwhile. */
  public <T> T whileMapped(Supplier<T> use) {
    beginOperation();
    try {
      T result = use.get();
      // A call into the virtual machine, at whose end it throws the error that compiled code held back.
      Thread.holdsLock(this);
      return result;
    } catch (InternalError fault) {
      throw truncated(fault);
    } finally {
      endOperation();
    }
  }

  /** What to throw when the memory was not there; throws {@code fault} itself if the file was not truncated. */
  public DamagedSegmentException truncated(InternalError fault) {
    return TruncatedFile.damage(path, file, geometry.sizeBytes(), fault);
  }

  /** Whether the role was not given back yet. */
  public boolean hasTaken(UsageGuard role) {
    synchronized (roles) {
      return roles.contains(role) || observers.contains(role);
    }
  }

  private boolean isIdle() {
    return roles.isEmpty() && operations == 0;
  }

  /** The role was given back. */
  public void release(UsageGuard role) {
    boolean last;
    synchronized (roles) {
      observers.remove(role);
      boolean hadIt = roles.remove(role);
      if (role instanceof RoleHandle) {
        letGo(role.entry().row());
      }
      last = hadIt && closing && isIdle();
    }
    detachAfterClose(last);
  }

  /** The last operation that was under way when the segment was closed has ended. Its own outcome must not be lost. */
  private void detachAfterClose(boolean last) {
    if (last) {
      try {
        detach();
      } catch (BusException failure) {
        EngineLog.log(System.Logger.Level.WARNING, "Segment " + path + " was closed while it was in use, and was not"
            + " left in good order.",
            failure);
      }
    }
  }

  /**
   * Ends all roles, or has those that are in an operation end with it, and wakes whoever waits in them. The last one
   * takes slot, lock, descriptor and memory with it, here or at the end of its operation.
   */
  public void close() {
    List<UsageGuard> all;
    synchronized (roles) {
      if (closing) {
        return;
      }
      closing = true;
      roles.addAll(observers);
      observers.clear();
      all = List.copyOf(roles);
      operations++; // this one
    }
    Failures failures = end(all);
    boolean last;
    synchronized (roles) {
      operations--;
      last = isIdle();
    }
    failures.collect(last ? this::detach : this::beginLeaving);
    failures.rethrow();
  }

  /** Ends the roles, or has those that are in an operation end with it. */
  private Failures end(List<UsageGuard> all) {
    Failures failures = new Failures();
    all.forEach(UsageGuard::makeUnusable);
    failures.collect(this::wakeOwn);
    if (!all.isEmpty()) {
      AllThreads.passSafepoint(); // [inside] who is outside now finds its role unusable when it enters
    }
    all.forEach(role -> failures.collect(role::endIfOutside));
    return failures;
  }

  private void endRoles() {
    List<UsageGuard> all;
    synchronized (roles) {
      all = List.copyOf(roles);
    }
    end(all).rethrow();
  }

  /** Ends the roles of an entry that was removed. */
  public void endRoles(SegmentEntry removed) {
    List<UsageGuard> all;
    synchronized (roles) {
      all = roles.stream().filter(role -> role.entry().isSameAs(removed)).toList();
    }
    end(all).rethrow();
  }

  /** Ends one role now, or at the end of the operation that its user is in. */
  public void retire(UsageGuard role) {
    if (!tryBeginOperation()) {
      return; // the segment is being closed, which ends it too
    }
    try {
      role.makeUnusable();
      AllThreads.passSafepoint(); // [inside] who is outside now finds its role unusable when it enters
      role.endIfOutside();
    } catch (InternalError fault) {
      throw truncated(fault);
    } finally {
      endOperation();
    }
  }

  /**
   * Ends one role, though its user may be in an operation: to others it is then nothing but taken. Memory and slot
   * stay until this is done, whoever else closes the role or the segment meanwhile.
   */
  public void revoke(UsageGuard role) {
    synchronized (roles) {
      if (!hasTaken(role)) {
        return; // it was given back
      }
      operations++;
    }
    try {
      try {
        role.noteRevoked();
        role.makeUnusable();
        end(List.of(role)).rethrow();
      } finally { // also when there is no heap for the rest
        role.withdraw();
      }
    } catch (InternalError fault) {
      throw truncated(fault);
    } finally {
      endOperation();
    }
  }

  private void wakeOwn() {
    try {
      waitRoom.wakeOwn();
    } catch (InternalError fault) {
      throw truncated(fault);
    }
  }

  /** Somebody is still inside: others see that this participant stays no longer than that. */
  private void beginLeaving() {
    synchronized (roles) {
      if (!detached && !readOnly && participants.hasSlot()) {
        participants.beginLeaving();
      }
    }
  }

  /**
   * The JVM ends in good order. Nothing is revoked, since the application's own hooks may still be at work; the lock
   * goes with the process. If nobody else stays, the name goes now.
   */
  void leaveAtExit() {
    synchronized (roles) {
      if (detached) {
        return;
      }
      operations++;
    }
    try {
      if (participants.hasSlot()) {
        leaveName();
      }
    } catch (IOException | BusException | InternalError failure) {
      EngineLog.log(System.Logger.Level.DEBUG, "Segment " + path + " was not left in good order at the end of the"
          + " process.", failure);
    } finally {
      endOperation();
    }
  }

  private void detach() {
    synchronized (roles) {
      if (detached) {
        return;
      }
      detached = true;
    }
    ExitHook.remove(this);
    try {
      if (!readOnly) {
        leave();
      }
    } catch (IOException failure) {
      throw BusFailures.of(path, failure);
    } catch (InternalError fault) {
      throw truncated(fault);
    } finally {
      file.close();
    }
  }

  private void leave() throws IOException {
    if (!participants.hasSlot()) {
      participants.leave();
      return; // taken for dead: whether anybody else stays is theirs to find out
    }
    try {
      leaveName();
    } finally {
      participants.leave();
    }
  }

  /** Says that this participant is leaving, and removes the segment if nobody else stays. */
  private void leaveName() throws IOException {
    try {
      participants.beginLeaving();
      if (!participants.anyOtherStays() && !isKept()) {
        removeIfUnused();
      }
    } catch (FileSystemException forbidden) {
      EngineLog.log(System.Logger.Level.INFO, "Segment " + path + " stays, though nobody uses it any more: this process"
          + " may not remove"
          + " it (" + forbidden.getMessage() + "). Its owner can: bywash doctor --clean.", null);
    }
  }

  /** Removes the file under the names lock, unless somebody joins it meanwhile. */
  private void removeIfUnused() throws IOException {
    try (OpenDirectory directory = OpenDirectory.ofFile(path)) {
      NamesLock.under(directory, () -> removeUnlessJoined(directory));
    } catch (NoSuchFileException gone) {
      // the directory, and the segment's name with it
    }
  }

  /** Removes the file, whatever its lifetime, unless somebody else is attached; whether it is gone. */
  boolean tryRemove() throws IOException {
    removeIfUnused();
    return Owner.state(region.getLongVolatile(STATE_OFFSET)) == REMOVED;
  }

  /**
   * Removes the file, unless somebody joined meanwhile; whether it is gone by that. The caller holds the names lock, so
   * that no two removers and no creator are at work.
   */
  boolean removeUnlessJoined(OpenDirectory directory) throws IOException {
    long mine = Owner.word(participants.self(), 0, 0, CLOSING);
    revertIfAbandoned(); // another remover died
    removing = true; // or a thread that recovers would take it back
    if (!region.compareAndSetLong(STATE_OFFSET, OPEN, mine)) { // [closing]
      removing = false;
      return false; // removed already, or damaged: closing is not the time to complain
    }
    VarHandle.fullFence(); // [closing]
    boolean removed = false;
    try {
      if (!participants.anyOtherStays() && file.isAt(path)) {
        directory.deleteIfExists(path.getFileName().toString());
        removed = true;
      }
    } finally { // also when this process may not unlink it
      region.setLongVolatile(STATE_OFFSET, removed ? REMOVED : OPEN);
      removing = false;
    }
    return removed;
  }
}
