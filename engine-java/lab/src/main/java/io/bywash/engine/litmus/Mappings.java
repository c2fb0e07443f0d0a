package io.bywash.engine.litmus;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Keeps a process that maps segments by the thousand below the kernel's limit of 65,530 mappings: the collector
 * unmaps them, and has no reason to run.
 */
public final class Mappings {
  private static final int COLLECT_EVERY = 4_000;
  private static final AtomicInteger MADE = new AtomicInteger();

  private Mappings() {}

  /** So many segments were mapped, and are not needed any more. */
  public static void made(int count) {
    if (MADE.addAndGet(count) > COLLECT_EVERY) {
      MADE.set(0);
      System.gc();
    }
  }
}
