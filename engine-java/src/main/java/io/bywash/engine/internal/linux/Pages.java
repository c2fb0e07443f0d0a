package io.bywash.engine.internal.linux;

import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.internal.memory.Region;
import java.lang.ref.Reference;

/** The pages behind a region. Their page faults are taken when a role is opened, not one by one while messages flow. */
public final class Pages {
  private static final int MADV_HUGEPAGE = 14;
  private static final int MADV_POPULATE_READ = 22;
  private static final int MADV_POPULATE_WRITE = 23;
  private static final int MADV_COLLAPSE = 25;

  private Pages() {}

  /**
   * Takes the page faults of a part of a region now, so that no later access has to. The part begins at a page. Nothing
   * is written, since others may be at work there. Linux 5.14 and later do this in one system call; otherwise each page
   * is read.
   */
  public static void touch(Region region, long offset, long lengthBytes, boolean forWriting) {
    boolean done = NativeAccess.ENABLED
        && advise(region, offset, lengthBytes, forWriting ? MADV_POPULATE_WRITE : MADV_POPULATE_READ) == 0;
    if (!done) {
      region.load(offset, lengthBytes);
    }
  }

  /** Asks for huge pages behind the whole region, and logs it if the kernel does not provide them. */
  public static void askForHuge(Region region, String name) {
    long refused = NativeAccess.ENABLED ? advise(region, 0, region.sizeBytes(), MADV_HUGEPAGE) : -Libc.ENOSYS;
    if (refused == 0) {
      refused = advise(region, 0, region.sizeBytes(), MADV_COLLAPSE); // the space was allocated in small pages
    }
    if (refused != 0) {
      EngineLog.log(System.Logger.Level.INFO, "Segment " + name + " asked for huge pages and has ordinary ones at least"
          + " in part (" + Errno.text((int) -refused) + "). See /sys/kernel/mm/transparent_hugepage/shmem_enabled, and"
          + " run with native access.", null);
    }
  }

  private static long advise(Region region, long offset, long lengthBytes, int advice) {
    long result;
    do {
      result = Libc.madvise(region.address(offset), lengthBytes, advice);
    } while (result == -Libc.EINTR || result == -Libc.EAGAIN && advice != MADV_COLLAPSE);
    Reference.reachabilityFence(region);
    return result;
  }
}
