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
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.StampedLock;

/**
 * An open file: its identity, size, memory and locks. Symbolic links are never followed. Any thread may use it.
 *
 * <p>With native access it has a descriptor of its own, with open-file-description locks. Without, it shares a channel
 * with the other users of the file in this JVM, see {@link JvmFiles}, and its locks are POSIX locks. Both descriptors
 * are close-on-exec.
 */
public final class SegmentFile implements AutoCloseable {
  private static final int ZERO_CHUNK_BYTES = 1 << 20;
  private static final long LOCK_RETRY_NANOS = 200_000;

  private final Path path;
  /** Device and inode: two open files with the same key are the same file. */
  private final String key;
  private final long inode;
  private final boolean readOnly;
  private final int fd;
  private final FileChannel probeChannel;
  private final ByteLocks locks;
  /** Closes the descriptor. */
  private final AutoCloseable descriptor;
  /** Held while the descriptor is used, so that nobody closes it and its number becomes another file's. */
  private final Lock using;
  /** Held while it is closed. Both are made in time: closing needs no heap. */
  private final Lock closing;
  private boolean closed;
  /** Among those that could not be closed, the next one; for {@link JvmFiles} only. */
  SegmentFile nextUnclosed;
  boolean isUnclosed;
  private Mapping mapping;

  private SegmentFile(Path path, String key, long inode, boolean readOnly, int fd, FileChannel channel) {
    this.path = path;
    this.key = key;
    this.inode = inode;
    this.readOnly = readOnly;
    this.fd = fd;
    this.probeChannel = channel;
    StampedLock lock = new StampedLock();
    this.using = lock.asReadLock();
    this.closing = lock.asWriteLock();
    this.descriptor = () -> Libc.close(fd);
    this.locks = fd >= 0 ? new ByteLocks.OpenFileDescription(fd) : new ByteLocks.Channel(channel);
  }

  /** As {@link #create(OpenDirectory, String, Set)}. */
  public static SegmentFile create(Path path, Set<PosixFilePermission> permissions) throws IOException {
    try (OpenDirectory directory = OpenDirectory.ofFile(path)) {
      return create(directory, path.getFileName().toString(), permissions);
    }
  }

  /** Creates a file with exactly these permissions, whatever the umask, and opens it for writing. */
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
   * Opens a regular file, and checks what was opened. In the standard directory the file must belong to this user.
   *
   * @throws NoSuchFileException when it does not exist
   * @throws AccessDeniedException when this process may not read it or, unless {@code readOnly}, write it
   * @throws NotRegularFileException when it is not a regular file
   * @throws UntrustedFileException when it lies in the standard directory and belongs to another user
   */
  public static SegmentFile open(OpenDirectory directory, String name, boolean readOnly) throws IOException {
    JvmFiles.closeOverdue();
    Path path = directory.path().resolve(name);
    String found = Opened.check(directory, path, directory.attributes(name)); // before: opening a device has effects
    if (NativeAccess.ENABLED) {
      int fd = Libc.open(directory.at(name), readOnly);
      if (fd < 0) {
        throw Opened.failure(path, -fd);
      }
      boolean checked = false;
      try {
        String opened = Opened.check(directory, path, Files.readAttributes(Opened.self(fd), PosixFileAttributes.class));
        long inode = (Long) Files.getAttribute(Opened.self(fd), "unix:ino");
        SegmentFile file = new SegmentFile(path, opened, inode, readOnly, fd, null);
        checked = true;
        return file;
      } finally {
        if (!checked) {
          Libc.close(fd);
        }
      }
    }
    // if the directory was replaced this may be another file's inode, and the file is taken for a copy
    long inode = (Long) Files.getAttribute(path, "unix:ino", LinkOption.NOFOLLOW_LINKS);
    JvmFiles.Opener opener = forReading -> channel(directory, name, found, forReading);
    FileChannel channel = readOnly ? JvmFiles.open(found, opener, true) : JvmFiles.acquire(found, opener);
    SegmentFile file = null;
    try {
      file = new SegmentFile(path, found, inode, readOnly, -1, channel);
      return file;
    } finally {
      if (file == null && readOnly) {
        JvmFiles.giveBack(found, channel, true);
      } else if (file == null) {
        JvmFiles.release(found);
      }
    }
  }

  /**
   * Opens a channel on the file with this key. If another file has taken its place, the channel is given back under
   * that file's key.
   *
   * @throws NoSuchFileException when the file was deleted or replaced
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

  /** The file's inode number in its file system. A copy has another one. */
  public long inode() {
    return inode;
  }

  /** Changes the permissions of the open file. */
  private void setPermissions(OpenDirectory directory, Set<PosixFilePermission> permissions) throws IOException {
    if (fd >= 0) {
      Files.setPosixFilePermissions(Opened.self(fd), permissions);
    } else {
      directory.setPermissions(path.getFileName().toString(), permissions);
    }
  }

  /**
   * Gives an empty file of this user the permissions that it lacks: its creator may have died before it set them.
   */
  public void completePermissions(OpenDirectory directory, Set<PosixFilePermission> permissions) throws IOException {
    PosixFileAttributes found = fd >= 0 ? Files.readAttributes(Opened.self(fd), PosixFileAttributes.class)
        : directory.attributes(path.getFileName().toString());
    if (!found.permissions().containsAll(permissions) && found.size() == 0 && key.equals(Opened.key(found))
        && found.owner().equals(OpenDirectory.user())) {
      setPermissions(directory, permissions);
    }
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
   * How often to retry a lock that is not held but only probed. In a process without native access, a probe holds a
   * shared lock for some microseconds. One object limits the retries for all bytes that are tried one after another,
   * because anybody who may read the file could hold shared locks on all of them for ever. Tries are counted, rather
   * than time, since the scheduler may pause the prober as well as the caller; after the first ones they are so far
   * apart that the prober gets its turn on a busy machine. All of them take about a second.
   */
  public static final class Patience {
    private static final int MAX_TRIES = 10_000;
    private static final int SPINS = 1_000;
    private static final long PARK_NANOS = 50_000;

    private int tries;

    /** Counts a try, and waits a moment before the next one; true when there have been enough. */
    boolean isOver() {
      if (++tries > SPINS) {
        LockSupport.parkNanos(PARK_NANOS);
      } else {
        Thread.onSpinWait();
      }
      return tries > MAX_TRIES;
    }
  }

  /** Takes the lock on one byte at once, or returns false because somebody else holds it. */
  public boolean tryLock(long position) throws IOException {
    return tryLock(position, new Patience());
  }

  /** As {@link #tryLock(long)}, with a limit on retries that is shared by several calls; null for no retries. */
  public boolean tryLock(long position, Patience patience) throws IOException {
    while (true) {
      if (whileOpen(() -> locks.tryLock(position))) {
        return true;
      }
      if (isLockedByOther(position) || patience == null || patience.isOver()) {
        return false;
      }
    }
  }

  /**
   * Gives the lock on one byte back; with native access without heap. Does nothing when the file was closed, which gave
   * all locks back.
   */
  public void unlock(long position) throws IOException {
    using.lock();
    try {
      if (!closed) {
        locks.unlock(position);
      }
    } finally {
      using.unlock();
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
    using.lock();
    try {
      if (closed) {
        throw new ClosedChannelException();
      }
      return use.run();
    } finally {
      using.unlock();
    }
  }

  /** An action to run under a lock. */
  @FunctionalInterface
  public interface LockedAction<T> {
    /** Runs the action. Its result must not be null. */
    T run() throws IOException;
  }

  /**
   * Runs {@code action} under the lock on one byte. Waits for the lock for up to {@code timeoutNanos}; the result is
   * empty when somebody else held it for that time. An interrupt does not end the wait, and the interrupt flag is still
   * set afterwards.
   */
  public <T> Optional<T> withLock(long position, long timeoutNanos, LockedAction<T> action) throws IOException {
    boolean interrupted = false;
    long start = System.nanoTime();
    try {
      while (!tryLock(position)) {
        if (System.nanoTime() - start > timeoutNanos) {
          return Optional.empty();
        }
        interrupted |= Thread.interrupted(); // or parkNanos would return at once
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
    return whileOpen(() -> withChannel(FileChannel::size));
  }

  /**
   * The first word of the file; 0 when the file is shorter than that. This does not map the file, because a mapping
   * would keep its space in use.
   */
  public long firstWord() throws IOException {
    return whileOpen(() -> withChannel(channel -> {
      ByteBuffer word = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      return channel.read(word, 0) < Long.BYTES ? 0 : word.getLong(0);
    }));
  }

  /**
   * Gives the file its size and allocates all its space, so that no later access can fail for lack of space.
   *
   * @throws FileTooLargeException when the process may not make a file of that size
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
    } catch (IOException refused) { // the JDK has only the text of the system's error
      throw "File too large".equals(refused.getMessage()) ? new FileTooLargeException(lengthBytes) : refused;
    }
  }

  /**
   * Maps the first {@code lengthBytes}. To be called once at most. The memory is given back by {@link #close}, or by
   * the garbage collector when nothing refers to the region any more.
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
   * Runs {@code use} with a channel on the file. An interrupt of the thread closes the channel that it uses, and when
   * any channel on a file is closed, the kernel drops all {@link java.nio.channels.FileLock}s of the process on that
   * file. So if this JVM has such locks, a thread that nobody interrupts uses the channel. Otherwise a channel that was
   * closed is opened again.
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

  /**
   * Begins a look at the mapped memory by somebody who is outside of all operations; false when it was given back. The
   * look must end soon, by {@link #endLook}.
   */
  public boolean tryBeginLook() {
    return NativeAccess.ENABLED || mapping.tryBeginLook();
  }

  /** Ends a look that {@link #tryBeginLook} began. */
  public void endLook() {
    if (!NativeAccess.ENABLED) {
      mapping.endLook();
    }
  }

  /**
   * Gives the mapped memory and all locks back, and closes the descriptor. Calling this again does nothing. With native
   * access it needs no heap, if nobody in this JVM uses the file without. What the heap does not suffice for is done
   * when the next file is opened or closed.
   */
  @Override
  public void close() {
    try {
      closeNow();
    } catch (OutOfMemoryError | StackOverflowError shortage) {
      JvmFiles.closeLater(this);
      return;
    }
    JvmFiles.closeOverdue();
  }

  /** As {@link #close}, but what the heap does not suffice for is not done. */
  void closeNow() {
    closing.lock();
    try {
      if (mapping != null) {
        mapping.giveBack();
      }
    } finally {
      try {
        if (!closed) {
          locks.unlockAll(); // the descriptor may be closed only later
          closeDescriptor();
          closed = true;
        }
      } finally {
        closing.unlock();
      }
    }
  }

  private void closeDescriptor() {
    if (fd >= 0) {
      JvmFiles.close(key, descriptor);
    } else if (readOnly) {
      JvmFiles.giveBack(key, probeChannel, true);
    } else {
      JvmFiles.release(key);
    }
  }
}
