package io.bywash.engine;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Threads of a test: started together, joined together, and the first failure of any of them is the test's. */
public final class Threads implements AutoCloseable {
  private static final long DEADLINE_NANOS = TimeUnit.SECONDS.toNanos(100);

  private final List<Thread> threads = new ArrayList<>();
  private final ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();

  /** What a thread of a test does. */
  @FunctionalInterface
  public interface Work {
    /** Any failure is reported by {@link Threads#join}. */
    void run() throws Exception;
  }

  /** Starts a thread. */
  public Thread start(String name, Work work) {
    CountDownLatch running = new CountDownLatch(1);
    Thread thread = new Tested(name, () -> {
      running.countDown();
      try {
        work.run();
      } catch (Throwable failure) {
        ((Tested) Thread.currentThread()).interrupts.forEach(failure::addSuppressed);
        failures.add(failure);
      }
    });
    thread.setDaemon(true);
    threads.add(thread);
    thread.start();
    await(() -> running.getCount() == 0, name + " to start");
    return thread;
  }

  /** A thread that knows who interrupted it. */
  private static final class Tested extends Thread {
    private final ConcurrentLinkedQueue<Throwable> interrupts = new ConcurrentLinkedQueue<>();

    Tested(String name, Runnable work) {
      super(work, name);
    }

    @Override
    public void interrupt() {
      interrupts.add(new Throwable("interrupted by thread \"" + Thread.currentThread().getName() + "\""));
      super.interrupt();
    }
  }

  /** Whether a thread has failed already; the others may then stop. */
  public boolean hasFailed() {
    return !failures.isEmpty();
  }

  /** Waits for all threads, and fails when one of them failed or does not end. */
  public void join() throws InterruptedException {
    long start = System.nanoTime();
    for (Thread thread : threads) {
      while (thread.isAlive() && !hasFailed() && System.nanoTime() - start < DEADLINE_NANOS) {
        thread.join(10);
      }
    }
    if (hasFailed()) {
      AssertionError failure = new AssertionError("a thread of the test failed: " + failures.peek(), failures.poll());
      failures.forEach(failure::addSuppressed);
      throw failure;
    }
    for (Thread thread : threads) {
      assertTrue(!thread.isAlive(), () -> "thread " + thread.getName() + " does not end; it is at "
          + List.of(thread.getStackTrace()));
    }
  }

  /** Interrupts whatever is left, so that a failed test does not leave threads at work. */
  @Override
  public void close() {
    threads.forEach(Thread::interrupt);
  }

  /** As {@link CompletableFuture#runAsync(Runnable)}, in a thread of its own: the common pool may have only one. */
  public static CompletableFuture<Void> runAsync(Runnable task) {
    return CompletableFuture.runAsync(task, Threads::execute);
  }

  /** As {@link CompletableFuture#supplyAsync(Supplier)}, in a thread of its own. */
  public static <T> CompletableFuture<T> supplyAsync(Supplier<T> task) {
    return CompletableFuture.supplyAsync(task, Threads::execute);
  }

  private static void execute(Runnable task) {
    Thread thread = new Thread(task, "task of a test");
    thread.setDaemon(true);
    thread.start();
  }

  /** Waits until {@code condition} holds; fails when it does not within a generous time. */
  public static void await(BooleanSupplier condition, String what) {
    long start = System.nanoTime();
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() - start < DEADLINE_NANOS, () -> "waited in vain for " + what);
      Thread.onSpinWait();
      Thread.yield();
    }
  }
}
