package io.bywash.engine.internal.linux;

import java.nio.file.FileSystemException;
import java.nio.file.Path;

/** A file or directory is not safe to use: another user may have put it there, or could change it. */
public final class UntrustedFileException extends FileSystemException {
  private static final long serialVersionUID = 1;

  /**
   * Creates an exception.
   *
   * @param reason the rest of a sentence that begins with the path
   */
  public UntrustedFileException(Path path, String reason) {
    super(path.toString(), null, reason);
  }
}
