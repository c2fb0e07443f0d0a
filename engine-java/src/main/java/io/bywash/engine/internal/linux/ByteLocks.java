package io.bywash.engine.internal.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * Exclusive locks on single bytes of one file. The kernel releases them when their holder dies, so the engine takes a
 * held lock as the proof of life, and only a free one as the proof of death.
 *
 * <p>Both kinds are fcntl byte-range locks and conflict with each other. A probe asks for a <em>shared</em> lock, so
 * that other probes do not take it for a holder.
 */
abstract sealed class ByteLocks {
  /** Takes the byte at once, or returns false because somebody else holds it. */
  abstract boolean tryLock(long position) throws IOException;

  /** Gives the byte back; without heap, if this is on a descriptor. Does nothing when it is not held. */
  abstract void unlock(long position) throws IOException;

  /** Gives all bytes back, and ignores failures: the file is about to be closed. */
  abstract void unlockAll();

  /** Whether somebody else holds one of {@code count} bytes exclusively. */
  abstract boolean isAnyHeldByOther(long position, int count) throws IOException;

  /** Open-file-description locks: they belong to one descriptor, and closing another descriptor does not drop them. */
  static final class OpenFileDescription extends ByteLocks {
    private static final int F_OFD_GETLK = 36;
    private static final int F_OFD_SETLK = 37;
    private static final short F_RDLCK = 0;
    private static final short F_WRLCK = 1;
    private static final short F_UNLCK = 2;
    /** struct flock: short type, short whence, padding, long start, long length, int pid, padding. */
    private static final int FLOCK_BYTES = 32;

    /** As a length: up to the greatest offset. */
    private static final long ALL_BYTES = 0;

    private final int fd;
    /** What unlocking passes to the kernel; guarded by this. */
    private final MemorySegment unlocking = Arena.ofAuto().allocate(FLOCK_BYTES, 8);

    OpenFileDescription(int fd) {
      this.fd = fd;
    }

    @Override
    boolean tryLock(long position) throws IOException {
      return fcntl(F_OFD_SETLK, F_WRLCK, position, 1) != Short.MIN_VALUE;
    }

    @Override
    void unlock(long position) throws IOException {
      if (!tryUnlock(position, 1)) {
        throw new IOException("the lock on byte " + position + " could not be given back");
      }
    }

    @Override
    void unlockAll() {
      try {
        tryUnlock(0, ALL_BYTES);
      } catch (VirtualMachineError closedNext) {
        // closing the descriptor gives them back
      }
    }

    private synchronized boolean tryUnlock(long position, long length) {
      fill(unlocking, F_UNLCK, position, length);
      return Libc.fcntl(fd, F_OFD_SETLK, unlocking.address());
    }

    private static void fill(MemorySegment lock, short type, long position, long length) {
      lock.set(ValueLayout.JAVA_SHORT, 0, type);
      lock.set(ValueLayout.JAVA_LONG, 8, position);
      lock.set(ValueLayout.JAVA_LONG, 16, length);
    }

    @Override
    boolean isAnyHeldByOther(long position, int count) throws IOException {
      return fcntl(F_OFD_GETLK, F_RDLCK, position, count) != F_UNLCK;
    }

    /**
     * Returns the lock type that the call left in the structure, or {@link Short#MIN_VALUE} when somebody else holds
     * the byte.
     */
    private short fcntl(int command, short type, long position, long length) throws IOException {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment lock = arena.allocate(FLOCK_BYTES, 8);
        fill(lock, type, position, length);
        int result;
        do {
          result = Libc.fcntl(fd, command, lock);
        } while (result == -Libc.EINTR);
        if (result == -Libc.EAGAIN || result == -Libc.EACCES) {
          return Short.MIN_VALUE;
        }
        if (result != 0) {
          throw new IOException("the lock on byte " + position + " failed: " + (result == -Libc.EINVAL
              ? "this kernel has no open-file-description locks (they came with Linux 3.15). Use a newer one, or run"
              + " without native access, which uses POSIX locks" : Errno.text(-result)));
        }
        return lock.get(ValueLayout.JAVA_SHORT, 0);
      }
    }
  }

  /**
   * {@link FileLock}s, which are POSIX locks, for processes without native access. They belong to the process: closing
   * <em>any</em> channel on the file would drop them all, which {@link JvmFiles} prevents.
   */
  static final class Channel extends ByteLocks {
    private final FileChannel channel;
    private final ConcurrentMap<Long, FileLock> held = new ConcurrentHashMap<>();

    Channel(FileChannel channel) {
      this.channel = channel;
    }

    @Override
    boolean tryLock(long position) throws IOException {
      synchronized (JvmFiles.MONITOR) { // or a probe in this JVM could be taken for a holder
        try {
          FileLock lock = channel.tryLock(position, 1, false);
          if (lock == null) {
            return false;
          }
          held.put(position, lock);
          return true;
        } catch (OverlappingFileLockException heldInThisJvm) {
          return false;
        }
      }
    }

    @Override
    void unlock(long position) throws IOException {
      FileLock lock = held.get(position);
      if (lock != null) {
        lock.release();
        held.remove(position, lock); // another thread may have taken the byte meanwhile
      }
    }

    @Override
    void unlockAll() {
      for (Long position : held.keySet()) {
        try {
          unlock(position);
        } catch (IOException closedNext) {
          // the channel was closed, which gave the lock back
        }
      }
    }

    @Override
    boolean isAnyHeldByOther(long position, int count) throws IOException {
      synchronized (JvmFiles.MONITOR) { // as above
        try {
          FileLock probe = channel.tryLock(position, count, true);
          if (probe == null) {
            return true;
          }
          probe.release();
          return false;
        } catch (OverlappingFileLockException heldInThisJvm) {
          return true;
        }
      }
    }
  }
}
