package io.bywash.engine.internal.linux;

import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * The engine's own threads. They are daemons and inherit nothing from the threads that start them: no inheritable
 * thread-locals, no context class loader, no thread group.
 */
public final class EngineThread {
  private EngineThread() {}

  /** A platform thread, not started yet. */
  public static Thread unstarted(String name, Runnable task) {
    Thread thread = Thread.ofPlatform().name(name).daemon().group(root()).inheritInheritableThreadLocals(false)
        .unstarted(task);
    thread.setContextClassLoader(null);
    return thread;
  }

  /** A virtual thread, not started yet, for code of the engine's users, which may block it. */
  public static Thread virtual(String name, Runnable task) {
    Thread thread = Thread.ofVirtual().name(name).inheritInheritableThreadLocals(false).unstarted(task);
    thread.setContextClassLoader(ClassLoader.getSystemClassLoader());
    return thread;
  }

  /** A file operation. */
  interface Call<T> {
    T run() throws IOException;
  }

  /**
   * Runs {@code call} in a thread that nobody interrupts, and waits for it. An interrupt of the caller does not end the
   * wait; its interrupt flag is still set afterwards.
   */
  static <T> T call(String name, Call<T> call) throws IOException {
    FutureTask<T> task = new FutureTask<>(call::run);
    unstarted(name, task).start();
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException later) {
          interrupted = true;
        }
      }
    } catch (ExecutionException failed) {
      switch (failed.getCause()) {
        case IOException failure -> throw failure;
        case RuntimeException failure -> throw failure;
        case Error failure -> throw failure;
        default -> throw new AssertionError(failed);
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static ThreadGroup root() {
    ThreadGroup group = Thread.currentThread().getThreadGroup();
    while (group.getParent() != null) {
      group = group.getParent();
    }
    return group;
  }
}
