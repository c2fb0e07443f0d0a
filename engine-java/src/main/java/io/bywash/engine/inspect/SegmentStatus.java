package io.bywash.engine.inspect;

import static io.bywash.engine.internal.layout.SegmentLayout.*;

import io.bywash.engine.BusException;
import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.EntryRemovedException;
import io.bywash.engine.Lifetime;
import io.bywash.engine.Participant;
import io.bywash.engine.Segment;
import io.bywash.engine.StructureStatus;
import io.bywash.engine.StructureStatus.Effect;
import io.bywash.engine.internal.SegmentCore;
import io.bywash.engine.internal.SegmentFace;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.linux.ProcessIdentity;
import io.bywash.engine.internal.segment.Geometry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A look at one segment. The numbers were true one after the other, not all at one instant.
 *
 * @param takenNanos when this look was taken, as {@link System#nanoTime}
 * @param name of the segment
 * @param path of its file
 * @param sizeBytes of its file
 * @param unusedBytes that no entry has
 * @param lifetime when it is removed
 * @param created when it was created
 * @param participantCapacity how many participants there is room for
 * @param participants everybody who is attached, the living and the dead whose slots nobody took yet
 * @param foreignPids the process ids of living participants that belong to another pid namespace than this process, in
 *     which they mean nothing
 * @param entryCapacity how many entries there is room for
 * @param entries everything in it, the damaged included
 * @param leftByTheDead what dead participants left, one finding each
 */
public record SegmentStatus(long takenNanos, String name, Path path, long sizeBytes, long unusedBytes,
    Lifetime lifetime, Instant created, int participantCapacity, List<Participant> participants, List<Long> foreignPids,
    int entryCapacity, List<EntryStatus> entries, List<Finding> leftByTheDead) {

  /**
   * A look at one entry.
   *
   * @param name printable, and as damaged as the entry is
   * @param kind what it is, in lower case; {@code kind 7} when this version does not know
   * @param row its number in the directory
   * @param generation how often that row was used
   * @param sizeBytes that it takes
   * @param capacity in its unit
   * @param capacityUnit that unit, for example {@code bytes}; empty when this version does not know the kind
   * @param elementSizeBytes of one element, or of the largest message
   * @param owner the participant that it stands and falls with
   * @param status more, if this version knows its kind and it is not damaged
   * @param damage what is impossible about it; empty when nothing is known to be
   */
  public record EntryStatus(String name, String kind, int row, int generation, long sizeBytes, long capacity,
      String capacityUnit, long elementSizeBytes, Optional<Participant> owner, Optional<StructureStatus> status,
      String damage) {}

  /**
   * Looks at a segment.
   *
   * @param segment any attachment, for example a read-only one
   * @throws DamagedSegmentException when its file was truncated
   * @throws io.bywash.engine.SegmentClosedException when the attachment was closed
   */
  public static SegmentStatus of(Segment segment) {
    SegmentCore core = SegmentFace.core(segment);
    core.checkOpen();
    return core.whileMapped(() -> of(segment, core));
  }

  private static SegmentStatus of(Segment segment, SegmentCore core) {
    Geometry geometry = core.geometry();
    try {
      if (core.currentSizeBytes() < geometry.sizeBytes()) {
        throw truncated(core);
      }
      List<Participant> participants = segment.participants();
      return new SegmentStatus(System.nanoTime(), segment.name(), segment.path(), segment.sizeBytes(),
          Math.clamp(geometry.sizeBytes() - core.region().getLongOpaque(NEXT_FREE_OFFSET), 0, geometry.sizeBytes()),
          geometry.lifetime(), Instant.ofEpochMilli(geometry.createdMillis()), geometry.slotCount(), participants,
          participants.stream().filter(each -> each.alive() && isForeign(core, each.id()))
              .map(Participant::pid).toList(),
          geometry.rowCount(), entries(core), new SegmentCheck(core).leftByTheDead());
    } catch (InternalError truncated) {
      throw truncated(core);
    } catch (IOException failure) {
      throw new BusException("Segment " + core.path() + " cannot be looked at: " + failure.getMessage(), failure);
    }
  }

  private static DamagedSegmentException truncated(SegmentCore core) {
    return new DamagedSegmentException("Segment " + core.path() + " is damaged: its file was truncated. End the"
        + " processes that use it, and remove the file.");
  }

  private static boolean isForeign(SegmentCore core, int id) {
    long namespace = core.region().getLongOpaque(core.geometry().slot(id) + SLOT_PID_NAMESPACE);
    long own = ProcessIdentity.self().pidNamespace();
    return namespace != 0 && own != 0 && namespace != own;
  }

  private static List<EntryStatus> entries(SegmentCore core) {
    List<EntryStatus> entries = new ArrayList<>();
    for (int row = 0; row < core.geometry().rowCount(); row++) {
      SegmentEntry entry = core.directory().read(row);
      if (entry != null) {
        EntryStatus status = entry(entry, row, entry.word());
        if (!entry.isGone()) { // else what was seen may be another one's
          entries.add(status);
        }
      }
    }
    return List.copyOf(entries);
  }

  private static EntryStatus entry(SegmentEntry entry, int row, long word) {
    String damage = entry.damage() == null ? "" : entry.damage();
    Optional<Participant> owner = Optional.empty();
    Optional<StructureStatus> status = Optional.empty();
    if (damage.isEmpty()) {
      try {
        owner = entry.owner();
        status = entry.status();
      } catch (DamagedSegmentException impossible) {
        damage = impossible.getMessage();
      } catch (EntryRemovedException removed) {
        damage = removed.getMessage(); // it is left out
      }
    }
    return new EntryStatus(Finding.printable(entry.name()), entry.kindName(), row, (int) (word >>> 32),
        entry.sizeBytes(), entry.capacity(), entry.kind().capacityUnit(), entry.elementSizeBytes(), owner, status,
        damage);
  }

  /** Whether a participant lives. */
  public boolean isInUse() {
    return participants.stream().anyMatch(Participant::alive);
  }

  /**
   * Whether nothing was ever put into any of its entries, so that nobody would miss it; false when that cannot be
   * known.
   */
  public boolean isUntouched() {
    return entries.stream().allMatch(entry -> entry.damage().isEmpty()
        && entry.status().map(StructureStatus::isUntouched).orElse(false));
  }

  /** What a look at the same segment saw of that entry: not one of its name that came before or after it. */
  Optional<EntryStatus> find(EntryStatus entry) {
    return entries.stream().filter(other -> other.row() == entry.row() && other.generation() == entry.generation()
        && other.name().equals(entry.name())).findFirst();
  }

  /**
   * What happened in each entry of a known kind that is not damaged, since an earlier look.
   *
   * @param earlier a look at the same segment, half a second ago for example; this look itself gives shares, and no
   *     rates
   */
  public List<EntryRates> rates(SegmentStatus earlier) {
    double seconds = (takenNanos - earlier.takenNanos) / 1e9;
    return entries.stream().filter(entry -> entry.status().isPresent())
        .map(entry -> EntryRates.between(entry, earlier.find(entry).flatMap(EntryStatus::status), seconds)).toList();
  }

  /**
   * Who does not go on, and stops others: for example subscribers for which a publisher waits, because the ring has no
   * room for a message of the largest size, and that have not moved since an earlier look.
   *
   * @param earlier a look at the same segment; the shorter ago, the more is found that only takes a rest. This look
   *     itself gives everybody who is in the way now
   */
  public List<Finding> stuck(SegmentStatus earlier) {
    return rates(earlier).stream().flatMap(entry -> entry.findings(name, Effect.STOPS)).toList();
  }

  /**
   * Who holds whom back: those that do not go on, as {@link #stuck}, and those that do, but more slowly than others
   * could.
   *
   * @param earlier a look at the same segment, half a second ago for example
   */
  public List<Finding> heldBack(SegmentStatus earlier) {
    List<EntryRates> rates = rates(earlier);
    return Stream.of(Effect.STOPS, Effect.SLOWS)
        .flatMap(effect -> rates.stream().flatMap(entry -> entry.findings(name, effect))).toList();
  }
}
