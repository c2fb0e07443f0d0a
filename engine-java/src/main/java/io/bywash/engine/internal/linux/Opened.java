package io.bywash.engine.internal.linux;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;

/** What is found when a file is opened. */
final class Opened {
  private Opened() {}

  static NoSuchFileException replaced(Path path) {
    return new NoSuchFileException(path.toString(), null, "was replaced while it was being opened");
  }

  /** Refuses what is no regular file, or may be a trap; answers the key of the file. */
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

  /** The kernel's own name of a descriptor: it leads to what is open. */
  static Path self(int fd) {
    return Path.of("/proc/self/fd/" + fd);
  }

  static IOException failure(Path path, int errno) {
    return switch (errno) {
      case Libc.ENOENT -> new NoSuchFileException(path.toString());
      case Libc.EACCES -> new AccessDeniedException(path.toString());
      case Libc.ELOOP -> new NotRegularFileException(path);
      default -> new FileSystemException(path.toString(), null, "open failed: " + Errno.text(errno));
    };
  }

  static String key(PosixFileAttributes attributes) {
    return attributes.fileKey().toString();
  }
}
