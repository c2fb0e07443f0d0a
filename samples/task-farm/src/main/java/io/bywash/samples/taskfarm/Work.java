package io.bywash.samples.taskfarm;

import io.bywash.engine.Claim;
import io.bywash.engine.Message;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.queue.WorkQueue;
import java.util.function.IntToLongFunction;
import java.util.stream.IntStream;

/** What the farm and its workers agree on: two queues, and what stands in tasks and results. */
final class Work {
  static final int TASK_BYTES = 256;
  static final int RESULT_BYTES = 1024;
  static final SegmentSpec SPEC = SegmentSpec.of(WorkQueue.spec("tasks", 32, TASK_BYTES),
      WorkQueue.spec("results", 8, RESULT_BYTES));

  private Work() {}

  private static long word(long id, int index) {
    long mixed = (id + 1) * 0x9E37_79B9_7F4A_7C15L + index * 0xD1B5_4A32_D192_ED03L;
    return mixed ^ mixed >>> 29;
  }

  /** Writes the task of that number: the number, and words to work on. */
  static void writeTask(Claim task, long id) {
    task.putLong(0, id);
    for (int i = 8; i < TASK_BYTES; i += 8) {
      task.putLong(i, word(id, i));
    }
  }

  /** Works on a task: each word of the result takes all words of the task. */
  static void work(Message task, Claim result) {
    result.putLong(0, task.getLong(0));
    for (int i = 8; i < RESULT_BYTES; i += 8) {
      result.putLong(i, resultWord(i, task::getLong));
    }
  }

  private static long resultWord(int index, IntToLongFunction task) {
    long sum = index;
    for (int i = 8; i < TASK_BYTES; i += 8) {
      sum = Long.rotateLeft(sum, 7) + task.applyAsLong(i);
    }
    return sum;
  }

  /** Whether that is the result of the task whose number stands in it. */
  static boolean isRight(Message result) {
    long id = result.getLong(0);
    return IntStream.range(1, RESULT_BYTES / 8)
        .allMatch(i -> result.getLong(8 * i) == resultWord(8 * i, j -> word(id, j)));
  }
}
