package io.bywash.engine.internal.linux;

import java.nio.file.FileSystemException;
import java.nio.file.Path;

/** What was opened may be somebody else's trap, or is not what may be used. */
public final class UntrustedFileException extends FileSystemException {
  private static final long serialVersionUID = 1;

  /** The reason completes a sentence that begins with the path. */
  public UntrustedFileException(Path path, String reason) {
    super(path.toString(), null, reason);
  }
}
