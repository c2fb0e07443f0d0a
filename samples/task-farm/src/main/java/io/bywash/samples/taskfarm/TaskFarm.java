package io.bywash.samples.taskfarm;

import static io.bywash.samples.taskfarm.Work.*;
import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.NANOSECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import io.bywash.engine.*;
import io.bywash.engine.cell.Atomics;
import io.bywash.engine.inspect.*;
import io.bywash.engine.queue.*;
import io.bywash.samples.kit.Programs;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** Hands tasks to four workers, kills one while it has a task in its hands, and collects the results. */
final class TaskFarm {
  private static final String HELP = """
      usage: bywash task-farm [OPTION...]

      One process hands 1,000 tasks to four others and collects their results. At first it does not, so that results
      pile up, workers wait with tasks in their hands, and handing out comes to a stop. Then one of them is killed.

        --hold SECONDS   how long they stand still, so that there is time for 'bywash monitor'; also BYWASH_FARM_HOLD;
                         less if worker 2 is killed before
        --json           what was counted as one line on the standard output, everything else on the standard error
        --sabotage drop  a worker forgets a task: that is noticed
        --help           this text

      Ends with 0 if each task has one accepted result, with 1 if not, with 2 if it was called wrongly.""";
  private static final int TASK_COUNT = 1_000;
  private static final int RETRIES = 6;
  private static final String SEGMENT = "task-farm-" + ProcessHandle.current().pid();

  private final BitSet seen = new BitSet();
  private final List<Process> workers = new ArrayList<>();
  private final PrintStream out;
  private long duplicates;
  private long wrong;
  private long overflows;

  private TaskFarm(PrintStream out) {
    this.out = out;
  }

  public static void main(String[] arguments) {
    List<String> options = Programs.options(HELP, arguments);
    boolean json = options.remove("--json");
    boolean drop = false;
    long hold = 0;
    try {
      drop = !Programs.take(options, "--sabotage", "", "", "|drop").isEmpty();
      hold = SECONDS.toNanos(Long.parseLong(Programs.take(options, "--hold", "BYWASH_FARM_HOLD", "0", "\\d{1,4}")));
      Programs.requireNoMore(options);
    } catch (IllegalArgumentException wrong) {
      Programs.endWrongly("task-farm", wrong);
    }
    Programs.leaveNothing(SEGMENT);
    TaskFarm farm = new TaskFarm(json ? System.err : System.out);
    Outcome outcome = new Outcome(0, 0, 0, 0, 0, 0, 0);
    try {
      outcome = farm.run(drop ? TASK_COUNT / 2 : -1, hold);
      farm.out.println(outcome.toText());
    } catch (IOException | InterruptedException | IllegalStateException failure) {
      System.err.println("task-farm: " + failure.getMessage());
    }
    Programs.end(json, outcome.toJson(), outcome.isOk());
  }

  private Outcome run(long forgotten, long holdNanos) throws IOException, InterruptedException {
    try (Segment segment = Segment.open(SEGMENT, SPEC);
        Atomics state = Atomics.open(segment.directory().find("state", Kind.CELLS))) {
      Entry tasks = segment.directory().find("tasks", Kind.WORK_QUEUE);
      Entry results = segment.directory().find("results", Kind.WORK_QUEUE);
      for (int i = 1; i <= WORKERS; i++) {
        workers.add(Programs.start(Worker.class, SEGMENT, Integer.toString(i), Long.toString(forgotten)));
      }
      Programs.await("all workers were ready", () -> state.intCell("workersReady").get() == WORKERS);
      Thread handing = Thread.ofVirtual().start(() -> handOut(tasks));
      out.println("nobody collects results yet ...");
      Programs.await("all workers stood still", () -> waiting(results) == QueueStatus.of(results).capacity()
          && waiting(tasks) == QueueStatus.of(tasks).capacity() + WORKERS);
      out.println("... so each worker waits with a task in its hands, and no more are handed out:\n");
      out.println(new StatusText().segment(SegmentStatus.of(segment), SegmentStatus.of(segment)));
      offerOneMore(tasks);
      workers.get(1).waitFor(holdNanos, NANOSECONDS); // or until somebody kills it, as 'bywash monitor' does
      long task = taskOf(tasks, workers.getFirst().pid());
      workers.getFirst().destroyForcibly().waitFor();
      out.println("worker 1 was killed in the middle of task " + task + "; now results are collected");
      try (Consumer consumer = Consumer.open(results)) {
        while (seen.cardinality() < TASK_COUNT && (consumer.poll(this::collect, 100, SECONDS.toNanos(5)) > 0
            || handing.isAlive() || waiting(tasks) > 0)) {
          // until all are there, or nothing has come for long and none is due
        }
      }
      handing.join();
      state.booleanCell("shutdown").set(true);
      for (Process worker : workers) {
        worker.waitFor();
      }
      long redelivered = QueueStatus.of(tasks).redeliveredCount();
      return new Outcome(TASK_COUNT, seen.cardinality(), duplicates, wrong, redelivered, 1, overflows);
    }
  }

  /** How many messages of a queue are not acknowledged. */
  private static int waiting(Entry queue) {
    QueueStatus status = QueueStatus.of(queue);
    return status.readyCount() + status.heldCount() + status.leftCount();
  }

  /** Tries so often, with pauses that double; what is then not sent is counted. */
  private void offerOneMore(Entry tasks) {
    try (Producer producer = Producer.open(tasks)) {
      long pause = MILLISECONDS.toNanos(1);
      for (int tries = 0; tries <= RETRIES; tries++, pause *= 2) {
        if (producer.offer(TASKS, task(TASK_COUNT))) {
          return;
        }
        LockSupport.parkNanos(pause);
      }
      overflows++;
      out.println("one more found no room in " + RETRIES + " retries, with pauses that doubled: dropped, and counted");
    }
  }

  /** The sequence of the task that a process has in its hands; it is also the task's number. */
  private static long taskOf(Entry tasks, long pid) {
    return QueueStatus.of(tasks).roles().stream().filter(role -> role.participant().pid() == pid)
        .mapToLong(QueueStatus.RoleStatus::message).findFirst().orElse(-1);
  }

  private static void handOut(Entry tasks) {
    try (Producer producer = Producer.open(tasks)) {
      for (long id = 0; id < TASK_COUNT; id++) {
        if (!producer.offer(TASKS, task(id), SECONDS.toNanos(1_000))) { // waits while there is no room
          throw new IllegalStateException("no worker has taken a task for 1,000 s");
        }
      }
    }
  }

  private void collect(Delivery message) {
    Result result = RESULTS.read(message);
    if (!isRight(result)) {
      wrong++;
    } else if (seen.get((int) result.id())) {
      duplicates++;
    } else {
      seen.set((int) result.id());
    }
  }
}
