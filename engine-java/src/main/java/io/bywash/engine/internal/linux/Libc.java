package io.bywash.engine.internal.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

/**
 * Bindings of C functions and system calls, one method for each, with its C name and arguments. No other class sees a
 * method handle. Initialised only when native access is granted.
 */
final class Libc {
  static final int ENOENT = 2;
  static final int EINTR = 4;
  static final int EAGAIN = 11;
  static final int EACCES = 13;
  static final int ENOTDIR = 20;
  static final int EINVAL = 22;
  static final int EFBIG = 27;
  static final int ENOSYS = 38;
  static final int ELOOP = 40;
  static final int EOPNOTSUPP = 95;
  static final int ETIMEDOUT = 110;

  private static final boolean X86 = "amd64".equals(System.getProperty("os.arch"));
  private static final long SYS_FUTEX = X86 ? 202 : 98;
  private static final long SYS_FUTEX_WAITV = 449;
  private static final long SYS_MEMBARRIER = X86 ? 324 : 283;
  private static final long SYS_MADVISE = X86 ? 28 : 233;
  private static final long SYS_MMAP = X86 ? 9 : 222;

  private static final int FUTEX_WAIT_BITSET = 9;
  private static final int FUTEX_WAKE_BITSET = 10;
  private static final int CLOCK_MONOTONIC = 1;

  /** x86-64 and AArch64 differ in these two flags. */
  private static final int O_NOFOLLOW = X86 ? 0x20000 : 0x8000;
  private static final int O_DIRECTORY = X86 ? 0x10000 : 0x4000;
  private static final int O_NONBLOCK = 0x800;
  private static final int O_PATH = 0x200000;
  private static final int O_RDONLY = 0;
  private static final int O_RDWR = 2;
  private static final int O_CLOEXEC = 0x80000;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final StructLayout ERRNO_LAYOUT = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO = ERRNO_LAYOUT.varHandle(MemoryLayout.PathElement.groupElement("errno"));
  /**
   * The values of both thread-locals are of JDK classes. A value of a class of this class loader, in a thread that
   * lives on, would keep the class loader from being unloaded.
   */
  private static final ThreadLocal<MemorySegment> CAPTURED =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(ERRNO_LAYOUT));
  private static final ThreadLocal<MemorySegment> TIMESPEC =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(2 * Long.BYTES, Long.BYTES));

  private static final MethodHandle OPEN = bind("open", 2, JAVA_INT, ADDRESS, JAVA_INT);
  /**
   * These are without errno, which the JDK cannot capture without heap. What the JDK itself does for a handle when it
   * has been called for some time needs heap once.
   */
  @SuppressWarnings("restricted")
  private static final MethodHandle CLOSE = LINKER.downcallHandle(find("close"),
      FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  @SuppressWarnings("restricted")
  private static final MethodHandle SYSCALL_WITHOUT_ERRNO = LINKER.downcallHandle(find("syscall"),
      FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
      Linker.Option.firstVariadicArg(1));
  @SuppressWarnings("restricted")
  private static final MethodHandle FCNTL_WITHOUT_ERRNO = LINKER.downcallHandle(find("fcntl"),
      FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG), Linker.Option.firstVariadicArg(2));
  private static final MethodHandle FCNTL = bind("fcntl", 2, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS);
  private static final MethodHandle FALLOCATE =
      bind("fallocate", -1, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle SYSCALL = bind("syscall", 1, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
      JAVA_LONG, JAVA_LONG, JAVA_LONG);

  private Libc() {}

  @SuppressWarnings("restricted") // the point of NativeAccess
  private static MethodHandle bind(String name, int firstVariadic, MemoryLayout result, MemoryLayout... arguments) {
    Linker.Option errno = Linker.Option.captureCallState("errno");
    FunctionDescriptor descriptor = FunctionDescriptor.of(result, arguments);
    return firstVariadic < 0
        ? LINKER.downcallHandle(find(name), descriptor, errno)
        : LINKER.downcallHandle(find(name), descriptor, errno, Linker.Option.firstVariadicArg(firstVariadic));
  }

  private static MemorySegment find(String name) {
    return LINKER.defaultLookup().find(name)
        .orElseThrow(() -> new UnsatisfiedLinkError("the C library has no function " + name));
  }

  /** {@code open(path, O_RDWR or O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)}: a descriptor, or minus errno. */
  static int open(Path path, boolean readOnly) {
    return open(path, (readOnly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  }

  /**
   * {@code open(path, O_PATH | O_DIRECTORY | O_CLOEXEC)}, with {@code O_NOFOLLOW} unless {@code followLinks}: a
   * descriptor, or minus errno.
   */
  static int openDirectory(Path path, boolean followLinks) {
    return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC | (followLinks ? 0 : O_NOFOLLOW));
  }

  private static int open(Path path, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment errno = CAPTURED.get();
      MemorySegment name = arena.allocateFrom(path.toString(), StandardCharsets.UTF_8);
      int fd = (int) OPEN.invokeExact(errno, name, flags);
      return fd >= 0 ? fd : -(int) ERRNO.get(errno, 0L);
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  /** {@code close(fd)}, without heap. */
  static void close(int fd) {
    try {
      int ignored = (int) CLOSE.invokeExact(fd);
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  /** {@code fcntl(fd, command, lock)}, without heap: whether it succeeded. The lock is at that address. */
  static boolean fcntl(int fd, int command, long lockAddress) {
    try {
      return (int) FCNTL_WITHOUT_ERRNO.invokeExact(fd, command, lockAddress) == 0;
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  /** {@code fcntl(fd, command, lock)}: 0, or minus errno. */
  static int fcntl(int fd, int command, MemorySegment lock) {
    try {
      MemorySegment errno = CAPTURED.get();
      int result = (int) FCNTL.invokeExact(errno, fd, command, lock);
      return result >= 0 ? 0 : -(int) ERRNO.get(errno, 0L);
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  /** {@code fallocate(fd, 0, 0, lengthBytes)}: 0, or minus errno. */
  static int fallocate(int fd, long lengthBytes) {
    try {
      MemorySegment errno = CAPTURED.get();
      int result = (int) FALLOCATE.invokeExact(errno, fd, 0, 0L, lengthBytes);
      return result >= 0 ? 0 : -(int) ERRNO.get(errno, 0L);
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  /** Waits until a time of {@link System#nanoTime}, which is CLOCK_MONOTONIC on Linux. */
  static long futexWait(long address, int expected, int bits, long deadlineNanos) {
    MemorySegment deadline = timespec(deadlineNanos);
    return syscall(SYS_FUTEX, address, FUTEX_WAIT_BITSET, expected, deadline.address(), 0,
        Integer.toUnsignedLong(bits));
  }

  /** Wakes up to {@code count} threads that sleep on the word with one of the {@code bits}. */
  static long futexWake(long address, int count, int bits) {
    return syscall(SYS_FUTEX, address, FUTEX_WAKE_BITSET, count, 0, 0, Integer.toUnsignedLong(bits));
  }

  /** As {@link #futexWait}, for several words at once. */
  static long futexWaitv(long waitersAddress, int count, long deadlineNanos) {
    MemorySegment deadline = timespec(deadlineNanos);
    return syscall(SYS_FUTEX_WAITV, waitersAddress, count, 0, deadline.address(), CLOCK_MONOTONIC, 0);
  }

  private static MemorySegment timespec(long nanos) {
    MemorySegment timespec = TIMESPEC.get(); // the thread-local keeps it alive during the call
    timespec.set(JAVA_LONG, 0, nanos / 1_000_000_000L);
    timespec.set(JAVA_LONG, 8, nanos % 1_000_000_000L);
    return timespec;
  }

  static long membarrier(int command) {
    return syscall(SYS_MEMBARRIER, command, 0, 0, 0, 0, 0);
  }

  static long madvise(long address, long lengthBytes, int advice) {
    return syscall(SYS_MADVISE, address, lengthBytes, advice, 0, 0, 0);
  }

  /** {@code mmap(address, lengthBytes, protection, flags, -1, 0)}, without heap: the address, or -1. */
  static long mmap(long address, long lengthBytes, int protection, int flags) {
    try {
      return (long) SYSCALL_WITHOUT_ERRNO.invokeExact(SYS_MMAP, address, lengthBytes, (long) protection, (long) flags,
          -1L, 0L);
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  private static long syscall(long number, long a, long b, long c, long d, long e, long f) {
    try {
      MemorySegment errno = CAPTURED.get();
      long result = (long) SYSCALL.invokeExact(errno, number, a, b, c, d, e, f);
      return result >= 0 ? result : -(int) ERRNO.get(errno, 0L);
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  /** The error to throw when a call could not be made. An exhausted heap or stack is thrown as it is. */
  private static Error unexpected(Throwable failure) {
    return failure instanceof VirtualMachineError shortage ? shortage
        : new AssertionError("a call into the C library could not be made", failure);
  }
}
