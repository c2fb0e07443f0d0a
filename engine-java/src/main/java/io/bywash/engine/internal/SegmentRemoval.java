package io.bywash.engine.internal;

import io.bywash.engine.BusException;
import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Participant;
import io.bywash.engine.Removal;
import io.bywash.engine.Removal.Outcome;
import io.bywash.engine.SegmentFormatException;
import io.bywash.engine.SegmentNotFoundException;
import io.bywash.engine.TableFullException;
import io.bywash.engine.internal.directory.StructureType;
import io.bywash.engine.internal.files.BusFailures;
import io.bywash.engine.internal.files.HiddenFiles;
import io.bywash.engine.internal.files.NamesLock;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.linux.OpenDirectory;
import io.bywash.engine.internal.linux.SegmentFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Removal on purpose of files that nobody uses. The proof is always that the kernel holds no participant's lock.
 *
 * <p>A sound segment is joined and then removed as its last participant would do it,
 * so that somebody who attaches meanwhile
 * keeps it, and a remover that dies on the way leaves what every other participant leaves.
 * A damaged one cannot be joined by
 * anybody: it is removed under the names lock when none of its locks is held.
 */
public final class SegmentRemoval {
  private SegmentRemoval() {}

  /** Removes the file, if it is a segment of this user that nobody uses. */
  public static Removal remove(List<StructureType> types, Path path) {
    while (true) {
      Removal done = remove(types, path, true);
      if (done != null) {
        return done;
      }
    }
  }

  /**
   * Removes the file, if it is a segment of this user that nobody uses; null when one has to look again.
   *
   * @param onPurpose whether it goes whatever its lifetime, whatever is in it, and even if it is damaged
   */
  private static Removal remove(List<StructureType> types, Path path, boolean onPurpose) {
    try {
      String refusal = refusal(path);
      if (refusal != null) {
        return result(path, Outcome.REFUSED, refusal);
      }
      return onPurpose ? removeEvenIfDamaged(types, path) : removeSound(types, path, false);
    } catch (SegmentFormatException foreign) {
      return result(path, Outcome.REFUSED, foreign.getMessage());
    } catch (SegmentNotFoundException | NoSuchFileException gone) {
      return result(path, Outcome.NOT_FOUND, "There is no segment " + path + ".");
    } catch (IOException failure) {
      throw BusFailures.of(path, failure);
    }
  }

  private static Removal result(Path path, Outcome outcome, String explanation) {
    return new Removal(path.getFileName().toString(), outcome, List.of(), explanation);
  }

  private static Removal inUse(Path path, List<Long> pids) {
    String by = pids.isEmpty() ? "a living process"
        : pids.size() == 1 ? "process " + pids.getFirst() : "processes " + pids;
    return new Removal(path.getFileName().toString(), Outcome.IN_USE, pids, "It is used by " + by + ". End it first.");
  }

  /** Why this process leaves its hands off the file, whatever is in it; null when it does not. */
  private static String refusal(Path path) throws IOException {
    PosixFileAttributes found;
    try (OpenDirectory directory = OpenDirectory.ofFile(path)) {
      found = directory.attributes(path.getFileName().toString());
    }
    if (!found.isRegularFile()) {
      return "Path " + path + " is no segment: it is not a regular file. Remove it by other means.";
    }
    return OpenDirectory.user().equals(found.owner()) ? null : "File " + path + " belongs to user id "
        + Files.getAttribute(path, "unix:uid", LinkOption.NOFOLLOW_LINKS) + ", this process to user id "
        + Files.getAttribute(Path.of("/proc/self"), "unix:uid") + ". Only its owner removes it.";
  }

  private static Removal removeEvenIfDamaged(List<StructureType> types, Path path) throws IOException {
    try (SegmentFile file = SegmentFile.open(path, true)) { // while it is open, no other file has its inode
      try {
        return removeSound(types, path, true);
      } catch (DamagedSegmentException damaged) {
        return removeDamaged(path, file);
      }
    }
  }

  private static Removal removeSound(List<StructureType> types, Path path, boolean onPurpose) throws IOException {
    SegmentCore observed = BusFiles.observe(types, path);
    try {
      List<Long> pids = living(observed);
      if (!pids.isEmpty() || isAnySlotLocked(observed.file())) { // a slot may be damaged; its lock is not
        return inUse(path, pids); // known without a trace
      }
    } finally {
      observed.close();
    }
    SegmentCore joined;
    try {
      joined = BusFiles.attach(types, path, 0);
    } catch (SegmentNotFoundException beingRemoved) {
      return BusFiles.exists(path) ? inUse(path, List.of())
          : result(path, Outcome.REMOVED, "It was removed.");
    } catch (TableFullException full) {
      return inUse(path, List.of());
    }
    List<Long> pids = List.of();
    try {
      if (joined.tryRemove(onPurpose)) {
        return result(path, Outcome.REMOVED, "It was removed.");
      }
      pids = living(joined);
      pids.remove(ProcessHandle.current().pid());
    } finally {
      joined.close();
    }
    return inUse(path, pids);
  }

  private static List<Long> living(SegmentCore core) {
    List<Long> pids = new ArrayList<>();
    core.participants().list().stream().filter(Participant::alive).forEach(participant -> pids.add(participant.pid()));
    return pids;
  }

  /** Removes the damaged file unless it is in use; null when its name leads elsewhere, and one has to look again. */
  private static Removal removeDamaged(Path path, SegmentFile damaged) throws IOException {
    try (OpenDirectory directory = OpenDirectory.ofFile(path)) {
      return NamesLock.under(directory, () -> {
        if (!damaged.isAt(path)) {
          return Optional.<Removal>empty();
        }
        if (isAnySlotLocked(damaged)) {
          return Optional.of(inUse(path, List.of()));
        }
        directory.deleteIfExists(path.getFileName().toString());
        return Optional.of(result(path, Outcome.REMOVED, "It was damaged, and was removed."));
      }).orElse(null);
    }
  }

  /** Whether a participant lives, however many slots the header claims. */
  public static boolean isAnySlotLocked(SegmentFile file) throws IOException {
    return file.isAnyLockedByOther(SegmentLayout.SLOT_LOCKS, Owner.MAX_SLOTS);
  }

  /**
   * Removes all of these segments that nobody uses, and that are not to be kept, and what dead creators left;
   * tells what was
   * done. What cannot be looked at stays.
   */
  public static List<Removal> clean(List<StructureType> types, Path directory, List<String> names) {
    List<Removal> done = new ArrayList<>();
    for (String name : names) {
      try {
        if (isStale(types, directory.resolve(name))) {
          done.add(remove(types, directory.resolve(name), false));
        }
      } catch (BusException notUsable) {
        // damaged, foreign, or not ours: it is removed by name only, if at all
      }
    }
    done.removeIf(removal -> removal.outcome() == Outcome.NOT_FOUND || removal.outcome() == Outcome.IN_USE);
    for (String leftover : HiddenFiles.deleteLeft(directory, NamesLock.TIMEOUT_NANOS)) {
      done.add(result(directory.resolve(leftover), Outcome.REMOVED, "It was left by a creator that died, and was"
          + " removed."));
    }
    return List.copyOf(done);
  }

  /**
   * Removes a segment that nobody uses and that is not to be kept; whether it is gone.
   *
   * @throws SegmentNotFoundException when it was gone before
   */
  static boolean removeIfStale(List<StructureType> types, Path path) {
    return isStale(types, path)
        && List.of(Outcome.REMOVED, Outcome.NOT_FOUND).contains(remove(types, path, false).outcome());
  }

  /** What a segment that nobody uses has to stay for, in words; empty when it need not, or somebody uses it. */
  static Optional<String> retained(List<StructureType> types, Path path) {
    SegmentCore core = BusFiles.observe(types, path);
    try {
      return living(core).isEmpty() ? core.retained() : Optional.empty();
    } finally {
      core.close();
    }
  }

  /** Whether the segment seems to be one that may go: whoever removes it looks again. */
  private static boolean isStale(List<StructureType> types, Path path) {
    SegmentCore core = BusFiles.observe(types, path);
    try {
      return living(core).isEmpty() && !core.isKept();
    } finally {
      core.close();
    }
  }
}
