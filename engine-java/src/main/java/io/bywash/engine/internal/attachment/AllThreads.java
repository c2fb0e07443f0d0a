package io.bywash.engine.internal.attachment;

import java.lang.foreign.Arena;

/** A barrier on all threads of this process that costs only its caller. */
public final class AllThreads {
  private AllThreads() {}

  /**
   * Returns after every thread of this JVM has passed a safepoint, or was at one. What a thread did before its
   * safepoint is visible to all in program order. What it does after that is ordered after what the caller did before
   * this call. The JVM makes such a handshake with all threads whenever a shared arena is closed, to be certain that no
   * thread is accessing its memory (JEP 454). Here the memory does not matter.
   *
   * <p>Takes some ten microseconds, or longer, as any safepoint does, when a thread is in a long loop without one.
   */
  public static void passSafepoint() {
    Arena.ofShared().close();
  }
}
