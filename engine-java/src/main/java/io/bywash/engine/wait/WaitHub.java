package io.bywash.engine.wait;

import io.bywash.engine.internal.waiting.Hub;
import io.bywash.engine.internal.waiting.WaitPoint;
import io.bywash.engine.internal.linux.EngineThread;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/**
 * Waits for any number of roles, in any number of segments, with one thread for the whole process, so that nobody else
 * needs a thread to wait.
 *
 * {@snippet :
 * CompletableFuture<Void> ready = WaitHub.shared().whenReady(subscriber);
 * ready.thenRun(() -> subscriber.poll(handler, 256)); // in a virtual thread of its own
 * }
 *
 * <p>The thread sleeps in the kernel on the doorbells of all segments at once. Some segments do not allow that, and it
 * checks those every millisecond: segments of a process without native access, segments on Linux before 5.16, segments
 * with a participant that cannot wake others, segments attached read-only, and all segments beyond the 127th. The cost
 * depends on how many roles are woken, and hardly on how many wait.
 *
 * <p>The thread exists while somebody waits, and for one second after that. Of its users' code it runs only
 * {@link Executor#execute}, and it refers to a role only while somebody waits for that. It survives every failure, even
 * if the heap is exhausted. Any thread may call any method.
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
   * As {@link #whenReady(Waitable, Executor)}, but the future completes in a virtual thread of its own, which its
   * dependent stages may block.
   */
  public CompletableFuture<Void> whenReady(Waitable role) {
    return whenReady(role, VIRTUAL);
  }

  /**
   * Returns a future that completes when the role has something to do, when the condition holds, or when the role can
   * no longer be used. It is already complete if that is so now. It completes exceptionally when the role's segment is
   * found to be damaged.
   *
   * <p>Cancelling the future ends the wait. Waiting takes nothing from the queue, so nothing can be lost. The role must
   * not be used while the future is not complete. A task that finds the future complete passes the wake on to another
   * role of the queue.
   *
   * @param executor completes the future, and therefore runs its dependent stages. The hub's thread calls its
   *     {@code execute}, which must not block. If {@code execute} runs the task in the hub's thread, the task continues
   *     in a virtual thread instead. If it rejects the task, the future completes exceptionally, in a virtual thread
   * @throws IllegalArgumentException when {@code role} is not a role of this engine
   */
  public CompletableFuture<Void> whenReady(Waitable role, Executor executor) {
    Objects.requireNonNull(executor, "executor");
    if (!(role instanceof WaitPoint point)) {
      throw new IllegalArgumentException("role=" + role + " is not a role of this engine");
    }
    if (role.isReady()) {
      return CompletableFuture.completedFuture(null);
    }
    FutureWait wait = new FutureWait(point, executor);
    wait.future.whenComplete((nothing, failure) -> wait.forget());
    Hub.shared().add(wait);
    return wait.future;
  }

  /**
   * Returns a future that completes when there is a file at that path, for example a segment that another process will
   * create. The hub's thread checks every 4 ms, so the future completes some milliseconds after the file appears, or
   * after this call if the file exists already. It has no time limit. What the file is, and whether it is still there,
   * {@link io.bywash.engine.Segment#attach} tells.
   *
   * <p>Cancelling the future ends the wait.
   *
   * @param executor completes the future, as in {@link #whenReady(Waitable, Executor)}
   */
  public CompletableFuture<Void> whenExists(Path file, Executor executor) {
    Objects.requireNonNull(executor, "executor");
    FutureWait wait = new FutureWait(null, executor);
    Hub.shared().add(file.toAbsolutePath(), wait);
    return wait.future;
  }

  private static final class FutureWait extends Hub.Wait {
    private final CompletableFuture<Void> future = new CompletableFuture<>();
    private final Executor executor;
    /** Written by the hub's thread. */
    private volatile boolean handedOver;

    FutureWait(WaitPoint point, Executor executor) {
      super(point);
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
      } catch (OutOfMemoryError | StackOverflowError shortage) {
        throw shortage; // the hub tries again
      } catch (RuntimeException | Error refused) {
        VIRTUAL.execute(() -> complete(refused));
      }
    }

    /** Called when the future is complete, perhaps because its user has cancelled it. */
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
  }
}
