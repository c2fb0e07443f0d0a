package io.bywash.osgi.internal.queue;

/** Threads that keep nothing of whoever had them started: no group, class loader or variables. */
public final class Threads {
  private Threads() {}

  /** A daemon that has not been started. */
  public static Thread unstarted(String name, Runnable task) {
    Thread thread = Thread.ofPlatform().name(name).daemon().group(rootGroup()).inheritInheritableThreadLocals(false)
        .unstarted(task);
    thread.setContextClassLoader(Threads.class.getClassLoader());
    return thread;
  }

  /** Takes from the current thread, one of these, what foreign code that ran in it may have left. */
  static void forgetForeign() {
    Thread.interrupted();
    Thread.currentThread().setContextClassLoader(Threads.class.getClassLoader());
  }

  private static ThreadGroup rootGroup() {
    ThreadGroup group = Thread.currentThread().getThreadGroup();
    while (group.getParent() != null) {
      group = group.getParent();
    }
    return group;
  }
}
