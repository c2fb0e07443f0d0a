package io.bywash.samples.crashrecovery;

/**
 * What happened.
 *
 * @param foreignKept a file that is no segment was refused, and is as it was
 * @param staleReplaced a segment of other shape whose processes were killed was in nobody's way
 * @param livingKept a segment in use was neither removed nor replaced
 * @param jobs that were to be done
 * @param done each job once, however often it was handled
 * @param twice jobs that were handled to the end more than once
 * @param redelivered jobs whose consumer was killed in the middle, and that the next one got
 * @param skipped of these, since they had been done
 */
record Outcome(boolean foreignKept, boolean staleReplaced, boolean livingKept, long jobs, long done, long twice,
    long redelivered, long skipped) {
  boolean isOk() {
    return foreignKept && staleReplaced && livingKept && jobs > 0 && done == jobs && twice == 0 && redelivered == 2
        && skipped == 1;
  }

  String toText() {
    return String.format("%d jobs, %d done, %d twice, %d redelivered, %d of them skipped%n%s", jobs, done, twice,
        redelivered, skipped, isOk() ? "nothing was lost, and nothing that lives was touched" : "NOT OK");
  }

  String toJson() {
    return String.format("{\"ok\": %b, \"foreignKept\": %b, \"staleReplaced\": %b, \"livingKept\": %b, \"jobs\": %d,"
        + " \"done\": %d, \"twice\": %d, \"redelivered\": %d, \"skipped\": %d}", isOk(), foreignKept, staleReplaced,
        livingKept, jobs, done, twice, redelivered, skipped);
  }
}
