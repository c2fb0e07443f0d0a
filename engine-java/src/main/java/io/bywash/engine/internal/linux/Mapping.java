package io.bywash.engine.internal.linux;

import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.internal.memory.Region;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A mapped file, whose pages can be given back before the garbage collector finds that nobody refers to them.
 *
 * <p>With native access nothing checks an access, so the addresses must stay valid for as long as the region is
 * reachable. Giving the pages back therefore maps empty private memory in their place, and the garbage collector unmaps
 * the addresses later. Without native access the arena is closed, and a later access throws an
 * {@link IllegalStateException}. No access may be going on at that moment: the virtual machine would end it by an
 * asynchronous exception, and set the thread's interrupt flag. So the last look that was begun before closes the arena.
 */
final class Mapping {
  private static final int PROT_READ_WRITE = 3;
  /** MAP_PRIVATE, MAP_FIXED, MAP_ANONYMOUS, MAP_NORESERVE; the same on x86-64 and AArch64. */
  private static final int IN_ITS_PLACE = 0x2 | 0x10 | 0x20 | 0x4000;

  private static final int GIVEN_BACK = Integer.MIN_VALUE;
  private static final Cleaner CLEANER = NativeAccess.ENABLED ? null : Cleaner.create();

  private final Region region;
  /** Closes the arena; null with native access. */
  private final Cleaner.Cleanable unmapping;
  private boolean givenBack;
  /** Without native access: how many looks are going on, and {@link #GIVEN_BACK} when the arena has to be closed. */
  private final AtomicInteger looks = new AtomicInteger();

  private Mapping(Region region, Cleaner.Cleanable unmapping) {
    this.region = region;
    this.unmapping = unmapping;
  }

  /** Maps the file into memory that lives as long as the arena. */
  interface Call {
    MemorySegment map(Arena arena) throws IOException;
  }

  /** Maps a file by {@code call}. */
  static Mapping of(Call call) throws IOException {
    if (NativeAccess.ENABLED) {
      return new Mapping(Region.over(call.map(Arena.ofAuto())), null);
    }
    Arena arena = Arena.ofShared();
    boolean mapped = false;
    try {
      Region region = Region.over(call.map(arena));
      Mapping mapping = new Mapping(region, CLEANER.register(region, arena::close));
      mapped = true;
      return mapping;
    } finally {
      if (!mapped) {
        arena.close();
      }
    }
  }

  Region region() {
    return region;
  }

  /**
   * Begins a look at the memory by somebody who is outside of all operations, which would keep it; false when it was
   * given back. The look must end soon, by {@link #endLook}. Only without native access.
   */
  boolean tryBeginLook() {
    if (looks.incrementAndGet() > 0) {
      return true;
    }
    endLook();
    return false;
  }

  void endLook() {
    if (looks.decrementAndGet() == GIVEN_BACK) {
      unmapping.clean(); // does nothing if it was called before
    }
  }

  /** Gives the pages back at once. Nobody may be in an operation whose outcome still matters. */
  synchronized void giveBack() {
    if (givenBack) {
      return;
    }
    if (unmapping != null) {
      givenBack = true;
      looks.addAndGet(GIVEN_BACK + 1);
      endLook();
    } else { // if the kernel refuses, the garbage collector unmaps the pages, as for a segment that was not closed
      Libc.mmap(region.address(0), region.sizeBytes(), PROT_READ_WRITE, IN_ITS_PLACE);
      givenBack = true; // only now: whoever had no heap for it tries again
    }
    Reference.reachabilityFence(region);
  }
}
