package io.bywash.engine.death;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** What the rewritten engine calls after each step. There is one in each class loader of a {@link Rewriter}. */
public final class Probe {
  private static final String HUB = "bywash-wait-hub";
  /** Makes steps for a thread that waits for it, and so is one with it; whoever waits may have the lock. */
  private static final String FILE = "bywash-file";
  private static volatile Runnable listener;
  private static Thread watched;
  private static volatile long hubSteps;
  private static boolean clockStopped;
  private static final List<Runnable> LATER = new ArrayList<>();

  private Probe() {}

  /**
   * From now on {@code afterStep} is run after each step of this thread and of the hub's; of no thread when it is null.
   */
  public static synchronized void watch(Runnable afterStep) {
    listener = afterStep;
    watched = Thread.currentThread();
  }

  /** A step was done. */
  public static void step() {
    Thread thread = Thread.currentThread();
    if (!thread.getName().equals(FILE)) {
      step(thread);
    } else if (listener != null) {
      listener.run();
    }
  }

  private static synchronized void step(Thread thread) {
    boolean hub = thread.getName().equals(HUB);
    if (listener != null && (thread == watched || hub)) {
      listener.run();
    }
    hubSteps += hub ? 1 : 0;
  }

  /** How many steps the hub's thread has made, watched or not. */
  public static long hubSteps() {
    return hubSteps;
  }

  /** From now on no time passes for a structure that tells by the clock how fast it is used. */
  public static void stopClock(boolean stopped) {
    clockStopped = stopped;
  }

  /** The time as such a structure sees it. */
  public static long nanoTime() {
    return clockStopped ? 0 : System.nanoTime();
  }

  /** As the copy from an array to a {@link MemorySegment}, in two steps, of which the last is the caller's. */
  public static void copy(Object source, int index, MemorySegment target, ValueLayout layout, long offset, int count) {
    int half = count / 2;
    MemorySegment.copy(source, index, target, layout, offset, half);
    step();
    MemorySegment.copy(source, index + half, target, layout, offset + half * layout.byteSize(), count - half);
  }

  /** As {@link MemorySegment#copy(MemorySegment, long, MemorySegment, long, long)}, in two steps. */
  public static void copy(MemorySegment source, long sourceOffset, MemorySegment target, long offset, long bytes) {
    long half = bytes / 2;
    MemorySegment.copy(source, sourceOffset, target, offset, half);
    step();
    MemorySegment.copy(source, sourceOffset + half, target, offset + half, bytes - half);
  }

  /** As {@link MemorySegment#fill}, in two steps. */
  public static MemorySegment fill(MemorySegment segment, byte value) {
    segment.asSlice(0, segment.byteSize() / 2).fill(value);
    step();
    return segment.fill(value);
  }

  /** A store of an engine that was broken on purpose: it is done when {@link #now} is called. */
  static void later(Runnable store) {
    LATER.add(store);
  }

  /** Does what was put off. */
  public static void now() {
    LATER.forEach(Runnable::run);
    LATER.clear();
  }
}
