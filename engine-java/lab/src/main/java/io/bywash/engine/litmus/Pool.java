package io.bywash.engine.litmus;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.Supplier;

/**
 * Things that states of a litmus test use one after the other, since states are made by the million. A state takes
 * one when it is made, its arbiter gives it back. What was given back first is taken first, so that the caches are
 * cold, as they are between processes. Any thread may call.
 *
 * @param <T> the things
 */
public final class Pool<T> {
  private final Queue<T> free = new ArrayDeque<>();
  private final Supplier<T> factory;

  /** A pool that makes a thing whenever none is free. */
  public Pool(Supplier<T> factory) {
    this.factory = factory;
  }

  /** One that nobody uses now. */
  public synchronized T take() {
    T thing = free.poll();
    return thing != null ? thing : factory.get();
  }

  /** The caller does not use it any more. */
  public synchronized void giveBack(T thing) {
    free.add(thing);
  }
}
