package io.bywash.samples.taskfarm;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import io.bywash.engine.*;
import io.bywash.engine.queue.*;
import java.util.Scanner;

/** Works on tasks until its standard input ends. A task is done when its result was sent, and not before. */
final class Worker {
  private static volatile boolean over;

  public static void main(String[] arguments) {
    long forgotten = Long.parseLong(arguments[2]);
    Thread.ofPlatform().daemon().start(() -> over = !new Scanner(System.in).hasNext()); // at its end
    try (Segment segment = Segment.open(arguments[0], Work.SPEC);
        Consumer tasks = Consumer.open(segment.directory().find("tasks", Kind.WORK_QUEUE));
        Producer results = Producer.open(segment.directory().find("results", Kind.WORK_QUEUE))) {
      tasks.label(arguments[1]);
      while (!over) {
        Delivery task = tasks.take(MILLISECONDS.toNanos(100));
        if (task != null) {
          if (task.getLong(0) != forgotten) {
            send(results, task);
          }
          task.ack();
        }
      }
    }
  }

  private static void send(Producer results, Delivery task) {
    QueueClaim result = results.claim(Work.RESULT_BYTES, 0, SECONDS.toNanos(60));
    if (result != null) {
      Work.work(task, result);
    }
    if (result == null || !result.tryCommit(SECONDS.toNanos(60))) { // others may have filled the queue meanwhile
      throw new IllegalStateException("nobody has collected results for 60 s");
    }
  }
}
