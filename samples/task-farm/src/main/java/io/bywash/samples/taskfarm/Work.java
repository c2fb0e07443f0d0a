package io.bywash.samples.taskfarm;

import static java.lang.invoke.MethodHandles.lookup;

import io.bywash.engine.SegmentSpec;
import io.bywash.engine.cell.Atomics;
import io.bywash.engine.queue.WorkQueue;
import io.bywash.engine.record.Length;
import io.bywash.engine.record.Records;
import io.bywash.samples.kit.Vitals;
import java.util.Arrays;

/** What the farm and its workers agree on: two queues, what they carry, and how they know of each other. */
final class Work {
  /** 256 bytes. */
  record Task(long id, @Length(31) long[] words) {}

  /** 1,024 bytes. */
  record Result(long id, @Length(127) long[] words) {}

  static final int WORKERS = 4;
  static final Records<Task> TASKS = Records.of(lookup(), Task.class);
  static final Records<Result> RESULTS = Records.of(lookup(), Result.class);
  static final SegmentSpec SPEC = SegmentSpec.of(TASKS.declare(WorkQueue.spec("tasks", 32, 256)),
      RESULTS.declare(WorkQueue.spec("results", 8, 1024)),
      Atomics.spec("state", "int workersReady", "boolean shutdown"), Vitals.spec(WORKERS));

  private Work() {}

  /** The task of that number: words to work on. */
  static Task task(long id) {
    long[] words = new long[31];
    Arrays.setAll(words, i -> {
      long mixed = (id + 1) * 0x9E37_79B9_7F4A_7C15L + i * 0xD1B5_4A32_D192_ED03L;
      return mixed ^ mixed >>> 29;
    });
    return new Task(id, words);
  }

  /** Works on a task: each word of the result takes all words of the task. */
  static Result work(Task task) {
    long[] words = new long[127];
    Arrays.setAll(words, i -> {
      long sum = i;
      for (long word : task.words()) {
        sum = Long.rotateLeft(sum, 7) + word;
      }
      return sum;
    });
    return new Result(task.id(), words);
  }

  /** Whether that is the result of the task whose number stands in it. */
  static boolean isRight(Result result) {
    return Arrays.equals(result.words(), work(task(result.id())).words());
  }
}
