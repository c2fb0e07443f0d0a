package io.bywash.engine.internal.linux;

/**
 * Threads of the engine's own. They are daemons and keep nothing of whoever starts them: no inheritable thread-locals, no
 * context class loader, no thread group.
 */
public final class EngineThread {
  private EngineThread() {}

  /** A platform thread that was not started. */
  public static Thread unstarted(String name, Runnable task) {
    Thread thread = Thread.ofPlatform().name(name).daemon().group(root()).inheritInheritableThreadLocals(false)
        .unstarted(task);
    thread.setContextClassLoader(null);
    return thread;
  }

  /** A virtual thread that was not started; for code of the user's, which may block it. */
  public static Thread virtual(String name, Runnable task) {
    Thread thread = Thread.ofVirtual().name(name).inheritInheritableThreadLocals(false).unstarted(task);
    thread.setContextClassLoader(ClassLoader.getSystemClassLoader());
    return thread;
  }

  private static ThreadGroup root() {
    ThreadGroup group = Thread.currentThread().getThreadGroup();
    while (group.getParent() != null) {
      group = group.getParent();
    }
    return group;
  }
}
