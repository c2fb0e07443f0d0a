package io.bywash.engine.internal.linux;

import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.internal.memory.Region;
import java.lang.ref.Reference;
import java.util.Arrays;

/**
 * Sleeping in the kernel on a word of shared memory, and the barrier that spares wakers a fence. Only to be called when
 * {@link NativeAccess#ENABLED}.
 *
 * <p>All futexes are shared ones (without the private flag), since sleeper and waker may be in different processes.
 */
public final class Futex {
  /** The most words that one thread can sleep on at once, see {@link Words}: the kernel's limit. */
  public static final int MAX_WORDS = 128;

  /** Stands for all sleepers, whatever their bits. */
  public static final int ALL_BITS = -1;

  private static final int FUTEX2_SIZE_U32 = 2;
  private static final int WAITV_ENTRY_BYTES = 24;
  private static final int MEMBARRIER_CMD_GLOBAL_EXPEDITED = 1 << 1;
  private static final int MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED = 1 << 2;

  /**
   * Whether this process is registered for asymmetric barriers. If it is, its wakers need no fence between their change
   * of the structure and their check for sleepers, because a sleeper calls {@link #barrierOnOthers} between announcing
   * itself and checking the structure again.
   */
  public static final boolean ASYMMETRIC =
      NativeAccess.ENABLED && Libc.membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED) == 0;

  /** Whether the kernel can wait for several words at once (Linux 5.16). */
  public static final boolean WAIT_ANY = NativeAccess.ENABLED && supportsWaitAny();

  private Futex() {}

  private static boolean supportsWaitAny() {
    return Libc.futexWaitv(0, 0, 1) == -Libc.EINVAL; // the kernel has the call, and no seccomp filter refuses it
  }

  /**
   * Sleeps until somebody wakes one of the {@code bits}, for at most {@code timeoutNanos}; returns at once if the word
   * does not hold {@code expected}. It may return early for no reason, so the caller checks again what it waits for.
   */
  public static void await(Region region, long offset, int expected, int bits, long timeoutNanos) {
    Libc.futexWait(region.address(offset), expected, bits, System.nanoTime() + Math.max(timeoutNanos, 1));
    Reference.reachabilityFence(region);
  }

  /**
   * Wakes everybody who sleeps on the word with one of the {@code bits}, and everybody who sleeps on it and other words
   * at once. The caller has changed the word before.
   */
  public static void wakeAll(Region region, long offset, int bits) {
    Libc.futexWake(region.address(offset), Integer.MAX_VALUE, bits);
    Reference.reachabilityFence(region);
  }

  /**
   * Returns after every running thread of every registered process has passed a full fence; false when the kernel
   * refused.
   */
  public static boolean barrierOnOthers() {
    return Libc.membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED) == 0;
  }

  /** A set of words to sleep on at once; used by one thread. */
  public static final class Words {
    private final Region entries = Region.allocate((long) MAX_WORDS * WAITV_ENTRY_BYTES);
    private final Region[] kept = new Region[MAX_WORDS];
    private int count;

    /** Forgets all words. */
    public void clear() {
      Arrays.fill(kept, 0, count, null);
      count = 0;
    }

    /** Adds a word and the value that it must still hold for the sleep to begin. */
    public void add(Region region, long offset, int expected) {
      long entry = (long) count * WAITV_ENTRY_BYTES;
      entries.setLong(entry, Integer.toUnsignedLong(expected));
      entries.setLong(entry + 8, region.address(offset));
      entries.setInt(entry + 16, FUTEX2_SIZE_U32);
      entries.setInt(entry + 20, 0);
      kept[count++] = region;
    }

    /**
     * Sleeps until somebody wakes one of the words, for at most {@code timeoutNanos}; returns at once if one of them
     * has changed. It may return early for no reason. False when the kernel refused the call.
     */
    public boolean await(long timeoutNanos) {
      long result = Libc.futexWaitv(entries.address(0), count, System.nanoTime() + Math.max(timeoutNanos, 1));
      Reference.reachabilityFence(this);
      return result >= 0 || result == -Libc.EAGAIN || result == -Libc.EINTR || result == -Libc.ETIMEDOUT;
    }
  }
}
