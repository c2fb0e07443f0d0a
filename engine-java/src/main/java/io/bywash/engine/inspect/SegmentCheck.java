package io.bywash.engine.inspect;

import static io.bywash.engine.internal.layout.SegmentLayout.*;

import io.bywash.engine.BusException;
import io.bywash.engine.inspect.Finding.Severity;
import io.bywash.engine.internal.directory.StructureType.Suspect;
import io.bywash.engine.internal.segment.Geometry;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.segment.Participants;
import io.bywash.engine.internal.SegmentCore;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.waiting.Waiters;
import io.bywash.engine.internal.memory.Region;
import java.io.IOException;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Checks the invariants of a segment once. Participants may be at work meanwhile. So each check either reads words in
 * the reverse of the order in which they are written, such that no interleaving shows an impossible combination, or
 * reads them again before it reports them.
 */
final class SegmentCheck {
  private static final int MAX_FINDINGS = 200;
  /** The longest time that a process which runs needs for a step, for example between a slot's lock and its word. */
  private static final long SETTLE_NANOS = 200_000_000;
  private static final long SETTLE_STEP_NANOS = 5_000_000;
  private static final String DAMAGED = "Nothing that is damaged is used by the engine. End the processes that use"
      + " it, and create the segment anew.";
  private static final String LEFT = "Nothing has to be done: whoever comes next puts it right.";

  private final SegmentCore core;
  private final Region region;
  private final Geometry geometry;
  private final Participants participants;
  private final String name;
  private final List<Finding> findings = new ArrayList<>();
  /** The roles that dead participants still hold, by the participant part of the role word. */
  private final Map<Long, List<String>> heldByTheDead = new TreeMap<>();

  private final List<Doubt> doubts = new ArrayList<>();

  /** What is only a finding if it stays so: somebody may be in the middle of a step. */
  private record Doubt(BooleanSupplier isStillSo, Finding finding) {}

  SegmentCheck(SegmentCore core) {
    this.core = core;
    this.region = core.region();
    this.geometry = core.geometry();
    this.participants = core.participants();
    this.name = core.path().getFileName().toString();
  }

  List<Finding> run() {
    try {
      if (checkFile()) {
        checkHeader();
        checkState();
        List<SegmentEntry> entries = checkRows();
        checkIntent();
        entries.forEach(entry -> unlessRemoved(entry, this::checkRoles));
        checkSlots();
        entries.forEach(entry -> unlessRemoved(entry, this::checkStructure));
        entries.forEach(this::checkSuspects);
        settleDoubts();
      }
    } catch (InternalError truncated) { // the JVM throws this for access to a mapped file that was truncated
      damaged(name, "the file was truncated while it was looked at");
    }
    return findings;
  }

  /** The findings about what dead participants left, which the next user recovers. */
  List<Finding> leftByTheDead() {
    checkState();
    List<SegmentEntry> entries = checkRows();
    checkIntent();
    entries.forEach(entry -> unlessRemoved(entry, this::checkRoles));
    checkSlots();
    settleDoubts();
    return findings.stream().filter(finding -> finding.severity() == Severity.WARNING).toList();
  }

  /** Drops what {@code check} found if the entry was removed meanwhile, since its bytes may belong to another entry. */
  private void unlessRemoved(SegmentEntry entry, Consumer<SegmentEntry> check) {
    int before = findings.size();
    check.accept(entry);
    if (entry.isGone()) {
      findings.subList(before, findings.size()).clear();
    }
  }

  private void add(Severity severity, String where, String problem, String advice) {
    if (findings.size() < MAX_FINDINGS) {
      findings.add(new Finding(severity, where, problem, advice));
    }
  }

  private void doubt(Severity severity, String where, String problem, String advice, BooleanSupplier isStillSo) {
    if (doubts.size() < MAX_FINDINGS) {
      doubts.add(new Doubt(isStillSo, new Finding(severity, where, problem, advice)));
    }
  }

  /** Reports what stays so for longer than a step takes. All doubts are watched at the same time. */
  private void settleDoubts() {
    long start = System.nanoTime();
    boolean isTime = true;
    while (isTime && !doubts.isEmpty()) {
      LockSupport.parkNanos(SETTLE_STEP_NANOS);
      doubts.removeIf(doubt -> !doubt.isStillSo().getAsBoolean());
      isTime = System.nanoTime() - start < SETTLE_NANOS;
    }
    doubts.stream().limit(MAX_FINDINGS - findings.size()).forEach(doubt -> findings.add(doubt.finding()));
  }

  private void damaged(String where, String problem) {
    add(Severity.ERROR, where, problem, DAMAGED);
  }

  /** Whether the file is long enough for all of the geometry to be read. */
  private boolean checkFile() {
    try {
      long sizeBytes = core.currentSizeBytes();
      if (sizeBytes < geometry.sizeBytes()) {
        damaged(name, "the file was truncated to " + sizeBytes + " of " + geometry.sizeBytes() + " bytes");
        return false;
      }
      if (sizeBytes > geometry.sizeBytes()) {
        damaged(name, "the file has grown from " + geometry.sizeBytes() + " to " + sizeBytes + " bytes");
      }
      return true;
    } catch (IOException failure) {
      add(Severity.ERROR, name, "the file cannot be looked at: " + failure, "Check its permissions.");
      return false;
    }
  }

  private void checkHeader() {
    try {
      if (!Geometry.read(region, core.path()).equals(geometry)) {
        damaged(name, "the header is not what it was when this process attached");
      }
    } catch (BusException damage) {
      damaged(name, damage.getMessage());
      return;
    }
    int lifetime = region.getInt(LIFETIME_OFFSET);
    int pages = region.getInt(PAGES_OFFSET);
    int headerBytes = region.getInt(HEADER_BYTES_OFFSET);
    if (headerBytes != HEADER_BYTES || region.getLong(ID_OFFSET) == 0 || lifetime != WHILE_USED && lifetime != KEPT
        || pages != ORDINARY_PAGES && pages != HUGE_PAGES) {
      damaged(name, "the header claims " + headerBytes + " bytes, id " + region.getLong(ID_OFFSET)
          + ", lifetime " + lifetime + " and pages " + pages);
    }
  }

  private void checkState() {
    long state = region.getLongVolatile(STATE_OFFSET);
    switch (Owner.state(state)) {
      case OPEN, REMOVED -> {
        if (state != Owner.state(state)) {
          damaged(name, String.format("its state word 0x%x belongs to somebody", state));
        } else if (state == REMOVED && core.file().isAt(core.path())) {
          damaged(name, "it is marked as removed, but it is still there");
        } else if (!core.file().isAt(core.path())) {
          add(Severity.WARNING, name, "the file was removed or replaced: this is what its remaining users see",
              "Close the attachments of it; later ones get the new file.");
        }
      }
      case CLOSING -> {
        if (Owner.slotId(state) >= geometry.slotCount() || Owner.mode(state) != 0 || Owner.generation(state) != 0) {
          damaged(name, String.format("its state word 0x%x names no participant", state));
        } else if (!participants.isAlive(state) && region.getLongVolatile(STATE_OFFSET) == state) {
          add(Severity.WARNING, name, "a participant died while it removed the segment", LEFT);
        }
      }
      default -> damaged(name, "its state is " + Owner.state(state));
    }
  }

  // ---- participants

  private void checkSlots() {
    for (int slot = 0; slot < geometry.slotCount(); slot++) {
      int id = slot;
      long word = slotWord(id);
      String where = name + ", participant " + id;
      if (word != 0 && (Owner.slotId(word) != id || Owner.generation(word) != 0 || Owner.mode(word) != 0)
          || Owner.state(word) > SLOT_CLOSED) {
        damaged(where, String.format("its word 0x%x is none of this slot", word));
      } else if (Owner.state(word) == SLOT_FREE) {
        if (isLocked(id)) {
          doubt(Severity.NOTE, where, "its lock is held, but the slot is free: a process stopped while it joined or"
              + " left, or holds the lock for no good reason", "Resume or end that process.",
              () -> slotWord(id) == word && isLocked(id));
        }
      } else if (!participants.isAlive(word) && slotWord(id) == word) {
        checkDead(id, where, word);
      } else if (Owner.state(word) == SLOT_ACTIVE) {
        checkIdentity(id, where, word);
      }
    }
  }

  private void checkDead(int id, String where, long word) {
    List<String> held = heldByTheDead.getOrDefault(Owner.participant(word), List.of());
    long pid = region.getLongOpaque(geometry.slot(id) + SLOT_PID);
    String who = pid == 0 ? "a process that was about to attach" : "process " + pid;
    String end = Owner.state(word) == SLOT_LEAVING ? " left as its JVM ended"
        : held.isEmpty() ? " died without leaving" : " died";
    add(Severity.WARNING, where, who + end + (held.isEmpty() ? "" : " and holds " + String.join(", ", held)), LEFT);
  }

  private void checkIdentity(int id, String where, long word) {
    long pid = region.getLongOpaque(geometry.slot(id) + SLOT_PID);
    long capabilities = region.getLongOpaque(geometry.slot(id) + SLOT_CAPABILITIES);
    boolean possible = pid > 0 && (capabilities & ~(CAN_WAKE | LOCKS_BY_DESCRIPTION | ASYMMETRIC)) == 0;
    if (!possible && slotWord(id) == word) {
      damaged(where, String.format("it claims process %d with capabilities 0x%x", pid, capabilities));
    }
  }

  private long slotWord(int id) {
    return region.getLongAcquire(geometry.slot(id) + SLOT_WORD); // [slot-active] [slot-free]
  }

  private boolean isLocked(int id) {
    try {
      return core.file().isLockedByOther(SLOT_LOCKS + id);
    } catch (IOException unknown) {
      return false;
    }
  }

  // ---- directory

  /** The live rows that are sound and share no bytes with another one. */
  private List<SegmentEntry> checkRows() {
    List<SegmentEntry> sound = new ArrayList<>();
    Map<String, SegmentEntry> names = new HashMap<>();
    NavigableMap<Long, Long> taken = new TreeMap<>();
    for (int index = 0; index < geometry.rowCount(); index++) {
      long word = rowWord(index);
      switch ((int) word & 0xFF) {
        case ROW_FREE, ROW_TOMBSTONE -> {}
        case ROW_ADDING -> checkAdding(index, word);
        case ROW_LIVE -> {
          SegmentEntry entry = core.directory().read(index);
          if (entry == null) {
            continue; // removed just now
          }
          String where = where(entry, index);
          String damage = damage(entry, index, entry.word());
          SegmentEntry other = names.putIfAbsent(entry.name(), entry);
          if (damage != null) {
            damaged(where, damage);
          } else if (other != null && isStill(other)) {
            damaged(where, "row " + index + " has the name of row " + other.row());
          } else if (take(taken, entry) || sound.stream().noneMatch(it -> it.overlaps(entry) && isStill(it))) {
            sound.add(entry);
          } else {
            damaged(where, "its bytes, " + entry.sizeBytes() + " from " + entry.offset() + " on, belong to"
                + " another entry as well");
          }
        }
        default -> damaged(name + ", row " + index, "its state is " + (word & 0xFF));
      }
    }
    checkNextFree(sound);
    return sound;
  }

  /** Whether the entry is still there. If it was removed, its name and bytes may belong to another one. */
  private boolean isStill(SegmentEntry entry) {
    return rowWord(entry.row()) == entry.word();
  }

  /**
   * Checks the next free byte. It is moved behind an entry before that becomes live, and moved back after that was
   * removed.
   */
  private void checkNextFree(List<SegmentEntry> entries) {
    long nextFree = region.getLongOpaque(NEXT_FREE_OFFSET);
    VarHandle.acquireFence(); // [row-live] the next free byte was read before the second look at the rows
    long end = entries.stream().filter(this::isStill)
        .mapToLong(entry -> entry.offset() + entry.sizeBytes()).max().orElse(geometry.dataOffset());
    if (nextFree < end || nextFree > geometry.sizeBytes() || nextFree % LINE_BYTES != 0) {
      damaged(name, "its next free byte is " + nextFree + ", its entries end at " + end + " of "
          + geometry.sizeBytes());
    }
  }

  /** Takes an entry's bytes; false when another one has some of them. The map has the ends of taken bytes by begin. */
  private static boolean take(NavigableMap<Long, Long> taken, SegmentEntry entry) {
    long end = entry.offset() + entry.sizeBytes();
    Map.Entry<Long, Long> before = taken.lowerEntry(end);
    if (before != null && before.getValue() > entry.offset()) {
      return false;
    }
    taken.put(entry.offset(), end);
    return true;
  }

  private long rowWord(int index) {
    return region.getLongAcquire(geometry.row(index) + ROW_WORD); // [row-live]
  }

  private String where(SegmentEntry entry, int index) {
    return name + (entry.name().isEmpty() ? ", row " + index : "/" + entry.name());
  }

  private String damage(SegmentEntry entry, int index, long word) {
    long creator = region.getLongOpaque(geometry.row(index) + ROW_CREATOR);
    if (entry.damage() != null) {
      return entry.damage();
    }
    if (entry.sizeBytes() % structureAlignment(entry.roleCount()) != 0 || ((int) (word >>> 16) & 0xFFFF) == 0
        || word >>> 32 == 0) {
      return String.format("its row has the word 0x%x and %d bytes", word, entry.sizeBytes());
    }
    if (Owner.participant(creator) != creator || creator == 0 || Owner.slotId(creator) >= geometry.slotCount()) {
      return String.format("its creator 0x%x names no participant", creator);
    }
    return null;
  }

  /** Checks a row that is being added: its adder stores the intent first, and clears it last. */
  private void checkAdding(int index, long word) {
    long intent = region.getLongVolatile(INTENT_OFFSET);
    if ((intent == 0 || Owner.generation(intent) != index) && rowWord(index) == word) {
      damaged(name + ", row " + index, "it is being added, but nobody says that he adds it");
    }
  }

  private void checkIntent() {
    long intent = region.getLongVolatile(INTENT_OFFSET);
    if (intent == 0) {
      return;
    }
    if (Owner.slotId(intent) >= geometry.slotCount() || Owner.generation(intent) >= geometry.rowCount()) {
      damaged(name, String.format("the intent 0x%x names no participant or no row", intent));
    } else if (!participants.isAlive(intent) && region.getLongVolatile(INTENT_OFFSET) == intent) {
      add(Severity.WARNING, name + ", row " + Owner.generation(intent), "a participant died while it added or removed"
          + " this entry", LEFT);
    }
  }

  // ---- the common part of all structures with roles

  private void checkRoles(SegmentEntry entry) {
    String where = name + "/" + entry.name();
    if (entry.roleCount() == 0) {
      return; // it has no common part
    }
    for (int index = 0; index < entry.roleCount(); index++) {
      long word = entry.roleWord(index);
      if (word != 0) {
        checkRole(entry, index, word, where);
      }
    }
    long used = region.getLongAcquire(entry.offset() + ROLES_USED);
    if (used < 0 || used > entry.roleCount()) {
      damaged(where, "it claims to have used " + used + " of " + entry.roleCount() + " roles");
    }
    for (Waiters waiters : List.of(entry.waitingForData(), entry.waitingForSpace())) {
      waiters.problem().ifPresent(problem -> damaged(where, problem));
    }
  }

  private void checkRole(SegmentEntry entry, int index, long word, String where) {
    String role = where + ", role " + index;
    if (index >= region.getLongAcquire(entry.offset() + ROLES_USED)) { // raised before the role is taken
      damaged(role, "it was taken, but the entry says that it never was");
    }
    if (Owner.state(word) == ROLE_FREE || Owner.state(word) > ROLE_REVOKED || Owner.participant(word) == 0
        || Owner.slotId(word) >= geometry.slotCount()) {
      if (Owner.state(word) != ROLE_FREE || Owner.participant(word) != 0 || Owner.mode(word) != 0) {
        damaged(role, String.format("its word 0x%x is impossible", word));
      }
      return;
    }
    long slot = slotWord(Owner.slotId(word));
    boolean current = Owner.epoch(slot) == Owner.epoch(word) && Owner.state(slot) != SLOT_FREE;
    boolean buried = Owner.epoch(slot) - Owner.epoch(word) > 0 && Owner.state(slot) == SLOT_JOINING;
    boolean alive = participants.isAlive(slot); // if buried: whether the one that buries it, and sweeps its roles, is
    if (alive && current && Owner.state(slot) >= SLOT_LEAVING) { // or closed: it gives its roles back at once, unless
      // an operation was under way and has not ended
      doubt(Severity.WARNING, role, "process " + participants.pid(slot) + " has closed the segment, but an operation of"
          + " this role has not ended: a handler does not return, or a claim was neither committed nor aborted",
          "Have that operation end, or end the process. Until then it keeps the role, and the memory of the segment.",
          () -> entry.roleWord(index) == word && slotWord(Owner.slotId(word)) == slot);
      return;
    }
    if (alive && (buried || current) || entry.roleWord(index) != word) {
      return;
    }
    if (!alive && (current || buried)) {
      heldByTheDead.computeIfAbsent(Owner.participant(slot), key -> new ArrayList<>())
          .add("role " + index + " of " + entry.name());
    } else {
      damaged(role, String.format("it belongs to participant %d of epoch %d, which gave back all its roles",
          Owner.slotId(word), Owner.epoch(word)));
    }
  }

  private void checkStructure(SegmentEntry entry) {
    entry.problems().forEach(problem -> damaged(name + "/" + entry.name(), problem));
  }

  /** Participants that may have stopped in the middle of a step and hold others up; one that runs moves on. */
  private void checkSuspects(SegmentEntry entry) {
    for (Suspect suspect : entry.suspects()) {
      doubt(Severity.WARNING, name + "/" + entry.name() + ", role " + suspect.role(), suspect.problem(),
          suspect.advice(), () -> entry.suspects().contains(suspect) && !entry.isGone());
    }
  }
}
