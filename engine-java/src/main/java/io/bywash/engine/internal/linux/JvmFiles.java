package io.bywash.engine.internal.linux;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What this whole JVM, over all class loaders, has open on files that it locks through {@link java.nio.channels.FileLock}.
 *
 * <p>The kernel drops a process's locks on a file as soon as the process closes <em>any</em> descriptor of that file. So
 * all lockers of a file share one channel, and whoever wants to close another channel on it hands it in here: it is
 * closed when the last locker has gone. Two copies of the engine in two class loaders must agree on this, and the one
 * place that they share is the table of system properties; only JDK types are stored there.
 */
final class JvmFiles {
  private static final String PROPERTY = "io.bywash.engine.lockedFiles";
  private static final int SHARED_CHANNEL = 0;
  private static final int LOCKER_COUNT = 1;
  private static final int TO_CLOSE = 2;

  /** File key to {shared channel, number of lockers, channels to close with it}; guarded by itself. */
  private static final Map<String, Object[]> FILES = shared();

  private JvmFiles() {}

  @SuppressWarnings("unchecked")
  private static Map<String, Object[]> shared() {
    return (Map<String, Object[]>) System.getProperties().computeIfAbsent(PROPERTY, key -> new HashMap<>());
  }

  /** The JVM's one channel for locking the file; to be given back with {@link #release}. */
  static FileChannel acquire(String fileKey, Path path) throws IOException {
    synchronized (FILES) {
      Object[] file = FILES.get(fileKey);
      if (file == null) {
        file = new Object[] {open(path, false), 0, new ArrayList<AutoCloseable>()};
        FILES.put(fileKey, file);
      }
      file[LOCKER_COUNT] = (Integer) file[LOCKER_COUNT] + 1;
      return (FileChannel) file[SHARED_CHANNEL];
    }
  }

  static FileChannel open(Path path, boolean readOnly) throws IOException {
    return FileChannel.open(path, readOnly
        ? Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)
        : Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS));
  }

  /** The counterpart of {@link #acquire}: the last one closes everything that is open on the file. */
  static void release(String fileKey) {
    synchronized (FILES) {
      Object[] file = FILES.get(fileKey);
      int left = (Integer) file[LOCKER_COUNT] - 1;
      file[LOCKER_COUNT] = left;
      if (left == 0) {
        FILES.remove(fileKey);
        closeQuietly((FileChannel) file[SHARED_CHANNEL]);
        toClose(file).forEach(JvmFiles::closeQuietly);
      }
    }
  }

  /** Closes a descriptor of the file now, or with the last locker of this JVM. */
  static void close(String fileKey, AutoCloseable descriptor) {
    synchronized (FILES) {
      Object[] file = FILES.get(fileKey);
      if (file == null) {
        closeQuietly(descriptor);
      } else {
        toClose(file).add(descriptor);
      }
    }
  }

  @SuppressWarnings("unchecked")
  private static List<AutoCloseable> toClose(Object[] file) {
    return (List<AutoCloseable>) file[TO_CLOSE];
  }

  private static void closeQuietly(AutoCloseable descriptor) {
    try {
      descriptor.close();
    } catch (Exception closedAnyway) {
      // a descriptor is gone after close, whatever close says
    }
  }
}
