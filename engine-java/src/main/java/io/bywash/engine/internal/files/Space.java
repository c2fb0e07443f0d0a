package io.bywash.engine.internal.files;

import io.bywash.engine.NoSpaceException;
import io.bywash.engine.internal.linux.FileTooLargeException;
import io.bywash.engine.internal.linux.SegmentFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;

/** Free space in the file system of a segment. */
public final class Space {
  private static final long RECLAIM_NANOS = 500_000_000;
  private static final long CHECK_NANOS = 1_000_000;

  private Space() {}

  /** How many bytes a file in the directory of {@code segment} can still take. */
  public static long freeBytes(Path segment) throws IOException {
    return Files.getFileStore(segment.toAbsolutePath().getParent()).getUsableSpace();
  }

  /**
   * Checks the free space before anything is written.
   *
   * @throws NoSpaceException when there is less than {@code neededBytes}
   */
  public static void check(Path segment, long neededBytes) throws IOException {
    long free = freeBytes(segment);
    if (free < neededBytes) {
      throw lacking(segment, free, neededBytes);
    }
  }

  /**
   * Allocates all the space of a file.
   *
   * @throws NoSpaceException when somebody took the space after it was checked; the caller gives back what the file got
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
   * Waits for up to half a second until there is enough space, or somebody has created the segment. The space of closed
   * segments may be free only after the garbage collector and then the cleaner's thread have unmapped them.
   *
   * @return the free space in bytes
   */
  public static long reclaim(Path segment, long neededBytes) throws IOException {
    System.gc();
    long start = System.nanoTime();
    long free = freeBytes(segment);
    while (free < neededBytes && System.nanoTime() - start < RECLAIM_NANOS
        && !Files.exists(segment, LinkOption.NOFOLLOW_LINKS)) {
      LockSupport.parkNanos(CHECK_NANOS);
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
