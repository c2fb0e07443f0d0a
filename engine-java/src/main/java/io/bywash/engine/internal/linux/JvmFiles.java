package io.bywash.engine.internal.linux;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * The descriptors that this JVM has open on files which it locks through {@link java.nio.channels.FileLock}.
 *
 * <p>The kernel drops a process's locks on a file as soon as the process closes <em>any</em> descriptor of that file.
 * So no descriptor of a file is closed while somebody in this JVM locks the file so: it is kept, and used again when
 * one is needed. Copies of the engine in several class loaders share this knowledge in the two things that a JVM has
 * only once: an interned string as the monitor, and a system property for each file that counts its lockers.
 */
final class JvmFiles {
  private static final String LOCKERS = "io.bywash.engine.lockers.";
  @SuppressWarnings("StringOperationCanBeSimplified") // the one object of this JVM, whichever class loader asks
  static final Object MONITOR = LOCKERS.intern();
  /** What this copy of the engine has open, by file key; guarded by the monitor. */
  private static final Map<String, Own> OWN = new HashMap<>();

  /** One file's descriptors in this copy of the engine. */
  private static final class Own {
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
      toClose.forEach(JvmFiles::closeQuietly);
    }
  }

  private JvmFiles() {}

  /** Opens a channel on the file. */
  interface Opener {
    FileChannel open(boolean readOnly) throws IOException;
  }

  /** This copy's one channel for locking the file; each call is to be matched by a {@link #release}. */
  static FileChannel acquire(String fileKey, Opener opener) throws IOException {
    synchronized (MONITOR) {
      addLockers(fileKey, 1);
      Own own = OWN.computeIfAbsent(fileKey, key -> new Own());
      try {
        if (own.locking == null) {
          own.locking = open(fileKey, opener, false);
        }
        return own.locking;
      } catch (IOException | RuntimeException failure) {
        release(fileKey);
        throw failure;
      }
    }
  }

  /** Whether somebody in this JVM locks the file so. */
  static boolean isLocked(String fileKey) {
    synchronized (MONITOR) {
      return lockers(fileKey) > 0;
    }
  }

  /** One locker less. */
  static void release(String fileKey) {
    synchronized (MONITOR) {
      addLockers(fileKey, -1);
      closeUnlocked();
    }
  }

  /** A channel on the file, to be given back with {@link #giveBack}. */
  static FileChannel open(String fileKey, Opener opener, boolean readOnly) throws IOException {
    synchronized (MONITOR) {
      Own own = OWN.get(fileKey);
      while (own != null && !own.idle(readOnly).isEmpty()) {
        FileChannel idle = own.idle(readOnly).removeLast();
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
        OWN.computeIfAbsent(fileKey, key -> new Own()).idle(readOnly).add(channel);
      }
      closeUnlocked();
    }
  }

  /** Closes another descriptor of the file, at once or when nobody locks the file any more. */
  static void close(String fileKey, AutoCloseable descriptor) {
    synchronized (MONITOR) {
      if (lockers(fileKey) == 0) {
        closeQuietly(descriptor);
      } else {
        OWN.computeIfAbsent(fileKey, key -> new Own()).toClose.add(descriptor);
      }
      closeUnlocked();
    }
  }

  /** Closes what is open on files that nobody in this JVM locks any more. */
  private static void closeUnlocked() {
    for (Iterator<Map.Entry<String, Own>> files = OWN.entrySet().iterator(); files.hasNext(); ) {
      Map.Entry<String, Own> file = files.next();
      if (lockers(file.getKey()) == 0) {
        file.getValue().closeAll();
        files.remove();
      }
    }
  }

  private static int lockers(String fileKey) {
    return Integer.getInteger(LOCKERS + fileKey, 0);
  }

  private static void addLockers(String fileKey, int change) {
    int lockers = lockers(fileKey) + change;
    if (lockers > 0) {
      System.setProperty(LOCKERS + fileKey, Integer.toString(lockers));
    } else {
      System.clearProperty(LOCKERS + fileKey);
    }
  }

  private static void closeQuietly(AutoCloseable descriptor) {
    try {
      descriptor.close();
    } catch (Exception closedAnyway) {
      // a descriptor is gone after close, whatever close says
    }
  }
}
