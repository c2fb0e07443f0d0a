package io.bywash.engine.internal;

import io.bywash.engine.InterruptedWaitException;
import io.bywash.engine.NoSpaceException;
import io.bywash.engine.SegmentAccessException;
import io.bywash.engine.SegmentExistsException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.internal.directory.StructureType;
import io.bywash.engine.internal.files.BusFailures;
import io.bywash.engine.internal.files.Space;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.linux.OpenDirectory;
import io.bywash.engine.internal.linux.SegmentFile;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;

/**
 * Segment files by name: creation, attachment and removal, each of them atomic for everybody else.
 *
 * <p>A new segment is built under a hidden name, with its first slot locked by its creator from the start, and then
 * linked to its real name: exactly one of several creators succeeds. A hidden file whose first slot is not locked was
 * left by a dead creator, and the next creator removes it. Linking and unlinking happen under the lock of one file per
 * directory, which is never deleted.
 */
public final class BusFiles {
  private static final String LOCK_NAME = ".lock";
  /** The byte of the lock file for linking and unlinking, and the one for those that found no space. */
  private static final long NAMES_LOCK = 0;
  private static final long TURN_LOCK = 1;
  private static final Pattern TEMPORARY = Pattern.compile("\\..+\\.[0-9a-f]{16}\\.tmp");
  static final long LOCK_TIMEOUT_NANOS = 10_000_000_000L;
  private static final long RETRY_NANOS = 1_000_000;
  private static final long MAX_RETRY_NANOS = 50_000_000;
  /** So long one tries again that found no space where there is enough now. */
  private static final long RACE_NANOS = 3_000_000_000L;

  private BusFiles() {}

  /** Creates the segment. */
  public static SegmentCore create(List<StructureType> types, Path path, SegmentSpec spec) {
    try {
      try {
        return build(types, path, spec);
      } catch (NoSpaceException full) {
        if (Space.reclaim(path, spec.sizeBytes()) < spec.sizeBytes() && !exists(path)) {
          throw full;
        }
        return build(types, path, spec);
      }
    } catch (IOException failure) {
      throw BusFailures.of(path, failure);
    }
  }

  /** Attaches to the segment, which must match {@code spec}, or creates it. */
  public static SegmentCore open(List<StructureType> types, Path path, SegmentSpec spec) {
    try {
      return attachOrCreate(types, path, spec);
    } catch (NoSpaceException full) {
      if (!mayFitSoon(path, spec.sizeBytes(), 0)) {
        throw full;
      }
      return openInTurn(types, path, spec, full);
    }
  }

  /**
   * For those that found no space, perhaps because they created it at the same time and took it from each other: one
   * after the other, so that one of them can.
   */
  private static SegmentCore openInTurn(List<StructureType> types, Path path, SegmentSpec spec, NoSpaceException full) {
    SegmentCore[] core = new SegmentCore[1];
    try (OpenDirectory directory = OpenDirectory.ofFile(path)) {
      if (withDirectoryLock(directory, TURN_LOCK, LOCK_TIMEOUT_NANOS, () -> core[0] = openAgain(types, path, spec))) {
        return core[0];
      }
      throw full;
    } catch (IOException failure) {
      throw BusFailures.of(path, failure);
    }
  }

  /** Tries again as long as the space may be there soon. */
  private static SegmentCore openAgain(List<StructureType> types, Path path, SegmentSpec spec) {
    long start = System.nanoTime();
    while (true) {
      try {
        return attachOrCreate(types, path, spec);
      } catch (NoSpaceException full) {
        long waitedNanos = System.nanoTime() - start;
        if (waitedNanos > LOCK_TIMEOUT_NANOS || !mayFitSoon(path, spec.sizeBytes(), waitedNanos)) {
          throw full;
        }
      }
      LockSupport.parkNanos(MAX_RETRY_NANOS);
    }
  }

  private static SegmentCore attachOrCreate(List<StructureType> types, Path path, SegmentSpec spec) {
    long start = System.nanoTime();
    long pauseNanos = RETRY_NANOS;
    while (true) {
      SegmentCore core = tryAttachOrReplace(types, path, spec);
      if (core != null) {
        return core;
      }
      long waitedNanos = System.nanoTime() - start; // before creating, which may take long by itself
      try {
        return create(types, path, spec);
      } catch (SegmentExistsException lost) { // another creator was faster, or somebody is removing it just now
        if (waitedNanos > LOCK_TIMEOUT_NANOS) {
          throw new SegmentAccessException("Segment " + path + " has been about to be removed for "
              + LOCK_TIMEOUT_NANOS / 1_000_000_000L + " s by a living process that does not go on. Resume or end that"
              + " process.", lost);
        }
      }
      LockSupport.parkNanos(pauseNanos);
      pauseNanos = Math.min(2 * pauseNanos, MAX_RETRY_NANOS); // each try maps the whole segment
    }
  }

  /**
   * As {@link #tryAttach}; a segment that differs goes if nobody uses it and it is not to be kept, as its last user
   * would have had it.
   */
  private static SegmentCore tryAttachOrReplace(List<StructureType> types, Path path, SegmentSpec spec) {
    try {
      return tryAttach(types, path, spec);
    } catch (SpecMismatchException differs) {
      if (!SegmentRemoval.removeIfStale(types, path)) {
        throw SegmentRemoval.retained(types, path).map(reason -> new SpecMismatchException("Segment " + path
            + " differs from what was asked for, and stays though nobody uses it, since " + reason
            + ". Take that out with the specification that it was made with, or remove it with all that is in it:"
            + " bywash doctor --remove " + path.getFileName() + ". ", differs.differences())).orElse(differs);
      }
      return null;
    }
  }

  /**
   * After there was no space: whether another process builds that segment, or has failed as well and given back what it
   * took.
   */
  private static boolean mayFitSoon(Path path, long neededBytes, long waitedNanos) {
    try {
      return isBeingCreated(path) || waitedNanos < RACE_NANOS && Space.freeBytes(path) >= neededBytes
          || isBeingCreated(path); // by one that has taken the space since
    } catch (IOException unknown) {
      return false;
    }
  }

  /** Whether another process builds a segment of that name, or has built it. */
  private static boolean isBeingCreated(Path path) throws IOException {
    String hidden = "." + path.getFileName() + ".";
    try (OpenDirectory directory = OpenDirectory.ofFile(path)) {
      for (String name : leftovers(directory)) {
        try {
          if (name.startsWith(hidden) && isCreatorAlive(directory, name)) {
            return true;
          }
        } catch (NoSuchFileException done) {
          // finished, or failed, a moment ago
        }
      }
    }
    return exists(path); // looked at last, since it is linked before the hidden name goes
  }

  /** Attaches to the segment, waiting for it up to {@code timeoutNanos}. */
  public static SegmentCore attach(List<StructureType> types, Path path, long timeoutNanos) {
    long start = System.nanoTime();
    while (true) {
      SegmentCore core = tryAttach(types, path, null);
      if (core != null) {
        return core;
      }
      long left = timeoutNanos - (System.nanoTime() - start);
      if (left <= 0) {
        throw BusFailures.notFound(path, timeoutNanos);
      }
      if (Thread.currentThread().isInterrupted()) {
        throw new InterruptedWaitException("Thread \"" + Thread.currentThread().getName()
            + "\" was interrupted before segment " + path + " existed.");
      }
      LockSupport.parkNanos(Math.min(left, 2 * RETRY_NANOS));
    }
  }

  /** Attaches read-only: nothing is written, and nobody notices. */
  public static SegmentCore observe(List<StructureType> types, Path path) {
    try {
      SegmentFile file = SegmentFile.open(path, true); // stays open, to probe locks
      boolean attached = false;
      try {
        SegmentCore core = SegmentCore.observe(types, path, file);
        attached = true;
        return core;
      } finally {
        if (!attached) {
          file.close();
        }
      }
    } catch (NoSuchFileException none) {
      throw BusFailures.notFound(path, 0);
    } catch (IOException failure) {
      throw BusFailures.of(path, failure);
    }
  }

  /**
   * Attaches to the segment, which must match {@code spec} unless that is null; null when there is none, or somebody is
   * removing it just now.
   */
  private static SegmentCore tryAttach(List<StructureType> types, Path path, SegmentSpec spec) {
    try {
      SegmentFile file = SegmentFile.open(path, false);
      SegmentCore core = null;
      try {
        core = SegmentCore.join(types, path, file, spec);
        if (core != null) {
          ExitHook.add(core);
        }
        return core;
      } finally {
        if (core == null) {
          file.close();
        }
      }
    } catch (NoSuchFileException none) {
      return null;
    } catch (IOException failure) {
      throw BusFailures.of(path, failure);
    }
  }

  private static SegmentCore build(List<StructureType> types, Path path, SegmentSpec spec) throws IOException {
    try (OpenDirectory directory = OpenDirectory.ofFile(path)) {
      return build(types, directory, path, spec);
    }
  }

  private static SegmentCore build(List<StructureType> types, OpenDirectory directory, Path path, SegmentSpec spec)
      throws IOException {
    if (exists(path)) {
      throw alreadyThere(path);
    }
    String name = path.getFileName().toString();
    long segmentId = ThreadLocalRandom.current().nextLong() | 1;
    String temporary = "." + name + "." + String.format("%016x", segmentId) + ".tmp";
    SegmentFile file = begin(directory, temporary, spec.permissions());
    SegmentCore core = null;
    try {
      Space.check(path, spec.sizeBytes()); // behind the removal of what dead creators left
      Space.allocate(path, file, spec.sizeBytes());
      core = SegmentCore.format(types, path, file, spec, segmentId);
      withDirectoryLock(directory, () -> directory.link(temporary, name));
      ExitHook.add(core);
      return core;
    } catch (FileAlreadyExistsException lost) {
      core = null;
      throw alreadyThere(path);
    } catch (NoSpaceException full) {
      throw exists(path) ? alreadyThere(path) : full; // another creator took the space for the same segment
    } catch (IOException | RuntimeException failure) {
      core = null;
      throw failure;
    } finally {
      directory.deleteIfExists(temporary);
      if (core == null) {
        file.unlock(SegmentLayout.SLOT_LOCKS);
        file.close();
      }
    }
  }

  /** A hidden file of this creator, marked as alive by the lock of its first slot before anybody can sweep it. */
  private static SegmentFile begin(OpenDirectory directory, String temporary, Set<PosixFilePermission> permissions)
      throws IOException {
    SegmentFile[] file = new SegmentFile[1];
    withDirectoryLock(directory, () -> {
      for (String leftover : leftovers(directory)) {
        sweepTemporary(directory, leftover);
      }
      file[0] = SegmentFile.create(directory, temporary, permissions);
      file[0].tryLock(SegmentLayout.SLOT_LOCKS);
    });
    return file[0];
  }

  /** The names of the hidden files of creators, dead or at work. */
  public static List<String> leftovers(OpenDirectory directory) throws IOException {
    return directory.names().stream().filter(TEMPORARY.asMatchPredicate()).toList();
  }

  /**
   * Removes what dead creators left, unless somebody has the directory's lock for {@code timeoutNanos}; which files.
   */
  static List<String> removeLeftovers(Path path, long timeoutNanos) {
    List<String> removed = new ArrayList<>();
    try (OpenDirectory directory = OpenDirectory.of(path)) {
      if (!leftovers(directory).isEmpty()) {
        withDirectoryLock(directory, NAMES_LOCK, timeoutNanos, () ->
            leftovers(directory).stream().filter(name -> sweepTemporary(directory, name)).forEach(removed::add));
      }
    } catch (IOException notOurs) {
      // another user's directory: that user's next creator removes them
    }
    return removed;
  }

  /** Removes a hidden file if its creator is dead, or done with it. The caller has the directory's lock. */
  private static boolean sweepTemporary(OpenDirectory directory, String leftover) {
    try {
      boolean done = directory.linkCount(leftover) > 1; // linked already
      return (done || !isCreatorAlive(directory, leftover)) && isOurs(directory, leftover)
          && directory.deleteIfExists(leftover);
    } catch (IOException notOurs) {
      return false; // another user's: that user's next creator removes it
    }
  }

  private static boolean isCreatorAlive(OpenDirectory directory, String hidden) throws IOException {
    try (SegmentFile file = SegmentFile.open(directory, hidden, true)) {
      return file.isLockedByOther(SegmentLayout.SLOT_LOCKS);
    }
  }

  private static boolean isOurs(OpenDirectory directory, String hidden) throws IOException {
    // Closing any other descriptor could drop its creator's lock.
    try (SegmentFile file = SegmentFile.open(directory, hidden, true)) {
      return isOurs(file);
    }
  }

  /** Whether a hidden file is empty, or begins like a segment or with nothing yet, and is not somebody else's data. */
  public static boolean isOurs(SegmentFile hidden) throws IOException {
    long magic = hidden.firstWord();
    return hidden.sizeBytes() == 0 || hidden.sizeBytes() >= Long.BYTES && (magic == 0 || magic == SegmentLayout.MAGIC);
  }

  static boolean exists(Path path) {
    return Files.exists(path, LinkOption.NOFOLLOW_LINKS);
  }

  private static SegmentExistsException alreadyThere(Path path) {
    return new SegmentExistsException("Segment " + path + " exists already. Use open to attach to it, or choose another"
        + " name.");
  }

  /** Removes the segment under the directory's lock, unless somebody joins it meanwhile. */
  static void removeIfUnused(SegmentCore core) throws IOException {
    try (OpenDirectory directory = OpenDirectory.ofFile(core.path())) {
      withDirectoryLock(directory, () -> core.removeUnlessJoined(directory));
    } catch (NoSuchFileException gone) {
      // the directory, and the segment's name with it
    }
  }

  static void withDirectoryLock(OpenDirectory directory, SegmentFile.LockedAction action) throws IOException {
    if (!withDirectoryLock(directory, NAMES_LOCK, LOCK_TIMEOUT_NANOS, action)) {
      throw new SegmentAccessException("The bus directory " + directory.path() + " has been locked for "
          + LOCK_TIMEOUT_NANOS / 1_000_000_000L + " s by a living process that does not go on (its lock is on "
          + directory.path().resolve(LOCK_NAME) + "). Resume or end that process.");
    }
  }

  private static boolean withDirectoryLock(OpenDirectory directory, long position, long timeoutNanos,
      SegmentFile.LockedAction action) throws IOException {
    Set<PosixFilePermission> permissions = lockPermissions(directory);
    try {
      SegmentFile.create(directory, LOCK_NAME, permissions).close();
    } catch (FileAlreadyExistsException usual) {
      // made by an earlier user of this directory; it is never deleted
    }
    try (SegmentFile file = SegmentFile.open(directory, LOCK_NAME, false)) {
      file.completePermissions(directory, permissions);
      return file.withLock(position, timeoutNanos, action);
    }
  }

  /** Whoever may create files in the directory may lock it. */
  private static Set<PosixFilePermission> lockPermissions(OpenDirectory directory) throws IOException {
    Set<PosixFilePermission> of = directory.attributes().permissions();
    Set<PosixFilePermission> lock = EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);
    if (of.contains(PosixFilePermission.GROUP_WRITE)) {
      lock.addAll(PosixFilePermissions.fromString("---rw----"));
    }
    if (of.contains(PosixFilePermission.OTHERS_WRITE)) {
      lock.addAll(PosixFilePermissions.fromString("------rw-"));
    }
    return lock;
  }
}
