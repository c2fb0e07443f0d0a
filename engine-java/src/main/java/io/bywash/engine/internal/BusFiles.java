package io.bywash.engine.internal;

import io.bywash.engine.InterruptedWaitException;
import io.bywash.engine.NoSpaceException;
import io.bywash.engine.SegmentAccessException;
import io.bywash.engine.SegmentExistsException;
import io.bywash.engine.SegmentNotFoundException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.internal.directory.StructureType;
import io.bywash.engine.internal.files.BusFailures;
import io.bywash.engine.internal.files.HiddenFiles;
import io.bywash.engine.internal.files.NamesLock;
import io.bywash.engine.internal.files.Space;
import io.bywash.engine.internal.linux.OpenDirectory;
import io.bywash.engine.internal.linux.SegmentFile;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;

/**
 * Segment files by name: creation, attachment and removal, each of them atomic for everybody else.
 *
 * <p>A new segment is built under a hidden name, with its first slot locked by its creator from the start, and then
 * linked to its real name: exactly one of several creators succeeds. Linking and unlinking happen under the
 * {@linkplain NamesLock names lock}.
 */
public final class BusFiles {
  private static final long RETRY_NANOS = 1_000_000;
  private static final long MAX_RETRY_NANOS = 50_000_000;
  /** How long to try again after a lack of space that is over by then. */
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
      return openOneByOne(types, path, spec, full);
    }
  }

  /**
   * For those that found no space, perhaps because they created it at the same time and took it from each other: one
   * after the other, so that one of them can.
   */
  private static SegmentCore openOneByOne(List<StructureType> types, Path path, SegmentSpec spec,
      NoSpaceException full) {
    try (OpenDirectory directory = OpenDirectory.ofFile(path)) {
      return NamesLock.oneByOne(directory, () -> openAgain(types, path, spec)).orElseThrow(() -> full);
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
        if (waitedNanos > NamesLock.TIMEOUT_NANOS || !mayFitSoon(path, spec.sizeBytes(), waitedNanos)) {
          throw full;
        }
      }
      pause(MAX_RETRY_NANOS);
    }
  }

  /** Waits for a moment even if the thread is interrupted, which it still is afterwards. */
  private static void pause(long nanos) {
    boolean interrupted = false;
    long start = System.nanoTime();
    for (long left = nanos; left > 0; left = nanos - (System.nanoTime() - start)) {
      interrupted |= Thread.interrupted(); // or parkNanos would return at once
      LockSupport.parkNanos(left);
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
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
        if (waitedNanos > NamesLock.TIMEOUT_NANOS) {
          SegmentAccessException stuck = BusFailures.stuck("Segment " + path + " has been about to be removed",
              NamesLock.TIMEOUT_NANOS, "");
          stuck.initCause(lost);
          throw stuck;
        }
      }
      pause(pauseNanos);
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
      replace(types, path, differs);
      return null;
    }
  }

  /**
   * Removes a segment that differs, if nobody uses it and it need not stay.
   *
   * @throws SpecMismatchException when it stays
   */
  private static void replace(List<StructureType> types, Path path, SpecMismatchException differs) {
    try {
      if (!SegmentRemoval.removeIfStale(types, path)) {
        throw SegmentRemoval.retained(types, path).map(reason -> new SpecMismatchException("Segment " + path
            + " differs from what was asked for, and stays though nobody uses it, since " + reason
            + ". Take that out with the specification that it was made with, or remove it with all that is in it:"
            + " bywash doctor --remove " + path.getFileName() + ". ", differs.differences())).orElse(differs);
      }
    } catch (SegmentNotFoundException gone) {
      // its last user has just removed it
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
    try (OpenDirectory directory = OpenDirectory.ofFile(path)) {
      return HiddenFiles.isBeingCreated(directory, path.getFileName().toString())
          || exists(path); // looked at last, since it is linked before the hidden name goes
    }
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
      boolean done = false;
      try {
        core = SegmentCore.join(types, path, file, spec);
        if (core != null) {
          ExitHook.add(core);
          done = true;
        }
        return core;
      } finally {
        if (!done) {
          giveUp(file, core);
        }
      }
    } catch (NoSuchFileException none) {
      return null;
    } catch (IOException failure) {
      throw BusFailures.of(path, failure);
    }
  }

  /** Undoes an attachment of which nobody will know; {@code core} is null if it never was one that others see. */
  private static void giveUp(SegmentFile file, SegmentCore core) throws IOException {
    try {
      if (core != null) {
        core.withdraw(); // or this process would seem to use the segment until it ends
      }
    } finally {
      file.close();
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
    String hidden = HiddenFiles.name(name, segmentId);
    SegmentFile file = HiddenFiles.create(directory, hidden, spec.permissions());
    SegmentCore core = null;
    boolean done = false;
    try {
      Space.check(path, spec.sizeBytes()); // behind the removal of what dead creators left
      Space.allocate(path, file, spec.sizeBytes());
      core = SegmentCore.format(types, path, file, spec, segmentId);
      NamesLock.under(directory, () -> {
        directory.link(hidden, name);
        return name;
      });
      directory.deleteIfExists(hidden);
      ExitHook.add(core);
      done = true;
      return core;
    } catch (FileAlreadyExistsException lost) {
      throw alreadyThere(path);
    } catch (NoSpaceException full) {
      throw exists(path) ? alreadyThere(path) : full; // another creator took the space for the same segment
    } finally {
      if (!done) {
        try {
          directory.deleteIfExists(hidden);
        } finally {
          giveUp(file, file.isAt(path) ? core : null);
        }
      }
    }
  }

  static boolean exists(Path path) {
    return Files.exists(path, LinkOption.NOFOLLOW_LINKS);
  }

  private static SegmentExistsException alreadyThere(Path path) {
    return new SegmentExistsException("Segment " + path + " exists already. Use open to attach to it, or choose another"
        + " name.");
  }
}
