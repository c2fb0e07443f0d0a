package io.bywash.engine.internal;

import static io.bywash.engine.internal.layout.SegmentLayout.*;

import io.bywash.engine.BusException;
import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Lifetime;
import io.bywash.engine.Participant;
import io.bywash.engine.Recovery;
import io.bywash.engine.Removal;
import io.bywash.engine.SegmentAccessException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.internal.attachment.Attachment;
import io.bywash.engine.internal.directory.DirectoryChanges;
import io.bywash.engine.internal.directory.DirectoryTable;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.directory.StructureType;
import io.bywash.engine.internal.files.BusFailures;
import io.bywash.engine.internal.files.HiddenFiles;
import io.bywash.engine.internal.files.NamesLock;
import io.bywash.engine.internal.linux.EngineLog;
import io.bywash.engine.internal.linux.OpenDirectory;
import io.bywash.engine.internal.linux.Pages;
import io.bywash.engine.internal.linux.SegmentFile;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.internal.segment.Geometry;
import io.bywash.engine.internal.segment.TruncatedFile;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * One attachment of this process to one segment, with the directory: how it begins, and how the segment goes when its
 * last participant leaves. Everything public is a thin face on this.
 */
public final class SegmentCore extends Attachment {
  private final DirectoryTable directory;
  private final DirectoryChanges directoryChanges;

  private SegmentCore(List<StructureType> types, Path path, SegmentFile file, Region region, Geometry geometry,
      boolean readOnly) {
    super(path, file, region, geometry, readOnly);
    this.directory = new DirectoryTable(this, types);
    this.directoryChanges = new DirectoryChanges(this, directory);
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
      if (core.state().isLeaving()) {
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
      joined = core.state().openAgain() && core.file.isAt(core.path);
      return joined ? core : null;
    } finally {
      if (!joined) {
        core.withdraw(); // not just the slot: a remover that saw this participant has left the removal to it
      }
    }
  }

  /** Does everything at once that is otherwise done by whoever comes across it. */
  public Recovery recover() {
    requireParticipant();
    beginOperation();
    try {
      List<Participant> dead = new ArrayList<>();
      int rolesFreed = participants.buryAll(dead);
      boolean intentVoided = directoryChanges.recover();
      boolean removalReverted = state().revertIfAbandoned();
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

  /**
   * The size of the file now; that of the mapping when the name does not lead to the file any more, and nobody can
   * know.
   */
  public long currentSizeBytes() throws IOException {
    try {
      return file.isAt(path) ? file.sizeBytes() : geometry.sizeBytes(); // of what is open: another may take the name
    } catch (NoSuchFileException gone) { // without native access, the file is found by its name
      return geometry.sizeBytes();
    }
  }

  /** What the segment has to stay for though nobody uses it, in words. */
  public Optional<String> retained() {
    return directory.retained();
  }

  /** Whether the segment stays when nobody uses it: its lifetime says so, or what is in one of its structures. */
  boolean isKept() {
    return geometry.lifetime() == Lifetime.KEPT || retained().isPresent();
  }

  @Override
  protected int sweep(int slotId) {
    return directory.sweep(slotId);
  }

  // ---- the way out

  @Override
  protected void leave() throws IOException {
    ExitHook.remove(this);
    participants.leave();
  }

  /** Leaves the segment at once. Only for one that was never handed to a user. */
  void withdraw() throws IOException {
    try {
      if (participants.hasSlot()) {
        leaveName();
      }
    } finally {
      leave();
    }
  }

  /**
   * The JVM ends in good order. Nothing is revoked, since the application's own hooks may still be at work; the lock
   * goes with the process. If nobody else stays, the name goes now.
   */
  void leaveAtExit() {
    if (!tryBeginLastOperation()) {
      return;
    }
    try {
      if (participants.hasSlot()) {
        leaveName();
      }
    } catch (BusException | InternalError failure) {
      EngineLog.log(System.Logger.Level.DEBUG, "Segment " + path + " was not left in good order at the end of the"
          + " process.", failure);
    } finally {
      endOperation();
    }
  }

  /** A removal that fails is only logged: whoever closes a segment can do nothing about it. */
  @Override
  protected void leaveName() {
    try {
      participants.beginLeaving();
      if (!participants.anyOtherStays() && !isKept()) {
        removeIfUnused(this::isKept); // or somebody came meanwhile, left something here, and is gone
      }
    } catch (IOException | SegmentAccessException refused) {
      EngineLog.log(System.Logger.Level.INFO, "Segment " + path + " stays, though nobody uses it any more: this process"
          + " cannot remove it (" + refused.getMessage() + "). Its owner can: bywash doctor --clean.", null);
    }
  }

  /**
   * Removes the file, unless somebody else is attached; whether it is gone.
   *
   * @param onPurpose whether it goes whatever its lifetime, and whatever is in it
   */
  boolean tryRemove(boolean onPurpose) throws IOException {
    removeIfUnused(onPurpose ? () -> false : this::isKept);
    return state().isRemoved();
  }

  /** Removes the file under the names lock, unless somebody joins it meanwhile, or it has to stay. */
  private void removeIfUnused(BooleanSupplier isKept) throws IOException {
    try (OpenDirectory bus = OpenDirectory.ofFile(path)) {
      NamesLock.under(bus, () -> state().removeUnlessJoined(bus, isKept));
    } catch (NoSuchFileException gone) {
      // the directory, and the segment's name with it
    }
  }
}
