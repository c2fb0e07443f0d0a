package io.bywash.engine.wait;

import io.bywash.engine.internal.waiting.Hub;
import io.bywash.engine.internal.role.Role;
import io.bywash.engine.internal.waiting.WaitPoint;
import io.bywash.engine.internal.linux.EngineThread;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/**
 * The one thread of a process that waits for many roles, in many segments: nobody else needs a thread to wait. It
 * sleeps in the kernel on the doorbells of all segments at once; a segment where that is not possible (no native
 * access, Linux before 5.16, a peer that cannot ring, an observer, the 128th segment and each further one) it looks at
 * once a millisecond. What it costs depends on what is woken, hardly on how many wait.
 *
 * <p>The thread exists while somebody waits, and a second longer. It runs no code of its users, keeps nothing of them,
 * and survives every failure, a shortage of heap included. Any thread may call any method.
 */
public final class WaitHub {
  private static final WaitHub SHARED = new WaitHub();
  private static final Executor VIRTUAL = task -> EngineThread.virtual("bywash-ready", task).start();

  private WaitHub() {}

  /** The hub of this process. */
  public static WaitHub shared() {
    return SHARED;
  }

  /**
   * As {@link #whenReady(Waitable, Executor)}; the future completes in a virtual thread of its own, which what depends
   * on it may block.
   */
  public CompletableFuture<Void> whenReady(Waitable role) {
    return whenReady(role, VIRTUAL);
  }

  /**
   * A future that completes when the role has something to do, or may not be used any more; exceptionally when the
   * role's segment is found to be damaged. It is complete at once if that is so now. Cancelling the future ends the
   * wait; nothing is taken from the queue by waiting, so nothing can be lost. While it waits, the role is not used.
   *
   * @param executor completes the future, and so runs what depends on it. Its {@code execute} is called in the hub's
   *     thread and must not block. Should it run the task there, the task goes on in a virtual thread. If it refuses
   *     the task, the future completes exceptionally, in a virtual thread
   * @throws IllegalArgumentException when {@code role} is no role of this engine
   */
  public CompletableFuture<Void> whenReady(Waitable role, Executor executor) {
    Objects.requireNonNull(executor, "executor");
    WaitPoint point = Role.waitPoint(role);
    if (point == null) {
      throw new IllegalArgumentException("role=" + role + " is not a role of this engine");
    }
    if (point.isWaitOver()) {
      return CompletableFuture.completedFuture(null);
    }
    FutureWait wait = new FutureWait(point, executor);
    wait.future.whenComplete((nothing, failure) -> wait.forget());
    Hub.shared().add(wait);
    return wait.future;
  }

  private static final class FutureWait extends Hub.Wait {
    private final CompletableFuture<Void> future = new CompletableFuture<>();
    private final WaitPoint point;
    private final Executor executor;
    /** Written by the hub's thread. */
    private volatile boolean handedOver;

    FutureWait(WaitPoint point, Executor executor) {
      super(point);
      this.point = point;
      this.executor = executor;
    }

    @Override
    protected boolean isOver() {
      return handedOver || future.isDone();
    }

    @Override
    protected void end(Throwable failure) {
      handedOver = true;
      boolean handed = false;
      try {
        hand(failure);
        handed = true;
      } finally {
        handedOver = handed;
      }
    }

    private void hand(Throwable failure) {
      try {
        executor.execute(() -> complete(failure));
      } catch (RuntimeException refused) {
        VIRTUAL.execute(() -> complete(refused));
      }
    }

    /** The future is complete, perhaps because its user has ended the wait. */
    void forget() {
      if (!handedOver) {
        Hub.shared().forget(this);
      }
    }

    private void complete(Throwable failure) {
      if (Hub.shared().isCaller()) {
        VIRTUAL.execute(() -> complete(failure));
      } else if (failure == null) {
        if (!future.complete(null)) {
          passOn();
        }
      } else {
        future.completeExceptionally(failure);
      }
    }

    /** The wait was cancelled after the role was ready: a wake that was meant for one of many is for another. */
    private void passOn() {
      try {
        point.waiters().signalOne();
      } catch (InternalError fault) {
        // the file was cut: there is nothing to be woken for
      }
    }
  }
}
