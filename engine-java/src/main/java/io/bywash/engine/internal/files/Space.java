package io.bywash.engine.internal.files;

import io.bywash.engine.NoSpaceException;
import io.bywash.engine.internal.linux.FileTooLargeException;
import io.bywash.engine.internal.linux.SegmentFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;

/** The space in the file system of a segment. */
public final class Space {
  private static final long RECLAIM_NANOS = 500_000_000;
  private static final long LOOK_NANOS = 1_000_000;

  private Space() {}

  public static long freeBytes(Path segment) throws IOException {
    return Files.getFileStore(segment.toAbsolutePath().getParent()).getUsableSpace();
  }

  /** @throws NoSpaceException when there is not as much, before anything is written */
  public static void check(Path segment, long neededBytes) throws IOException {
    long free = freeBytes(segment);
    if (free < neededBytes) {
      throw lacking(segment, free, neededBytes);
    }
  }

  /**
   * @throws NoSpaceException when somebody took the space since it was checked; the caller gives back what the file got
   */
  public static void allocate(Path segment, SegmentFile file, long sizeBytes) throws IOException {
    try {
      file.allocate(sizeBytes);
    } catch (FileTooLargeException limited) {
      throw limited;
    } catch (IOException full) {
      NoSpaceException failure = lacking(segment, freeBytes(segment) + file.sizeBytes(), sizeBytes);
      failure.initCause(full);
      throw failure;
    }
  }

  /**
   * Waits a moment for as much space, unless somebody creates the segment meanwhile; how much there is. Unmapping is
   * lazy: the memory of closed segments may only wait for the collector, and then for the cleaner's thread.
   */
  public static long reclaim(Path segment, long neededBytes) throws IOException {
    System.gc();
    long start = System.nanoTime();
    long free = freeBytes(segment);
    while (free < neededBytes && System.nanoTime() - start < RECLAIM_NANOS
        && !Files.exists(segment, LinkOption.NOFOLLOW_LINKS)) {
      LockSupport.parkNanos(LOOK_NANOS);
      free = freeBytes(segment);
    }
    return free;
  }

  private static NoSpaceException lacking(Path segment, long freeBytes, long neededBytes) {
    return new NoSpaceException("Segment " + segment + " needs " + neededBytes + " bytes, but "
        + segment.toAbsolutePath().getParent() + " has " + freeBytes + " free. Choose smaller queues, remove segments"
        + " that nobody uses, or enlarge the file system (for /dev/shm: mount -o remount,size=..., or the container's"
        + " shm-size).");
  }
}
