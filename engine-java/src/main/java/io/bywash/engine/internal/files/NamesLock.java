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

/** The lock of a bus directory under which names come and go: a byte of one file, which is never deleted. */
public final class NamesLock {
  /** How long somebody who lives may hold it. */
  public static final long TIMEOUT_NANOS = 10_000_000_000L;

  private static final String NAME = ".lock";
  private static final long NAMES = 0;
  private static final long CREATORS = 1;

  private NamesLock() {}

  /** Does something to names, as the only one who does. */
  public static <T> T under(OpenDirectory directory, LockedAction<T> action) throws IOException {
    return tryUnder(directory, TIMEOUT_NANOS, action).orElseThrow(() -> BusFailures.stuck("The bus directory "
        + directory.path() + " has been locked", TIMEOUT_NANOS,
        " (its lock is on " + directory.path().resolve(NAME) + ")"));
  }

  /** The same; empty when somebody else had the lock for {@code timeoutNanos}. */
  static <T> Optional<T> tryUnder(OpenDirectory directory, long timeoutNanos, LockedAction<T> action)
      throws IOException {
    return under(directory, NAMES, timeoutNanos, action);
  }

  /** Creates something as the only one who does of those that found no space; empty as {@link #tryUnder}. */
  public static <T> Optional<T> oneByOne(OpenDirectory directory, LockedAction<T> action) throws IOException {
    return under(directory, CREATORS, TIMEOUT_NANOS, action);
  }

  private static <T> Optional<T> under(OpenDirectory directory, long position, long timeoutNanos,
      LockedAction<T> action) throws IOException {
    Set<PosixFilePermission> permissions = permissions(directory);
    try {
      SegmentFile.create(directory, NAME, permissions).close();
    } catch (FileAlreadyExistsException usual) {
      // made by an earlier user of this directory
    }
    try (SegmentFile file = SegmentFile.open(directory, NAME, false)) {
      file.completePermissions(directory, permissions);
      return file.withLock(position, timeoutNanos, action);
    }
  }

  /** Whoever may create files in the directory may lock it. */
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
