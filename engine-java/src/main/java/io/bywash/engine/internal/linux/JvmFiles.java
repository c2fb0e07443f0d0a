package io.bywash.engine.internal.linux;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * The descriptors that this JVM has open on files that it locks through {@link java.nio.channels.FileLock}.
 *
 * <p>The kernel drops a process's POSIX locks on a file as soon as the process closes <em>any</em> descriptor of that
 * file. So while somebody in this JVM has such locks on a file, none of its descriptors is closed. It is kept, and used
 * again when one is needed. Several class loaders may each have a copy of the engine. The copies share the two things
 * that a JVM has only once: an interned string as the monitor, and for each file a system property with the number of
 * its lockers.
 */
final class JvmFiles {
  private static final String LOCKERS = "io.bywash.engine.lockers.";
  @SuppressWarnings("StringOperationCanBeSimplified") // one object in the JVM, whichever class loader asks
  static final Object MONITOR = LOCKERS.intern();
  /** The descriptors that this copy of the engine keeps open, by file key; guarded by the monitor. */
  private static final Map<String, Descriptors> DESCRIPTORS = new HashMap<>();
  /** Files that the heap did not suffice to close, linked by their own fields; guarded by the monitor. */
  private static SegmentFile unclosed;

  /** The descriptors that this copy of the engine has open on one file. */
  private static final class Descriptors {
    private FileChannel locking;
    private final List<FileChannel> idleForReading = new ArrayList<>();
    private final List<FileChannel> idleForWriting = new ArrayList<>();
    private final List<AutoCloseable> toClose = new ArrayList<>();

    private List<FileChannel> idle(boolean readOnly) {
      return readOnly ? idleForReading : idleForWriting;
    }

    private void closeAll() {
      if (locking != null) {
        closeQuietly(locking);
      }
      idleForReading.forEach(JvmFiles::closeQuietly);
      idleForWriting.forEach(JvmFiles::closeQuietly);
      while (!toClose.isEmpty()) { // each once, though this may be refused the heap for one of them
        closeQuietly(toClose.getLast());
        toClose.removeLast();
      }
    }
  }

  private JvmFiles() {}

  /** The key of a file by what the JDK tells apart files by: the name of the property with its lockers. */
  static String key(Object fileKey) {
    return LOCKERS + fileKey;
  }

  /** Has {@link #closeOverdue} close the file. Without heap. */
  static void closeLater(SegmentFile file) {
    synchronized (MONITOR) {
      if (!file.isUnclosed) {
        file.isUnclosed = true;
        file.nextUnclosed = unclosed;
        unclosed = file;
      }
    }
  }

  /** Closes what the heap did not suffice to close before, as far as it does now. */
  static void closeOverdue() {
    SegmentFile file;
    while ((file = firstUnclosed()) != null) {
      try {
        file.closeNow();
      } catch (OutOfMemoryError | StackOverflowError shortage) {
        closeLater(file);
        return;
      }
    }
  }

  private static SegmentFile firstUnclosed() {
    synchronized (MONITOR) {
      SegmentFile file = unclosed;
      if (file != null) {
        unclosed = file.nextUnclosed;
        file.nextUnclosed = null;
        file.isUnclosed = false;
      }
      return file;
    }
  }

  /** Opens a channel on the file. */
  interface Opener {
    FileChannel open(boolean readOnly) throws IOException;
  }

  /** The one channel with which this copy locks the file. Each call must be matched by a {@link #release}. */
  static FileChannel acquire(String fileKey, Opener opener) throws IOException {
    synchronized (MONITOR) {
      addLockers(fileKey, 1);
      try {
        Descriptors descriptors = DESCRIPTORS.computeIfAbsent(fileKey, key -> new Descriptors());
        if (descriptors.locking == null || !descriptors.locking.isOpen()) {
          descriptors.locking = open(fileKey, opener, false);
        }
        return descriptors.locking;
      } catch (IOException | RuntimeException | Error failure) {
        release(fileKey);
        throw failure;
      }
    }
  }

  /** Whether somebody in this JVM locks the file through {@link java.nio.channels.FileLock}. */
  static boolean isLocked(String fileKey) {
    synchronized (MONITOR) {
      return lockers(fileKey) > 0;
    }
  }

  /** Undoes one {@link #acquire}. */
  static void release(String fileKey) {
    synchronized (MONITOR) {
      addLockers(fileKey, -1);
      closeUnlocked();
    }
  }

  /** A channel on the file, idle or new, to be given back with {@link #giveBack}. */
  static FileChannel open(String fileKey, Opener opener, boolean readOnly) throws IOException {
    synchronized (MONITOR) {
      Descriptors descriptors = DESCRIPTORS.get(fileKey);
      while (descriptors != null && !descriptors.idle(readOnly).isEmpty()) {
        FileChannel idle = descriptors.idle(readOnly).removeLast();
        if (idle.isOpen()) { // an interrupt may have closed it
          return idle;
        }
      }
      return opener.open(readOnly);
    }
  }

  /** Closes the channel, or keeps it for the next {@link #open} while somebody locks the file. */
  static void giveBack(String fileKey, FileChannel channel, boolean readOnly) {
    synchronized (MONITOR) {
      if (lockers(fileKey) == 0) {
        closeQuietly(channel);
      } else if (channel.isOpen()) {
        DESCRIPTORS.computeIfAbsent(fileKey, key -> new Descriptors()).idle(readOnly).add(channel);
      }
      closeUnlocked();
    }
  }

  /**
   * Closes a descriptor of the file: at once, without heap, or when nobody in this JVM locks the file any more. Whoever
   * is refused the heap for that may call this again.
   */
  static void close(String fileKey, AutoCloseable descriptor) {
    synchronized (MONITOR) {
      if (lockers(fileKey) == 0) {
        closeQuietly(descriptor);
      } else {
        DESCRIPTORS.computeIfAbsent(fileKey, key -> new Descriptors()).toClose.add(descriptor);
      }
      closeUnlocked();
    }
  }

  /**
   * Closes all descriptors of files that nobody in this JVM locks any more. What the heap does not suffice for is left
   * to the next call, since the caller's own step has been taken.
   */
  private static void closeUnlocked() {
    if (DESCRIPTORS.isEmpty()) {
      return;
    }
    try {
      for (Iterator<Map.Entry<String, Descriptors>> files = DESCRIPTORS.entrySet().iterator(); files.hasNext(); ) {
        Map.Entry<String, Descriptors> file = files.next();
        if (lockers(file.getKey()) == 0) {
          file.getValue().closeAll();
          files.remove();
        }
      }
    } catch (OutOfMemoryError | StackOverflowError shortage) {
      // they stay open for now
    }
  }

  private static int lockers(String fileKey) {
    return Integer.getInteger(fileKey, 0);
  }

  private static void addLockers(String fileKey, int change) {
    int lockers = lockers(fileKey) + change;
    if (lockers > 0) {
      System.setProperty(fileKey, Integer.toString(lockers));
    } else {
      System.clearProperty(fileKey);
    }
  }

  private static void closeQuietly(AutoCloseable descriptor) {
    try {
      descriptor.close();
    } catch (Exception | InternalError closedAnyway) { // the latter tells of a file that was cut before
      // a descriptor is closed even if close reports a failure
    }
  }
}
