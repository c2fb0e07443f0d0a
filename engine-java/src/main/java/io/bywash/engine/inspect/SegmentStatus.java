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
 * The status of one segment. The values were read one after another, not all at one instant.
 *
 * @param takenNanos when the segment was inspected, as {@link System#nanoTime}
 * @param name of the segment
 * @param path of its file
 * @param sizeBytes the size of its file
 * @param unusedBytes how many bytes belong to no entry
 * @param lifetime when it is removed
 * @param created when it was created
 * @param participantCapacity how many participants there is room for
 * @param participants all participants: the living, and the dead whose slots have not been taken again
 * @param buried participants that were killed, and were buried since, as long as nobody has taken their slots again
 * @param foreignPids the process ids of living participants in another pid namespace than this process, where they mean
 *     nothing
 * @param entryCapacity how many entries there is room for
 * @param entries all entries, including damaged ones
 * @param leftByTheDead what dead participants left, one finding each
 */
public record SegmentStatus(long takenNanos, String name, Path path, long sizeBytes, long unusedBytes,
    Lifetime lifetime, Instant created, int participantCapacity, List<Participant> participants,
    List<Participant> buried, List<Long> foreignPids, int entryCapacity, List<EntryStatus> entries,
    List<Finding> leftByTheDead) {

  /**
   * The status of one entry.
   *
   * @param name the name, with unprintable characters replaced; it may be wrong if the entry is damaged
   * @param kind the kind in lower case; {@code kind 7}, for example, when this version does not know it
   * @param row its number in the directory
   * @param generation how often that row was used
   * @param sizeBytes how many bytes of the segment it takes
   * @param capacity how much it holds, in units of {@code capacityUnit}
   * @param capacityUnit for example {@code bytes}; empty when this version does not know the kind
   * @param elementSizeBytes the size of one element, or of the largest message
   * @param owner the participant on which it depends, see {@link io.bywash.engine.Entry#owner}
   * @param status the status of the structure, if this version knows its kind and it is not damaged
   * @param damage what is impossible about it; empty when no damage was found
   */
  public record EntryStatus(String name, String kind, int row, int generation, long sizeBytes, long capacity,
      String capacityUnit, long elementSizeBytes, Optional<Participant> owner, Optional<StructureStatus> status,
      String damage) {}

  /**
   * Inspects a segment.
   *
   * @param segment any attachment, even a read-only one
   * @throws DamagedSegmentException when its file was truncated
   * @throws io.bywash.engine.SegmentClosedException when the segment is closed in this process
   */
  public static SegmentStatus of(Segment segment) {
    SegmentCore core = SegmentFace.core(segment);
    return core.whileMapped(() -> of(segment, core));
  }

  private static SegmentStatus of(Segment segment, SegmentCore core) {
    Geometry geometry = core.geometry();
    try {
      if (core.currentSizeBytes() < geometry.sizeBytes()) {
        throw new DamagedSegmentException("Segment " + core.path() + " is damaged: its file was truncated. End the"
            + " processes that use it, and remove the file.");
      }
      List<Participant> participants = segment.participants();
      return new SegmentStatus(System.nanoTime(), segment.name(), segment.path(), segment.sizeBytes(),
          Math.clamp(geometry.sizeBytes() - core.region().getLongOpaque(NEXT_FREE_OFFSET), 0, geometry.sizeBytes()),
          geometry.lifetime(), Instant.ofEpochMilli(geometry.createdMillis()), geometry.slotCount(), participants,
          core.participants().buried(),
          participants.stream().filter(each -> each.alive() && isForeign(core, each.id()))
              .map(Participant::pid).toList(),
          geometry.rowCount(), entries(core), new SegmentCheck(core).leftByTheDead());
    } catch (IOException failure) {
      throw new BusException("Segment " + core.path() + " cannot be looked at: " + failure.getMessage(), failure);
    }
  }

  private static boolean isForeign(SegmentCore core, int id) {
    long namespace = core.region().getLongOpaque(core.geometry().slot(id) + SLOT_PID_NAMESPACE);
    long ownNamespace = ProcessIdentity.self().pidNamespace();
    return namespace != 0 && ownNamespace != 0 && namespace != ownNamespace;
  }

  private static List<EntryStatus> entries(SegmentCore core) {
    List<EntryStatus> entries = new ArrayList<>();
    for (int row = 0; row < core.geometry().rowCount(); row++) {
      SegmentEntry entry = core.directory().read(row);
      if (entry != null) {
        EntryStatus status = entry(entry, row, entry.word());
        if (!entry.isGone()) { // otherwise what was read may belong to another entry
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

  /** Whether a participant is alive. */
  public boolean isInUse() {
    return participants.stream().anyMatch(Participant::alive);
  }

  /**
   * Whether a participant that an earlier inspection saw has certainly died since then, even if others have buried it
   * already; not if it lives, or left in an orderly way. It is also false when others have taken its slot again, since
   * then nobody can tell.
   */
  public boolean hasDied(Participant participant) {
    return Stream.concat(participants.stream(), buried.stream())
        .anyMatch(each -> each.id() == participant.id() && each.epoch() == participant.epoch() && !each.alive()
            && !each.leaving());
  }

  /**
   * Whether nothing was ever put into any of its entries, so that nobody would miss the segment; false when that is
   * unknown.
   */
  public boolean isUntouched() {
    return entries.stream().allMatch(entry -> entry.damage().isEmpty()
        && entry.status().map(StructureStatus::isUntouched).orElse(false));
  }

  /** This entry as another inspection of the same segment saw it; not an earlier or later entry of the same name. */
  Optional<EntryStatus> find(EntryStatus entry) {
    return entries.stream().filter(other -> other.row() == entry.row() && other.generation() == entry.generation()
        && other.name().equals(entry.name())).findFirst();
  }

  /**
   * What happened since an earlier inspection in each entry that is not damaged and whose kind is known.
   *
   * @param earlier an earlier status of the same segment, for example from half a second ago; if it is this one, the
   *     result has shares but no rates
   */
  public List<EntryRates> rates(SegmentStatus earlier) {
    double seconds = (takenNanos - earlier.takenNanos) / 1e9;
    return entries.stream().filter(entry -> entry.status().isPresent())
        .map(entry -> EntryRates.between(entry, earlier.find(entry).flatMap(EntryStatus::status), seconds)).toList();
  }

  /**
   * Those who make no progress and stop others. An example is a subscriber that has not read anything since an earlier
   * inspection, while the publisher waits for it because the ring has no room for a message of the largest size.
   *
   * @param earlier an earlier status of the same segment. The shorter the time between the two, the more of the
   *     findings are roles that only pause. If it is this one, all who are in the way now are found
   */
  public List<Finding> stuck(SegmentStatus earlier) {
    return rates(earlier).stream().flatMap(entry -> entry.findings(name, Effect.STOPS)).toList();
  }

  /**
   * Those who hold others back: first those who make no progress, as {@link #stuck}, then those who are slower than
   * whoever waits for them.
   *
   * @param earlier an earlier status of the same segment, for example from half a second ago
   */
  public List<Finding> heldBack(SegmentStatus earlier) {
    List<EntryRates> rates = rates(earlier);
    return Stream.of(Effect.STOPS, Effect.SLOWS)
        .flatMap(effect -> rates.stream().flatMap(entry -> entry.findings(name, effect))).toList();
  }
}
