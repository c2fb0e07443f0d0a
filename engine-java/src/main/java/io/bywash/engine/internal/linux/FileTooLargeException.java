package io.bywash.engine.internal.linux;

import java.io.IOException;

/** The process is not allowed to make a file of that size, whether or not there is space for it. */
public final class FileTooLargeException extends IOException {
  private static final long serialVersionUID = 1;

  FileTooLargeException(long lengthBytes) {
    super("a file of " + lengthBytes + " bytes is larger than this process may make one; see ulimit -f");
  }
}
