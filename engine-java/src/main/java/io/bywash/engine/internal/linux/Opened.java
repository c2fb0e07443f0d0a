package io.bywash.engine.internal.linux;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;

/** Checks of a file when it is opened, and the exceptions for what is found. */
final class Opened {
  private Opened() {}

  /** The exception for a file that was replaced between its check and its opening. */
  static NoSuchFileException replaced(Path path) {
    return new NoSuchFileException(path.toString(), null, "was replaced while it was being opened");
  }

  /**
   * Refuses what is not a regular file and, in the standard directory, what belongs to another user. Returns the key of
   * the file.
   */
  static String check(OpenDirectory directory, Path path, PosixFileAttributes found) throws IOException {
    if (!found.isRegularFile()) {
      throw new NotRegularFileException(path);
    }
    if (directory.isStandard() && !found.owner().equals(OpenDirectory.user())) {
      throw new UntrustedFileException(path, "belongs to user " + found.owner() + ", and must belong to user "
          + OpenDirectory.user() + " in this directory");
    }
    return key(found);
  }

  /** The path under {@code /proc} that leads to the file that a descriptor has open, whatever its name is by now. */
  static Path self(int fd) {
    return Path.of("/proc/self/fd/" + fd);
  }

  /** The exception for an {@code open} that failed. */
  static IOException failure(Path path, int errno) {
    return switch (errno) {
      case Libc.ENOENT -> new NoSuchFileException(path.toString());
      case Libc.EACCES -> new AccessDeniedException(path.toString());
      case Libc.ELOOP -> new NotRegularFileException(path);
      default -> new FileSystemException(path.toString(), null, "open failed: " + Errno.text(errno));
    };
  }

  /** Device and inode of a file, as the key that {@link JvmFiles} knows it by. */
  static String key(PosixFileAttributes attributes) {
    return JvmFiles.key(attributes.fileKey());
  }
}
