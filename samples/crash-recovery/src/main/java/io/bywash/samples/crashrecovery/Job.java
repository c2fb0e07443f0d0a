package io.bywash.samples.crashrecovery;

import static java.util.concurrent.TimeUnit.SECONDS;

import io.bywash.engine.*;
import io.bywash.engine.queue.*;
import java.io.IOException;

/** What the processes of this sample do. Each opens the segment by itself, and creates it if it is the first. */
final class Job {
  static final SegmentSpec SPEC = SegmentSpec.of(WorkQueue.spec("jobs", 256, 16));
  static final SegmentSpec OLDER_SPEC = SegmentSpec.of(WorkQueue.spec("jobs", 8, 16));

  public static void main(String[] arguments) throws IOException {
    boolean older = arguments[1].equals("die at once");
    try (Segment segment = Segment.open(arguments[0], older ? OLDER_SPEC : SPEC)) {
      Entry jobs = segment.directory().find("jobs", Kind.WORK_QUEUE);
      switch (arguments[1]) {
        case "die at once" -> Runtime.getRuntime().halt(9); // as if it had been killed
        case "produce" -> produce(jobs, Integer.parseInt(arguments[2]), Integer.parseInt(arguments[3]));
        case "consume" -> consume(jobs, Integer.parseInt(arguments[2]));
        default -> { // lives until it is told to end
          System.out.println("living");
          System.in.read();
        }
      }
    }
  }

  private static void produce(Entry jobs, int count, int forgotten) {
    try (Producer producer = Producer.open(jobs)) {
      for (int number = 0; number < count; number++) {
        if (number != forgotten && !producer.offer(new byte[8], 0, 8, number, SECONDS.toNanos(60))) {
          throw new IllegalStateException("no room for job " + number);
        }
      }
    }
  }

  /** Handles what is there, and says so of each; dies in the middle of the one of that number. */
  private static void consume(Entry jobs, int deadly) {
    try (Consumer consumer = Consumer.open(jobs)) {
      while (consumer.poll(job -> {
        if (job.type() == deadly) {
          System.out.flush();
          Runtime.getRuntime().halt(9);
        }
        System.out.println(job.type());
      }, 10) > 0) {
        // there may be more
      }
    }
  }
}
