package io.bywash.engine.internal.attachment;

import java.lang.foreign.Arena;

/** A barrier on all threads of this process, paid by its caller alone. */
public final class AllThreads {
  private AllThreads() {}

  /**
   * Returns after every thread of this JVM has passed a safepoint, or was at one: what a thread did before it, it did
   * in the order of its program, for everybody to see; and what it does later comes behind what the caller did before.
   * The JVM hand-shakes with all threads so whenever a shared arena is closed, to be certain that none is in an access
   * to its memory (JEP 454); here the memory does not matter.
   *
   * <p>Takes some ten microseconds, and as long as any safepoint if a thread is in a long loop without one.
   */
  public static void passSafepoint() {
    Arena.ofShared().close();
  }
}
