package io.bywash.samples.taskfarm;

/**
 * What was counted.
 *
 * @param tasks that were handed out
 * @param accepted the first right result of each task
 * @param duplicates further results of a task: its worker was killed between sending the result and acknowledging
 * @param wrong results that were not right
 * @param redelivered tasks that another worker got after the death of the first one
 * @param killed workers
 * @param overflows tasks that found no room in all tries, and were dropped
 */
record Outcome(long tasks, long accepted, long duplicates, long wrong, long redelivered, long killed,
    long overflows) {
  boolean isOk() {
    return tasks > 0 && accepted == tasks && wrong == 0 && killed == 1 && redelivered > 0 && overflows == 1;
  }

  String toText() {
    return String.format("%,d tasks, %,d results accepted, %d duplicates, %d wrong; %d worker killed, %d task%s"
        + " redelivered; %d found no room%n%s", tasks, accepted, duplicates, wrong, killed, redelivered,
        redelivered == 1 ? "" : "s", overflows, isOk() ? "each task has exactly one accepted result" : "NOT OK");
  }

  String toJson() {
    return String.format("{\"ok\": %b, \"tasks\": %d, \"accepted\": %d, \"duplicates\": %d, \"wrong\": %d,"
        + " \"redelivered\": %d, \"killed\": %d, \"overflows\": %d}", isOk(), tasks, accepted, duplicates, wrong,
        redelivered, killed, overflows);
  }
}
