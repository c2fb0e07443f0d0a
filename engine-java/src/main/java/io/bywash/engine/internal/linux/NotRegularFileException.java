package io.bywash.engine.internal.linux;

import java.nio.file.FileSystemException;
import java.nio.file.Path;

/** The name leads to something other than a regular file: a directory, a symbolic link, a pipe or the like. */
public final class NotRegularFileException extends FileSystemException {
  private static final long serialVersionUID = 1;

  NotRegularFileException(Path path) {
    super(path.toString(), null, "is not a regular file");
  }
}
