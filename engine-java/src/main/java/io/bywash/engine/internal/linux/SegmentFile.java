package io.bywash.engine.internal.linux;

import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.internal.memory.Region;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * An open file: its identity, its size, its memory and its locks. Symbolic links are never followed.
 *
 * <p>With native access a file is one descriptor with open-file-description locks; without, it shares the JVM's channel
 * for locking, see {@link JvmFiles}. Both are close-on-exec.
 */
public final class SegmentFile implements AutoCloseable {
  private static final int ZERO_CHUNK_BYTES = 1 << 20;
  private static final long LOCK_RETRY_NANOS = 200_000;

  private final Path path;
  private final String key;
  private final long inode;
  private final boolean readOnly;
  private final int fd;
  private final FileChannel probeChannel;
  private final ByteLocks locks;
  /** Held for reading while a descriptor is used, so that its number cannot become another file's meanwhile. */
  private final ReadWriteLock inUse = new ReentrantReadWriteLock();
  private boolean closed;
  private Mapping mapping;

  private SegmentFile(Path path, String key, long inode, boolean readOnly, int fd, FileChannel channel) {
    this.path = path;
    this.key = key;
    this.inode = inode;
    this.readOnly = readOnly;
    this.fd = fd;
    this.probeChannel = channel;
    this.locks = fd >= 0 ? new ByteLocks.OpenFileDescription(fd) : new ByteLocks.Channel(channel);
  }

  /** As {@link #create(OpenDirectory, String, Set)}. */
  public static SegmentFile create(Path path, Set<PosixFilePermission> permissions) throws IOException {
    try (OpenDirectory directory = OpenDirectory.ofFile(path)) {
      return create(directory, path.getFileName().toString(), permissions);
    }
  }

  /** Creates a file that did not exist, with exactly these permissions, and opens it for writing. */
  public static SegmentFile create(OpenDirectory directory, String name, Set<PosixFilePermission> permissions)
      throws IOException {
    directory.create(name);
    SegmentFile file = open(directory, name, false);
    boolean done = false;
    try {
      file.setPermissions(directory, permissions); // the process's umask must not narrow what was asked for
      done = true;
      return file;
    } finally {
      if (!done) {
        file.close();
      }
    }
  }

  /** As {@link #open(OpenDirectory, String, boolean)}. */
  public static SegmentFile open(Path path, boolean readOnly) throws IOException {
    try (OpenDirectory directory = OpenDirectory.ofFile(path)) {
      return open(directory, path.getFileName().toString(), readOnly);
    }
  }

  /**
   * Opens a regular file, and checks what was opened. In the standard directory it must belong to this user.
   *
   * @throws NoSuchFileException when there is none
   * @throws AccessDeniedException when this process may not open it so
   * @throws NotRegularFileException when it is something else than a regular file
   * @throws UntrustedFileException when it may be somebody else's trap
   */
  public static SegmentFile open(OpenDirectory directory, String name, boolean readOnly) throws IOException {
    Path path = directory.path().resolve(name);
    String found = Opened.check(directory, path, directory.attributes(name)); // devices are not even opened
    if (NativeAccess.ENABLED) {
      int fd = Libc.open(directory.at(name), readOnly);
      if (fd < 0) {
        throw Opened.failure(path, -fd);
      }
      boolean checked = false;
      try {
        String opened = Opened.check(directory, path, Files.readAttributes(Opened.self(fd), PosixFileAttributes.class));
        long inode = (Long) Files.getAttribute(Opened.self(fd), "unix:ino");
        checked = true;
        return new SegmentFile(path, opened, inode, readOnly, fd, null);
      } finally {
        if (!checked) {
          Libc.close(fd);
        }
      }
    }
    long inode = (Long) Files.getAttribute(path, "unix:ino", LinkOption.NOFOLLOW_LINKS); // a wrong one makes it a copy
    JvmFiles.Opener opener = forReading -> channel(directory, name, found, forReading);
    FileChannel channel = readOnly ? JvmFiles.open(found, opener, true) : JvmFiles.acquire(found, opener);
    return new SegmentFile(path, found, inode, readOnly, -1, channel);
  }

  /**
   * A channel on the file that has that key; one on a file that took its place is not kept as if it were on this one.
   */
  private static FileChannel channel(OpenDirectory directory, String name, String key, boolean forReading)
      throws IOException {
    FileChannel channel = directory.channel(name, forReading);
    String opened;
    try {
      opened = Opened.key(directory.attributes(name));
    } catch (IOException gone) {
      JvmFiles.giveBack(key, channel, forReading);
      throw gone;
    }
    if (!opened.equals(key)) {
      JvmFiles.giveBack(opened, channel, forReading);
      throw Opened.replaced(directory.path().resolve(name));
    }
    return channel;
  }

  /** The number of the file in its file system: a copy has another one. */
  public long inode() {
    return inode;
  }

  /** Changes the permissions of what is open. */
  private void setPermissions(OpenDirectory directory, Set<PosixFilePermission> permissions) throws IOException {
    if (fd >= 0) {
      Files.setPosixFilePermissions(Opened.self(fd), permissions);
    } else {
      directory.setPermissions(path.getFileName().toString(), permissions);
    }
  }

  /**
   * Gives an empty file of this user the permissions that it should have, as its creator may have died before it did.
   */
  public void completePermissions(OpenDirectory directory, Set<PosixFilePermission> permissions) throws IOException {
    PosixFileAttributes found = fd >= 0 ? Files.readAttributes(Opened.self(fd), PosixFileAttributes.class)
        : directory.attributes(path.getFileName().toString());
    if (!found.permissions().containsAll(permissions) && found.size() == 0 && key.equals(Opened.key(found))
        && found.owner().equals(OpenDirectory.user())) {
      setPermissions(directory, permissions);
    }
  }

  /** Device and inode: two open files with the same key are the same file. */
  public String key() {
    return key;
  }

  /** Whether {@code path} names this file at this moment. */
  public boolean isAt(Path path) {
    try {
      return key.equals(Opened.key(Files.readAttributes(path, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS)));
    } catch (IOException gone) {
      return false;
    }
  }

  /** Whether the locks are open-file-description locks. */
  public boolean locksByDescription() {
    return fd >= 0;
  }

  /**
   * How often locks are tried again that are only probed, which takes a few microseconds in a process without native
   * access. One for all bytes that are tried one after the other: who may read a file may hold shared locks on all of
   * them for ever. Tries are counted and not time, since who probes may be paused by the scheduler like who tries.
   */
  public static final class Patience {
    private int tries = 10_000;

    boolean isOver() {
      return --tries < 0;
    }
  }

  /** Takes the lock on one byte at once, or returns false because somebody else holds it. */
  public boolean tryLock(long position) throws IOException {
    return tryLock(position, new Patience());
  }

  /** The same; null has no patience. */
  public boolean tryLock(long position, Patience patience) throws IOException {
    while (true) {
      if (whileOpen(() -> locks.tryLock(position))) {
        return true;
      }
      if (isLockedByOther(position) || patience == null || patience.isOver()) {
        return false;
      }
      Thread.onSpinWait();
    }
  }

  /** Gives the lock on one byte back; nothing happens when the file was closed, which gave back all. */
  public void unlock(long position) throws IOException {
    try {
      whileOpen(() -> {
        locks.unlock(position);
        return null;
      });
    } catch (ClosedChannelException unlockedByClose) {
      // nothing is left to give back
    }
  }

  /** Whether somebody else holds the exclusive lock on one byte. */
  public boolean isLockedByOther(long position) throws IOException {
    return isAnyLockedByOther(position, 1);
  }

  /** Whether somebody else holds the exclusive lock on one of {@code count} bytes from {@code position} on. */
  public boolean isAnyLockedByOther(long position, int count) throws IOException {
    return whileOpen(() -> locks.isAnyHeldByOther(position, count));
  }

  private interface Use<T> {
    T run() throws IOException;
  }

  private <T> T whileOpen(Use<T> use) throws IOException {
    inUse.readLock().lock();
    try {
      if (closed) {
        throw new ClosedChannelException();
      }
      return use.run();
    } finally {
      inUse.readLock().unlock();
    }
  }

  /** Something to do under a lock. */
  @FunctionalInterface
  public interface LockedAction<T> {
    /** Does it; what has come of it, not null. */
    T run() throws IOException;
  }

  /**
   * Runs {@code action} under the lock on one byte, waiting up to {@code timeoutNanos} for it; empty when it was not to
   * be had in that time. An interrupt does not end the wait, and stays set.
   */
  public <T> Optional<T> withLock(long position, long timeoutNanos, LockedAction<T> action) throws IOException {
    boolean interrupted = false;
    long start = System.nanoTime();
    try {
      while (!tryLock(position)) {
        if (System.nanoTime() - start > timeoutNanos) {
          return Optional.empty();
        }
        interrupted |= Thread.interrupted(); // or parking would not park
        LockSupport.parkNanos(LOCK_RETRY_NANOS);
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
    try {
      return Optional.of(action.run());
    } finally {
      unlock(position);
    }
  }

  /** The size in bytes now. */
  public long sizeBytes() throws IOException {
    return whileOpen(() -> withChannel(FileChannel::size)); // a closed descriptor's number may be another file's
  }

  /**
   * The first word, without mapping the file, whose space would be kept by a mapping; 0 when it is shorter than that.
   */
  public long firstWord() throws IOException {
    return whileOpen(() -> withChannel(channel -> {
      ByteBuffer word = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      return channel.read(word, 0) < Long.BYTES ? 0 : word.getLong(0);
    }));
  }

  /**
   * Gives the file its size, with all its space really allocated, so that no later access can fault for lack of it.
   *
   * @throws IOException when there is not enough space
   */
  public void allocate(long lengthBytes) throws IOException {
    if (fd >= 0) {
      int result;
      do {
        result = Libc.fallocate(fd, lengthBytes);
      } while (result == -Libc.EINTR);
      if (result == 0) {
        return;
      }
      if (result == -Libc.EFBIG) {
        throw new FileTooLargeException(lengthBytes);
      }
      if (result != -Libc.EOPNOTSUPP && result != -Libc.ENOSYS) {
        throw new IOException("fallocate of " + lengthBytes + " bytes failed: " + Errno.text(-result));
      }
    }
    withChannel(channel -> {
      ByteBuffer zeros = ByteBuffer.allocateDirect((int) Math.min(ZERO_CHUNK_BYTES, lengthBytes));
      for (long written = 0; written < lengthBytes; ) {
        zeros.clear().limit((int) Math.min(zeros.capacity(), lengthBytes - written));
        written += write(channel, zeros, written, lengthBytes);
      }
      return null;
    });
  }

  private static int write(FileChannel channel, ByteBuffer zeros, long position, long lengthBytes) throws IOException {
    try {
      return channel.write(zeros, position);
    } catch (IOException refused) { // the JDK tells errors of the system by their texts only
      throw "File too large".equals(refused.getMessage()) ? new FileTooLargeException(lengthBytes) : refused;
    }
  }

  /**
   * Maps the first {@code lengthBytes}, once. The memory is given back by {@link #close}, or by the garbage collector
   * when nothing refers to the region any more.
   */
  public Region map(long lengthBytes) throws IOException {
    FileChannel.MapMode mode = readOnly ? FileChannel.MapMode.READ_ONLY : FileChannel.MapMode.READ_WRITE;
    try {
      mapping = withChannel(channel -> Mapping.of(arena -> channel.map(mode, 0, lengthBytes, arena)));
    } catch (IOException refused) {
      if (refused.getCause() instanceof OutOfMemoryError) {
        throw new IOException("the memory of " + lengthBytes + " bytes cannot be mapped: this process has no address"
            + " space or no mapping left; see ulimit -v and /proc/sys/vm/max_map_count", refused);
      }
      throw refused;
    }
    return mapping.region();
  }

  private interface ChannelUse<T> {
    T apply(FileChannel channel) throws IOException;
  }

  /**
   * Uses a channel of its own. An interrupt closes the channel that it hits, and with any channel of a file the kernel
   * drops all {@link java.nio.channels.FileLock}s of the process on it. So where this JVM has such locks, the channel
   * is used in a thread that nobody interrupts; elsewhere it is only opened again.
   */
  private <T> T withChannel(ChannelUse<T> use) throws IOException {
    if (fd < 0 || JvmFiles.isLocked(key)) {
      return withChannelOnce(channel -> EngineThread.call("bywash-file", () -> use.apply(channel)));
    }
    boolean interrupted = Thread.interrupted();
    try {
      while (true) {
        try {
          return withChannelOnce(use);
        } catch (ClosedByInterruptException closed) {
          interrupted |= Thread.interrupted();
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private <T> T withChannelOnce(ChannelUse<T> use) throws IOException {
    FileChannel channel = fd >= 0
        ? FileChannel.open(Opened.self(fd), readOnly
            ? Set.of(StandardOpenOption.READ)
            : Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE))
        : JvmFiles.open(key, this::openAgain, readOnly);
    try {
      return use.apply(channel);
    } finally {
      JvmFiles.giveBack(key, channel, readOnly);
    }
  }

  private FileChannel openAgain(boolean forReading) throws IOException {
    try (OpenDirectory directory = OpenDirectory.ofFile(path)) {
      return channel(directory, path.getFileName().toString(), key, forReading);
    }
  }

  /** Closes the descriptor, and with it all its locks, and gives the mapped memory back. Once is enough. */
  @Override
  public void close() {
    inUse.writeLock().lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      if (mapping != null) {
        mapping.giveBack();
      }
      locks.unlockAll(); // closing the descriptor may have to wait
      if (fd >= 0) {
        JvmFiles.close(key, () -> Libc.close(fd));
      } else if (readOnly) {
        JvmFiles.giveBack(key, probeChannel, true);
      } else {
        JvmFiles.release(key);
      }
    } finally {
      inUse.writeLock().unlock();
    }
  }
}
