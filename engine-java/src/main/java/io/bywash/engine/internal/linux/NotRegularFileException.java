package io.bywash.engine.internal.linux;

import java.nio.file.FileSystemException;
import java.nio.file.Path;

/** There is something of that name, but a directory, a link, a pipe or the like. */
public final class NotRegularFileException extends FileSystemException {
  private static final long serialVersionUID = 1;

  NotRegularFileException(Path path) {
    super(path.toString(), null, "is not a regular file");
  }
}
