package io.bywash.engine.internal.linux;

import java.io.IOException;

/** The process may not make files of that size, though there may be space. */
public final class FileTooLargeException extends IOException {
  private static final long serialVersionUID = 1;

  FileTooLargeException(long lengthBytes) {
    super("a file of " + lengthBytes + " bytes is larger than this process may make one; see ulimit -f");
  }
}
