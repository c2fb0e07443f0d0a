package io.bywash.engine.internal.linux;

import java.util.Map;

/** Texts for the numbers of the operating system's errors, which are the same on x86-64 and AArch64. */
final class Errno {
  private static final Map<Integer, String> TEXTS = Map.ofEntries(
      Map.entry(1, "EPERM, operation not permitted"),
      Map.entry(2, "ENOENT, no such file"),
      Map.entry(4, "EINTR, interrupted"),
      Map.entry(5, "EIO, input/output error"),
      Map.entry(11, "EAGAIN, try again"),
      Map.entry(12, "ENOMEM, the kernel has no memory for it"),
      Map.entry(13, "EACCES, permission denied"),
      Map.entry(20, "ENOTDIR, not a directory"),
      Map.entry(21, "EISDIR, is a directory"),
      Map.entry(22, "EINVAL, the kernel does not know this operation"),
      Map.entry(23, "ENFILE, the system has no file descriptor left"),
      Map.entry(24, "EMFILE, the process has no file descriptor left (see ulimit -n)"),
      Map.entry(27, "EFBIG, larger than the process may make a file (see ulimit -f)"),
      Map.entry(28, "ENOSPC, no space left"),
      Map.entry(30, "EROFS, the file system is mounted read-only"),
      Map.entry(37, "ENOLCK, the kernel has no lock left"),
      Map.entry(38, "ENOSYS, the kernel does not have this call"),
      Map.entry(40, "ELOOP, is a symbolic link"),
      Map.entry(95, "EOPNOTSUPP, the file system cannot do it"),
      Map.entry(122, "EDQUOT, the user's quota is used up"));

  private Errno() {}

  /** The name of an error and what it means. */
  static String text(int errno) {
    return TEXTS.getOrDefault(errno, "errno " + errno);
  }
}
