package io.bywash.engine.internal.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import java.nio.ByteOrder;
import java.util.concurrent.locks.LockSupport;

/**
 * A stretch of memory and every way in which the engine reads and writes it.
 *
 * <p>Offsets are bytes from the start of the region. With native access, an access compiles to one instruction on a raw
 * address: <b>the caller's own masks and validated lengths are the only bounds check</b>. Without it, the JDK checks
 * each access. Method names are those of {@link VarHandle}; a name without a mode is a plain access. Plain accesses
 * need no alignment; all others need that of their word.
 *
 * <p>With native access, addresses stay valid until the garbage collector finds that no region refers to them: each
 * access keeps this object alive until the instruction was executed. So a closed segment can make an operation fail,
 * but never crash the JVM.
 */
public final class Region {
  private static final VarHandle INT = little(ValueLayout.JAVA_INT);
  private static final VarHandle LONG = little(ValueLayout.JAVA_LONG);
  /**
   * For any offset, aligned or not. The accessors of {@link MemorySegment} would be one more call, and the JIT inlines
   * only so many levels of calls.
   */
  private static final VarHandle SHORT_AT = little(ValueLayout.JAVA_SHORT_UNALIGNED);
  private static final VarHandle INT_AT = little(ValueLayout.JAVA_INT_UNALIGNED);
  private static final VarHandle LONG_AT = little(ValueLayout.JAVA_LONG_UNALIGNED);

  /** All memory, as one segment at address zero; null when native access is denied. */
  @SuppressWarnings("restricted") // the point of NativeAccess
  private static final MemorySegment ALL =
      NativeAccess.ENABLED ? MemorySegment.NULL.reinterpret(Long.MAX_VALUE) : null;

  /**
   * Wider than any address. The JIT knows that a masked address is not negative, and so drops the bounds checks of
   * {@link #ALL}. The second mask also has it drop the alignment check. It is for words, which the layout aligns.
   */
  private static final long ADDRESS_MASK = (1L << 56) - 1;
  private static final long WORD_MASK = ADDRESS_MASK & -8;

  /** Copies of up to this many bytes are made word by word, which avoids the fixed cost of a bulk copy. */
  private static final int WORD_COPY_MAX_BYTES = 128;

  private static final int LINE_BYTES = 64;

  /**
   * Ten times the number of calls after which the JIT's first tier compiles a method, since that number grows while the
   * compiler is busy. The pauses give the compiler time, 10 ms in all.
   */
  private static final int COMPILING_CALLS = 2_000;
  private static final int COMPILING_PAUSE_CALLS = 100;
  private static final long COMPILING_PAUSE_NANOS = 500_000;

  static {
    compileAtomics();
  }

  private final MemorySegment segment;
  private final long base;
  private final long sizeBytes;

  private static VarHandle little(ValueLayout layout) {
    return layout.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
  }

  private Region(MemorySegment segment) {
    this.segment = segment;
    this.base = segment.address();
    this.sizeBytes = segment.byteSize();
  }

  /** A region over {@code segment}, which must be native memory of an automatic arena, aligned to 8 bytes. */
  public static Region over(MemorySegment segment) {
    if (!segment.isNative() || (segment.address() & 7) != 0) {
      throw new IllegalArgumentException("segment=" + segment + " is not native memory aligned to 8 bytes");
    }
    return new Region(segment);
  }

  /** Private memory of this process, zeroed, aligned to a cache line. */
  public static Region allocate(long lengthBytes) {
    return new Region(Arena.ofAuto().allocate(lengthBytes, 128));
  }

  /**
   * Has the JDK's atomic operations compiled before they are used on shared memory. If the file was truncated, a
   * compiled one throws an {@link InternalError}, as each load and store does. An interpreted one calls native code,
   * where the fault would end the JVM.
   */
  private static void compileAtomics() {
    Region scratch = allocate(Long.BYTES);
    for (int i = 1; i <= COMPILING_CALLS; i++) {
      scratch.compareAndSetLong(0, 0, 0);
      scratch.getAndBitwiseOrLong(0, 0);
      scratch.getAndBitwiseAndLong(0, 0);
      scratch.getAndAddInt(0, 0);
      scratch.getAndAddLong(0, 0);
      if (i % COMPILING_PAUSE_CALLS == 0) {
        LockSupport.parkNanos(COMPILING_PAUSE_NANOS);
      }
    }
  }

  public long sizeBytes() {
    return sizeBytes;
  }

  /** The raw address of {@code offset}, for system calls only. */
  public long address(long offset) {
    return base + offset;
  }

  private MemorySegment at() {
    return NativeAccess.ENABLED ? ALL : segment;
  }

  private long to(long offset) {
    return NativeAccess.ENABLED ? base + offset & ADDRESS_MASK : offset;
  }

  private long toWord(long offset) {
    return NativeAccess.ENABLED ? base + offset & WORD_MASK : offset;
  }

  public byte getByte(long offset, int index) {
    byte value = at().get(ValueLayout.JAVA_BYTE, to(offset) + index);
    Reference.reachabilityFence(this);
    return value;
  }

  public void setByte(long offset, int index, byte value) {
    at().set(ValueLayout.JAVA_BYTE, to(offset) + index, value);
    Reference.reachabilityFence(this);
  }

  public short getShort(long offset, int index) {
    short value = (short) SHORT_AT.get(at(), to(offset) + index);
    Reference.reachabilityFence(this);
    return value;
  }

  public void setShort(long offset, int index, short value) {
    SHORT_AT.set(at(), to(offset) + index, value);
    Reference.reachabilityFence(this);
  }

  public int getInt(long offset) {
    return getInt(offset, 0);
  }

  public int getInt(long offset, int index) {
    int value = (int) INT_AT.get(at(), to(offset) + index);
    Reference.reachabilityFence(this);
    return value;
  }

  public void setInt(long offset, int value) {
    setInt(offset, 0, value);
  }

  public void setInt(long offset, int index, int value) {
    INT_AT.set(at(), to(offset) + index, value);
    Reference.reachabilityFence(this);
  }

  public long getLong(long offset) {
    return getLong(offset, 0);
  }

  public long getLong(long offset, int index) {
    long value = (long) LONG_AT.get(at(), to(offset) + index);
    Reference.reachabilityFence(this);
    return value;
  }

  public void setLong(long offset, long value) {
    setLong(offset, 0, value);
  }

  public void setLong(long offset, int index, long value) {
    LONG_AT.set(at(), to(offset) + index, value);
    Reference.reachabilityFence(this);
  }

  /**
   * Prefetches memory for writing: brings its cache lines to this core, many at a time, by setting one word of each to
   * zero. Nobody else may read or write that memory meanwhile, and its content is lost.
   */
  public void prefetchForWrite(long offset, long lengthBytes) {
    for (long i = 0; i < lengthBytes; i += LINE_BYTES) {
      setLong(offset + i, 0);
    }
    setLong(offset + lengthBytes - Long.BYTES, 0);
  }

  public int getIntAcquire(long offset) {
    int value = (int) INT.getAcquire(at(), to(offset));
    Reference.reachabilityFence(this);
    return value;
  }

  public void setIntRelease(long offset, int value) {
    INT.setRelease(at(), to(offset), value);
    Reference.reachabilityFence(this);
  }

  public int getAndAddInt(long offset, int delta) {
    int value = (int) INT.getAndAdd(at(), to(offset), delta);
    Reference.reachabilityFence(this);
    return value;
  }

  public long getLongOpaque(long offset) {
    long value = (long) LONG.getOpaque(at(), toWord(offset));
    Reference.reachabilityFence(this);
    return value;
  }

  public void setLongOpaque(long offset, long value) {
    LONG.setOpaque(at(), toWord(offset), value);
    Reference.reachabilityFence(this);
  }

  public long getLongAcquire(long offset) {
    long value = (long) LONG.getAcquire(at(), toWord(offset));
    Reference.reachabilityFence(this);
    return value;
  }

  public void setLongRelease(long offset, long value) {
    LONG.setRelease(at(), toWord(offset), value);
    Reference.reachabilityFence(this);
  }

  public long getLongVolatile(long offset) {
    long value = (long) LONG.getVolatile(at(), toWord(offset));
    Reference.reachabilityFence(this);
    return value;
  }

  public void setLongVolatile(long offset, long value) {
    LONG.setVolatile(at(), toWord(offset), value);
    Reference.reachabilityFence(this);
  }

  public boolean compareAndSetLong(long offset, long expected, long value) {
    getLongOpaque(offset); // reports a truncated file even where nothing is compiled, see compileAtomics
    boolean set = LONG.compareAndSet(at(), toWord(offset), expected, value);
    Reference.reachabilityFence(this);
    return set;
  }

  public long getAndAddLong(long offset, long delta) {
    long value = (long) LONG.getAndAdd(at(), toWord(offset), delta);
    Reference.reachabilityFence(this);
    return value;
  }

  public long getAndBitwiseOrLong(long offset, long mask) {
    long value = (long) LONG.getAndBitwiseOr(at(), toWord(offset), mask);
    Reference.reachabilityFence(this);
    return value;
  }

  public long getAndBitwiseAndLong(long offset, long mask) {
    long value = (long) LONG.getAndBitwiseAnd(at(), toWord(offset), mask);
    Reference.reachabilityFence(this);
    return value;
  }

  /** A part of this region as a memory segment, which checks every access itself. */
  public MemorySegment slice(long offset, long lengthBytes) {
    return segment.asSlice(offset, lengthBytes);
  }

  /** Reads from each page of a part of this region, which is mapped, so that later accesses cause no page faults. */
  public void load(long offset, long lengthBytes) {
    segment.asSlice(offset, lengthBytes).load();
    Reference.reachabilityFence(this);
  }

  /** Writes {@code lengthBytes} zeros from {@code offset}. */
  public void zero(long offset, long lengthBytes) {
    segment.asSlice(offset, lengthBytes).fill((byte) 0);
    Reference.reachabilityFence(this);
  }

  /** Copies bytes of an array into this region. The caller has checked both ranges. */
  public void copyFrom(long offset, byte[] source, int sourceIndex, int lengthBytes) {
    MemorySegment.copy(source, sourceIndex, at(), ValueLayout.JAVA_BYTE, to(offset), lengthBytes);
    Reference.reachabilityFence(this);
  }

  /** Copies the first elements of an array of primitives into this region. The caller has checked both ranges. */
  public void copyFrom(long offset, Object source, ValueLayout element, int count) {
    MemorySegment.copy(source, 0, at(), element, to(offset), count);
    Reference.reachabilityFence(this);
  }

  /** Copies bytes of a segment into this region. The caller has checked the range of this region. */
  public void copyFrom(long offset, MemorySegment source, long sourceOffset, long lengthBytes) {
    MemorySegment.copy(source, sourceOffset, at(), to(offset), lengthBytes);
    Reference.reachabilityFence(this);
  }

  /** Copies bytes of this region into an array. The caller has checked both ranges. */
  public void copyTo(long offset, byte[] target, int targetIndex, int lengthBytes) {
    MemorySegment.copy(at(), ValueLayout.JAVA_BYTE, to(offset), target, targetIndex, lengthBytes);
    Reference.reachabilityFence(this);
  }

  /** Copies elements of this region to the beginning of an array of primitives. The caller has checked both ranges. */
  public void copyTo(long offset, ValueLayout element, Object target, int count) {
    MemorySegment.copy(at(), element, to(offset), target, 0, count);
    Reference.reachabilityFence(this);
  }

  /** Copies bytes of this region into a segment. The caller has checked the range of this region. */
  public void copyTo(long offset, MemorySegment target, long targetOffset, long lengthBytes) {
    MemorySegment.copy(at(), to(offset), target, targetOffset, lengthBytes);
    Reference.reachabilityFence(this);
  }

  /**
   * Copies between regions. Short copies are made in whole words, so up to 7 bytes behind {@code lengthBytes} are read
   * and written as well: both regions must have that much room. Both offsets are multiples of 8.
   */
  public void copyTo(long offset, Region target, long targetOffset, int lengthBytes) {
    if (lengthBytes <= WORD_COPY_MAX_BYTES) {
      for (int i = 0; i < lengthBytes; i += 8) {
        target.setLong(targetOffset + i, getLong(offset + i));
      }
    } else {
      MemorySegment.copy(at(), to(offset), target.at(), target.to(targetOffset), lengthBytes);
      Reference.reachabilityFence(this);
      Reference.reachabilityFence(target);
    }
  }
}
