package io.bywash.engine.internal.files;

import io.bywash.engine.BusException;
import io.bywash.engine.NoSpaceException;
import io.bywash.engine.SegmentAccessException;
import io.bywash.engine.SegmentFormatException;
import io.bywash.engine.SegmentNotFoundException;
import io.bywash.engine.internal.linux.NotRegularFileException;
import io.bywash.engine.internal.linux.UntrustedFileException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;

/** Translates failures of the operating system into exceptions that say what was found and what to do about it. */
public final class BusFailures {
  private BusFailures() {}

  /** The exception for a failed operation on a file or directory. */
  public static BusException of(Path path, IOException failure) {
    if (failure instanceof NoSuchFileException) {
      return notFound(path, 0);
    }
    if (failure instanceof AccessDeniedException) {
      return new SegmentAccessException("Process " + ProcessHandle.current().pid() + " of user "
          + System.getProperty("user.name") + " may not use " + failure.getMessage() + ". Run as the user who created"
          + " the segment, or have it created with wider permissions. To look only, it is enough that it may be read.",
          failure);
    }
    if (String.valueOf(failure.getMessage()).contains("No space left on device")) {
      return new NoSpaceException("The file system of " + path.toAbsolutePath().getParent() + " takes no new file,"
          + " though this needs hardly any space: it has no inode left (see df -i). Remove files, or mount it with a"
          + " larger nr_inodes.");
    }
    if (failure instanceof NotRegularFileException other) {
      return new SegmentFormatException("Path " + other.getFile() + " is no file of Bywash: it is not a regular file."
          + " Choose another name, or remove it.");
    }
    if (failure instanceof UntrustedFileException other) {
      return new SegmentAccessException("Path " + other.getFile() + " is not used, since it " + other.getReason()
          + ". Have it removed, or set BYWASH_DIR to another directory.", failure);
    }
    if (failure instanceof NotDirectoryException other) {
      return new SegmentAccessException("The bus directory " + other.getFile() + " is no directory. Have it"
          + " removed, or set BYWASH_DIR to another one.", failure);
    }
    return new SegmentAccessException("The operating system refused an operation on " + path + ": "
        + failure.getMessage(), failure);
  }

  /** The exception for a lock that a living process has held for too long. */
  public static SegmentAccessException stuck(String what, long nanos, String detail) {
    return new SegmentAccessException(what + " for " + nanos / 1_000_000_000L + " s by a living process that does not"
        + " go on" + detail + ". Resume or end that process.");
  }

  /** The exception for a segment that does not exist, after waiting for it for {@code waitedNanos}. */
  public static SegmentNotFoundException notFound(Path path, long waitedNanos) {
    String waited = waitedNanos > 0 ? " after waiting " + waitedNanos / 1_000_000 + " ms" : "";
    Path directory = path.toAbsolutePath().getParent();
    return new SegmentNotFoundException(Files.isDirectory(directory)
        ? "There is no segment " + path + waited + ". Start the process that creates it, or check the name."
        : "There is no segment " + path + waited + ": the directory " + directory + " does not exist. Create the"
        + " directory, or set BYWASH_DIR to one that exists.");
  }
}
