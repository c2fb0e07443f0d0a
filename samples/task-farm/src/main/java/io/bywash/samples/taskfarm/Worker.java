package io.bywash.samples.taskfarm;

import static io.bywash.samples.taskfarm.Work.*;
import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import io.bywash.engine.*;
import io.bywash.engine.cell.Atomics;
import io.bywash.engine.queue.*;
import io.bywash.samples.kit.Programs;
import io.bywash.samples.kit.Vitals;

/** Works on tasks until it is told to shut down. A task is done when its result was sent, and not before. */
final class Worker {
  public static void main(String[] arguments) {
    int number = Integer.parseInt(arguments[1]);
    long forgotten = Long.parseLong(arguments[2]);
    Programs.endWithParent();
    try (Segment segment = Segment.open(arguments[0], SPEC);
        Vitals vitals = Vitals.begin(segment, number - 1, "worker " + number);
        Atomics state = Atomics.open(segment.directory().find("state", Kind.CELLS));
        Consumer tasks = Consumer.open(segment.directory().find("tasks", Kind.WORK_QUEUE));
        Producer results = Producer.open(segment.directory().find("results", Kind.WORK_QUEUE))) {
      tasks.label("worker " + number);
      state.intCell("workersReady").getAndAdd(1);
      while (!state.booleanCell("shutdown").get()) {
        Delivery task = tasks.take(MILLISECONDS.toNanos(100));
        if (task != null) {
          long start = System.nanoTime();
          if (TASKS.read(task).id() != forgotten) {
            send(results, work(TASKS.read(task)), vitals);
          }
          task.ack();
          vitals.processed(System.nanoTime() - start);
        }
      }
    }
  }

  private static void send(Producer results, Result result, Vitals vitals) {
    if (results.offer(RESULTS, result)) {
      return;
    }
    vitals.full();
    if (!results.offer(RESULTS, result, SECONDS.toNanos(120))) {
      vitals.error();
      throw new IllegalStateException("nobody has collected results for 120 s");
    }
  }
}
