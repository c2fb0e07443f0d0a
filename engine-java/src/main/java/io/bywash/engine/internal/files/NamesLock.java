package io.bywash.engine.internal.files;

import io.bywash.engine.internal.linux.OpenDirectory;
import io.bywash.engine.internal.linux.SegmentFile;
import io.bywash.engine.internal.linux.SegmentFile.LockedAction;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * The locks of a bus directory, on bytes of its file {@code .lock}, which is never deleted. Byte 0 is the names lock,
 * under which file names are added and removed. Byte 1 serializes those who found no space.
 */
public final class NamesLock {
  /** How long to wait for a living holder. */
  public static final long TIMEOUT_NANOS = 10_000_000_000L;

  private static final String NAME = ".lock";
  private static final long NAMES = 0;
  private static final long CREATORS = 1;

  private NamesLock() {}

  /**
   * Runs {@code action} under the names lock.
   *
   * @throws io.bywash.engine.SegmentAccessException when a living process holds the lock for {@link #TIMEOUT_NANOS}
   */
  public static <T> T under(OpenDirectory directory, LockedAction<T> action) throws IOException {
    return tryUnder(directory, TIMEOUT_NANOS, action).orElseThrow(() -> BusFailures.stuck("The bus directory "
        + directory.path() + " has been locked", TIMEOUT_NANOS,
        " (its lock is on " + directory.path().resolve(NAME) + ")"));
  }

  /** As {@link #under}, but returns an empty result when somebody else holds the lock for {@code timeoutNanos}. */
  static <T> Optional<T> tryUnder(OpenDirectory directory, long timeoutNanos, LockedAction<T> action)
      throws IOException {
    return under(directory, NAMES, timeoutNanos, action);
  }

  /**
   * Runs {@code action} under the lock on byte 1, so that of those who found no space one after the other tries again.
   * The result is empty when somebody else holds the lock for {@link #TIMEOUT_NANOS}.
   */
  public static <T> Optional<T> oneByOne(OpenDirectory directory, LockedAction<T> action) throws IOException {
    return under(directory, CREATORS, TIMEOUT_NANOS, action);
  }

  private static <T> Optional<T> under(OpenDirectory directory, long position, long timeoutNanos,
      LockedAction<T> action) throws IOException {
    Set<PosixFilePermission> permissions = permissions(directory);
    try {
      SegmentFile.create(directory, NAME, permissions).close();
    } catch (FileAlreadyExistsException usual) {
      // an earlier user of this directory made it
    }
    try (SegmentFile file = SegmentFile.open(directory, NAME, false)) {
      file.completePermissions(directory, permissions);
      return file.withLock(position, timeoutNanos, action);
    }
  }

  /** The permissions of the lock file: whoever may create files in the directory may lock it. */
  private static Set<PosixFilePermission> permissions(OpenDirectory directory) throws IOException {
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
