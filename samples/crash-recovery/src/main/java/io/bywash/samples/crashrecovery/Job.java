package io.bywash.samples.crashrecovery;

import static java.lang.invoke.MethodHandles.lookup;
import static java.util.concurrent.TimeUnit.SECONDS;

import io.bywash.engine.*;
import io.bywash.engine.cell.*;
import io.bywash.engine.queue.*;
import io.bywash.engine.record.Records;
import java.io.IOException;

/** What the processes of this sample do. Each opens the segment by itself, and creates it if it is the first. */
final class Job {
  /** What is to be done; ids grow from 1 on. */
  record Task(long id) {}

  static final Records<Task> TASKS = Records.of(lookup(), Task.class);
  static final SegmentSpec SPEC = SegmentSpec.of(TASKS.declare(WorkQueue.spec("jobs", 256, 16)),
      Atomics.spec("progress", "long lastProcessedId", "long skipped"));
  static final SegmentSpec OLDER_SPEC = SegmentSpec.of(TASKS.declare(WorkQueue.spec("jobs", 8, 16)));

  public static void main(String[] arguments) throws IOException {
    boolean older = arguments[1].equals("die at once");
    try (Segment segment = Segment.open(arguments[0], older ? OLDER_SPEC : SPEC)) {
      Entry jobs = segment.directory().find("jobs", Kind.WORK_QUEUE);
      switch (arguments[1]) {
        case "die at once" -> Runtime.getRuntime().halt(9); // as if it had been killed
        case "produce" -> produce(jobs, Integer.parseInt(arguments[2]), Integer.parseInt(arguments[3]));
        case "consume" -> consume(segment, jobs, Integer.parseInt(arguments[2]));
        default -> { // lives until it is told to end
          System.out.println("living");
          System.in.read();
        }
      }
    }
  }

  private static void produce(Entry jobs, int count, int forgotten) {
    try (Producer producer = Producer.open(jobs)) {
      for (int id = 1; id <= count; id++) {
        if (id != forgotten && !producer.offer(TASKS, new Task(id), SECONDS.toNanos(60))) {
          throw new IllegalStateException("no room for job " + id);
        }
      }
    }
  }

  /**
   * Handles what is there, and says so of each. Dies in the middle of the one of that id, before it is done; or, if the
   * id is negative, when it is done, and nobody knows but who looks at the id that was processed last.
   */
  private static void consume(Segment segment, Entry jobs, int deadly) {
    segment.recover(); // so what a dead consumer has left comes before all that follows it
    try (Consumer consumer = Consumer.open(jobs);
        Atomics progress = Atomics.open(segment.directory().find("progress", Kind.CELLS))) {
      LongCell last = progress.longCell("lastProcessedId");
      while (consumer.poll(job -> {
        long id = TASKS.read(job).id();
        if (id <= last.get()) {
          progress.longCell("skipped").getAndAdd(1); // it was done before its consumer died
          return;
        }
        dieIf(id == deadly);
        System.out.println(id);
        last.set(id);
        dieIf(id == -deadly);
      }, 10) > 0) {
        // there may be more
      }
    }
  }

  private static void dieIf(boolean now) {
    if (now) {
      System.out.flush();
      Runtime.getRuntime().halt(9);
    }
  }
}
