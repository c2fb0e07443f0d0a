package io.bywash.samples.taskfarm;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import io.bywash.engine.*;
import io.bywash.engine.inspect.*;
import io.bywash.engine.queue.*;
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

        --json           what was counted as one line on the standard output, everything else on the standard error
        --sabotage drop  a worker forgets a task: that is noticed
        --help           this text

      Ends with 0 if each task has one accepted result, with 1 if not, with 2 if it was called wrongly.""";
  private static final int TASKS = 1_000;
  private static final int WORKERS = 4;
  private static final String SEGMENT = "task-farm-" + ProcessHandle.current().pid();

  private final BitSet seen = new BitSet();
  private final List<Process> workers = new ArrayList<>();
  private final PrintStream out;
  private long accepted;
  private long duplicates;
  private long wrong;

  private TaskFarm(PrintStream out) {
    this.out = out;
  }

  public static void main(String[] arguments) {
    List<String> options = List.of(arguments);
    if (options.contains("--help")) {
      System.out.println(HELP);
      return;
    }
    boolean json = options.contains("--json");
    boolean drop = String.join(" ", options).contains("--sabotage drop");
    if (options.size() != (json ? 1 : 0) + (drop ? 2 : 0)) {
      System.err.println("task-farm: " + options + " is wrong. 'bywash task-farm --help' lists the options.");
      System.exit(2);
    }
    Runtime.getRuntime().addShutdownHook(new Thread(TaskFarm::cleanUp));
    TaskFarm farm = new TaskFarm(json ? System.err : System.out);
    Outcome outcome = new Outcome(0, 0, 0, 0, 0, 0);
    try {
      outcome = farm.run(drop ? TASKS / 2 : -1);
      farm.out.println(outcome.toText());
    } catch (IOException | InterruptedException | IllegalStateException failure) {
      System.err.println("task-farm: " + failure.getMessage());
    }
    if (json) {
      System.out.println(outcome.toJson());
    }
    System.exit(outcome.isOk() ? 0 : 1);
  }

  private Outcome run(long forgotten) throws IOException, InterruptedException {
    try (Segment segment = Segment.open(SEGMENT, Work.SPEC)) {
      Entry tasks = segment.directory().find("tasks", Kind.WORK_QUEUE);
      for (int i = 1; i <= WORKERS; i++) {
        workers.add(start("Worker", "worker " + i, Long.toString(forgotten)));
      }
      Thread handing = Thread.ofVirtual().start(() -> handOut(tasks));
      out.println("nobody collects results yet ...");
      awaitStandstill(tasks);
      out.println("... so each worker waits with a task in its hands, and no more are handed out:\n");
      out.println(new StatusText().segment(SegmentStatus.of(segment), SegmentStatus.of(segment)));
      long task = taskOf(tasks, workers.getFirst().pid());
      workers.getFirst().destroyForcibly().waitFor();
      out.println("worker 1 was killed in the middle of task " + task + "; now results are collected");
      try (Consumer results = Consumer.open(segment.directory().find("results", Kind.WORK_QUEUE))) {
        while (accepted < TASKS && results.poll(this::collect, 100, SECONDS.toNanos(5)) > 0) {
          // until all are there, or nothing has come for long
        }
      }
      handing.join();
      for (Process worker : workers) {
        worker.getOutputStream().close();
        worker.waitFor();
      }
      long redelivered = QueueStatus.of(tasks).redeliveredCount();
      return new Outcome(TASKS, accepted, duplicates, wrong, redelivered, 1);
    }
  }

  /** Waits until all workers wait with a task, and no more tasks find room. */
  private static void awaitStandstill(Entry tasks) {
    long start = System.nanoTime();
    QueueStatus status = QueueStatus.of(tasks);
    while (status.heldCount() < WORKERS || status.readyCount() < status.capacity()) {
      if (System.nanoTime() - start > SECONDS.toNanos(60)) {
        throw new IllegalStateException("the workers have not come to a standstill in 60 s: " + status);
      }
      LockSupport.parkNanos(MILLISECONDS.toNanos(1));
      status = QueueStatus.of(tasks);
    }
  }

  /** The sequence of the task that a process has in its hands; it is also the task's number. */
  private static long taskOf(Entry tasks, long pid) {
    return QueueStatus.of(tasks).roles().stream().filter(role -> role.participant().pid() == pid)
        .mapToLong(QueueStatus.RoleStatus::message).findFirst().orElse(-1);
  }

  private static void handOut(Entry tasks) {
    try (Producer producer = Producer.open(tasks)) {
      for (long id = 0; id < TASKS; id++) {
        QueueClaim task = producer.claim(Work.TASK_BYTES, 0, SECONDS.toNanos(60)); // waits while there is no room
        Work.writeTask(task, id);
        task.commit();
      }
    }
  }

  private void collect(Delivery result) {
    int id = (int) result.getLong(0);
    if (!Work.isRight(result)) {
      wrong++;
    } else if (seen.get(id)) {
      duplicates++;
    } else {
      seen.set(id);
      accepted++;
    }
  }

  private static Process start(String program, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(ProcessHandle.current().info().command().orElseThrow(), "-p",
        System.getProperty("jdk.module.path"), "--enable-native-access=io.bywash.engine", "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1", "-m",
        "io.bywash.samples.taskfarm/io.bywash.samples.taskfarm." + program, SEGMENT));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  /** Whatever the end is: no process and no segment is left. */
  private static void cleanUp() {
    ProcessHandle.current().children().forEach(child -> {
      child.destroyForcibly();
      child.onExit().join();
    });
    BusDirectory.standard().remove(SEGMENT);
  }
}
